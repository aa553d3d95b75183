"""Lay out the pages and answer their controls."""

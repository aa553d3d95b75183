"""Run a round's desk: a page for analysts, apart from the public dashboard."""

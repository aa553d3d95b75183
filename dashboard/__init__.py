"""Show a release as maps, charts and tables, in Mongolian and English."""

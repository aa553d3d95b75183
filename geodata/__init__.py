"""Know the places: areas and their versions, P-codes, grid index, layers, rasters."""

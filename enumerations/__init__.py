"""Read what enumerators return, map it to declared columns and check it."""

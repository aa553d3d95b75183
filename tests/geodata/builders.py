"""Make small files of areas for the tests."""

import json

LON0, LAT0, STEP = 106.80, 47.90, 0.01
"""South-west corner of the grid, in Bayangol, and the side of a square, in degrees."""


def square(column, row, *, dx=0.0, dy=0.0):
    """Return one square of the grid as GeoJSON coordinates."""
    west, south = round(LON0 + column * STEP + dx, 6), round(LAT0 + row * STEP + dy, 6)
    east, north = round(west + STEP, 6), round(south + STEP, 6)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def khoroo(number, geometry, **properties):
    """Return a feature with the fields of a khoroo of Bayangol."""
    fields = {"district": "Баянгол", "khoroo": f"{number}-р хороо", "population": 100 * number} | properties
    return {"type": "Feature", "properties": fields, "geometry": geometry}


def grid(size=3):
    """Return the khoroos of a grid of squares, numbered row by row from 1."""
    return [khoroo(1 + column + size * row, square(column, row)) for row in range(size) for column in range(size)]


def write(path, features, **members):
    """Write a FeatureCollection and return its path."""
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features} | members), encoding="utf-8")
    return path


def codes(findings, severity=None):
    """Return the codes of findings, with repeats."""
    return [finding.code for finding in findings if severity in (None, finding.severity)]

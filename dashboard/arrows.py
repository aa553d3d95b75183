"""Draw moves as curved arrows: polygons that start thin at the origin and end in a head at the destination."""

from __future__ import annotations

import math

Point = tuple[float, float]
CURVE_STEPS = 18
BEND_SHARE = 0.16
"""How far the arrow bows to its left, as a share of its length; moves there and back don't cover each other."""
TAIL_SHARE = 0.25
"""Width at the origin, as a share of the width at the head."""
HEAD_LENGTH_WIDTHS = 2.4
HEAD_WIDTH_WIDTHS = 2.2
GAP_SHARE = 0.05
WIDEST_PER_LENGTH = 0.25
"""An arrow is never wider than this share of its length: shorter ones would be all head."""
MERCATOR_LIMIT_DEG = 85.0


def to_mercator(point: Point) -> Point:
    """Return web-Mercator coordinates in degrees of longitude, so that angles look right on the map."""
    lon, lat = point
    bounded = max(-MERCATOR_LIMIT_DEG, min(MERCATOR_LIMIT_DEG, lat))
    return lon, math.degrees(math.asinh(math.tan(math.radians(bounded))))


def from_mercator(point: Point) -> Point:
    """Return longitude and latitude."""
    x, y = point
    return x, math.degrees(math.atan(math.sinh(math.radians(y))))


def _on_curve(start: Point, bend: Point, end: Point, t: float) -> tuple[Point, Point]:
    """Return position and unit direction on a quadratic curve."""
    a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
    position = (a * start[0] + b * bend[0] + c * end[0], a * start[1] + b * bend[1] + c * end[1])
    dx = 2 * (1 - t) * (bend[0] - start[0]) + 2 * t * (end[0] - bend[0])
    dy = 2 * (1 - t) * (bend[1] - start[1]) + 2 * t * (end[1] - bend[1])
    length = math.hypot(dx, dy) or 1.0
    return position, (dx / length, dy / length)


def arrow(origin: Point, destination: Point, *, width: float, head: float = 0.0) -> list[Point]:
    """Return the ring of an arrow, closed, in longitude and latitude.

    Parameters
    ----------
    origin, destination
        Longitude and latitude in degrees. Must differ.
    width
        Width where the shaft meets the head, in Mercator degrees of longitude.
    head
        The head is drawn as for a shaft at least this wide, so that thin arrows still point.

    Raises
    ------
    ValueError
        Origin and destination are the same point.
    """
    start, end = to_mercator(origin), to_mercator(destination)
    length = math.hypot(end[0] - start[0], end[1] - start[1])
    if length == 0:
        raise ValueError("an arrow needs two different points")
    along = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
    bend = (
        (start[0] + end[0]) / 2 - along[1] * BEND_SHARE * 2 * length,
        (start[1] + end[1]) / 2 + along[0] * BEND_SHARE * 2 * length,
    )
    width = min(width, length * WIDEST_PER_LENGTH)
    head = min(max(width, head), length * WIDEST_PER_LENGTH)
    neck = 1 - GAP_SHARE - min(0.5, HEAD_LENGTH_WIDTHS * head / length)
    left: list[Point] = []
    right: list[Point] = []
    for step in range(CURVE_STEPS + 1):
        share = step / CURVE_STEPS
        (x, y), (dx, dy) = _on_curve(start, bend, end, GAP_SHARE + (neck - GAP_SHARE) * share)
        half = width / 2 * (TAIL_SHARE + (1 - TAIL_SHARE) * share)
        left.append((x - dy * half, y + dx * half))
        right.append((x + dy * half, y - dx * half))
    (x, y), (dx, dy) = _on_curve(start, bend, end, neck)
    half = head / 2 * HEAD_WIDTH_WIDTHS
    tip, _ = _on_curve(start, bend, end, 1 - GAP_SHARE)
    point = [(x - dy * half, y + dx * half), tip, (x + dy * half, y - dx * half)]
    ring = [*left, *point, *reversed(right)]
    return [from_mercator(corner) for corner in [*ring, ring[0]]]


def is_too_short(origin: Point, destination: Point, *, width: float) -> bool:
    """Return whether an arrow between two points is drawn thinner than the width it was given."""
    start, end = to_mercator(origin), to_mercator(destination)
    return width > math.hypot(end[0] - start[0], end[1] - start[1]) * WIDEST_PER_LENGTH


def arrow_width(value: float, *, largest: float, widest: float) -> float:
    """Return a width in proportion to the value, never thinner than a fifteenth of the widest."""
    if largest <= 0:
        return widest / 15
    return widest * max(1 / 15, min(1.0, value / largest))

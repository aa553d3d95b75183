"""Arrows start thin at the origin and point at the destination."""

from __future__ import annotations

import math
import re
from urllib.parse import unquote

import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from dashboard.arrow_legend import picture, px_per_degree, round_below, shown_values
from dashboard.arrows import arrow, arrow_width, from_mercator, is_too_short, to_mercator
from dashboard.end_labels import box_of, sides_of
from dashboard.maps import Camera

POINTS = st.tuples(st.floats(88, 120), st.floats(41, 52))


def tip_of(ring):
    """The tip is the middle of the ring: as many corners on the left of the arrow as on its right."""
    return ring[(len(ring) - 1) // 2]


@given(POINTS, st.floats(0.01, 10), st.floats(0, 2 * math.pi), st.floats(0.0001, 0.2))
def test_the_tip_is_near_the_destination_and_the_ring_is_one_polygon(origin, length, angle, width):
    start = to_mercator(origin)
    end = from_mercator((start[0] + length * math.cos(angle), start[1] + length * math.sin(angle)))
    ring = arrow(origin, end, width=width * length)
    assert ring[0] == ring[-1]
    tip, head = to_mercator(tip_of(ring)), to_mercator(end)
    assert math.dist(tip, head) < 0.2 * length < math.dist(tip, start)
    assert shapely.Polygon([to_mercator(point) for point in ring]).area > 0


@given(POINTS, POINTS)
def test_there_and_back_do_not_cover_each_other(a, b):
    assume(math.dist(a, b) > 0.05)
    length = math.dist(to_mercator(a), to_mercator(b))
    there, back = (shapely.Polygon(map(to_mercator, arrow(*ends, width=length / 100))) for ends in ((a, b), (b, a)))
    assert shapely.make_valid(there).intersection(shapely.make_valid(back)).area < 0.1 * there.area


def test_it_is_thin_where_it_starts():
    ring = [to_mercator(point) for point in arrow((106.0, 47.0), (107.0, 47.0), width=0.02)]
    tail = math.dist(ring[0], ring[-2])
    neck = math.dist(ring[18], ring[22])
    assert tail == pytest.approx(0.005, rel=0.01)
    assert neck == pytest.approx(0.02, rel=0.01)


def test_it_bows_to_the_left():
    ring = arrow((106.0, 47.0), (107.0, 47.0), width=0.02)
    assert max(lat for _, lat in ring) > 47.1
    assert min(lat for _, lat in ring) > 46.99


def test_the_same_point_is_refused():
    with pytest.raises(ValueError, match="two different points"):
        arrow((106.0, 47.0), (106.0, 47.0), width=0.01)


def test_width_goes_with_the_value():
    assert arrow_width(50, largest=100, widest=3.0) == 1.5
    assert arrow_width(1, largest=1000, widest=3.0) == pytest.approx(0.2)
    assert arrow_width(5, largest=0, widest=3.0) == pytest.approx(0.2)


def test_the_legend_of_widths_by_hand():
    assert [round_below(value) for value in (0.4, 1, 2.9, 623, 999, 5000)] == [1, 1, 2, 500, 500, 5000]
    assert shown_values(623) == [500, 200, 30]  # 623, 207.7 and 41.5, each rounded down
    assert shown_values(2) == [2, 1]
    assert px_per_degree(Camera(0, 0, 1.0)) == pytest.approx(1024 / 360)


def test_the_picture_of_an_arrow_is_as_wide_as_the_map_draws_it():
    thick, thin = (unquote(picture(width, 1.0, "#0072b2")) for width in (12.0, 3.0))
    corners = [tuple(map(float, pair.split(","))) for pair in re.search('points="([^"]*)"', thick)[1].split(" ")]
    assert math.dist(corners[18], corners[22]) == pytest.approx(12.0, rel=0.02)  # where the shaft meets the head
    assert len(thick) == pytest.approx(len(thin), rel=0.1)


def test_an_arrow_too_short_for_its_width_is_told():
    assert is_too_short((106.0, 47.0), (106.1, 47.0), width=0.03)
    assert not is_too_short((106.0, 47.0), (106.1, 47.0), width=0.02)


def test_a_name_stands_where_it_covers_no_other():
    assert sides_of([(0, 0)], ["Bayangol"]) == ["top center"]
    # the second dot stands in the middle of the first one's name, so that goes below; its own name is free above
    assert sides_of([(0, 0), (0, -12)], ["Bayangol", "Nalaikh"]) == ["bottom center", "top center"]
    assert sides_of([(0, 0), (300, 0)], ["Bayangol", "Nalaikh"]) == ["top center", "top center"]
    assert box_of(0, 0, "ab", "middle right") == (7.0, -8.5, 22.2, 8.5)

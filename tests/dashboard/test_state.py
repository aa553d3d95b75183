"""The state of a view survives the address, and nonsense in an address falls back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dashboard.state import (
    DIRECTIONS,
    FLOW_LEVELS,
    SCOPES,
    SOURCES,
    TABS,
    TOP_MAXIMUM_ARROWS,
    UNITS,
    View,
    view_from_mapping,
    view_from_search,
)

CODES = st.from_regex(r"[A-Za-z0-9_-]{0,12}", fullmatch=True)
VIEWS = st.builds(
    View,
    lang=st.sampled_from(("mn", "en")),
    round=st.none() | st.integers(0, 100_000),
    level=st.sampled_from((2, 3)),
    measure=CODES,
    area=CODES,
    extent=CODES.filter(bool),
    source=st.sampled_from(SOURCES),
    scope=st.sampled_from(SCOPES),
    unit=st.sampled_from(UNITS),
    tab=st.sampled_from(TABS),
    flow_level=st.sampled_from(FLOW_LEVELS),
    reason=CODES.filter(bool),
    direction=st.sampled_from(DIRECTIONS),
    top=st.integers(1, TOP_MAXIMUM_ARROWS),
    overlay=CODES,
    opacity=st.integers(0, 100),
    hazard=CODES,
    q=st.text(st.characters(exclude_categories=("Cs",)), max_size=60),
)
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)


@given(VIEWS)
def test_round_trip_through_the_address(view):
    assert view_from_search(view.to_search()) == view


@given(st.dictionaries(st.sampled_from([*View.__dataclass_fields__, "other"]), ANYTHING))
def test_whatever_a_browser_sends_becomes_a_view(values):
    view = view_from_mapping(values)
    assert view_from_search(view.to_search()) == view.but(width=View().width)


def test_the_default_view_has_a_bare_address():
    assert View().to_search() == ""
    assert View(lang="en", round=3, area="MN1107").to_search() == "?lang=en&round=3&area=MN1107"


def test_nonsense_falls_back():
    view = view_from_search("?lang=fr&round=x&level=7&area=../etc&top=9999&opacity=-1")
    assert view == View()


def test_limits_at_and_past_the_edge():
    assert view_from_mapping({"top": TOP_MAXIMUM_ARROWS}).top == TOP_MAXIMUM_ARROWS
    assert view_from_mapping({"top": TOP_MAXIMUM_ARROWS + 1}).top == View().top
    assert view_from_mapping({"opacity": 0}).opacity == 0
    assert view_from_mapping({"opacity": 101}).opacity == View().opacity

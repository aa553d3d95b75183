"""Hold the state of a view as a value that is written to, and read from, the address."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from dashboard.words import DEFAULT_LANGUAGE, LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

LEVELS = (2, 3)
FLOW_LEVELS = (1, 2, 3)
RETURN_SOURCES = ("arrivals", "departures")
SURVEY_SOURCES = ("survey_1y", "survey_5y", "survey_lifetime")
SOURCES = (*RETURN_SOURCES, "reconciled", "checkpoint", *SURVEY_SOURCES)
"""Who tells of a move; figures of two sources are never added."""
DIRECTIONS = ("both", "in", "out")
TABS = ("map", "matrix", "sankey", "bars", "profile", "trends", "system")
SCOPES = ("internal", "external")
UNITS = ("persons", "households")
TOP_MAXIMUM_ARROWS = 80
OPACITY_MAXIMUM_PERCENT = 100
QUERY_MAXIMUM_CHARACTERS = 60
WIDTH_DEFAULT_PX = 1440
WIDTH_MAXIMUM_PX = 10_000
_CODE = re.compile(r"[A-Za-z0-9_-]{0,64}")


@dataclass(frozen=True)
class View:
    """What a reader is looking at; every field but `width` is part of the address."""

    lang: str = DEFAULT_LANGUAGE
    round: int | None = None
    level: int = 3
    measure: str = ""
    area: str = ""
    extent: str = "people"
    source: str = "arrivals"
    scope: str = "internal"
    unit: str = "persons"
    tab: str = "map"
    flow_level: int = 2
    reason: str = "total"
    direction: str = "both"
    top: int = 25
    overlay: str = ""
    opacity: int = 70
    hazard: str = ""
    q: str = ""
    width: int = WIDTH_DEFAULT_PX

    def to_mapping(self) -> dict[str, Any]:
        """Return the fields of the address; what is at its default is left out."""
        default = View()
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "width" and getattr(self, field.name) != getattr(default, field.name)
        }

    def to_search(self) -> str:
        """Return the part of the address from the question mark on."""
        values = self.to_mapping()
        return f"?{urlencode(values)}" if values else ""

    def but(self, **changes: Any) -> View:
        """Return the view with some fields changed."""
        return replace(self, **changes)


def _whole(value: Any, *, lowest: int, highest: int, default: int | None) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return default
    return number if lowest <= number <= highest else default


def _one_of(value: Any, allowed: tuple[Any, ...], default: Any) -> Any:
    return value if value in allowed else default


def _code(value: Any, default: str = "") -> str:
    return value if isinstance(value, str) and value and _CODE.fullmatch(value) else default


def view_from_mapping(values: Mapping[str, Any]) -> View:
    """Build a view from what a browser sent; whatever has no meaning falls back to its default."""
    default = View()
    query = values.get("q")
    return View(
        lang=_one_of(values.get("lang"), LANGUAGES, default.lang),
        round=_whole(values.get("round"), lowest=0, highest=100_000, default=None),
        level=_one_of(_whole(values.get("level"), lowest=0, highest=9, default=None), LEVELS, default.level),
        measure=_code(values.get("measure")),
        area=_code(values.get("area")),
        extent=_code(values.get("extent"), default.extent),
        source=_one_of(values.get("source"), SOURCES, default.source),
        scope=_one_of(values.get("scope"), SCOPES, default.scope),
        unit=_one_of(values.get("unit"), UNITS, default.unit),
        tab=_one_of(values.get("tab"), TABS, default.tab),
        flow_level=_one_of(
            _whole(values.get("flow_level"), lowest=0, highest=9, default=None), FLOW_LEVELS, default.flow_level
        ),
        reason=_code(values.get("reason"), default.reason),
        direction=_one_of(values.get("direction"), DIRECTIONS, default.direction),
        top=_whole(values.get("top"), lowest=1, highest=TOP_MAXIMUM_ARROWS, default=default.top) or default.top,
        overlay=_code(values.get("overlay")),
        opacity=_opacity(values.get("opacity"), default.opacity),
        hazard=_code(values.get("hazard")),
        q=query[:QUERY_MAXIMUM_CHARACTERS] if isinstance(query, str) else "",
        width=_whole(values.get("width"), lowest=200, highest=WIDTH_MAXIMUM_PX, default=None) or WIDTH_DEFAULT_PX,
    )


def _opacity(value: Any, default: int) -> int:
    number = _whole(value, lowest=0, highest=OPACITY_MAXIMUM_PERCENT, default=None)
    return default if number is None else number


def view_from_search(search: str | None) -> View:
    """Build a view from the part of an address after the question mark."""
    parsed = parse_qs((search or "").lstrip("?"), keep_blank_values=True)
    values = {name: found[-1] for name, found in parsed.items()}
    return view_from_mapping({name: value for name, value in values.items() if name != "width"})

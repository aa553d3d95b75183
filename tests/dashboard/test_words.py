"""Both languages are complete, nothing is missing, nothing is left over."""

from __future__ import annotations

import datetime as dt
import re
import string
from pathlib import Path

import pandas as pd
import pytest

import dashboard
from dashboard import account_charts, flow_bars, flow_figures, parts, tables
from dashboard.desk import board, deciding, files, finding_table, layout, round_head, units
from dashboard.measures import MEASURES
from dashboard.pages.data import BREAK_COLUMNS, INPUT_KINDS, METHODS
from dashboard.pages.flows import SOURCE_GROUPS
from dashboard.pages.hazards import SERVICES_KNOWN
from dashboard.state import DIRECTIONS, LEVELS, SCOPES, SOURCES, SURVEY_SOURCES, TABS, UNITS
from dashboard.words import LANGUAGES, Words, dictionary
from dtm._release_tables import STATUSES
from dtm.series_breaks import SERIES

SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted(Path(dashboard.__file__).parent.rglob("*.py")))
COMPOSED = {
    *(f"measure.{key}" for key in MEASURES),
    *(f"unit.{measure.unit}" for measure in MEASURES.values()),
    *(f"unit.{unit}" for unit in UNITS),
    *(f"status.{status}" for status in STATUSES),
    *(f"status.{status}.why" for status in STATUSES),
    *(f"source.{source}" for source in SOURCES),
    *(f"flows.told.{source}" for source in SOURCES),
    *(f"scope.{scope}" for scope in SCOPES),
    *(f"level.{level}" for level in LEVELS),
    *(f"page.{page}" for page in parts.PAGES),
    *(f"language.{lang}" for lang in LANGUAGES),
    *(f"grid.{key}" for key in tables.GRID_WORDS),
    *(f"service.{name}" for name in SERVICES_KNOWN),
    *(f"method.{name}" for name in METHODS),
    *(f"manifest.kind.{kind}" for kind in INPUT_KINDS),
    *(f"breaks.{name}" for name in BREAK_COLUMNS),
    *(f"breaks.series.{series}" for series in SERIES),
    *(f"direction.{direction}" for direction in DIRECTIONS),
    *(f"tab.{tab}" for tab in TABS),
    *(f"source_group.{group}" for group, _ in SOURCE_GROUPS),
    *(f"matrix.axis.{axis}" for axis in ("origin", "destination", "place", "city")),
    *(f"matrix.{name}" for name in ("in", "out", "own", "stayed", "scale", "outside")),
    *(f"flows.{name}" for name in ("own", "stayed")),
    *(f"sankey.{side}" for side in ("from", "to")),
    *(f"bars.{status}" for status in ("suppressed", "not_reported")),
    *(f"bars.{how}" for how in ("told", "summed")),
    *(f"breakdown.{kind}" for kind in flow_bars.BREAKDOWNS),
    *(f"about.breakdown.{kind}" for kind in flow_bars.BREAKDOWNS),
    *(f"about.pair.{source}" for source in (*(s for s in SOURCES if s not in SURVEY_SOURCES), "survey")),
    *(f"about.net.{how}" for how in ("told", "pairs")),
    *flow_figures.SERIES.values(),
    *(f"drawn.{code}" for code in flow_figures.DRAWN),
    *(f"how.{method}" for method in flow_figures.HOW),
    *(f"arrows.{size}" for size in ("value", "fewer")),
    *(f"passage.week.{side}" for side in ("in", "out", "net")),
    *(f"weekday.{day}" for day in range(1, 8)),
    *(f"trend.{method}" for method in ("interpolated", "projected")),
    *(f"unit.{unit}" for unit in ("km", "pct", "persons_per_hour")),
    *(f"column.{name}" for name in ("round", "weekday", "breakdown", "item", "index", "checkpoint")),
    *(f"column.{name}" for name in ("formula", "reference", "low", "high")),
    *(f"severity.{severity}" for severity in ("error", "warning")),
    *(f"empty.{step}" for step in ("areas", "round", "returns", "release")),
    *(f"rounds.{name}" for name in ("round", "dates", "state", "signed_on", "signed_off", "open")),
    *(f"account.{name}" for name in account_charts.STEPS),
    *(f"account.{part}.{flag}" for part in ("flag", "key") for flag in account_charts.FLAGS),
    *(f"account.axis.{name}" for name in ("people", "moves", "residual", "share")),
    *(f"account.head.{name}" for name in ("term", "people", "share", "round", "residual", "pct", "verdict", "units")),
    *(f"account.head.{name}" for name in ("returns", "figure", "told", "estimated", "all", "interval", "part")),
    *(f"account.head.{name}" for name in ("estimate", "value", "base", "effect")),
    "account.residuals.none",
    "account.residuals.one",
    *(f"account.figure.{figure}" for figure in account_charts.FIGURES),
    *(f"account.{part}" for part in ("told", "estimated")),
    *(f"desk.section.{name}" for name in layout.SECTIONS),
    *(f"desk.state.{name}" for name in board.STATES),
    *(f"desk.after.{name}" for name in board.STATES[2:]),
    *(f"desk.{word}.{step}" for word in ("step", "ask", "did") for step in round_head.MOVES),
    *(f"desk.{word}.{name}" for word in ("do", "why", "ask") for name in (*deciding.DECISIONS, "edit")),
    *(f"desk.did.{name}" for name in ("waive", "take_back", "edits", "refused")),
    *(f"desk.need.{name}" for name in ("who", "reason", "chosen", "record", "one", "field", "other", "fewer")),
    *(f"desk.class.{name}" for name in units.CLASSES),
    *(f"desk.role.{name}" for name in units.ROLES),
    *(f"desk.form.{name}" for name in units.FORMS),
    *(f"desk.key.{name}" for name in ("trained_note", "no_list")),
    *(f"desk.training.{name}" for name in units.TRAININGS),
    *(f"desk.training.head.{name}" for name in units.TRAINING_COLUMNS),
    *(f"desk.missing_{name}" for name in ("late", "not_due")),
    *(f"desk.severity.{name}" for name in finding_table.SEVERITIES),
    *(f"desk.show.{name}" for name in finding_table.FINDING_STATES),
    *(f"grid.{key}" for key in finding_table.GRID_ARIA),
    *(f"desk.upload.{key}" for key in files.COUNTS),
    *(f"desk.upload_{name}" for name in ("sums", "no_sum")),
    *(f"desk.{name}" for name in ("cumulative", "expected")),
    *(f"desk.refused.{name}" for name in ("key", "host", "origin", "method")),
}
WRITTEN = set(re.findall(r"""words\(\s*["']([a-z0-9_.]+)["']""", SOURCE))


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_word_used_is_there():
    assert (WRITTEN | COMPOSED) - set(dictionary()) == set()


def test_every_word_there_is_used():
    assert set(dictionary()) - WRITTEN - COMPOSED == set()


@pytest.mark.parametrize("key", sorted(dictionary()))
def test_both_languages_say_it_with_the_same_places(key):
    entry = dictionary()[key]
    assert set(entry) == set(LANGUAGES)
    assert all(text.strip() for text in entry.values())
    assert places(entry["mn"]) == places(entry["en"])


def test_numbers_and_days():
    english, mongolian = Words("en"), Words("mn")
    assert english.number(1234567) == "1,234,567"
    assert english.number(-12.345, decimals=1, signed=True) == "−12.3"
    assert english.number(12.3, signed=True) == "+12"
    assert english.number(-0.2) == "0"
    assert english.number(None) == english.number(float("nan")) == english.number(pd.NA) == "–"
    assert english.date(dt.date(2026, 3, 1)) == "1 March 2026"
    assert mongolian.date(dt.date(2026, 3, 1)) == "2026 оны 3-р сарын 1"
    assert mongolian.short_month(dt.date(2026, 3, 1)) == "2026-03"

"""Name the tables of every form; each is declared in a file of its own."""

from __future__ import annotations

from enumerations._columns_baseline import ARRIVALS, BASELINE, CONDITIONS, DEPARTURES
from enumerations._columns_checkpoints import PASSAGE_GROUPS, PASSAGES, WATCH
from enumerations._columns_common import AGE_BANDS, CHECKPOINT_BANDS, FormColumn, FormTable
from enumerations._columns_events import EVENT_MOVES, EVENTS
from enumerations._columns_published import PUBLISHED
from enumerations._columns_survey import HOUSEHOLDS, MEMBERS

__all__ = [
    "AGE_BANDS",
    "ARRIVALS",
    "BASELINE",
    "CHECKPOINT_BANDS",
    "CONDITIONS",
    "DEPARTURES",
    "EVENTS",
    "EVENT_MOVES",
    "FORMS",
    "HOUSEHOLDS",
    "MEMBERS",
    "PASSAGES",
    "PASSAGE_GROUPS",
    "PUBLISHED",
    "WATCH",
    "FormColumn",
    "FormTable",
]

FORMS: dict[str, tuple[FormTable, ...]] = {
    "kheseg-baseline": (BASELINE, ARRIVALS, DEPARTURES),
    "checkpoint-registry": (PASSAGES, WATCH),
    "household-survey": (HOUSEHOLDS, MEMBERS),
    "event-report": (EVENTS, EVENT_MOVES),
    "dtm-published": (PUBLISHED,),
}
"""Tables of each form, parents before their repeats."""

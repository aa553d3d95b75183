"""Check that rounds keep their order and never overlap."""

from __future__ import annotations

from datetime import date

import pytest

from dtm.engine import connect
from dtm.errors import UnknownAreaSetError, WrongUseError
from dtm.rounds import list_rounds, open_round
from dtm.warehouse import prepare_warehouse


@pytest.fixture
def connection():
    with connect() as opened:
        prepare_warehouse(opened)
        for version in (1, 2):
            opened.execute(
                "INSERT INTO area_set VALUES ('k', ?, 3, NULL, '2022-01-01', NULL, 1, 1, NULL, 'f', 'h', false, now())",
                [version],
            )
        yield opened


def opened(connection, number, first, last, area_set="k"):
    open_round(
        connection,
        operation="o",
        number=number,
        started_on=date.fromisoformat(first),
        ended_on=date.fromisoformat(last),
        area_set=area_set,
    )


def test_a_round_takes_the_version_in_force_and_refers_to_its_last_day(connection):
    opened(connection, 1, "2025-04-01", "2025-04-20")
    row = list_rounds(connection).iloc[0]
    assert (row["area_set_version"], str(row["reference_on"].date()), row["status"]) == (2, "2025-04-20", "draft")


def test_the_same_round_again_changes_nothing(connection):
    opened(connection, 1, "2025-04-01", "2025-04-20")
    opened(connection, 1, "2025-04-01", "2025-04-20")
    assert len(list_rounds(connection)) == 1


@pytest.mark.parametrize(
    ("number", "first", "last", "says"),
    [
        (0, "2025-06-01", "2025-06-02", "counted from 1"),
        (2, "2025-06-02", "2025-06-01", "before it starts"),
        (1, "2025-06-01", "2025-06-02", "open already"),
        (2, "2025-04-20", "2025-05-02", "overlaps round 1"),
        (2, "2024-04-20", "2024-05-02", "must lie after round 1"),
    ],
)
def test_a_round_that_can_not_be_is_refused(connection, number, first, last, says):
    opened(connection, 1, "2025-04-01", "2025-04-20")
    with pytest.raises(WrongUseError, match=says):
        opened(connection, number, first, last)
    assert len(list_rounds(connection)) == 1


def test_an_unknown_area_set_is_named_with_the_known_ones(connection):
    with pytest.raises(UnknownAreaSetError, match="loaded: k"):
        opened(connection, 1, "2025-04-01", "2025-04-20", area_set="x")

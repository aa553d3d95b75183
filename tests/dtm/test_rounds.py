"""Check that rounds keep their order, never overlap, and are signed off only when no error stands."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dtm._warehouse_tables import WAREHOUSE_TABLES
from dtm.engine import connect
from dtm.errors import DtmError, OpenErrorsError, UnknownAreaSetError, UnknownRoundError, WrongUseError
from dtm.rounds import (
    close_round,
    find_round,
    list_rounds,
    note_release,
    open_round,
    reopen_round,
    round_history,
    sign_off_of,
)
from dtm.waivers import unwaive, waive

TABLES = ("area_set", "area", "round", "round_history", "submission", "finding", "waiver", "import")


@pytest.fixture
def connection():
    with connect(spatial=False) as opened:
        for name in TABLES:
            opened.execute(WAREHOUSE_TABLES[name].create_sql())
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


MOMENT = datetime.fromisoformat("2025-05-01T08:00")


def close(connection, *, sign_off=False, who="A. Analyst", number=1, **more):
    return close_round(connection, operation="o", number=number, who=who, sign_off=sign_off, at=MOMENT, **more)


def add_finding(connection, name, *, severity="error", number=1, stage="round"):
    connection.execute(
        "INSERT INTO finding (round_number, subject, code, severity, file_name, message_en, message_mn, finding_id, "
        "stage) VALUES (?, 'kheseg-baseline', 'sex_sum', ?, 'f', 'e', 'm', ?, ?)",
        [number, severity, name, stage],
    )


def test_a_round_goes_from_draft_over_cleaning_to_signed_off_and_every_step_is_kept(connection):
    opened(connection, 1, "2025-04-01", "2025-04-20")
    assert close(connection, reason=" all khoroos are in ").status == "cleaning"
    assert close(connection, sign_off=True).status == "signed_off"
    assert sign_off_of(connection, operation="o", number=1) == ("A. Analyst", MOMENT)
    again = reopen_round(connection, operation="o", number=1, who="B", reason="a late return", at=MOMENT)
    assert again.status == "cleaning"
    assert sign_off_of(connection, operation="o", number=1) is None
    steps = [tuple(row.values())[:4] for row in round_history(connection, operation="o", number=1)]
    assert steps == [
        (None, "draft", None, None),
        ("draft", "cleaning", "all khoroos are in", "A. Analyst"),
        ("cleaning", "signed_off", None, "A. Analyst"),
        ("signed_off", "cleaning", "a late return", "B"),
    ]


def test_a_release_moves_signed_off_rounds_only(connection):
    opened(connection, 1, "2025-04-01", "2025-04-20")
    opened(connection, 2, "2025-05-01", "2025-05-20")
    close(connection)
    close(connection, sign_off=True)
    note_release(connection, operation="o", numbers=[1, 2], release_id="round-02-abc")
    assert list_rounds(connection)["status"].tolist() == ["released", "draft"]
    assert round_history(connection, operation="o", number=1)[-1]["reason"] == "round-02-abc"
    assert sign_off_of(connection, operation="o", number=1) == ("A. Analyst", MOMENT)
    assert reopen_round(connection, operation="o", number=1, who="B", reason="r").status == "cleaning"


@pytest.mark.parametrize(
    ("before", "sign_off", "says"),
    [
        ("draft", True, "still collects returns"),
        ("cleaning", False, "has ended already"),
        ("signed_off", True, "signed off already"),
        ("signed_off", False, "reopen it first"),
        ("released", False, "released already"),
    ],
)
def test_a_step_from_the_wrong_state_is_refused_and_says_the_right_one(connection, before, sign_off, says):
    opened(connection, 1, "2025-04-01", "2025-04-20")
    connection.execute("UPDATE round SET status = ?", [before])
    with pytest.raises(WrongUseError, match=says):
        close(connection, sign_off=sign_off)
    assert find_round(connection, operation="o", number=1).status == before
    assert len(round_history(connection, operation="o", number=1)) == 1


@pytest.mark.parametrize("who", ["", "   "])
def test_nobody_closes_or_reopens_without_a_name(connection, who):
    opened(connection, 1, "2025-04-01", "2025-04-20")
    with pytest.raises(WrongUseError, match="--who NAME"):
        close(connection, who=who)
    connection.execute("UPDATE round SET status = 'signed_off'")
    with pytest.raises(WrongUseError, match="--who NAME"):
        reopen_round(connection, operation="o", number=1, who=who, reason="r")
    with pytest.raises(WrongUseError, match="--reason TEXT"):
        reopen_round(connection, operation="o", number=1, who="A", reason=who)


def test_an_open_round_is_not_reopened_and_an_unknown_one_is_named(connection):
    with pytest.raises(UnknownRoundError, match="No round was opened"):
        find_round(connection, operation="o")
    opened(connection, 1, "2025-04-01", "2025-04-20")
    with pytest.raises(WrongUseError, match="nothing to reopen"):
        reopen_round(connection, operation="o", number=1, who="A", reason="r")
    with pytest.raises(UnknownRoundError, match="no round 7; opened: 1"):
        close(connection, number=7)


def test_errors_stand_against_a_sign_off_and_warnings_do_not(connection):
    opened(connection, 1, "2025-04-01", "2025-04-20")
    close(connection)
    for name, severity, number in (("a", "error", 1), ("b", "error", 1), ("c", "warning", 1), ("d", "error", 2)):
        add_finding(connection, name, severity=severity, number=number)
    add_finding(connection, "nowhere", number=None)
    with pytest.raises(OpenErrorsError, match="2 errors stand") as refused:
        close(connection, sign_off=True)
    assert refused.value.exit_code == 1
    assert {finding["finding_id"] for finding in refused.value.findings} == {"a", "b"}
    assert find_round(connection, operation="o", number=1).status == "cleaning"
    connection.execute("DELETE FROM finding WHERE finding_id IN ('a', 'b')")
    assert close(connection, sign_off=True).status == "signed_off"


class Rounds(RuleBasedStateMachine):
    """Whatever is closed, reopened, waived, found and cleared: a signed-off round has no error that stands."""

    @initialize()
    def start(self):
        self.connection = connect(spatial=False)
        for name in TABLES:
            self.connection.execute(WAREHOUSE_TABLES[name].create_sql())
        self.connection.execute(
            "INSERT INTO area_set VALUES ('k', 1, 3, NULL, '2022-01-01', NULL, 1, 1, NULL, 'f', 'h', false, now())"
        )
        opened(self.connection, 1, "2025-04-01", "2025-04-20")
        self.status, self.errors, self.waived, self.count = "draft", set(), set(), 0

    def attempt(self, allowed, act):
        """Do something that must work exactly when the model says so."""
        try:
            act()
        except DtmError:
            assert not allowed
            return False
        assert allowed
        return True

    @precondition(lambda self: self.status in ("draft", "cleaning"))
    @rule(severity=st.sampled_from(["error", "warning"]), stage=st.sampled_from(["import", "round"]))
    def find(self, severity, stage):
        self.count += 1
        add_finding(self.connection, f"f{self.count}", severity=severity, stage=stage)
        self.errors |= {f"f{self.count}"} if severity == "error" else set()

    @precondition(lambda self: self.status in ("draft", "cleaning") and self.errors)
    @rule(which=st.integers(0, 99))
    def check_again(self, which):
        """Make the checks find one error no more, or find it anew: its waiver holds."""
        name = sorted(self.errors)[which % len(self.errors)]
        self.connection.execute("DELETE FROM finding WHERE finding_id = ?", [name])
        if which % 2:
            add_finding(self.connection, name)
        else:
            self.errors.discard(name)

    @rule(which=st.integers(1, 9), take_back=st.booleans())
    def settle(self, which, take_back):
        name = f"f{which}"
        there = self.connection.execute("SELECT 1 FROM finding WHERE finding_id = ?", [name]).fetchone() is not None
        allowed = there and self.status in ("draft", "cleaning")
        options = {"operation": "o", "number": 1, "finding_ids": [name], "who": "A"}
        if take_back:
            if self.attempt(allowed, lambda: unwaive(self.connection, **options)):
                self.waived.discard(name)
        elif self.attempt(allowed, lambda: waive(self.connection, **options, reason="r")):
            self.waived.add(name)

    @rule(sign_off=st.booleans())
    def close_one(self, sign_off):
        allowed = self.status == "cleaning" and not self.errors - self.waived if sign_off else self.status == "draft"
        if self.attempt(allowed, lambda: close(self.connection, sign_off=sign_off)):
            self.status = "signed_off" if sign_off else "cleaning"

    @rule()
    def reopen(self):
        allowed = self.status in ("signed_off", "released")
        act = lambda: reopen_round(self.connection, operation="o", number=1, who="A", reason="r")  # noqa: E731
        if self.attempt(allowed, act):
            self.status = "cleaning"

    @rule()
    def release(self):
        note_release(self.connection, operation="o", numbers=[1], release_id="x")
        self.status = "released" if self.status == "signed_off" else self.status

    @invariant()
    def nothing_stands_against_a_signed_off_round(self):
        if not hasattr(self, "status"):
            return
        stored = self.connection.execute("SELECT status FROM round").fetchone()[0]
        standing = self.connection.execute(
            "SELECT count(*) FROM finding f WHERE severity = 'error' AND NOT EXISTS (FROM waiver w WHERE "
            "w.finding_id = f.finding_id AND w.withdrawn_at IS NULL)"
        ).fetchone()[0]
        assert stored == self.status
        assert standing == len(self.errors - self.waived)
        assert stored in ("draft", "cleaning") or standing == 0

    def teardown(self):
        if hasattr(self, "connection"):
            self.connection.close()


TestRounds = Rounds.TestCase
TestRounds.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)

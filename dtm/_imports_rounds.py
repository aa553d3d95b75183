"""Put every record into the round it belongs to, and refuse rounds that are unknown or closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from dtm.errors import UnknownRoundError, WrongUseError
from dtm.messages import Message, message, state_words
from enumerations.checks import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtm.engine import Connection
    from enumerations.returns import StagedTable

CLOSED = ("signed_off", "released")
FIRST_WINDOW_DAYS = 366
"""How far back the first round's checkpoint passages may reach."""


@dataclass(frozen=True)
class Round:
    """A round that was opened, with the area set it is located in."""

    number: int
    started_on: date
    ended_on: date
    area_set: str
    version: int
    level: int
    status: str

    @property
    def is_open(self) -> bool:
        """Say whether returns may still be added."""
        return self.status not in CLOSED


@dataclass(frozen=True)
class Rounds:
    """Every round of the operation, and the one named on the command line.

    `is_again` is true where stored records are derived anew: they were let in before, whatever rounds they name.
    """

    all: tuple[Round, ...]
    fixed: Round | None = None
    is_again: bool = False

    @property
    def latest(self) -> Round | None:
        """Return the fixed round, else the last one."""
        return self.fixed or (self.all[-1] if self.all else None)

    @property
    def in_cleaning(self) -> list[int]:
        """Return the rounds whose collection is over and whose data are being cleaned."""
        return [one.number for one in self.all if one.status == "cleaning"]

    def open_words(self) -> Message:
        """Return the open rounds in words."""
        numbers = [str(one.number) for one in self.all if one.is_open]
        return message("rounds_open", numbers=", ".join(numbers)) if numbers else message("rounds_none_open")


def read_rounds(connection: Connection, *, operation: str, number: int | None, is_known: bool = False) -> Rounds:
    """Read the rounds; check that the one asked for is open, unless every file `is_known` and nothing will change.

    Raises
    ------
    UnknownRoundError
        `number` was never opened.
    WrongUseError
        `number` is signed off or released.
    """
    rows = connection.execute(
        "SELECT number, started_on, ended_on, r.area_set, r.area_set_version, "
        "coalesce((SELECT level FROM area_set s WHERE s.area_set = r.area_set AND s.version = r.area_set_version), 3), "
        "status FROM round r WHERE operation = ? ORDER BY number",
        [operation],
    ).fetchall()
    rounds = Rounds(tuple(Round(*row) for row in rows))
    if number is None:
        return rounds
    fixed = next((one for one in rounds.all if one.number == number), None)
    if fixed is None:
        raise UnknownRoundError(message("import_round_unknown", number=number, open=rounds.open_words()))
    if not fixed.is_open and not is_known:
        raise WrongUseError(message("import_round_closed", number=number, state=state_words(fixed.status)))
    return Rounds(rounds.all, fixed)


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"


def _case(rounds: Sequence[Round], values: list[str]) -> str:
    whens = " ".join(f"WHEN {one.number} THEN {value}" for one, value in zip(rounds, values, strict=True))
    return f"CASE round_number {whens} END" if whens else "NULL"


def _outside(rounds: Sequence[Round], firsts: list[date], moment: str) -> Rule:
    first = _case(rounds, [_day(day) for day in firsts])
    last = _case(rounds, [_day(one.ended_on) for one in rounds])
    words = _case(
        rounds, [f"'{day.isoformat()} - {one.ended_on.isoformat()}'" for day, one in zip(firsts, rounds, strict=True)]
    )
    return Rule(
        "date_outside_round", moment, f"{moment}::DATE NOT BETWEEN {first} AND {last}", f"{moment}::DATE", words
    )


def _told_rounds(connection: Connection, staged: StagedTable, rounds: Rounds) -> None:
    """Refuse a file whose column names no open round at all."""
    source, name, opened = staged.source("round"), staged.file_name, rounds.open_words()
    if source is None:
        raise UnknownRoundError(message("import_round_unsaid", file=name, open=opened))
    told = connection.execute(
        f"SELECT DISTINCT TRY_CAST({source} AS INTEGER) FROM {staged.relation} WHERE {source} IS NOT NULL LIMIT 1000"
    ).fetchall()
    numbers = sorted(row[0] for row in told if row[0] is not None)
    known = {one.number: one for one in rounds.all}
    if any(number in known and known[number].is_open for number in numbers):
        return
    if not numbers:
        raise UnknownRoundError(message("import_round_no_number", file=name, open=opened))
    words = ", ".join(str(number) for number in numbers[:10])
    if any(number in known for number in numbers):
        raise WrongUseError(message("import_rounds_closed", file=name, numbers=words, open=opened))
    raise UnknownRoundError(message("import_rounds_unknown", file=name, numbers=words, open=opened))


def plan_return_round(connection: Connection, staged: StagedTable, rounds: Rounds) -> tuple[str, tuple[Rule, ...]]:
    """Return SQL for a baseline return's round, and the rules it must obey.

    Raises
    ------
    UnknownRoundError, WrongUseError
        No record of the file names an open round.
    """
    if rounds.fixed is not None:
        number = rounds.fixed.number
        other = Rule("other_round", "round", f"round <> {number}", "round", f"'{number}'")
        return f"{number}::INTEGER", (other, _outside([rounds.fixed], [rounds.fixed.started_on], "collected_at"))
    if not rounds.is_again:
        _told_rounds(connection, staged, rounds)
    opened = [one for one in rounds.all if one.is_open]
    numbers = ", ".join(str(one.number) for one in opened) or "NULL"
    closed = ", ".join(str(one.number) for one in rounds.all if not one.is_open) or "NULL"
    known = ", ".join(str(one.number) for one in rounds.all)
    rules = (
        Rule("unknown_round", "round", f"round IS NULL OR round NOT IN ({known})", "round", f"'{numbers}'"),
        Rule("round_closed", "round", f"round IN ({closed})", "round"),
        _outside(opened, [one.started_on for one in opened], "collected_at"),
    )
    return f"CASE WHEN round IN ({numbers}) THEN round::INTEGER END", rules


def day_round_sql(rounds: Rounds, *, moment: str = "day") -> str:
    """Return SQL for the round whose collection a day or moment falls in; null for none."""
    whens = " ".join(
        f"WHEN {moment} >= {_day(one.started_on)} AND {moment} < {_day(one.ended_on + timedelta(days=1))} "
        f"THEN {one.number}::INTEGER"
        for one in rounds.all
    )
    return f"CASE {whens} END" if whens else "NULL::INTEGER"


def plan_passage_round(rounds: Rounds, *, moment: str = "passed_at") -> tuple[str, tuple[Rule, ...]]:
    """Return SQL for the round of a passage or an event, which happened at `moment`, and its rules.

    With a round named, passages since the round before belong to it. Otherwise a passage belongs to the open round
    whose collection it falls in, or to none.
    """
    if rounds.fixed is not None:
        before = [one.ended_on for one in rounds.all if one.ended_on < rounds.fixed.started_on]
        first = max(before) + timedelta(days=1) if before else rounds.fixed.started_on - timedelta(FIRST_WINDOW_DAYS)
        number = rounds.fixed.number
        other = Rule("other_round", "round", f"round <> {number}", "round", f"'{number}'")
        return f"{number}::INTEGER", (other, _outside([rounds.fixed], [first], moment))
    closed = ", ".join(str(one.number) for one in rounds.all if not one.is_open)
    rules = (Rule("round_closed", moment, f"round_number IN ({closed})", "round_number"),) if closed else ()
    return day_round_sql(rounds, moment=moment), rules

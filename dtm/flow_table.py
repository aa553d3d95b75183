"""Hold moves from origin to destination in one canonical table, and roll them up exactly over the areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dtm._flow_table_columns import (
    DIMENSIONS,
    FLOWS_TABLE,
    METHODS,
    OBSERVED,
    TOTAL,
    BadFlowsError,
    check_places,
    checked,
    person_numbers,
    status_of,
    untold,
)
from dtm._flow_table_places import (
    ABROAD,
    BETWEEN,
    INSIDE,
    NESTED,
    NOWHERE,
    REGION,
    UNKNOWN,
    Level,
    coded,
    constant,
    level_of_places,
    parts_of,
    recoded,
    rolled_up,
)
from dtm._flow_table_rows import movement_rows, passage_rows, survey_rows
from dtm._flow_table_sums import summed
from dtm.errors import WrongUseError
from dtm.table_files import read_table_file
from geodata.pcodes import MAXIMUM_LEVEL

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from dtm.engine import Connection
    from dtm.released import Release

__all__ = ["LEVELS", "BadFlowsError", "Flows", "Level", "read_flows"]

LEVELS: tuple[Level, ...] = (*range(MAXIMUM_LEVEL, 0, -1), REGION)
"""Levels that flows can be rolled up to, from khesegs (4) over khoroos, districts and aimags to the regions."""


@dataclass(frozen=True)
class Flows:
    """Moves from an origin to a destination, by source, period and the breakdowns the rows tell.

    Attributes
    ----------
    frame
        The columns of `FLOWS_TABLE`, checked when the table is made: codes and P-codes are known, no key is there
        twice, and no total stands beside its own parts. Persons are null with the reason, or a number: whole
        (`Int64`), or with fractions (`Float64`) where the method of a row says that it is an estimate. Columns of texts
        are categorical.
    level
        Level the ends were rolled up to; None while they are as they were told. A place told more coarsely stays as
        it is.

    Raises
    ------
    BadFlowsError
        A cell can't be right; its row (counted from 1) and column are named.
    """

    frame: pd.DataFrame
    level: Level | None = None

    def __post_init__(self) -> None:
        """Check every column."""
        object.__setattr__(self, "frame", checked(self.frame))

    @classmethod
    def from_movements(
        cls, connection: Connection, *, source: str, rounds: Collection[int] | None = None, by: Collection[str] = ()
    ) -> Flows:
        """Read the moves that the counted returns tell; needs `dtm.scope.build_scope` first.

        The end that told it is a kheseg where the return is counted in its own area, else that area; the other end is
        as it was told. Untold reasons are `unknown`, other untold items `not_stated`; sex and age count where a move
        tells every item and they add up to its persons. The rows are private: they tell single families.

        Parameters
        ----------
        connection
            The warehouse.
        source
            ``arrivals`` (told by the destination) or ``departures`` (told by the origin).
        rounds
            Numbers of rounds; all of the scope when not given.
        by
            Any of reason, registered, distance and one of sex and age, crossed with each other.

        Raises
        ------
        WrongUseError, UnknownRoundError
            There is no such source, breakdown or round.
        """
        return cls(movement_rows(connection, source=source, rounds=rounds, by=by))

    @classmethod
    def from_passages(
        cls,
        connection: Connection,
        *,
        city: str | None,
        rounds: Collection[int] | None = None,
        by: Collection[str] = (),
    ) -> Flows:
        """Read the travellers that checkpoints counted, in the hours somebody watched; needs the scope's rounds.

        Those with both ends known and outside the city are the source `checkpoint_through`, all others `checkpoint`.

        Parameters
        ----------
        connection
            The warehouse.
        city
            P-code of level 1 that the checkpoints surround (`Scope.city`).
        rounds
            Numbers of rounds; all of the scope when not given.
        by
            ``sex`` or nothing; the forms at checkpoints have age bands of their own.
        """
        return cls(passage_rows(connection, city=city, rounds=rounds, by=by))

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        origin: str = "origin",
        destination: str = "destination",
        persons: str = "persons",
        period: str | None = None,
        method: str | None = None,
        source: str = "table",
    ) -> Flows:
        """Take a table of anyone's, a row or several for each pair of places; rows of one pair and method are added up.

        P-codes may be in small letters; an empty count is `not_reported`, and so is every sum with it. Persons are
        whole, but for rows whose method is not `observed`.

        Parameters
        ----------
        frame
            The table.
        origin, destination, persons, period, method
            Its columns; without a period all rows are of one, without a method all are observed.
        source
            Who told it.
        """
        wanted = [column for column in (origin, destination, persons, period, method) if column is not None]
        missing = [column for column in wanted if column not in frame]
        if missing:
            raise BadFlowsError(f"There is no column {missing[0]!r}; there are: {', '.join(map(str, frame.columns))}.")
        made = constant(OBSERVED, len(frame)) if method is None else _methods(frame, method)
        counts = person_numbers(frame, persons, is_counted=made == OBSERVED)
        told = pd.DataFrame(
            {
                "source": constant(source, len(frame)),
                "period": constant(TOTAL, len(frame)) if period is None else coded(frame[period]),
                "origin": _places(frame, origin),
                "destination": _places(frame, destination),
                "method": made,
                "persons": counts,
                "households": untold(len(frame)),
                "status": status_of(counts),
            }
        )
        return cls(summed(told, by=("source", "period", "origin", "destination", "method")))

    @classmethod
    def from_survey(
        cls, release: Release, *, level: int = 2, sources: Collection[str] = (), rounds: Collection[int] | None = None
    ) -> Flows:
        """Take the published survey flows of a release: where people lived one and five years ago and at birth.

        They are estimates with fractions (method `sampled`), rounded and hidden as published, without their error;
        people who stayed are moves inside their area. Sums of them are not the published estimates of larger areas.

        Parameters
        ----------
        release
            The open release.
        level
            1 or 2, the level of residence now: both are told of the same people.
        sources
            Any of survey_1y, survey_5y and survey_lifetime; all when empty.
        rounds
            Numbers of rounds; all of the release when not given.

        Raises
        ------
        WrongUseError, UnknownRoundError
            There is no such level, source or round.
        """
        return cls(survey_rows(release, level=level, sources=sources, rounds=rounds))

    @classmethod
    def stack(cls, *tables: Flows) -> Flows:
        """Put tables of one level side by side, one source or period below the other; nothing is added."""
        levels = {table.level for table in tables}
        if len(levels) != 1:
            raise WrongUseError("Only tables of one level can stand below each other; roll them up first.")
        return cls(pd.concat([table.frame for table in tables], ignore_index=True), level=levels.pop())

    @property
    def by(self) -> tuple[str, ...]:
        """Return the columns that break the persons down."""
        return tuple(name for name in DIMENSIONS if len(self.frame) and self.frame[name].iloc[0] != TOTAL)

    @property
    def part(self) -> pd.Series[Any]:
        """Return where each row goes: between, inside, nested, abroad, unknown or total; see `PARTS`."""
        return parts_of(self.frame["origin"], self.frame["destination"], level=self.level)

    @property
    def between(self) -> Flows:
        """Return the moves between two areas, neither of which holds the other."""
        return self._only(BETWEEN)

    @property
    def diagonal(self) -> Flows:
        """Return the moves inside an area of the level."""
        return self._only(INSIDE)

    @property
    def nested(self) -> Flows:
        """Return the moves of which nobody can say whether they crossed a border: one end is told too coarsely."""
        return self._only(NESTED)

    @property
    def abroad(self) -> Flows:
        """Return the moves with an end abroad."""
        return self._only(ABROAD)

    @property
    def unknown(self) -> Flows:
        """Return the moves with an end nobody knew, the other not abroad."""
        return self._only(UNKNOWN)

    def roll_up(self, level: Level) -> Flows:
        """Return the same moves between the areas of a level, whichever levels are passed on the way.

        Sums are exact; of fractions, right to the last digits (`dtm._flow_table_sums.add_fractions`).

        A place told more coarsely than the level keeps its code. Breakdowns, periods, sources and methods stay apart;
        the distance of a move stays what it was told as. A sum with an untold part is null.

        Parameters
        ----------
        level
            4 khesegs, 3 khoroos, 2 districts and soums, 1 aimags and the capital, or ``region``.

        Raises
        ------
        WrongUseError
            There is no such level, the table is coarser already, or one end is a total over all places: it does not
            say which of its moves stay inside the larger area.
        """
        if level not in LEVELS:
            raise WrongUseError(f"There is no level {level!r}; there are: {', '.join(map(str, LEVELS))}.")
        if self.level is not None and LEVELS.index(level) < LEVELS.index(self.level):
            raise WrongUseError(f"The table is of level {self.level}; it can't be divided to level {level}.")
        ends = ("origin", "destination")
        for name in ends:
            if (self.frame[name] == TOTAL).any():
                raise WrongUseError(f"The {name} is a total: it does not say which moves stay inside a larger area.")
        moved = self.frame.assign(**{name: rolled_up(self.frame[name], level) for name in ends})
        return Flows(summed(moved, by=FLOWS_TABLE.key), level=level)

    def sum_by(self, *columns: str) -> pd.DataFrame:
        """Return sums of persons and households by some of the key's columns.

        Source, period and method always stay apart, because figures of two of them are never added.

        Returns
        -------
        pandas.DataFrame
            source, period, method, the columns, persons, households and status, in the order of the key.
        """
        unknown = [name for name in columns if name not in FLOWS_TABLE.key]
        if unknown:
            raise WrongUseError(f"Flows can't be summed by '{unknown[0]}'; by: {', '.join(FLOWS_TABLE.key)}.")
        wanted = {"source", "period", "method", *columns}
        return summed(self.frame, by=[name for name in FLOWS_TABLE.key if name in wanted])

    def _only(self, part: str) -> Flows:
        return Flows(self.frame[(self.part == part).to_numpy()], level=self.level)


def read_flows(
    path: Path,
    *,
    origin: str,
    destination: str,
    persons: str,
    period: str | None = None,
    method: str | None = None,
    source: str = "table",
) -> Flows:
    """Read a CSV, Parquet or XLSX file with a row for each pair of places; see `Flows.from_frame`.

    A column `method` that has nothing but methods in it, as in tables that this system wrote, need not be named.

    Raises
    ------
    BadFlowsError, BadInputError
        The file can't be read, lacks a column, or a cell can't be right; the place is named.
    """
    told = {"origin": origin, "destination": destination, "persons": persons, "period": period, "method": method}
    named = {name: column for name, column in told.items() if column is not None}
    found = {} if "method" in named.values() else {"method": "method"}
    text = {name: column for name, column in named.items() if name != "persons"}
    frame = read_table_file(
        path, text=text, if_there=found, numbers={"persons": persons}, nullable=("persons", *found),
        counts=("persons",), coded=(*text, *found),
    )  # fmt: skip
    if "method" not in named and "method" in frame and set(frame["method"].unique()) <= set(METHODS):
        named["method"] = "method"
    try:
        return Flows.from_frame(frame.rename(columns=named), **named, source=source)
    except BadFlowsError as error:
        raise BadFlowsError(f"{path.name}: {error}") from error


def _methods(frame: pd.DataFrame, column: str) -> pd.Categorical[str]:
    """Return how each row was made, checked."""
    methods = coded(frame[column])
    is_known = np.append(np.isin(methods.categories, METHODS), [False])[methods.codes]
    if not is_known.all():
        row, there = int(np.argmin(is_known)), ", ".join(METHODS)
        raise BadFlowsError(
            f"Record {row + 1}, {column}: there is no method {frame[column].iloc[row]!r}; there are: {there}."
        )
    return methods


def _places(frame: pd.DataFrame, column: str) -> pd.Categorical[str]:
    """Return places as they are written in the lists: P-codes in capitals, words in small letters."""
    values = coded(frame[column])
    empty = values.codes < 0
    if empty.any():
        raise BadFlowsError(f"Record {int(empty.argmax()) + 1}, {column}: is empty; write 'unknown' where nobody knew.")
    texts = values.categories.to_list()
    spelt = {text: text.strip().upper() for text in texts}
    is_code = level_of_places(spelt.values()) > 0
    new = {
        text: code if is_place else text.strip() if code.lower() not in NOWHERE else code.lower()
        for (text, code), is_place in zip(spelt.items(), is_code.tolist(), strict=True)
    }
    places = recoded(values, new)
    check_places(pd.Series(places), column)
    return places

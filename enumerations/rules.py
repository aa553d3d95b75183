"""Say what may not be true between the columns of a record, once for SQL over typed values and once for a form's XPath.

A blank column never makes a rule fail, save in the rules about what is missing. In SQL a blank is null, and a value
that breaks its column's declaration counts as one; in XPath a blank is the empty string: expressions guard themselves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from enumerations._columns_common import FormColumn, FormTable

Ref = Callable[[str], str]
"""Give the XPath of a column's question, seen from the question that asks."""

COLLECTED_AT = "collected_at"
"""The day of collection; while a form is being filled in, it is today."""


@dataclass(frozen=True)
class Rule:
    """A rule compiled to SQL: the finding's code and field, when it fails, and what to show.

    `failed` may use `told_NAME`, true where the cell of a column holds anything at all.
    """

    code: str
    field: str
    failed: str
    value: str
    hint: str = "NULL"


class FormRule(ABC):
    """A rule between the columns of a record; `code` is an entry of the catalogue, which tells its severity."""

    code: str

    @abstractmethod
    def sql(self, table: FormTable) -> Rule:
        """Return the rule over the typed columns of the table."""

    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Return the columns that a form shows the rule at the last of; none when a form can't break the rule."""

    @abstractmethod
    def xpath(self, table: FormTable, ref: Ref) -> str:
        """Return an XPath expression that is true where the rule fails."""


def quoted(text: str) -> str:
    """Return a text as a literal of SQL and XPath alike."""
    return "'" + text.replace("'", "") + "'"


def usable(column: FormColumn, path: str) -> str:
    """Return XPath that is true where a question has an answer that its column allows."""
    if column.kind not in {"integer", "number"} or (column.minimum is None and column.maximum is None):
        return f"{path} != ''"
    parts = [] if column.minimum is None else [f"{path} >= {column.minimum:g}"]
    parts += [] if column.maximum is None else [f"{path} <= {column.maximum:g}"]
    return " and ".join(parts)


def _day(path: str) -> str:
    """Return XPath for a day as a number that grows with time, such as 20250401; no number for a blank."""
    return f"number(format-date({path}, '%Y%m%d'))"


@dataclass(frozen=True)
class Total(FormRule):
    """The parts less `minus` must equal the whole, or be at most the whole with `at_most`."""

    code: str
    parts: tuple[str, ...]
    whole: str
    minus: tuple[str, ...] = ()
    at_most: bool = False

    def _sum(self, ref: Ref) -> str:
        text = " + ".join(ref(name) for name in self.parts)
        return text + "".join(f" - {ref(name)}" for name in self.minus)

    def sql(self, table: FormTable) -> Rule:  # noqa: D102
        del table
        total = self._sum(str)
        total = f"({total})" if len(self.parts) + len(self.minus) > 1 else total
        field = ", ".join(self.parts) if self.at_most else self.whole
        return Rule(self.code, field, f"{total} {'>' if self.at_most else '<>'} {self.whole}", total, self.whole)

    def columns(self) -> tuple[str, ...]:  # noqa: D102
        return (*self.parts, *self.minus, self.whole)

    def xpath(self, table: FormTable, ref: Ref) -> str:  # noqa: D102
        guards = " and ".join(usable(table.by_name[name], ref(name)) for name in self.columns())
        return f"{guards} and {self._sum(ref)} {'>' if self.at_most else '!='} {ref(self.whole)}"


@dataclass(frozen=True)
class InOrder(FormRule):
    """The day of `first` must not be after the day of `second`."""

    code: str
    first: str
    second: str
    field: str = ""

    def sql(self, table: FormTable) -> Rule:  # noqa: D102
        del table
        days = [f"{name}::DATE" for name in (self.first, self.second)]
        return Rule(self.code, self.field or self.first, f"{days[0]} > {days[1]}", days[0], days[1])

    def columns(self) -> tuple[str, ...]:  # noqa: D102
        return tuple(name for name in (self.first, self.second) if name != COLLECTED_AT)

    def xpath(self, table: FormTable, ref: Ref) -> str:  # noqa: D102
        del table
        first, second = (_day("today()" if name == COLLECTED_AT else ref(name)) for name in (self.first, self.second))
        return f"{first} > {second}"


@dataclass(frozen=True)
class Differ(FormRule):
    """Two columns must not hold the same answer, save one of `save`."""

    code: str
    first: str
    second: str
    save: tuple[str, ...] = ()

    def sql(self, table: FormTable) -> Rule:  # noqa: D102
        del table
        others = f" AND {self.first} NOT IN ({', '.join(map(quoted, self.save))})" if self.save else ""
        return Rule(self.code, self.second, f"{self.first} = {self.second}{others}", self.second)

    def columns(self) -> tuple[str, ...]:  # noqa: D102
        return (self.first, self.second)

    def xpath(self, table: FormTable, ref: Ref) -> str:  # noqa: D102
        del table
        others = "".join(f" and {ref(self.first)} != {quoted(code)}" for code in self.save)
        return f"{ref(self.first)} != '' and {ref(self.first)} = {ref(self.second)}{others}"


@dataclass(frozen=True)
class Is:
    """A column compared with a number, or (`value` true) a question answered with yes."""

    column: str
    operator: str
    value: float | bool

    def sql(self) -> str:
        """Return the comparison over typed columns."""
        return self.column if self.value is True else f"{self.column} {self.operator} {self.value:g}"

    def xpath(self, ref: Ref) -> str:
        """Return the comparison over answers; false for a blank."""
        path = ref(self.column)
        return f"{path} = 'yes'" if self.value is True else f"{path} != '' and {path} {self.operator} {self.value:g}"


@dataclass(frozen=True)
class Cases(FormRule):
    """None of the cases may hold; a case is a list of comparisons that hold together. `value` is SQL."""

    code: str
    field: str
    cases: tuple[tuple[Is, ...], ...]
    value: str

    def sql(self, table: FormTable) -> Rule:  # noqa: D102
        del table
        text = " OR ".join(" AND ".join(one.sql() for one in case) for case in self.cases)
        return Rule(self.code, self.field, text, self.value)

    def columns(self) -> tuple[str, ...]:  # noqa: D102
        return tuple(dict.fromkeys(one.column for case in self.cases for one in case))

    def xpath(self, table: FormTable, ref: Ref) -> str:  # noqa: D102
        del table
        return " or ".join(f"({' and '.join(one.xpath(ref) for one in case)})" for case in self.cases)


@dataclass(frozen=True)
class Needed(FormRule):
    """A column must be filled in, always or when a comparison holds; in a return one of `instead` does as well."""

    code: str
    column: str
    when: Is | None = None
    instead: tuple[str, ...] = ()

    def sql(self, table: FormTable) -> Rule:  # noqa: D102
        del table
        when = f"{self.when.sql()} AND " if self.when else ""
        told = " OR ".join(f"told_{name}" for name in (self.column, *self.instead))
        return Rule(self.code, self.column, f"{when}NOT ({told})", "NULL")

    def columns(self) -> tuple[str, ...]:  # noqa: D102
        return (self.column,) if self.when is None else (self.when.column, self.column)

    def xpath(self, table: FormTable, ref: Ref) -> str:  # noqa: D102
        del table
        when = f"{self.when.xpath(ref)} and " if self.when else ""
        return f"{when}{ref(self.column)} = ''"


@dataclass(frozen=True)
class NoPoint(FormRule):
    """A record must have a point on earth, always or when a comparison holds."""

    code: str
    when: Is | None = None

    def sql(self, table: FormTable) -> Rule:  # noqa: D102
        del table
        when = f"{self.when.sql()} AND " if self.when else ""
        return Rule(self.code, "lon, lat", f"{when}(lon IS NULL OR lat IS NULL)", "NULL")

    def columns(self) -> tuple[str, ...]:  # noqa: D102
        return ("lon", "lat")

    def xpath(self, table: FormTable, ref: Ref) -> str:  # noqa: D102
        del table
        when = f"{self.when.xpath(ref)} and " if self.when else ""
        return f"{when}({ref('lon')} = '' or {ref('lat')} = '')"


@dataclass(frozen=True)
class Unasked(FormRule):
    """A column must be blank where a comparison holds; a form doesn't ask the question then."""

    code: str
    column: str
    when: Is

    def sql(self, table: FormTable) -> Rule:  # noqa: D102
        del table
        return Rule(self.code, self.column, f"{self.when.sql()} AND told_{self.column}", self.when.column)

    def columns(self) -> tuple[str, ...]:  # noqa: D102
        return ()

    def xpath(self, table: FormTable, ref: Ref) -> str:  # noqa: D102
        del table
        return f"{self.when.xpath(ref)} and {ref(self.column)} != ''"


@dataclass(frozen=True)
class Capacity(FormRule):
    """A count must be at most what the code list says of the chosen code."""

    code: str
    count: str
    choice: str
    maxima: tuple[tuple[str, int], ...]

    def sql(self, table: FormTable) -> Rule:  # noqa: D102
        del table
        maximum = f"CASE {self.choice} " + " ".join(f"WHEN {quoted(code)} THEN {most}" for code, most in self.maxima)
        return Rule(self.code, self.count, f"{self.count} > {maximum} END", self.count, f"{maximum} END")

    def columns(self) -> tuple[str, ...]:  # noqa: D102
        return (self.count, self.choice)

    def xpath(self, table: FormTable, ref: Ref) -> str:  # noqa: D102
        del table
        count, choice = ref(self.count), ref(self.choice)
        cases = [f"({choice} = {quoted(code)} and {count} > {most})" for code, most in self.maxima]
        return f"{count} != '' and ({' or '.join(cases)})"


@dataclass(frozen=True)
class Alone(FormRule):
    """A choice that says 'none' must be the only one of its question."""

    code: str
    column: str
    choice: str

    def sql(self, table: FormTable) -> Rule:  # noqa: D102
        del table
        found = f"contains(' ' || {self.column} || ' ', ' {self.choice} ')"
        return Rule(
            self.code, self.column, f"contains({self.column}, ' ') AND {found}", self.column, f"'{self.choice}'"
        )

    def columns(self) -> tuple[str, ...]:  # noqa: D102
        return (self.column,)

    def xpath(self, table: FormTable, ref: Ref) -> str:  # noqa: D102
        del table
        path = ref(self.column)
        return f"selected({path}, '{self.choice}') and count-selected({path}) > 1"


@dataclass(frozen=True)
class Pseudonym(FormRule):
    """A text must be a short code of Latin letters, digits, hyphens and underscores, and no telephone number."""

    code: str
    column: str

    CODE = "^[A-Za-z0-9_-]{1,24}$"
    TELEPHONE = "^[0-9]{8,}$"

    def sql(self, table: FormTable) -> Rule:  # noqa: D102
        del table
        good = f"regexp_full_match({self.column}, '{self.CODE}')"
        return Rule(
            self.code,
            self.column,
            f"NOT {good} OR regexp_full_match({self.column}, '{self.TELEPHONE}')",
            f"left({self.column}, 2) || '...'",
        )

    def columns(self) -> tuple[str, ...]:  # noqa: D102
        return (self.column,)

    def xpath(self, table: FormTable, ref: Ref) -> str:  # noqa: D102
        del table
        path = ref(self.column)
        return f"{path} != '' and (not(regex({path}, '{self.CODE}')) or regex({path}, '{self.TELEPHONE}'))"


@dataclass(frozen=True)
class OfReturns(FormRule):
    """A rule that only returns can break: a form neither shows nor needs it."""

    code: str
    field: str
    failed: str
    value: str
    hint: str = "NULL"

    def sql(self, table: FormTable) -> Rule:  # noqa: D102
        del table
        return Rule(self.code, self.field, self.failed, self.value, self.hint)

    def columns(self) -> tuple[str, ...]:  # noqa: D102
        return ()

    def xpath(self, table: FormTable, ref: Ref) -> str:  # noqa: D102
        del table, ref
        return "false()"

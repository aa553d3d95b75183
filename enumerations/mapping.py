"""Read the columns of another form through a mapping: their column, our column, unit, code translation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from enumerations._fields import Fields
from enumerations._headers import NOTHING, PARENT_INDEX, Header
from enumerations._mapping_proposal import Proposal, propose_mapping
from enumerations._mapping_rules import POINT, FieldRule, TableRule, read_rules
from enumerations._mapping_sql import Columns, field_sql, parent_sql, point_sql, shape, split_choices_sql
from enumerations._names import is_export, plain
from enumerations.errors import MappingError, MissingColumnsError, UnknownFormError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Mapping", "Proposal", "parse_mapping", "propose_mapping", "read_mapping"]

FILE_BYTES_MAXIMUM = 1_048_576
"""A larger file is no mapping."""
SHARE_MINIMUM = 0.5
"""Share of a table's columns that a header must have to be meant by the mapping."""
AUTOMATIC = ("instance_id", "review_state", "form_version", "collected_at")
"""Columns that tools add by themselves: read without a rule from a tool's export."""
_POINT_PARTS = {"lon": "longitude", "lat": "latitude", "accuracy_m": "accuracy"}


@dataclass
class _Reading:
    """One table of the mapping held against one header."""

    rule: TableRule
    names: Sequence[str]
    positions: dict[str, int] = field(default_factory=dict)
    expressions: dict[str, str] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.columns = Columns(self.names)
        for rule in self.rule.fields.values():
            if rule.column == POINT:
                self._read_point(rule)
            else:
                self._read(rule)
        self._read_automatic()
        self._ignore()

    @property
    def share(self) -> float:
        """Return the share of the rules' columns that the header has."""
        wanted = sum(bool(rule.sources) for rule in self.rule.fields.values())
        return (wanted - len(self.missing)) / max(wanted, 1)

    def _read(self, rule: FieldRule) -> None:
        column = self.rule.table.by_name[rule.column]
        groups = [self.columns.find(name) for name in rule.sources]
        choices = self.columns.choices(rule.sources[0]) if column.kind == "codes" and len(groups) == 1 else []
        if choices and not groups[0]:
            self.positions[rule.column] = choices[0][0]
            self.expressions[rule.column] = split_choices_sql(choices, rule, column.codelist)
            self.used |= {position for position, _ in choices}
            return
        self.used |= {position for position, _ in choices}
        absent = [name for name, found in zip(rule.sources, groups, strict=True) if not found]
        if absent and (rule.how != "join" or len(absent) == len(groups)):
            self.missing[rule.column] = absent[0]
            return
        if rule.how == "one":
            cells = [f"c{position}" for found in groups for position in found]
        else:
            cells = [_merged(found) for found in groups if found]
        self.used |= {position for found in groups for position in found}
        if groups:
            self.positions[rule.column] = groups[0][0]
        sql = field_sql(rule, cells, column)
        if rule.column == "instance_id" and groups:
            sql = parent_sql(sql, self.names[groups[0][0]])
        if not groups or sql != cells[0]:
            self.expressions[rule.column] = sql

    def _read_point(self, rule: FieldRule) -> None:
        name = rule.sources[0] if rule.sources else ""
        whole_point = self.columns.find(name)
        for column, part in _POINT_PARTS.items():
            found = self.columns.find(f"{name}/{part}")
            if found:
                self.positions[column] = found[0]
                self.used.add(found[0])
            elif whole_point:
                self.positions[column] = whole_point[0]
                self.expressions[column] = point_sql(f"c{whole_point[0]}", column)
        self.used |= {*whole_point, *self.columns.find(f"{name}/altitude")}
        if "lon" not in self.positions:
            self.missing[POINT] = name

    def _ignore(self) -> None:
        """Mark what is to be ignored as used; the patterns may name groups that the file was exported without."""
        patterns = [(shape(pattern), shape(pattern).rsplit("/", 1)[-1]) for pattern in self.rule.ignore]
        for position, name in enumerate(self.names):
            own = shape(name)
            if any(fnmatchcase(own, long) or own == tail for long, tail in patterns):
                self.used.add(position)

    def _read_automatic(self) -> None:
        if not is_export(self.names):
            return
        fields = Fields(self.rule.table, self.names)
        for column in AUTOMATIC:
            at = fields.positions.get(column)
            if column not in self.rule.fields and column in self.rule.table.by_name and at is not None:
                self.positions[column] = at
                if column in fields.expressions:
                    self.expressions[column] = fields.expressions[column]


def _merged(positions: Sequence[int]) -> str:
    cells = ", ".join(f"nullif(trim(c{position}), '')" for position in positions)
    return f"coalesce({cells})" if len(positions) > 1 else f"c{positions[0]}"


@dataclass(frozen=True)
class Mapping:
    """How the columns of one kind of file become canonical ones; `text` is the whole mapping file (TOML)."""

    text: str
    form: str
    tables: tuple[TableRule, ...]

    def count_known(self, names: Sequence[str]) -> int:
        """Return how many columns of a header the mapping reads, at best."""
        columns = Columns(names)
        return max(
            sum(bool(columns.find(name)) for rule in table.fields.values() for name in rule.sources)
            for table in self.tables
        )

    def recognise(self, names: Sequence[str], *, place: str, is_sparse: bool) -> Header:
        """Return the table that a header belongs to, with SQL for each of its canonical columns.

        Raises
        ------
        UnknownFormError
            The header has too few of the columns that any table of the mapping reads.
        MissingColumnsError
            Columns that a required column of ours is read from are not there.
        """
        readings = [_Reading(rule, names) for rule in self.tables]

        def rank(one: _Reading) -> float:
            return one.share + 0.5 * bool(one.rule.source and one.rule.source.casefold() in place.casefold())

        best = max(readings, key=rank)
        shown = ", ".join(name.strip() for name in names if name.strip()) or "(nothing)"
        if best.share < SHARE_MINIMUM:
            wanted = "; ".join(f"{one.rule.table.name}: {', '.join(one.missing.values())}" for one in readings)
            raise UnknownFormError(
                f"{place}: the header fits no table of the mapping. Found: {shown}. Not found of the mapping's "
                f"columns, by table: {wanted}. `dtm returns map FILE` proposes a mapping for this file."
            )
        return _complete(best, place=place, is_sparse=is_sparse, shown=shown)


def _complete(one: _Reading, *, place: str, is_sparse: bool, shown: str) -> Header:
    rule = one.rule
    columns = tuple(
        replace(column, required=False) if column.name in rule.not_asked else column for column in rule.table.columns
    )
    table = replace(rule.table, columns=columns)
    expressions = dict(one.expressions)
    missing = [name for name in table.required_names if name not in one.positions and name not in expressions]
    if "instance_id" in missing and PARENT_INDEX in map(plain, one.names):
        expressions["instance_id"] = NOTHING
        missing.remove("instance_id")
    if missing and is_sparse and "instance_id" not in missing and all(name in one.missing for name in missing):
        expressions |= dict.fromkeys(missing, NOTHING)
        missing = []
    if missing:
        words = ", ".join(_missing_words(one, name) for name in missing)
        raise MissingColumnsError(
            f"{place}: the mapping gives no value for required columns of table '{table.name}': {words}. "
            f"Found: {shown}. Correct the mapping; a column the form never asked goes under not_asked."
        )
    told = tuple((ours, theirs) for ours, theirs in one.missing.items() if ours not in expressions)
    return Header(table, tuple(one.names), one.positions, expressions, frozenset(one.used), told)


def _missing_words(one: _Reading, name: str) -> str:
    theirs = one.missing.get(name)
    if theirs is None:
        return f"{name} (the mapping doesn't name it)"
    free = [told.strip() for position, told in enumerate(one.names) if position not in one.used and told.strip()]
    close = get_close_matches(theirs, free, n=1)
    return f"{name} from '{theirs}', which isn't there" + (f" (is '{close[0]}' meant?)" if close else "")


def parse_mapping(text: str, *, name: str = "mapping") -> Mapping:
    """Read the text of a mapping file; `name` is the file's, for messages.

    Raises
    ------
    MappingError
        The text is no TOML, or says what no mapping can.
    """
    form, rules = read_rules(text, name=name)
    return Mapping(text, form, tuple(rules))


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises
    ------
    MappingError
        The file can't be read, is no TOML, or says what no mapping can.
    """
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAXIMUM + 1)
        if len(content) > FILE_BYTES_MAXIMUM:
            raise MappingError(f"{path.name}: larger than {FILE_BYTES_MAXIMUM:,} bytes; this is no mapping file.")
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise MappingError(f"{path}: can't be read ({error.strerror}). Check the name.") from error
    except UnicodeDecodeError as error:
        raise MappingError(f"{path.name}: not UTF-8 text ({error.reason}). Save it as UTF-8.") from error
    return parse_mapping(text, name=path.name)

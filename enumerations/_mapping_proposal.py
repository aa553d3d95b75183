"""Propose a mapping for a file of any form, and say how sure each line of it is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from enumerations._fields import Fields
from enumerations._headers import candidate_tables
from enumerations._mapping_likeness import Likeness, Theirs, weigh
from enumerations._names import is_system, keys_of, match_choice
from enumerations.columns import FORMS
from enumerations.errors import UnknownFormError
from enumerations.returns import survey_returns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from enumerations._staging import Connection, StagedTable
    from enumerations.columns import FormTable

SURE_SHARE = 0.75
"""From here on a line is proposed without a mark."""
TOLD_SHARE = 0.45
"""Below this a column is left out of the proposal."""
SAMPLE_RECORDS = 20_000
SAMPLE_VALUES = 300
UNKNOWN_SHOWN_MAXIMUM = 10


@dataclass(frozen=True)
class ColumnProposal:
    """One line: our column, theirs, how sure (0 to 1) and why."""

    ours: str
    theirs: str
    likeness: Likeness

    @property
    def is_sure(self) -> bool:
        """Return whether nobody need look at it."""
        one = self.likeness
        return one.share >= SURE_SHARE and not one.codes and not one.unknown and len(one.dates) <= 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        one = self.likeness
        return {
            "ours": self.ours, "theirs": self.theirs, "share": one.share, "is_sure": self.is_sure,
            "why": ", ".join(one.why), "codes": one.codes, "unknown_values": list(one.unknown),
            "date_formats": list(one.dates),
        }  # fmt: skip


@dataclass(frozen=True)
class TableProposal:
    """The lines of one table, their columns that are left, and our required ones that nothing answers to."""

    table: FormTable
    source: str
    columns: tuple[ColumnProposal, ...]
    left: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def weight(self) -> float:
        """Return how well the file's table and ours go together."""
        found = {one.ours for one in self.columns}
        marked = sum(mark in found for mark in self.table.marks) / max(len(self.table.marks), 1)
        asked = self.table.required_names
        told = (len(asked) - len(self.missing)) / max(len(asked), 1)
        return sum(one.likeness.share for one in self.columns) + 3 * told + 2 * marked

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "table": self.table.name, "source": self.source, "columns": [one.to_dict() for one in self.columns],
            "left": list(self.left), "missing_required": list(self.missing),
        }  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """A mapping as it may be; `text` is the mapping file, with a comment where it should be looked at."""

    file_name: str
    form: str
    tables: tuple[TableProposal, ...]
    ignored: tuple[str, ...] = field(default=())

    @property
    def text(self) -> str:
        """Return the mapping file (TOML)."""
        lines = [f"# Proposed for {self.file_name}. Look at every line with a question mark.", ""]
        lines += ["[form]", f"name = {_quoted(self.form)}", ""]
        for name in self.ignored:
            lines.append(f"# The table {_quoted(name)} fits none of the form and is not read.")
        for table in self.tables:
            lines += _table_lines(table)
        return "\n".join(lines).rstrip("\n") + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, the text of the mapping with them."""
        return {
            "file_name": self.file_name, "form": self.form, "tables": [table.to_dict() for table in self.tables],
            "ignored_tables": list(self.ignored), "mapping": self.text,
        }  # fmt: skip


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _table_lines(table: TableProposal) -> list[str]:
    lines = [f"[tables.{table.table.name}]"]
    if table.source:
        lines.append(f"source = {_quoted(table.source)}")
    if table.left:
        lines.append("# Columns that answer to none of ours; take a name out of the list to be warned of it.")
        lines.append(f"ignore = [{', '.join(_quoted(_literal(name)) for name in table.left)}]")
    lines += ["", f"[tables.{table.table.name}.columns]"]
    lines += [_column_line(one) for one in table.columns]
    for name in table.missing:
        meaning = table.table.by_name[name].meaning_en
        lines.append(f'# ? {name} = ""  # required ({meaning}): name a column, or list it under not_asked')
    return [*lines, ""]


def _literal(name: str) -> str:
    return name.replace("[", "[[]") if "[" in name else name


def _column_line(one: ColumnProposal) -> str:
    likeness = one.likeness
    parts = [f"column = {_quoted(one.theirs)}"]
    if likeness.dates:
        parts.append(f"date = {_quoted(likeness.dates[0])}")
    if likeness.codes or likeness.unknown:
        pairs = {**likeness.codes, **dict.fromkeys(likeness.unknown[:UNKNOWN_SHOWN_MAXIMUM], "?")}
        known = {theirs: ours for theirs, ours in pairs.items() if ours != "?"}
        if known:
            told = ", ".join(f"{_quoted(theirs)} = {_quoted(ours)}" for theirs, ours in known.items())
            parts.append(f"codes = {{ {told} }}")
    value = _quoted(one.theirs) if len(parts) == 1 else f"{{ {', '.join(parts)} }}"
    line = f"{one.ours} = {value}"
    if one.is_sure:
        return line
    words = [f"{likeness.share:.0%} ({', '.join(likeness.why)})"]
    if likeness.unknown:
        shown = ", ".join(_quoted(value) for value in likeness.unknown[:UNKNOWN_SHOWN_MAXIMUM])
        words.append(f"no code of ours for {shown}")
    if len(likeness.dates) > 1:
        words.append(f"the date may also be {' or '.join(likeness.dates[1:3])}")
    return f"{line}  # ? {'; '.join(words)}"


def _theirs(connection: Connection, staged: StagedTable) -> list[Theirs]:
    columns = []
    for position, name in enumerate(staged.header.names):
        if not name.strip():
            continue
        cell = f"nullif(trim(c{position}), '')"
        sample = f"(SELECT {cell} AS cell FROM {staged.relation} LIMIT {SAMPLE_RECORDS})"
        counted = connection.execute(f"SELECT count(cell), count(DISTINCT cell), count(*) FROM {sample}").fetchone()
        values = connection.execute(
            f"SELECT cell FROM {sample} WHERE cell IS NOT NULL GROUP BY cell ORDER BY count(*) DESC, cell "
            f"LIMIT {SAMPLE_VALUES}"
        ).fetchall()
        is_unique = counted[0] == counted[1] == counted[2] and counted[0] > 0
        columns.append(Theirs(name.strip(), position, tuple(row[0] for row in values), is_unique))
    return columns


def _named(table: FormTable, names: Sequence[str]) -> dict[int, tuple[str, str]]:
    """Return the columns whose name alone tells what they are: ours, and theirs as a mapping writes it."""
    fields = Fields(table, names)
    multiples = {column.name for column in table.columns if column.kind == "codes"}
    named = {}
    for ours, position in fields.positions.items():
        choice = match_choice(keys_of(table), multiples, names[position], export=True)
        theirs = names[position].strip()
        if choice:
            theirs = theirs[: len(theirs) - len(choice[1])].rstrip("/.:-_ ")
        named[position] = (ours, theirs)
    return named


def _propose_table(table: FormTable, source: str, names: Sequence[str], columns: Sequence[Theirs]) -> TableProposal:
    named, used = _named(table, names), Fields(table, names).used
    pairs = []
    for theirs in columns:
        if theirs.position in used and theirs.position not in named:
            continue  # a choice, a part of a point or another version of a question that is named already
        for column in table.columns:
            is_known = named.get(theirs.position, ("", ""))[0] == column.name
            likeness = weigh(table.name, column, theirs, is_known_name=is_known)
            if likeness.share >= TOLD_SHARE:
                pairs.append((likeness.share, is_known, column.name, theirs, likeness))
    chosen: dict[str, ColumnProposal] = {}
    taken: set[int] = set()
    for _, is_known, ours, theirs, likeness in sorted(pairs, key=lambda pair: (-pair[1], -pair[0], pair[3].position)):
        if ours not in chosen and theirs.position not in taken and _is_free(theirs, is_known=is_known):
            taken.add(theirs.position)
            shown = named[theirs.position][1] if is_known else theirs.name
            chosen[ours] = ColumnProposal(ours, shown, likeness)
    left = tuple(
        one.name
        for one in columns
        if one.position not in taken and one.position not in used and not is_system(one.name)
    )
    order = table.column_names
    lines = tuple(sorted(chosen.values(), key=lambda one: order.index(one.ours)))
    missing = tuple(name for name in table.required_names if name not in chosen)
    return TableProposal(table, source, lines, left, missing)


def _is_free(theirs: Theirs, *, is_known: bool) -> bool:
    """Return whether a column may be proposed: a tool's own columns only for what they are known to be."""
    return is_known or not is_system(theirs.name)


def propose_mapping(connection: Connection, path: Path, *, form: str | None = None) -> Proposal:
    """Propose how the columns of a file become those of a form; of the form that fits best when none is given.

    Raises
    ------
    EnumerationsError
        The file can't be read.
    UnknownFormError
        Nothing in it answers to any table of the form.
    """
    staged = survey_returns(connection, path, "mapped")
    seen = [(one, _theirs(connection, one)) for one in staged]
    forms = [form] if form else list(FORMS)
    best = max((_propose_form(one, seen) for one in forms), key=lambda tables: sum(table.weight for table in tables))
    if not any(len(table.columns) > 1 for table in best):
        names = ", ".join(name for one in staged for name in one.header.names if name.strip())
        raise UnknownFormError(f"{path.name}: no column answers to any of ours. Found: {names}.")
    sources = {table.source for table in best}
    ignored = tuple(one.sheet for one in staged if one.sheet and one.sheet not in sources)
    return Proposal(path.name, best[0].table.form, tuple(best), ignored)


def _propose_form(form: str, seen: Sequence[tuple[StagedTable, list[Theirs]]]) -> list[TableProposal]:
    """Return the proposals for one form: each of its tables once, for the table of the file that fits it best."""
    offers = [
        _propose_table(table, staged.sheet or "", staged.header.names, columns)
        for staged, columns in seen
        for table in candidate_tables(form)
    ]
    chosen: list[TableProposal] = []
    for offer in sorted(offers, key=lambda one: -one.weight):
        is_new = all(offer.table is not one.table and offer.source != one.source for one in chosen)
        if is_new and 2 * len(offer.missing) <= len(offer.table.required_names):
            chosen.append(offer)
    order = [table.name for table in candidate_tables(form)]
    chosen = chosen or sorted(offers, key=lambda one: -one.weight)[:1]
    return sorted(chosen, key=lambda one: order.index(one.table.name))

"""Tell how a cell of a brought table is read, as text or as a number, and name the cells that can't be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dtm.errors import BadInputError
from enumerations._marked_rows import TOTAL_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dtm.engine import Connection

PROBLEMS_SHOWN = 5
LARGEST_COUNT = 2**53 - 1
"""Beyond it neighbouring whole numbers are the same to a computer, and sums are no longer exact."""

_BLANKS = " \t\r\n\u00a0\u2009\u202f"
_SPACE = "[ \u00a0\u2009\u202f]"
_IN_GROUPS = rf"[+-]?\d{{1,3}}({_SPACE}\d{{3}})+([.,]\d+)?"
"""Thousands set apart by spaces: 1 234 567."""
_THOUSANDS = r"[+-]?[1-9]\d{0,2}((,\d{3}){2,}(\.\d+)?|,\d{3}\.\d+)"
"""Commas that can only set thousands apart: 1,234,567 or 1,234.5."""
_EITHER = r"[+-]?[1-9]\d{0,2},\d{3}"
"""A comma that may do either: 1,234."""
_DECIMALS = r"[+-]?\d+,\d+"
"""A comma that can only stand before decimals, unless it fits `_EITHER`: 2,5."""


@dataclass(frozen=True)
class Source:
    """A column of the relation `staged`: its name in the file, SQL of what it tells, of its numbers if it has them."""

    name: str
    told: str
    number: str | None = None


@dataclass(frozen=True)
class Cells:
    """How the cells of a column are read: its name, SQL of what a cell tells, of its value, and whether it is empty."""

    column: str
    told: str
    value: str
    empty: str


@dataclass(frozen=True)
class Rule:
    """What the cells of a column may be: numbers, texts or areas, empty, below 0, beyond what can be counted."""

    is_number: bool
    is_nullable: bool
    is_area: bool = False
    is_signed: bool = False
    is_count: bool = False


def text_cells(source: Source) -> Cells:
    """Return the cells of a column as texts: blanks around them don't count, letters are put together (NFC)."""
    told = f"nullif(trim({source.told}::VARCHAR, '{_BLANKS}'), '')"
    return Cells(source.name, told, f"nfc_normalize({told})", f"{told} IS NULL")


def number_cells(connection: Connection, source: Source, *, file_name: str) -> Cells:
    """Return the cells of a column as numbers.

    Beside plain numbers these are read: thousands set apart by spaces (1 234), and commas before decimals (2,5) or
    between thousands (1,234,567), whichever the column has.

    Raises
    ------
    BadInputError
        The column has both, or a comma of which nobody can say what it is, such as that of 1,234 alone.
    """
    told = text_cells(source).told
    if source.number is not None:
        return Cells(source.name, told, f"{source.number}::DOUBLE", f"{source.number} IS NULL")
    plain = f"TRY_CAST({told} AS DOUBLE)"
    tight = f"CASE WHEN regexp_full_match({told}, '{_IN_GROUPS}') THEN regexp_replace({told}, '{_SPACE}', '', 'g') "
    tight += f"ELSE {told} END"
    no_number = f"{plain} IS NULL AND contains({told}, ',')"
    rules = {
        "thousands": f"{no_number} AND regexp_full_match({tight}, '{_THOUSANDS}')",
        "either": f"{no_number} AND regexp_full_match({tight}, '{_EITHER}')",
        "decimals": f"{no_number} AND regexp_full_match({tight}, '{_DECIMALS}')"
        f" AND NOT regexp_full_match({tight}, '{_EITHER}')",
        "point": f"{plain} IS NOT NULL AND contains({told}, '.')",
    }
    found = ", ".join(f"arg_min([record::VARCHAR, {told}], record) FILTER ({rule})" for rule in rules.values())
    first = dict(zip(rules, connection.execute(f"SELECT {found} FROM staged").fetchone() or (), strict=True))
    _refuse_unclear(source.name, first, file_name=file_name)
    mark = "." if first["decimals"] else ""
    value = f"coalesce({plain}, TRY_CAST(replace({tight}, ',', '{mark}') AS DOUBLE))"
    return Cells(source.name, told, value, f"{told} IS NULL")


def _refuse_unclear(column: str, first: dict[str, tuple[str, str] | None], *, file_name: str) -> None:
    """Stop where the commas of a column can be read in two ways; `first` has row and text of the first of each kind."""
    decimals, thousands, either = first["decimals"], first["thousands"] or first["point"], first["either"]
    if decimals and thousands:
        raise BadInputError(
            f"{file_name}: column '{column}' has a comma before decimals in row {decimals[0]} ('{decimals[1]}') and "
            f"none there in row {thousands[0]} ('{thousands[1]}'). Write all numbers in one way."
        )
    if either and not decimals and not thousands:
        raise BadInputError(
            f"{file_name}: column '{column}', row {either[0]}: '{either[1]}' may be {either[1].replace(',', '')} or "
            f"{either[1].replace(',', '.')}. Write it without a comma."
        )


def refuse_cells(connection: Connection, columns: Iterable[tuple[Cells, Rule]], *, file_name: str) -> None:
    """Name the rows of the first column that has a cell its rule forbids.

    Raises
    ------
    BadInputError
        Column, rows (the header being row 1), what is wrong and what to do.
    """
    found = [(cells, *problem) for cells, rule in columns for problem in _problems(cells, rule)]
    if not found:
        return
    counts = ", ".join(f"count(*) FILTER ({condition})" for _, condition, _, _ in found)
    totals = connection.execute(f"SELECT {counts} FROM staged").fetchone() or ()
    for total, (cells, condition, what, cure) in zip(totals, found, strict=True):
        if total:
            rows = connection.execute(
                f"SELECT record, {cells.told} FROM staged WHERE {condition} ORDER BY record LIMIT {PROBLEMS_SHOWN}"
            ).fetchall()
            told = ", ".join(f"{record} ('{cell}')" if cell is not None else str(record) for record, cell in rows)
            more = f" and {total - len(rows)} more" if total > len(rows) else ""
            raise BadInputError(f"{file_name}: column '{cells.column}' {what} in row {told}{more}. {cure}")


def _problems(cells: Cells, rule: Rule) -> list[tuple[str, str, str]]:
    """Return what a cell of a column can't be: the condition, what is wrong, and what to do."""
    value, told = cells.value, cells.told
    problems = [] if rule.is_nullable else [(cells.empty, "is empty", "Fill it in, or leave the row out.")]
    if rule.is_number:
        no_number = f"NOT ({cells.empty}) AND ({value} IS NULL OR NOT isfinite({value}))"
        problems.append((no_number, "is no number", "Write digits only."))
        if not rule.is_signed:
            problems.append((f"{value} < 0", "is below 0", "It can't be; correct it."))
    if rule.is_area:
        words = ", ".join(f"'{word}'" for word in TOTAL_WORDS)
        cure = "Leave the row out: its people would count twice."
        problems.append((f"lower({told}) IN ({words})", "has the word for a sum", cure))
    if rule.is_count:
        problems.append((f"abs({value}) > {LARGEST_COUNT}", "is too large for a count", "Correct it."))
    return problems

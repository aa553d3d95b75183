"""Load the list of enumerators: pseudonyms, roles, units and training; never a person's name."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from dtm.engine import transaction
from dtm.errors import BadInputError
from enumerations._workbooks import sheet_texts
from enumerations.codelists import codes_of, spellings_of
from enumerations.findings import ERROR, Finding, make_finding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dtm.engine import Connection

COLUMNS = ("enumerator", "role", "unit", "trained_on")
SUBJECT = "enumerators"
FILE_SIZE_MAX_BYTES = 20_000_000
"""A list of all khesegs of the country is under 1 MB."""
ROWS_MAX = 100_000
PSEUDONYM_LENGTH_MAX = 60
PHONE_DIGITS_MIN = 7

_WORD = r"[^\W\d_]+(?:['-][^\W\d_]+)*"
_NAME = re.compile(rf"^{_WORD}(?:(?:\.\s*|\s+){_WORD}){{1,3}}\.?$")
_DAY_WITH_TIME = re.compile(r"^(\d{4}-\d\d-\d\d)T[\d:.]+$")
_REGISTRATION = re.compile(r"^[А-ЯЁӨҮа-яёөү]{2}\d{8}$")


@dataclass(frozen=True)
class Enumerator:
    """One enumerator of the list."""

    enumerator: str
    role: str | None
    unit: str | None
    trained_on: date | None


@dataclass
class EnumeratorReport:
    """What became of a list; `refused` when an error was found and nothing was changed."""

    file_name: str
    rows_read: int = 0
    loaded: int = 0
    replaced: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Say whether the list was refused as a whole."""
        return any(finding.severity == ERROR for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values."""
        told = {key: value for key, value in vars(self).items() if key != "findings"}
        return {**told, "refused": self.refused, "findings": [asdict(finding) for finding in self.findings]}


def personal_data_in(text: str) -> str | None:
    """Return what kind of personal data a pseudonym looks like: name, email, phone or document; None for none.

    A name is two to four words of letters that begin with capitals (Bat Bold, Б.Болд), in any script.
    """
    if "@" in text:
        return "email"
    if _REGISTRATION.match(text):
        return "document"
    digits = sum(letter.isdigit() for letter in text)
    if digits >= PHONE_DIGITS_MIN and re.fullmatch(r"[+\d\s().-]+", text):
        return "phone"
    words = re.findall(r"[^\W\d_]+", text)
    if _NAME.match(text) and all(word[0].isupper() for word in words):
        return "name"
    return None


def load_enumerators(connection: Connection, path: Path) -> EnumeratorReport:
    """Take a list in place of the one before, whole or not at all.

    Parameters
    ----------
    path
        CSV or XLSX with the columns enumerator, role, unit and trained_on (YYYY-MM-DD); unit is a P-code, or the code
        of a checkpoint. Only `enumerator` must be filled in.

    Raises
    ------
    BadInputError
        The file can't be read, is too long, or lacks a column.
    """
    rows = read_rows(path)
    report = EnumeratorReport(path.name, rows_read=len(rows))
    known = {row[0] for row in connection.execute("SELECT DISTINCT pcode FROM area").fetchall()}
    known |= set(codes_of("checkpoint"))
    people = [_checked(report, number, row, known) for number, row in rows]
    _find_twins(report, people)
    if report.refused:
        return report
    with transaction(connection):
        before = connection.execute("SELECT count(*) FROM enumerator").fetchone()
        report.replaced = int(before[0]) if before else 0
        connection.execute("DELETE FROM enumerator")
        moment = datetime.now(UTC).replace(tzinfo=None)
        for person in people:
            connection.execute(
                "INSERT INTO enumerator VALUES (?, ?, ?, ?, ?)",
                [person.enumerator, person.role, person.unit, person.trained_on, moment],
            )
    report.loaded = len(people)
    return report


def list_enumerators(connection: Connection) -> list[dict[str, Any]]:
    """Return the list: enumerator, role, unit, trained_on, returns (of all rounds)."""
    rows = connection.execute(
        "SELECT e.enumerator, e.role, e.unit, e.trained_on, count(s.submission_id) FROM enumerator e "
        "LEFT JOIN submission s USING (enumerator) GROUP BY ALL ORDER BY e.unit NULLS LAST, e.enumerator"
    ).fetchall()
    return [dict(zip((*COLUMNS, "returns"), row, strict=True)) for row in rows]


def read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a list with their numbers, the header being row 1; blank rows are left out.

    Raises
    ------
    BadInputError
        The file can't be read, is too long, or lacks a column.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror or error}.") from error
    if size > FILE_SIZE_MAX_BYTES:
        raise BadInputError(f"{path}: {size:,} bytes; a list of enumerators has at most {FILE_SIZE_MAX_BYTES:,}.")
    table = _read_xlsx(path) if path.read_bytes()[:2] == b"PK" else _read_csv(path)
    if not table:
        raise BadInputError(f"{path}: the file is empty. Its columns are {', '.join(COLUMNS)}.")
    header = [cell.strip().casefold().replace(" ", "_") for cell in table[0]]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise BadInputError(
            f"{path}: row 1 has no column {', '.join(missing)}. The columns of the list are {', '.join(COLUMNS)}."
        )
    if any(header.count(name) > 1 for name in COLUMNS):
        raise BadInputError(f"{path}: row 1 names a column twice. The columns are {', '.join(COLUMNS)}.")
    if len(table) - 1 > ROWS_MAX:
        raise BadInputError(f"{path}: {len(table) - 1:,} rows; a list of enumerators has at most {ROWS_MAX:,}.")
    places = {name: header.index(name) for name in COLUMNS}
    return [
        (number, {name: cells[place].strip() if place < len(cells) else "" for name, place in places.items()})
        for number, cells in enumerate(table[1:], start=2)
        if any(cell.strip() for cell in cells)
    ]


def _read_csv(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = max((",", ";", "\t"), key=first.count)
        return list(csv.reader(text.splitlines(), delimiter=delimiter, strict=True))
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path}: not UTF-8 text. Save it as CSV UTF-8 and load it again.") from error
    except csv.Error as error:
        raise BadInputError(f"{path}: not a CSV file: {error}.") from error


def _read_xlsx(path: Path) -> list[list[str]]:
    """Return the rows of the first sheet, blank ones too, so that their numbers are the sheet's own."""
    rows: list[list[str]] = []
    for number, texts in sheet_texts(path):
        rows += [[""] * len(texts) for _ in range(number - 1 - len(rows) if rows else 0)]
        rows.append([_DAY_WITH_TIME.sub(r"\1", text) for text in texts])
    return rows


def _checked(report: EnumeratorReport, number: int, row: dict[str, str], known: set[str]) -> Enumerator:
    """Return one row of the list; what is wrong with it is added to the report."""

    def find(code: str, column: str, *, value: str | None = None, hint: str | None = None) -> None:
        report.findings.append(
            make_finding(
                code,
                subject=SUBJECT,
                file_name=report.file_name,
                row_number=number,
                field=column,
                value=value,
                hint=hint,
            )
        )

    name = row["enumerator"]
    if not name:
        find("enumerator_missing", "enumerator")
    elif personal_data_in(name):
        find("enumerator_personal", "enumerator")  # the value is not repeated: it may be a person's
    elif len(name) > PSEUDONYM_LENGTH_MAX:
        find("enumerator_long", "enumerator", hint=str(PSEUDONYM_LENGTH_MAX))
    role = spellings_of("enumerator_role").get(row["role"].casefold().replace(" ", "_").replace("-", "_"))
    if row["role"] and role is None:
        find("enumerator_role", "role", value=row["role"], hint=", ".join(codes_of("enumerator_role")))
    if row["unit"] and row["unit"] not in known:
        find("enumerator_unit", "unit", value=row["unit"])
    trained_on = None
    if row["trained_on"]:
        try:
            trained_on = date.fromisoformat(row["trained_on"])
        except ValueError:
            find("enumerator_date", "trained_on", value=row["trained_on"])
    return Enumerator(name, role, row["unit"] or None, trained_on)


def _find_twins(report: EnumeratorReport, people: Sequence[Enumerator]) -> None:
    times = Counter(person.enumerator for person in people if person.enumerator)
    for name in sorted(name for name, count in times.items() if count > 1):
        report.findings.append(
            make_finding(
                "enumerator_twice",
                subject=SUBJECT,
                file_name=report.file_name,
                field="enumerator",
                value=None if personal_data_in(name) else name,
            )
        )

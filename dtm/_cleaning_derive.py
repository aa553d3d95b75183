"""Derive stored records anew from the raw files, with the edits of the cleaning log laid over them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from dtm._imports_canonical import accepted_sql, take_out
from dtm._imports_edits import Edits, lay_over, recurring_edits, sheet_of
from dtm._imports_job import TableJob
from dtm._imports_repeats import REPEATS
from dtm._imports_replace import RETURN_FIELD
from dtm._imports_rounds import Rounds, read_rounds
from dtm._imports_run import ORDER, first_submission_id, note_asked, note_missing_moves, run_table
from dtm.errors import BadInputError
from dtm.messages import message
from dtm.round_checks import refresh_round_findings
from dtm.warehouse import inbox_copy
from enumerations.columns import FORMS
from enumerations.mapping import parse_mapping
from enumerations.returns import StagedTable, stage_returns

if TYPE_CHECKING:
    from dtm.engine import Connection
    from dtm.workspace import Workspace

GROUPS: tuple[tuple[str, ...], ...] = (
    *(
        tuple(table.name for table in FORMS[form])
        for form in ("kheseg-baseline", "household-survey", "event-report", "dtm-published")
    ),
    ("passages",),
    ("watch",),
)
"""Tables whose records depend on one another."""


def group_of(table_name: str) -> tuple[str, ...]:
    """Return the tables that a table's records depend on."""
    return next(group for group in GROUPS if table_name in group)


@dataclass
class Source:
    """One import, staged again from its raw file."""

    import_id: int
    form: str
    file_name: str
    named_round: int | None
    tables: list[StagedTable] = field(default_factory=list)

    def table(self, sheet: str) -> StagedTable | None:
        """Return the staged table of a sheet."""
        return next((one for one in self.tables if sheet_of(one) == sheet), None)


class Sources:
    """Stage imports from the inbox, each once; `close` drops what was staged."""

    def __init__(self, connection: Connection, workspace: Workspace) -> None:
        self.connection, self.workspace = connection, workspace
        self._staged: dict[int, Source] = {}

    def get(self, import_id: int) -> Source | None:
        """Return an import, or None when there is none of that number.

        Raises
        ------
        BadInputError
            Its raw file is missing from the inbox.
        """
        if import_id in self._staged:
            return self._staged[import_id]
        row = self.connection.execute(
            "SELECT form, file_name, file_sha256, named_form, named_round, mapping FROM import WHERE import_id = ?",
            [import_id],
        ).fetchone()
        if row is None:
            return None
        form, name, sha256, named_form, named_round, mapping = row
        path = inbox_copy(self.workspace, sha256, name)
        if not path.exists():
            raise BadInputError(message("raw_file_missing", path=path, import_id=import_id))
        source = Source(import_id, form, name, named_round)
        read = parse_mapping(mapping, name=f"mapping of import {import_id}") if mapping else None
        for table in stage_returns(self.connection, path, f"staged_i{import_id}", form=named_form, mapping=read):
            source.tables.append(replace(table, file_name=name, findings=()))
        self._staged[import_id] = source
        return source

    def close(self) -> None:
        """Drop the temporary relations."""
        for kind, catalogue in (("VIEW", "duckdb_views()"), ("TABLE", "duckdb_tables()")):
            names = self.connection.execute(
                f"SELECT {kind.lower()}_name FROM {catalogue} WHERE temporary AND regexp_matches({kind.lower()}_name, "
                "'^(staged_|checked_|again_|repeated$|stored_before$)')"
            ).fetchall()
            for (name,) in names:
                self.connection.execute(f"DROP {kind} IF EXISTS {name}")


def net_edits(connection: Connection, import_id: int, sheet: str) -> Edits:
    """Return what the log says a table's values are now, where it differs from what was sent."""
    rows = connection.execute(
        f"""SELECT row_number, field, arg_max(coalesce(new, chr(30)), edit_id) AS new,
            arg_min(coalesce(old, chr(30)), edit_id) AS old FROM cleaning_log
        WHERE import_id = ? AND sheet = ? AND field <> '{RETURN_FIELD}' GROUP BY ALL HAVING new <> old""",
        [import_id, sheet],
    ).fetchall()
    edits: Edits = {}
    for record, name, new, _ in rows:
        edits.setdefault(int(record), {})[name] = None if new == chr(30) else new
    return edits


@dataclass
class Derivation:
    """What is to be derived anew: staged tables with the position in their file, in the order of their import."""

    rounds: Rounds
    work: list[tuple[Source, int]]


def choose(
    connection: Connection,
    workspace: Workspace,
    sources: Sources,
    *,
    tables: set[str],
    edited: set[tuple[int, str, int]],
    instances: set[str],
) -> Derivation:
    """Choose the records to derive when some are edited, and stage their imports.

    They are those of the edited tables' groups in open rounds and in quarantine. Records of closed rounds, duplicates
    of returns and returns that a server replaced or withdrew stay as they are. Of passages only the edited ones, those
    in quarantine and those with the same instance id (or one of `instances`) are derived. Call it outside a
    transaction: the numbers of staged rows are only right when they are committed.
    """
    groups = {group_of(name) for name in tables}
    names = tuple(name for name in ORDER if any(name in group for group in groups))
    rounds = replace(read_rounds(connection, operation=workspace.settings.operation, number=None), is_again=True)
    return Derivation(rounds, _choose(connection, sources, names, rounds, edited, instances))


def derive(connection: Connection, workspace: Workspace, chosen: Derivation) -> None:
    """Derive the chosen records anew, oldest import first, with all edits of the log.

    The temporary table `again_before` (import_id, sheet, row_number, is_accepted, is_aside) keeps what became of them
    before.
    """
    rounds, work = chosen.rounds, chosen.work
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE again_before AS
        SELECT r.*, a.import_id IS NOT NULL AS is_accepted, q.import_id IS NOT NULL AS is_aside FROM again_record r
        LEFT JOIN ({accepted_sql()}) a USING (import_id, sheet, row_number)
        LEFT JOIN (SELECT DISTINCT import_id, sheet, row_number FROM quarantine) q
            USING (import_id, sheet, row_number)"""
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE again_late AS SELECT f.* FROM finding f "
        "SEMI JOIN again_record USING (import_id, sheet, row_number) WHERE f.code = 'late_return'"
    )
    firsts = {
        (source.import_id, position): first_submission_id(
            connection, import_id=source.import_id, sheet=sheet_of(source.tables[position]), position=position
        )
        for source, position in work
    }
    take_out(connection, "again_record")
    for number, (source, position) in enumerate(work):
        _derive_table(connection, workspace, source, position, rounds, firsts[source.import_id, position], number)
    _count_again(connection)
    connection.execute(
        f"INSERT INTO finding SELECT * FROM again_late SEMI JOIN ({accepted_sql()}) "
        "USING (import_id, sheet, row_number)"
    )
    note_asked(connection)
    note_missing_moves(connection, rounds)
    refresh_round_findings(connection, operation=workspace.settings.operation)


def _derive_table(
    connection: Connection,
    workspace: Workspace,
    source: Source,
    position: int,
    rounds: Rounds,
    first: int,
    number: int,
) -> None:
    staged = source.tables[position]
    sheet = sheet_of(staged)
    only = f"again_only_{number}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {only} AS SELECT row_number AS record FROM again_record "
        "WHERE import_id = ? AND sheet = ?",
        [source.import_id, sheet],
    )
    edits = recurring_edits(connection, staged, before=source.import_id)
    for record, changes in net_edits(connection, source.import_id, sheet).items():
        edits[record] = edits.get(record, {}) | changes
    fixed = next((one for one in rounds.all if one.number == source.named_round), None)
    job = TableJob(
        connection,
        lay_over(connection, staged, edits, only=only),
        replace(rounds, fixed=fixed),
        workspace.settings.operation,
        source.import_id,
        first,
        f"checked_a{number}",
        first_import_id=source.import_id,
        is_again=True,
    )
    run_table(job)


def _choose(
    connection: Connection,
    sources: Sources,
    names: tuple[str, ...],
    rounds: Rounds,
    edited: set[tuple[int, str, int]],
    instances: set[str],
) -> list[tuple[Source, int]]:
    """Make `again_record` (import_id, sheet, row_number); return the staged tables it has records of, in order."""
    closed = ", ".join(str(one.number) for one in rounds.all if not one.is_open) or "NULL"
    connection.execute("CREATE OR REPLACE TEMP TABLE again_record (import_id BIGINT, sheet VARCHAR, row_number BIGINT)")
    _list_candidates(connection, closed)
    imports = connection.execute("SELECT DISTINCT import_id FROM again_candidate").fetchall()
    forms = {table.form for tables in FORMS.values() for table in tables if table.name in names}
    listed = connection.execute("SELECT import_id, form FROM import ORDER BY import_id").fetchall()
    wanted = [number for number, form in listed if form in forms and (number,) in imports]
    if names == ("passages",):
        wanted = _few(connection, wanted, edited, instances)
    work: list[tuple[Source, int]] = []
    for import_id in wanted:
        source = sources.get(import_id)
        if source is None:
            continue
        for position, staged in enumerate(source.tables):
            if staged.header.table.name in names:
                _take(connection, source, staged, closed)
                work.append((source, position))
    connection.execute("DROP TABLE again_candidate")
    return sorted(work, key=lambda pair: (ORDER.index(pair[0].tables[pair[1]].header.table.name), pair[0].import_id))


def _list_candidates(connection: Connection, closed: str) -> None:
    """Make `again_candidate`: records that are accepted or in quarantine and belong to no closed round."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE again_candidate AS
        SELECT import_id, sheet, row_number, is_aside, instance_id, table_name FROM (
            SELECT a.import_id, a.sheet, a.row_number, false AS is_aside, s.instance_id, NULL AS table_name
            FROM ({accepted_sql()}) a LEFT JOIN submission s ON s.submission_id = a.submission_id
            WHERE NOT coalesce(a.round_number IN ({closed}), false)
            OR a.import_id IN (SELECT import_id FROM import WHERE form = 'dtm-published')
            UNION ALL SELECT import_id, sheet, row_number, true, instance_id, table_name FROM quarantine q
            WHERE NOT EXISTS (SELECT 1 FROM finding f WHERE f.import_id = q.import_id AND f.sheet = q.sheet
                AND f.row_number = q.row_number AND f.round_number IN ({closed})))
        WHERE import_id NOT IN (SELECT import_id FROM import WHERE coalesce(named_round IN ({closed}), false))
        AND (import_id, sheet, row_number) NOT IN (
            SELECT (import_id, sheet, row_number) FROM cleaning_log WHERE field = '{RETURN_FIELD}')"""
    )


def _take(connection: Connection, source: Source, staged: StagedTable, closed: str) -> None:
    """Add a table's records to `again_record`; of repeats also the rows that were duplicates, for others may go."""
    sheet = sheet_of(staged)
    if staged.header.table.name not in REPEATS:
        connection.execute(
            "INSERT INTO again_record SELECT DISTINCT import_id, sheet, row_number FROM again_candidate "
            "WHERE import_id = ? AND sheet = ?",
            [source.import_id, sheet],
        )
        return
    instance = staged.source("instance_id") or "NULL::VARCHAR"
    connection.execute(
        f"""INSERT INTO again_record SELECT ?, ?, record FROM (
            SELECT record, trim({instance}) AS instance_id FROM {staged.relation})
        WHERE record IN (SELECT row_number FROM again_candidate WHERE import_id = ? AND sheet = ?)
        OR (instance_id NOT IN (SELECT instance_id FROM submission WHERE form = ? AND round_number IN ({closed}))
            AND record NOT IN (SELECT row_number FROM cleaning_log WHERE import_id = ? AND sheet = ?
                AND field = '{RETURN_FIELD}'))""",
        [source.import_id, sheet, source.import_id, sheet, source.form, source.import_id, sheet],
    )


def _few(
    connection: Connection, imports: list[int], edited: set[tuple[int, str, int]], instances: set[str]
) -> list[int]:
    """Leave in `again_candidate` what is edited, set aside or shares an instance id with such a record."""
    rows = sorted(edited)
    connection.register(
        "edit_rows",
        pa.table(
            {
                "import_id": pa.array([one[0] for one in rows], pa.int64()),
                "sheet": pa.array([one[1] for one in rows], pa.string()),
                "row_number": pa.array([one[2] for one in rows], pa.int64()),
            }
        ),
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE again_edited AS SELECT * FROM edit_rows")
    connection.unregister("edit_rows")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE again_seed AS SELECT * FROM again_candidate c WHERE is_aside OR EXISTS ("
        "SELECT 1 FROM again_edited e WHERE e.import_id = c.import_id AND e.sheet = c.sheet "
        "AND e.row_number = c.row_number)"
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE again_key AS
        SELECT instance_id FROM again_seed UNION SELECT unnest(?)
        UNION SELECT new FROM cleaning_log WHERE field = 'instance_id'
        UNION SELECT old FROM cleaning_log WHERE field = 'instance_id'""",
        [sorted(instances)],
    )
    connection.execute(
        "DELETE FROM again_candidate WHERE NOT is_aside AND (import_id, sheet, row_number) NOT IN ("
        "SELECT (import_id, sheet, row_number) FROM again_seed) AND "
        "(instance_id IS NULL OR instance_id NOT IN (SELECT instance_id FROM again_key WHERE instance_id IS NOT NULL))"
    )
    left = {row[0] for row in connection.execute("SELECT DISTINCT import_id FROM again_candidate").fetchall()}
    return [number for number in imports if number in left]


def _count_again(connection: Connection) -> None:
    """Bring the counts of the imports up to date from what became of the records now."""
    connection.execute(
        f"""UPDATE import SET rows_accepted = rows_accepted + n.accepted,
            rows_quarantined = rows_quarantined + n.aside, rows_duplicate = rows_duplicate - n.accepted - n.aside
        FROM (
            SELECT b.import_id, count(a.import_id) - count(*) FILTER (b.is_accepted) AS accepted,
                count(q.import_id) - count(*) FILTER (b.is_aside) AS aside
            FROM again_before b LEFT JOIN ({accepted_sql()}) a USING (import_id, sheet, row_number)
            LEFT JOIN (SELECT DISTINCT import_id, sheet, row_number FROM quarantine) q
                USING (import_id, sheet, row_number) GROUP BY b.import_id
        ) n WHERE n.import_id = import.import_id"""
    )

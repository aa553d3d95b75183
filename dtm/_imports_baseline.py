"""Bring kheseg baseline returns into the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._imports_returns import check_returns, settle_and_place, store_returns
from dtm._imports_rounds import plan_return_round
from enumerations.codelists import codes_of
from enumerations.columns import AGE_BANDS, CONDITIONS

if TYPE_CHECKING:
    from dtm._imports_job import TableJob
    from enumerations.columns import FormColumn

DWELLINGS = tuple(codes_of("dwelling"))
SEX_AGE = ["male_persons", "female_persons", *(f"age_{band}_persons" for band in AGE_BANDS)]
DIRECTIONS = {"arrivals": "arrival", "departures": "departure"}
_COUNTS = [
    "registered_households", "registered_persons", "actual_households", "actual_persons", *SEX_AGE,
    "registered_absent_persons", "unregistered_persons", *(f"{kind}_households" for kind in DWELLINGS),
    "births_persons", "deaths_persons",
]  # fmt: skip
_CONDITIONS = {
    column.name: f"array_to_string(list_sort(string_split({column.name}, ' ')), ' ')"
    if column.kind == "codes"
    else column.name
    for column in CONDITIONS
}
"""What is compared of the answers, by column."""
_DENIALS = [f"no_{name}" for name in DIRECTIONS]
CONTENT = [
    "round_number", "unit", "collected_at", *_COUNTS, "number_source", "confidence", "gps_lon", "gps_lat",
    *(f"same_{name}" for name in _CONDITIONS), *_DENIALS,
]  # fmt: skip


def import_baseline(job: TableJob) -> None:
    """Check, locate and store baseline returns: submissions, stocks, births and deaths, answers."""
    round_sql, rules = plan_return_round(job.connection, job.staged, job.rounds)
    denials = {f"no_{name}": f"had_{name} IS NOT DISTINCT FROM false" for name in DIRECTIONS}
    answers = {f"same_{name}": sql for name, sql in _CONDITIONS.items()}
    check_returns(job, round_sql, rules, extra={**denials, **answers})
    settle_and_place(job, content=CONTENT, stored_sql=_stored())
    _settle_units(job)
    place = store_returns(job)
    _insert_stocks(job, place)
    insert_answers(job, place, [job.staged.header.table.by_name["informant_role"], *CONDITIONS])
    for name, direction in DIRECTIONS.items():
        job.run(
            f"INSERT INTO move_question SELECT {job.first_submission_id}::BIGINT + record, round_number, told_pcode, "
            f"'{direction}', had_{name} FROM {place} WHERE had_{name} IS NOT NULL"
        )
    job.run(
        f"INSERT INTO move_window SELECT {job.first_submission_id}::BIGINT + record, window_from, window_to "
        f"FROM {place} WHERE window_from IS NOT NULL OR window_to IS NOT NULL"
    )


def _stored() -> str:
    """Return SQL that puts stored stocks, answers and denials back into one row for each repeated return."""
    wide = {
        "registered_households": ("registered", "households"),
        "registered_persons": ("registered", "persons"),
        "actual_households": ("actual", "households"),
        "actual_persons": ("actual", "persons"),
        **{name: ("actual", name) for name in SEX_AGE},
        "registered_absent_persons": ("registered_absent", "persons"),
        "unregistered_persons": ("unregistered", "persons"),
    }
    columns = [
        f"max(k.{column}) FILTER (category = '{category}' AND dwelling IS NULL) AS {name}"
        for name, (category, column) in wide.items()
    ]
    columns += [f"max(k.households) FILTER (dwelling = '{kind}') AS {kind}_households" for kind in DWELLINGS]
    answers = [
        f"max(amount) FILTER (question = '{column.name}') AS same_{column.name}"
        if column.kind == "integer"
        else f"string_agg(choice, ' ' ORDER BY choice) FILTER (question = '{column.name}') AS same_{column.name}"
        for column in CONDITIONS
    ]
    denials = [
        f"coalesce(bool_or(NOT had_moves) FILTER (direction = '{direction}'), false) AS no_{name}"
        for name, direction in DIRECTIONS.items()
    ]
    return f"""WITH asked AS (
            SELECT submission_id, instance_id, round_number, declared_pcode, received_at, lon, lat
            FROM submission SEMI JOIN repeated USING (instance_id) WHERE form = 'kheseg-baseline'
        ), told AS (SELECT submission_id, {", ".join(answers)} FROM answer SEMI JOIN asked USING (submission_id) GROUP BY 1
        ), denied AS (SELECT submission_id, {", ".join(denials)} FROM move_question SEMI JOIN asked USING (submission_id) GROUP BY 1
        ), counted AS (SELECT k.submission_id, {", ".join(columns)}, any_value(k.number_source) AS number_source,
            any_value(k.confidence) AS confidence FROM stock k SEMI JOIN asked USING (submission_id) GROUP BY 1)
        SELECT s.instance_id, s.round_number, s.declared_pcode AS unit, s.received_at + INTERVAL 8 HOUR AS collected_at,
            c.* EXCLUDE (submission_id), v.births_persons, v.deaths_persons, s.lon AS gps_lon, s.lat AS gps_lat,
            t.* EXCLUDE (submission_id), {", ".join(f"coalesce({name}, false) AS {name}" for name in _DENIALS)}
        FROM asked s JOIN counted c USING (submission_id) LEFT JOIN vital v USING (submission_id)
        LEFT JOIN told t USING (submission_id) LEFT JOIN denied d USING (submission_id)"""  # noqa: E501


def _settle_units(job: TableJob) -> None:
    """Keep one return of each unit and round: the stored one, else the one collected first."""
    here = f"SELECT record, round_number, told_pcode, collected_at, instance_id FROM {job.kept} JOIN {job.checked}_place USING (record)"  # noqa: E501
    job.find(
        "unit_twice",
        f"""SELECT record, 'unit' AS field, told_pcode AS value, NULL AS hint FROM (
            SELECT h.record, h.told_pcode, e.pcode IS NOT NULL AS stored, row_number() OVER (
                PARTITION BY h.round_number, h.told_pcode ORDER BY collected_at, instance_id, record) AS rank
            FROM ({here}) h LEFT JOIN (
                SELECT DISTINCT k.pcode, k.round_number FROM stock k JOIN submission s USING (submission_id)
                WHERE s.form = 'kheseg-baseline') e
            ON e.pcode = h.told_pcode AND e.round_number = h.round_number
        ) WHERE stored OR rank > 1""",
    )


def _insert_stocks(job: TableJob, place: str) -> None:
    none = "NULL"
    kinds: list[tuple[str, str, str, list[str], str, str]] = [
        ("registered", "registered_households", "registered_persons", [none] * 7, none, "true"),
        ("actual", "actual_households", "actual_persons", SEX_AGE, none, "true"),
        ("registered_absent", none, "registered_absent_persons", [none] * 7, none,
         "registered_absent_persons IS NOT NULL"),
        ("unregistered", none, "unregistered_persons", [none] * 7, none, "unregistered_persons IS NOT NULL"),
        *(("actual", f"{kind}_households", none, [none] * 7, f"'{kind}'", f"{kind}_households IS NOT NULL")
          for kind in DWELLINGS),
    ]  # fmt: skip
    for category, households, persons, groups, dwelling, where in kinds:
        job.run(
            f"""INSERT INTO stock SELECT {job.first_submission_id}::BIGINT + record, ?, round_number, told_pcode,
            (length(told_pcode) - 2) // 2, '{category}', {households}, {persons}, {", ".join(groups)}, {dwelling},
            NULL, NULL, number_source, confidence::INTEGER, r.assessment_type, collected_at::DATE
            FROM {place} LEFT JOIN (SELECT number, assessment_type FROM round WHERE operation = ?) r
            ON r.number = round_number WHERE {where}""",
            [job.operation, job.operation],
        )
    job.run(
        f"INSERT INTO vital SELECT {job.first_submission_id}::BIGINT + record, round_number, told_pcode, "
        f"births_persons, deaths_persons FROM {place} WHERE births_persons IS NOT NULL OR deaths_persons IS NOT NULL"
    )


def insert_answers(job: TableJob, place: str, columns: list[FormColumn]) -> None:
    """Add one answer for each code chosen and each count told, of returns that belong to a round."""
    told = [column for column in columns if job.staged.source(column.name)]
    for column in told:
        name = column.name
        chosen = f"unnest(string_split({name}, ' '))" if column.kind == "codes" else name
        answer = f"NULL, {name}" if column.kind == "integer" else f"{chosen}, NULL"
        job.run(
            f"INSERT INTO answer SELECT {job.first_submission_id}::BIGINT + record, round_number, told_pcode, "
            f"'{name}', {answer} FROM {place} WHERE {name} IS NOT NULL AND round_number IS NOT NULL"
        )

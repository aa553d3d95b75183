"""Make the tables of a release by hand for the tests of its estimates: one city, two districts, eight khoroos."""

from __future__ import annotations

import datetime as dt

from dtm._release_tables import RELEASE_TABLES
from dtm.engine import connect

CITY = "MN11"
DISTRICTS = ("MN1101", "MN1102")
KHOROOS = tuple(f"{district}{number:02d}" for district in DISTRICTS for number in range(1, 5))
AREAS = (CITY, *DISTRICTS, *KHOROOS)
DAYS = {1: dt.date(2024, 1, 1), 2: dt.date(2024, 7, 1), 3: dt.date(2025, 1, 1)}
TABLES = (
    "area", "round", "coverage", "stock", "flow", "vital", "indicator", "series_break", "flow_estimate", "imputed",
    "balance", "stock_month",
)  # fmt: skip


def level_of(pcode):
    return (len(pcode) - 2) // 2


class EstimatesWorld:
    """Insert rows by name; a value of None is hidden, "-" not reported."""

    def __init__(self, *, rounds=(1, 2), areas=AREAS):
        self._connection = connect(spatial=False, threads=1)
        self._waiting = {}
        for name in TABLES:
            sql = RELEASE_TABLES[name].create_sql()
            self._connection.execute(sql.replace(" NOT NULL", "") if name == "area" else sql)
        for pcode in areas:
            self.insert("area", pcode=pcode, level=level_of(pcode), parent_pcode=pcode[:-2] if len(pcode) > 4 else None)
        for number in rounds:
            before = DAYS[number] - dt.timedelta(days=20)
            self.insert(
                "round", round_number=number, operation="o", started_on=before, ended_on=DAYS[number],
                reference_on=DAYS[number], flow_days=182, area_set="ub", area_set_version=1,
            )  # fmt: skip

    @property
    def connection(self):
        """The database, with every row inserted so far."""
        for (table, names), rows in self._waiting.items():
            marks = f"({', '.join('?' * len(names))})"
            values = [value for row in rows for value in row]
            columns, marks = ", ".join(names), ", ".join([marks] * len(rows))
            self._connection.execute(f'INSERT INTO "{table}" ({columns}) VALUES {marks}', values)
        self._waiting = {}
        return self._connection

    def insert(self, table, **values):
        self._waiting.setdefault((table, tuple(values)), []).append(tuple(values.values()))

    def cell(self, table, value, **keys):
        status = "suppressed" if value is None else "not_reported" if value == "-" else "published"
        told = value if status == "published" else None
        self.insert(table, value=told, status=status, **keys)

    def cover(self, number, pcode, reported, expected, share):
        self.insert(
            "coverage", round_number=number, level=level_of(pcode), pcode=pcode, units_expected=expected,
            units_reported=reported, registered_coverage_share=share, returns=reported, located_gps=0,
            located_conflict=0,
        )  # fmt: skip

    def stock(self, number, pcode, value, category="actual"):
        self.cell(
            "stock", value, round_number=number, level=level_of(pcode), pcode=pcode, category=category,
            measure="persons", breakdown="total", item="total", method="observed",
        )  # fmt: skip

    def flow(self, number, source, pcode, counterpart, value):
        direction = "in" if source == "arrivals" else "out"
        ends = (counterpart, pcode) if direction == "in" else (pcode, counterpart)
        self.cell(
            "flow", value, round_number=number, source=source, level=level_of(pcode), pcode=pcode,
            counterpart=counterpart, direction=direction, reason="total", origin=ends[0], destination=ends[1],
            measure="persons", method="observed",
        )  # fmt: skip

    def vital(self, number, pcode, event, value):
        self.cell(
            "vital", value, round_number=number, level=level_of(pcode), pcode=pcode, event=event, method="observed"
        )

    def change(self, number, pcode, value, note):
        self.cell(
            "indicator", value, round_number=number, level=level_of(pcode), pcode=pcode, indicator="change_persons",
            unit="persons", note=note,
        )  # fmt: skip

    def rows(self, sql, *values):
        return self.connection.execute(sql, list(values)).fetchall()

    def row(self, table, **keys):
        """Return the one row of a table that the keys pick, as a dictionary."""
        where = " AND ".join(f"{name} = ?" for name in keys)
        cursor = self.connection.execute(f"SELECT * FROM {table} WHERE {where}", list(keys.values()))
        names = [column[0] for column in cursor.description]
        (found,) = cursor.fetchall()
        return dict(zip(names, found, strict=True))

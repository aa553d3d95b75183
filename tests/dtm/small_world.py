"""A warehouse small enough to add up by hand: two districts, three khoroos of 1 km2, two khesegs each."""

from __future__ import annotations

from datetime import date
from itertools import count

import geopandas as gpd
import pandas as pd
import shapely

from dtm._warehouse_tables import WAREHOUSE_TABLES
from dtm.density import build_densities
from dtm.engine import connect
from dtm.exposure import build_exposure
from dtm.flow_items import build_flow_items
from dtm.flows import build_flows
from dtm.indicators import build_indicators
from dtm.passages import build_passage_days, build_passage_hours
from dtm.scope import build_coverage, build_scope
from dtm.stocks import build_stocks
from dtm.vitals import build_vitals

OPERATION = "test operation"
KHOROOS = ("MN110701", "MN110702", "MN111001")
KHESEGS = tuple(f"{khoroo}{number:02d}" for khoroo in KHOROOS for number in (1, 2))
EAST_M, NORTH_M = 640_000.0, 5_300_000.0


def boxes(*bounds_km):
    """Return rectangles given in km east and north of the first khoroo's corner, in WGS84."""
    shapes = [
        shapely.box(EAST_M + w * 1000, NORTH_M + s * 1000, EAST_M + e * 1000, NORTH_M + n * 1000)
        for w, s, e, n in bounds_km
    ]
    return gpd.GeoDataFrame(geometry=shapes, crs="EPSG:32648").to_crs("EPSG:4326")


class SmallWorld:
    """Insert rows by name; everything not said is null."""

    def __init__(self, *, khesegs=True):
        self.connection = connect()
        for table in WAREHOUSE_TABLES.values():
            self.connection.execute(table.create_sql().replace("TABLE round ", 'TABLE "round" '))
        self._ids = count(1)
        self.add_set("khoroos", 3)
        for number, (pcode, shape) in enumerate(
            zip(KHOROOS, boxes((0, 0, 1, 1), (1, 0, 2, 1), (2, 0, 3, 1)).geometry, strict=True)
        ):
            self.add_area("khoroos", pcode, 3, shape, number=number + 1, name_mn=f"{number + 1}-р хороо", area_km2=1.0)
        if khesegs:
            self.add_set("khesegs", 4, parent_set="khoroos")
            for pcode in KHESEGS:
                self.add_area("khesegs", pcode, 4, shapely.Point(106.9, 47.9).buffer(0.001))

    def insert(self, table, **values):
        columns = ", ".join(values)
        marks = ", ".join("ST_GeomFromWKB(?)" if name == "geometry" else "?" for name in values)
        self.connection.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', list(values.values()))

    def add_set(self, name, level, *, parent_set=None, version=1):
        self.insert(
            "area_set", area_set=name, version=version, level=level, parent_set=parent_set, valid_from=date(2021, 1, 1),
            n_areas=3, file_name="f", file_sha256="0", is_demonstration=True, loaded_at="2024-01-01",
        )  # fmt: skip

    def add_area(self, area_set, pcode, level, shape, **more):
        self.insert(
            "area", area_set=area_set, version=1, pcode=pcode, level=level, geometry=shapely.to_wkb(shape), **more
        )

    def add_round(self, number, *, area_set="khoroos", year=None):
        year = year or 2020 + number
        self.insert(
            "round", operation=OPERATION, number=number, started_on=date(year, 6, 1), ended_on=date(year, 6, 30),
            reference_on=date(year, 6, 30), assessment_type="BA", area_set=area_set, area_set_version=1, status="draft",
        )  # fmt: skip

    def add_return(
        self, number, unit, *, located="unit", located_by="gps", received=None, declared=True,
        asked=("arrival", "departure"), **stocks,
    ):  # fmt: skip
        """Insert one kheseg return; stocks by category: `actual=dict(persons=100, households=25)`, `ger=10`.

        `asked` names the directions of moves that the return was asked about.
        """
        submission = next(self._ids)
        self.insert(
            "submission", submission_id=submission, import_id=1, instance_id=str(submission), form="kheseg-baseline",
            round_number=number, received_at=received, row_number=submission, declared_pcode=unit if declared else None,
            located_pcode=unit[:8] if located == "unit" else located, located_by=located_by,
        )  # fmt: skip
        for direction in asked:
            self.insert(
                "move_question", submission_id=submission, round_number=number, pcode=unit, direction=direction,
                had_moves=False,
            )  # fmt: skip
        base = {"submission_id": submission, "operation": OPERATION, "round_number": number, "pcode": unit, "level": 4}
        for name, value in stocks.items():
            if isinstance(value, dict):
                self.insert("stock", **base, category=name, **value)
            else:
                self.insert("stock", **base, category="actual", dwelling=name, households=value)
        return submission

    def start_over(self, number, units):
        """Forget all returns and moves, and send a return of 100 people from each unit: submissions by unit."""
        self.connection.execute(
            "DELETE FROM submission; DELETE FROM stock; DELETE FROM movement; DELETE FROM move_question"
        )
        return {unit: self.add_return(number, unit, actual={"persons": 100}) for unit in units}

    def add_move(
        self, submission, number, unit, direction, counterpart, persons, *, households=None, reason=None, **more
    ):
        self.insert(
            "movement", submission_id=submission, round_number=number, pcode=unit, direction=direction,
            counterpart_pcode=counterpart, persons=persons, households=households, reason=reason, **more,
        )  # fmt: skip

    def add_layer(self, name, kind, frame, *, version=1, dated_on=date(2024, 1, 1)):
        self.insert(
            "layer", name=name, version=version, kind=kind, dated_on=dated_on, n_features=len(frame), file_name="f",
            file_sha256="0", is_demonstration=True, loaded_at="2024-01-01",
        )  # fmt: skip
        for feature, shape in enumerate(frame.geometry):
            self.insert(
                "layer_feature", name=name, version=version, feature=feature + 1, geometry=shapely.to_wkb(shape)
            )

    def add_passage(self, number, passed_at, direction, persons, origin, destination, *, vehicle="car"):
        self.insert(
            "passage", submission_id=next(self._ids), round_number=number, checkpoint="emeelt", direction=direction,
            passed_at=passed_at, vehicle=vehicle, persons=persons, origin_pcode=origin, destination_pcode=destination,
        )  # fmt: skip

    def build(self, last_round):
        scope = build_scope(self.connection, operation=OPERATION, last_round=last_round)
        build_coverage(self.connection, scope)
        build_stocks(self.connection, scope)
        build_flows(self.connection, scope)
        build_flow_items(self.connection, scope)
        build_vitals(self.connection, scope)
        build_passage_days(self.connection, scope)
        build_passage_hours(self.connection, scope)
        build_indicators(self.connection, scope)
        build_densities(self.connection, scope)
        build_exposure(self.connection, scope)
        return scope

    def frame(self, name) -> pd.DataFrame:
        return self.connection.execute(f"FROM {name}").df()

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    def value(self, table, column="value", **where):
        """Return the one value of a table where columns have these values."""
        clause = " AND ".join(f"{name} = ?" for name in where)
        found = self.connection.execute(f"SELECT {column} FROM {table} WHERE {clause}", list(where.values())).fetchall()
        assert len(found) == 1, (where, found)
        return found[0][0]

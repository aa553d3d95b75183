"""Make a small release by hand: 3 districts of 4 khoroos, with hidden and missing cells, for the dashboard's tests."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
import shapely
from rasterio.transform import Affine

from dtm._release_tables import RELEASE_TABLES
from dtm.engine import connect
from dtm.released import CURRENT_FILE, DATABASE_FILE, MANIFEST_FILE
from dtm.workspace import Settings, Workspace, create_workspace
from tests.dashboard import make_estimates

WEST, SOUTH, STEP = 106.80, 47.88, 0.03
DISTRICTS = (("MN1101", "Баянзүрх", "Bayanzurkh"), ("MN1107", "Баянгол", "Bayangol"), ("MN1110", "Хан-Уул", "Khan-Uul"))
AIMAGS = (("MN65", "Архангай", "Arkhangai", 101.5, 47.5), ("MN83", "Хөвсгөл", "Khuvsgul", 100.2, 49.6))
SUPPRESSED_KHOROO = "MN110703"
"""Arrivals of this khoroo are hidden, at the last round."""
UNREPORTED_KHOROO = "MN111004"
"""Nobody told anything of this khoroo, at the last round."""
SOURCES = ("arrivals", "departures")
Row = tuple[Any, ...]


def khoroos() -> dict[str, shapely.Polygon]:
    """Return the khoroos: a row of four squares a district; the last one of the last district is huge."""
    found = {}
    for line, (district, _, _) in enumerate(DISTRICTS):
        for column in range(4):
            west, south = WEST + column * STEP, SOUTH + line * STEP
            width = STEP * 12 if (line, column) == (2, 3) else STEP
            found[f"{district}{column + 1:02d}"] = shapely.box(west, south, west + width, south + STEP)
    return found


def persons(pcode: str, number: int) -> int | None:
    """Return the people of a khoroo: 1,000 x (its place in the list, from 1) + 100 a round."""
    if pcode == UNREPORTED_KHOROO and number == 3:
        return None
    return 1000 * (list(khoroos()).index(pcode) + 1) + 100 * number


def _areas() -> dict[str, tuple[int, str, str, shapely.Geometry]]:
    shapes = khoroos()
    found = {"MN11": (1, "Улаанбаатар", "Ulaanbaatar", shapely.union_all(list(shapes.values())))}
    for pcode, mn, en in DISTRICTS:
        inside = [shape for code, shape in shapes.items() if code.startswith(pcode)]
        found[pcode] = (2, mn, en, shapely.union_all(inside))
    for pcode, shape in shapes.items():
        found[pcode] = (3, f"{int(pcode[6:])}-р хороо", f"Khoroo {int(pcode[6:])}", shape)
    return found


def _levels() -> dict[str, int]:
    return {pcode: level for pcode, (level, *_) in _areas().items()}


def _told(pcode: str, number: int) -> list[int]:
    return [value for code in khoroos() if code.startswith(pcode) and (value := persons(code, number)) is not None]


def _area_rows() -> list[Row]:
    rows = []
    for pcode, (level, mn, en, shape) in _areas().items():
        parent = pcode[:-2] if level > 1 else None
        number = int(pcode[6:]) if level == 3 else None
        km2 = shape.area * 111.2 * 111.2 * math.cos(math.radians(47.9))
        inside = shape.representative_point()
        rows.append((pcode, level, parent, number, mn, en, km2, km2 / 4, inside.x, inside.y, shape.wkb))
    return rows


def _place_rows() -> list[Row]:
    rows = [
        (p, lv, mn, en, s.representative_point().x, s.representative_point().y)
        for p, (lv, mn, en, s) in _areas().items()
    ]
    rows += [(pcode, 1, mn, en, lon, lat) for pcode, mn, en, lon, lat in AIMAGS]
    return [
        *rows,
        ("abroad", None, "Гадаад улс", "Abroad", None, None),
        ("unknown", None, "Тодорхойгүй", "Unknown", None, None),
    ]


def _flow_rows(number: int) -> list[Row]:
    rows: list[Row] = []

    def add(source: str, pcode: str, counterpart: str, value: int | None, status: str, reason: str = "total") -> None:
        level = _areas()[pcode][0]
        inward = source == "arrivals"
        other = counterpart
        origin, destination = (other, pcode) if inward else (pcode, other)
        for measure, share in (("persons", 1), ("households", 3)):
            shown = value if value is None else value // share
            ends = (counterpart, "in" if inward else "out", reason, origin, destination)
            rows.append((number, source, level, pcode, *ends, measure, shown, status, "observed"))

    for source in SOURCES:
        factor = 3 if source == "arrivals" else 2
        for pcode, (level, *_rest) in _areas().items():
            if pcode == UNREPORTED_KHOROO and number == 3:
                add(source, pcode, "total", None, "not_reported")
                continue
            hidden = pcode == SUPPRESSED_KHOROO and number == 3
            value, status = (None, "suppressed") if hidden else (factor * 100 * (4 - level) + number, "published")
            add(source, pcode, "total", value, status)
            add(source, pcode, "total", value, status, "work")
            add(source, pcode, "MN65", value and value // 2, status)
            add(source, pcode, "abroad", value and value // 10, status)
            if level > 1:
                for district, _, _ in DISTRICTS:
                    add(source, pcode, district, value and value // (2 if district == "MN1101" else 5), status)
    rows.append(
        (
            number,
            "checkpoint",
            1,
            "MN11",
            "MN83",
            "in",
            "total",
            "MN83",
            "MN11",
            "persons",
            4321,
            "published",
            "observed",
        )
    )
    rows.append(
        (
            number,
            "checkpoint",
            1,
            "MN11",
            "MN83",
            "out",
            "total",
            "MN11",
            "MN83",
            "persons",
            1234,
            "published",
            "observed",
        )
    )
    return rows


def _figure_rows(number: int) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {"stock": [], "indicator": [], "density": [], "coverage": [], "exposure": []}
    for pcode, (level, _, _, shape) in _areas().items():
        told = _told(pcode, number)
        value, status = (sum(told), "published") if told else (None, "not_reported")
        total = (pcode, "total", "total")
        for category, share in (("actual", 1.0), ("registered", 0.9)):
            for measure, part in (("persons", 1.0), ("households", 0.25)):
                shown = None if value is None else int(value * share * part)
                rows["stock"].append((number, level, pcode, category, measure, *total[1:], shown, status, "observed"))
        for name, figure, unit in (
            ("net_persons", 100.0 * (4 - level), "persons"),
            ("net_per_1000", 12.5 * (-1) ** len(told) + ord(pcode[-1]) - 50, "per_1000_year"),
            ("in_per_1000", 30.0, "per_1000_year"), ("out_per_1000", 20.0, "per_1000_year"),
            ("unregistered_share_pct", 10.0 + level, "pct"), ("change_pct", None if number == 1 else 2.5, "pct"),
        ):  # fmt: skip
            state = status if figure is not None else "undefined"
            rows["indicator"].append(
                (number, level, pcode, name, figure if state == "published" else None, unit, state, None)
            )
        km2 = shape.area * 111.2 * 111.2 * math.cos(math.radians(47.9))
        for name, factor, unit in (
            ("persons_per_km2", 1 / km2, "persons_per_km2"), ("persons_per_ha", 0.01 / km2, "persons_per_ha"),
            ("ger_households_per_ha_of_ger_area", 0.004 / km2, "households_per_ha"),
            ("ger_household_share_pct", 0.002, "pct"), ("ger_area_share_pct", 0.001, "pct"),
        ):  # fmt: skip
            density = None if value is None else value * factor
            rows["density"].append((number, level, pcode, name, density, unit, status, None))
        expected = sum(1 for code in khoroos() if code.startswith(pcode))
        rows["coverage"].append(
            (number, level, pcode, expected, len(told), len(told) / expected, len(told), len(told), 0)
        )
        if pcode.startswith(("MN1101", "MN11")) and number == 3:
            share = 0.5 if pcode.startswith("MN1101") else 0.1
            inside = None if value is None else int(value * share)
            rows["exposure"].append((number, "flood", level, pcode, share, inside, 0 if value else None, value, status))
    return rows


def _write_files(folder: Path) -> None:
    for name in ("maps", "layers", "overlays"):
        (folder / name).mkdir()
    for level in (1, 2, 3):
        features = [
            _feature(shape, pcode, {"name_mn": mn, "name_en": en})
            for pcode, (own, mn, en, shape) in _areas().items()
            if own == level
        ]
        _write_collection(folder / "maps" / f"areas-{level}.geojson", features)
    for name, shape in _layers().items():
        _write_collection(folder / "layers" / f"{name}.geojson", [_feature(shape, 0, {"category": name})])
    pixels = np.zeros((4, 8, 8), dtype="uint8")
    pixels[0], pixels[3] = 200, np.arange(64).reshape(8, 8) * 3
    with rasterio.open(
        folder / "overlays" / "people.png", "w", driver="PNG", width=8, height=8, count=4, dtype="uint8",
        transform=Affine(STEP / 2, 0, WEST, 0, -STEP / 2, SOUTH + 3 * STEP),
    ) as picture:  # fmt: skip
        picture.write(pixels)
    (folder / "overlays" / "people.png.aux.xml").unlink(missing_ok=True)


def _feature(shape: shapely.Geometry, identity: str | int, properties: dict[str, str]) -> dict[str, Any]:
    return {"type": "Feature", "id": identity, "properties": properties, "geometry": shapely.geometry.mapping(shape)}


def _write_collection(path: Path, features: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")


def _layers() -> dict[str, shapely.Geometry]:
    return {
        "ger": shapely.box(WEST, SOUTH, WEST + STEP, SOUTH + STEP),
        "flood": shapely.box(WEST, SOUTH, WEST + 4 * STEP, SOUTH + STEP / 2),
        "roads": shapely.LineString([(WEST, SOUTH), (WEST + 4 * STEP, SOUTH + 3 * STEP)]),
        "services": shapely.Point(WEST + STEP, SOUTH + STEP),
    }


def _fixed_rows(rounds: int) -> dict[str, list[Row]]:
    day = dt.date
    kinds = {"ger": "ger-area", "flood": "hazard", "roads": "road", "services": "service"}
    return {
        "area": _area_rows(),
        "place": _place_rows(),
        "round": [
            (n, "test", day(2023 + n, 3, 1), day(2023 + n, 3, 14), day(2023 + n, 3, 1), 180, "khoroo", 1)
            for n in range(1, rounds + 1)
        ],
        "passage_day": [
            (rounds, "emeelt", day(2026, 3, 2), direction, "persons", 20.0, "4-23", 500, "published")
            for direction in ("in", "out")
        ],
        "finding": [
            (
                rounds,
                "kheseg-baseline",
                "E101",
                "error",
                "returns.csv",
                None,
                7,
                "unit",
                "Unknown unit.",
                "Үл мэдэгдэх нэгж.",
            )
        ],
        "layer": [(name, kinds[name], day(2026, 1, 1), 1) for name in _layers()],
        "layer_feature": [
            (name, 0, name.title(), name.title(), "clinic", shape.wkb) for name, shape in _layers().items()
        ],
        "overlay": [("people", "persons", WEST, SOUTH, WEST + 4 * STEP, SOUTH + 3 * STEP, 100.0, 1000.0)],
        "code_label": [
            ("reason", "work", "Ажил", "Work"),
            ("checkpoint", "emeelt", "Эмээлт", "Emeelt"),
            *make_estimates.LABELS,
        ],
    }


def make_release(
    workspace: Workspace, release_id: str = "r1", *, rounds: int = 3, demonstration: bool = True, estimates: bool = True
) -> Path:
    """Write a release folder and point `CURRENT` at it; without estimates their tables are empty."""
    folder = workspace.releases_path / release_id
    folder.mkdir(parents=True)
    rows = _fixed_rows(rounds)
    for number in range(1, rounds + 1):
        rows.setdefault("flow", []).extend(_flow_rows(number))
        found = _figure_rows(number)
        found |= make_estimates.rows_of_round(number, _levels()) if estimates else {}
        for name, more in found.items():
            rows.setdefault(name, []).extend(more)
    rows |= make_estimates.rows_once(rounds) if estimates else {}
    with connect(folder / DATABASE_FILE, spatial=False) as connection:
        for name, table in RELEASE_TABLES.items():
            connection.execute(table.create_sql())
            marks = [f"ST_GeomFromWKB({c.name})" if c.type == "GEOMETRY" else c.name for c in table.columns]
            if rows.get(name):
                frame = pd.DataFrame(rows[name], columns=list(table.column_names), dtype=object)
                connection.register("frame", frame)
                connection.execute(f"INSERT INTO {name} SELECT {', '.join(marks)} FROM frame")
                connection.unregister("frame")
    _write_files(folder)
    manifest = {
        "release_id": release_id,
        "built_at": "2026-04-01T10:00:00+00:00",
        "title_en": "Test city",
        "title_mn": "Туршилтын хот",
        "is_demonstration": demonstration,
        "operation": "test",
        "inputs": {"returns": [{"file_name": "returns.csv", "file_sha256": "ab" * 32}]},
        "suppression": {"primary": 1},
    }
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
    (workspace.releases_path / CURRENT_FILE).write_text(release_id, encoding="utf-8")
    return folder


def make_workspace(path: Path) -> Workspace:
    """Make an empty workspace."""
    return create_workspace(
        path, settings=Settings(title_en="Test city", title_mn="Туршилтын хот", is_demonstration=True)
    )


if __name__ == "__main__":
    import sys

    make_release(make_workspace(Path(sys.argv[1])))

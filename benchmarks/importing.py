"""Time a CSV of checkpoint rows to checked, located and stored: `dtm.imports` against a pandas + GeoPandas script.

The script is what an analyst would write, without loops over rows: read, cast, check codes and sums, drop repeated
rows, `sjoin` the points, write accepted, quarantined and findings to Parquet. Ours also keeps the file's bytes and
every record as it was sent, and writes the finding's words in two languages; both ends of the clock are the same.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from benchmarks.clock import clock
from benchmarks.coverage import build_coverage
from benchmarks.locate import make_points
from dtm.imports import import_returns
from dtm.locate import store_grid
from dtm.rounds import open_round
from dtm.warehouse import open_warehouse
from dtm.workspace import create_workspace, open_workspace
from enumerations.codelists import codes_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AREAS = "areas.parquet"
RETURNS = "passages.csv"
WORKSPACE = "prepared"
N_AREAS = 204
STARTED_ON, ENDED_ON = dt.date(2024, 10, 1), dt.date(2024, 10, 31)
GROUPS = tuple(f"{sex}_{band}_persons" for sex in ("male", "female") for band in ("0_17", "18_59", "60_plus"))
CODES = ("checkpoint", "direction", "vehicle", "stay", "purpose")
PLACES = (
    *(f"MN11{n:02d}" for n in (1, 4, 7, 10, 13, 16, 19, 22, 25)),
    "MN11",
    "MN41",
    "MN43",
    "MN67",
    "abroad",
    "unknown",
)
WHOLE = ("persons", *GROUPS)
FAULTY_SHARE = 0.02
REPEATED_SHARE = 0.002


def prepare(folder: Path, facts: dict) -> dict:
    """Write the CSV, the areas, and a workspace with the areas and an open round."""
    areas = prepare_workspace(folder)
    _passages(areas, facts["rows"], has_faults=facts.get("has_faults", True)).to_csv(folder / RETURNS, index=False)
    return {"csv_mb": round((folder / RETURNS).stat().st_size / 1e6, 1)}


def prepare_workspace(folder: Path) -> gpd.GeoDataFrame:
    """Write the areas and a workspace with the areas and an open round; return the areas."""
    areas = build_coverage(N_AREAS)
    areas["pcode"] = [f"MN11{1 + n // 40:02d}{1 + n % 40:02d}" for n in range(len(areas))]
    areas.to_parquet(folder / AREAS)
    workspace = create_workspace(folder / WORKSPACE)
    connection = open_warehouse(workspace)
    rows = pd.DataFrame({"pcode": areas["pcode"], "wkb": shapely.to_wkb(areas.geometry.to_numpy())})
    connection.register("area_frame", rows)
    connection.execute(
        "INSERT INTO area (area_set, version, pcode, level, parent_pcode, geometry) "
        "SELECT 'bench', 1, pcode, 3, left(pcode, 6), ST_GeomFromWKB(wkb) FROM area_frame ORDER BY pcode"
    )
    connection.execute(
        "INSERT INTO area_set (area_set, version, level, valid_from, n_areas, file_name, file_sha256, "
        "is_demonstration, loaded_at) VALUES ('bench', 1, 3, ?, ?, 'made up', '', true, ?)",
        [STARTED_ON, len(areas), dt.datetime(2024, 1, 1)],  # noqa: DTZ001  the column has no zone
    )
    store_grid(connection, area_set="bench", version=1)
    open_round(
        connection, operation=workspace.settings.operation, number=1, started_on=STARTED_ON, ended_on=ENDED_ON,
        area_set="bench",
    )  # fmt: skip
    connection.close()
    return areas


def _passages(areas: gpd.GeoDataFrame, n: int, *, has_faults: bool) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    points = make_points(areas, n)
    groups = rng.poisson((0.3, 1.2, 0.1, 0.3, 0.9, 0.1), size=(n, len(GROUPS)))
    groups[:, 1] += groups.sum(axis=1) == 0
    seconds = rng.integers(0, 31 * 86_400, n)
    frame = pd.DataFrame(
        {
            "instance_id": [f"uuid:{number:012d}" for number in range(n)],
            **{name: np.array(codes_of(name), dtype=object)[rng.integers(0, len(codes_of(name)), n)] for name in CODES},
            "passed_at": (np.datetime64(STARTED_ON, "s") + seconds).astype(str),
            "persons": groups.sum(axis=1).astype(str).astype(object),
            **{name: groups[:, column] for column, name in enumerate(GROUPS)},
            "origin": np.array(PLACES, dtype=object)[rng.integers(0, len(PLACES), n)],
            "destination": np.array(PLACES, dtype=object)[rng.integers(0, len(PLACES), n)],
            "enumerator": np.char.add("e", rng.integers(1, 60, n).astype(str)),
            "lon": points["lon"],
            "lat": points["lat"],
            "accuracy_m": rng.integers(3, 30, n),
        }
    )
    return _with_faults(frame, rng) if has_faults else frame


def _with_faults(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Spoil some rows, one fault each, and repeat a few sound ones whole."""
    bad = rng.permutation(len(frame))[: max(11, int(len(frame) * FAULTY_SHARE))]
    spoiled = np.array_split(bad, 11)
    for rows, (column, value) in zip(
        spoiled[:9],
        (
            ("persons", "олон"), ("persons", "-3"), ("persons", ""), ("checkpoint", "emelt"), ("direction", "north"),
            ("passed_at", "31.31.2024"), ("origin", "MN99"), ("stay", "2 weeks?"), ("vehicle", "spaceship"),
        ),
        strict=True,
    ):  # fmt: skip
        frame.loc[rows, column] = value
    frame.loc[spoiled[9], "male_18_59_persons"] += 1  # the groups no longer add up
    frame.loc[spoiled[10], ["lon", "lat"]] = frame.loc[spoiled[10], ["lat", "lon"]].to_numpy()  # a warning
    sound = rng.permutation(np.setdiff1d(np.arange(len(frame)), bad))
    repeated = sound[: max(1, int(len(frame) * REPEATED_SHARE))]
    return pd.concat([frame, frame.iloc[repeated]], ignore_index=True)


def ours(folder: Path, _facts: dict):
    """Run `dtm.imports` on a copy of the prepared workspace."""
    place = folder / "ours"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder / WORKSPACE, place)
    workspace = open_workspace(place)
    with clock() as taken:
        connection = open_warehouse(workspace)
        report = import_returns(connection, workspace, [folder / RETURNS], form="checkpoint-registry", round_number=1)
    counts = {name: sum(getattr(file, name) for file in report.files) for name in ("accepted", "quarantined")}

    def answer(path: Path) -> None:
        connection.execute(
            "COPY (SELECT gps_pcode AS pcode, sum(persons)::BIGINT AS persons, count(*) AS passages "
            f"FROM passage JOIN submission USING (submission_id) GROUP BY 1) TO '{path}'"
        )
        _keep_counts(path, counts)

    return {**taken, **counts}, answer


def _keep_counts(path: Path, counts: dict) -> None:
    """Keep how many rows were accepted and quarantined beside an arm's answer."""
    text = json.dumps({name: counts[name] for name in ("accepted", "quarantined")})
    path.with_suffix(".json").write_text(text, encoding="utf-8")


def _script(engine: str) -> Callable:
    def run(folder: Path, _facts: dict):
        out = folder / "script"
        out.mkdir(exist_ok=True)
        with clock() as taken:
            raw = pd.read_csv(folder / RETURNS, dtype=str, engine=engine)
            repeated = raw.duplicated()
            raw = raw[~repeated]
            whole = raw[list(WHOLE)].apply(pd.to_numeric, errors="coerce")
            passed_at = pd.to_datetime(raw["passed_at"], format="ISO8601", errors="coerce")
            first = pd.Timestamp(STARTED_ON)
            found = {
                "not_a_number": whole.isna().any(axis=1),
                "negative": (whole < 0).any(axis=1),
                "out_of_range": whole["persons"] == 0,
                "not_a_date": passed_at.isna(),
                "date_outside_round": ~passed_at.between(first, first + pd.Timedelta(days=31)),
                "group_sum": whole[list(GROUPS)].sum(axis=1) != whole["persons"],
                "unknown_place": ~(raw["origin"].isin(PLACES) & raw["destination"].isin(PLACES)),
                **{f"unknown_{name}": ~raw[name].isin(codes_of(name)) for name in CODES},
                "duplicate_instance": raw["instance_id"].duplicated(),
            }
            bad = pd.concat(found, axis=1)
            lon, lat = pd.to_numeric(raw["lon"], errors="coerce"), pd.to_numeric(raw["lat"], errors="coerce")
            swapped = lon.between(41, 53) & lat.between(87, 120)
            is_bad = bad.any(axis=1)
            findings = bad[is_bad].melt(ignore_index=False, var_name="code", value_name="is_found")
            findings = findings[findings["is_found"]]
            good = raw[~is_bad].assign(**whole[~is_bad].astype("int64"), passed_at=passed_at[~is_bad], lon=lon, lat=lat)
            usable = ~swapped[~is_bad]
            points = gpd.GeoDataFrame(
                index=good.index[usable],
                geometry=gpd.points_from_xy(good["lon"][usable], good["lat"][usable]),
                crs="EPSG:4326",
            )
            areas = gpd.read_parquet(folder / AREAS)[["pcode", "geometry"]]
            good["pcode"] = gpd.sjoin(points, areas, predicate="within")["pcode"]
            good.to_parquet(out / "passages.parquet")
            raw[is_bad].to_parquet(out / "quarantine.parquet")
            findings.to_parquet(out / "findings.parquet")
        told = {**taken, "accepted": len(good), "quarantined": int(is_bad.sum())}

        def answer(path: Path) -> None:
            sums = good.groupby("pcode", dropna=False)["persons"].agg(["sum", "size"]).reset_index()
            sums.set_axis(["pcode", "persons", "passages"], axis=1).to_parquet(path, index=False)
            _keep_counts(path, told)

        return told, answer

    return run


ARMS = {"ours": ours, "pandas": _script("c"), "pandas_pyarrow": _script("pyarrow")}


def compare(folder: Path, peer: str, _facts: dict) -> dict:
    """Hold the counts of rows, and persons and passages by area, against the peer's."""
    counts = [json.loads((folder / f"answer-{arm}.json").read_text(encoding="utf-8")) for arm in ("ours", peer)]
    mine, theirs = (
        pd.read_parquet(folder / f"answer-{arm}.parquet").sort_values("pcode", ignore_index=True).astype(
            {"persons": "int64", "passages": "int64", "pcode": "str"}
        )
        for arm in ("ours", peer)
    )  # fmt: skip
    equal = counts[0] == counts[1] and bool(mine.equals(theirs))
    return {"equal": equal, "areas": len(mine), "persons": int(mine["persons"].sum())}

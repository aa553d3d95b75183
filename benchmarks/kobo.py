"""Time Kobo's data JSON to checked, located and stored: `dtm.imports` against a pandas + GeoPandas script.

The submissions are household surveys with a roster, as KoboToolbox's data API gives them: one object each with the
tool's own fields, members as a list inside. The script is what an analyst would write: `json.load`, `json_normalize`
for the households and for the members, vectorised checks, `sjoin`, Parquet.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from benchmarks.clock import clock
from benchmarks.importing import AREAS, ENDED_ON, PLACES, STARTED_ON, WORKSPACE, prepare_workspace
from benchmarks.locate import make_points
from dtm.imports import import_returns
from dtm.warehouse import open_warehouse
from dtm.workspace import open_workspace
from enumerations.codelists import codes_of

if TYPE_CHECKING:
    from pathlib import Path

RETURNS = "households.json"
HOUSEHOLD_CODES = ("dwelling", "move_distance", "reason", "intended_duration")
RESIDENCES = {"residence_1y": 1, "residence_5y": 5, "birthplace": 0}
FAULTY_SHARE = 0.02
REPEATED_SHARE = 0.002
AGE_MAXIMUM, PERSONS_MAXIMUM = 110, 40


def prepare(folder: Path, facts: dict) -> dict:
    """Write the JSON, the areas, and a workspace with the areas and an open round."""
    areas = prepare_workspace(folder)
    n_members = _write_json(folder / RETURNS, areas, facts["submissions"])
    return {"json_mb": round((folder / RETURNS).stat().st_size / 1e6, 1), "members": n_members}


def _write_json(path: Path, areas: gpd.GeoDataFrame, n: int) -> int:
    """Write n submissions, some with one fault, a few of them twice; return how many members they have."""
    rng = np.random.default_rng(11)
    points = make_points(areas, n)
    inside = gpd.GeoDataFrame(geometry=gpd.points_from_xy(points["lon"], points["lat"]), crs="EPSG:4326")
    units = gpd.sjoin(inside, areas[["pcode", "geometry"]], predicate="within")["pcode"]
    units = units[~units.index.duplicated()].reindex(range(n)).fillna(areas["pcode"].iloc[0]).to_numpy()
    codes = {name: np.array(codes_of(name))[rng.integers(0, len(codes_of(name)), n)] for name in HOUSEHOLD_CODES}
    sizes = 1 + rng.poisson(2.6, n)
    ends = np.datetime64(STARTED_ON, "s") + rng.integers(0, 31 * 86_400 - 28_800, n)
    ages, sexes, places = rng.integers(0, 90, sizes.sum()), rng.integers(0, 2, sizes.sum()), rng.integers(
        0, len(PLACES), (sizes.sum(), len(RESIDENCES))
    )  # fmt: skip
    faults = dict(zip(rng.permutation(n)[: max(9, int(n * FAULTY_SHARE))].tolist(), range(n), strict=False))
    lon, lat = points["lon"], points["lat"]
    at = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"count": {n + max(1, int(n * REPEATED_SHARE))}, "next": null, "previous": null, "results": [\n')
        for number in range(n):
            members = [
                _member(int(ages[place]), int(sexes[place]), places[place].tolist())
                for place in range(at, at + sizes[number])
            ]
            at += sizes[number]
            told = {
                "household/unit": str(units[number]), "household/consent": "yes",
                "household/household_persons": str(sizes[number]), "household/registered": ("yes", "no")[number % 2],
                **{f"household/{name}": str(values[number]) for name, values in codes.items()},
            }  # fmt: skip
            record = _submission(number, str(ends[number]), told, members)
            record["_geolocation"] = [round(float(lat[number]), 7), round(float(lon[number]), 7)]
            if number in faults:
                _spoil(record, faults[number])
            text = json.dumps(record, ensure_ascii=False)
            is_repeated = number not in faults and number % int(1 / REPEATED_SHARE) == 0
            file.write((",\n" if number else "") + text + (f",\n{text}" if is_repeated else ""))
        file.write("\n]}\n")
    return int(sizes.sum())


def _member(age: int, sex: int, places: list[int]) -> dict:
    return {
        "members/sex": ("male", "female")[sex],
        "members/age_years": str(age),
        **{f"members/{name}": PLACES[place] for (name, years), place in zip(RESIDENCES.items(), places, strict=True)
           if age >= years},
        "members/registered": ("yes", "no")[age % 2],
    }  # fmt: skip


def _submission(number: int, ended: str, told: dict, members: list[dict]) -> dict:
    identifier = f"00000000-0000-4000-8000-{number:012d}"
    return {
        "_id": 1_000_000 + number, "formhub/uuid": "b0a7f3f2c5d94d0c9a51c1f5a3d1e6aa", "start": f"{ended}.000+08:00",
        "end": f"{ended}.000+08:00", **told, "household/enumerator": f"e{1 + number % 60}", "members": members,
        "__version__": "vZ8rq2Kb3cEHhJx7m4Wn5T", "meta/instanceID": f"uuid:{identifier}",
        "_xform_id_string": "aB3dE5fG7hJ9kL2mN4pQ6r", "_uuid": identifier, "_attachments": [], "_status":
        "submitted_via_web", "_geolocation": [None, None], "_submission_time": ended, "_tags": [], "_notes": [],
        "_validation_status": {}, "_submitted_by": None,
    }  # fmt: skip


def _spoil(record: dict, kind: int) -> None:
    """Spoil one thing of a submission; the last kind is a warning only."""
    changes = (
        ("household/household_persons", "олон"), ("household/household_persons", "41"),
        ("household/household_persons", ""), ("household/dwelling", "spaceship"), ("household/reason", "because"),
        ("household/unit", "MN99999999"), ("household/registered", "perhaps"),
    )  # fmt: skip
    kind %= len(changes) + 3
    if kind < len(changes):
        record[changes[kind][0]] = changes[kind][1]
    elif kind == len(changes):
        record["members"][0]["members/sex"] = "x"
    elif kind == len(changes) + 1:
        record["members"][-1]["members/age_years"] = "130"
    else:
        record["_geolocation"].reverse()


def ours(folder: Path, _facts: dict):
    """Run `dtm.imports` on a copy of the prepared workspace."""
    place = folder / "ours"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder / WORKSPACE, place)
    workspace = open_workspace(place)
    with clock() as taken:
        connection = open_warehouse(workspace)
        report = import_returns(connection, workspace, [folder / RETURNS], form="household-survey", round_number=1)
    counts = {
        f"{table.name}_{name}": getattr(table, name)
        for file in report.files
        for table in file.tables
        for name in ("accepted", "quarantined")
    }

    def answer(path: Path) -> None:
        connection.execute(
            "COPY (SELECT coalesce(gps_pcode, '-') AS pcode, count(DISTINCT submission_id) AS households, "
            "count(p.sex) AS persons, coalesce(sum(p.age_years), 0)::BIGINT AS years FROM survey_household "
            f"JOIN submission USING (submission_id) LEFT JOIN survey_person p USING (submission_id) GROUP BY 1) "
            f"TO '{path}'"
        )
        path.with_suffix(".json").write_text(json.dumps(counts), encoding="utf-8")

    return {**taken, **counts}, answer


def _script(folder: Path, _facts: dict):
    """Do the same with `json_normalize`, pandas and GeoPandas."""
    out = folder / "script"
    out.mkdir(exist_ok=True)
    with clock() as taken:
        with (folder / RETURNS).open(encoding="utf-8") as file:
            results = json.load(file)["results"]
        areas = gpd.read_parquet(folder / AREAS)[["pcode", "geometry"]]
        households = pd.json_normalize([{k: v for k, v in one.items() if k != "members"} for one in results])
        members = pd.json_normalize(results, record_path="members", meta=["_uuid"])
        households = households[~households["_uuid"].duplicated()]
        is_second = _second_copies(results, members)
        members = members[~is_second]
        bad_households = _check_households(households, areas)
        bad_members = _check_members(members)
        is_bad = bad_households.any(axis=1)
        refused = members["_uuid"].isin(households.loc[is_bad, "_uuid"])
        bad_members["parent_refused"] = refused
        member_bad = bad_members.any(axis=1)
        good, persons = households[~is_bad].copy(), members[~member_bad]
        good["lat"], good["lon"] = good["_geolocation"].str[0], good["_geolocation"].str[1]
        usable = good["lon"].between(87, 120) & good["lat"].between(41, 53)
        points = gpd.GeoDataFrame(
            index=good.index[usable],
            geometry=gpd.points_from_xy(good["lon"][usable], good["lat"][usable]),
            crs="EPSG:4326",
        )
        good["pcode"] = gpd.sjoin(points, areas, predicate="within")["pcode"]
        good.astype(str).to_parquet(out / "households.parquet")
        persons.to_parquet(out / "members.parquet")
        households[is_bad].astype(str).to_parquet(out / "refused_households.parquet")
        members[member_bad].to_parquet(out / "refused_members.parquet")
        for name, bad in (("households", bad_households), ("members", bad_members)):
            found = bad[bad.any(axis=1)].melt(ignore_index=False, var_name="code", value_name="is_found")
            found[found["is_found"]].to_parquet(out / f"findings_{name}.parquet")
    counts = {
        "households_accepted": len(good), "households_quarantined": int(is_bad.sum()),
        "members_accepted": len(persons), "members_quarantined": int(member_bad.sum()),
    }  # fmt: skip

    def answer(path: Path) -> None:
        both = good[["_uuid", "pcode"]].merge(
            persons.assign(age=pd.to_numeric(persons["members/age_years"])), on="_uuid", how="left"
        )
        sums = both.assign(pcode=both["pcode"].fillna("-")).groupby("pcode").agg(
            households=("_uuid", "nunique"), persons=("members/sex", "count"), years=("age", "sum")
        )  # fmt: skip
        sums.reset_index().to_parquet(path, index=False)
        path.with_suffix(".json").write_text(json.dumps(counts), encoding="utf-8")

    return {**taken, **counts}, answer


def _second_copies(results: list[dict], members: pd.DataFrame) -> np.ndarray:
    """Return which members belong to a submission that came before."""
    again = pd.Series([one["_uuid"] for one in results]).duplicated().to_numpy()
    told = np.repeat(again, [len(one["members"]) for one in results])
    assert len(told) == len(members)
    return told


def _check_households(frame: pd.DataFrame, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    persons = pd.to_numeric(frame["household/household_persons"], errors="coerce")
    ended = pd.to_datetime(frame["end"], format="ISO8601", errors="coerce").dt.tz_localize(None)
    first = pd.Timestamp(STARTED_ON)
    return pd.DataFrame(
        {
            "not_a_number": persons.isna(),
            "out_of_range": ~persons.between(1, PERSONS_MAXIMUM),
            "not_a_date": ended.isna(),
            "date_outside_round": ~ended.between(first, pd.Timestamp(ENDED_ON) + pd.Timedelta(days=1)),
            "unknown_area": ~frame["household/unit"].isin(areas["pcode"]),
            "unknown_registered": ~frame["household/registered"].isin(["yes", "no"]),
            **{f"unknown_{name}": ~frame[f"household/{name}"].isin(codes_of(name)) for name in HOUSEHOLD_CODES},
        }
    )


def _check_members(frame: pd.DataFrame) -> pd.DataFrame:
    age = pd.to_numeric(frame["members/age_years"], errors="coerce")
    found = {
        "out_of_range": ~age.between(0, AGE_MAXIMUM),
        "unknown_sex": ~frame["members/sex"].isin(codes_of("sex")),
        "unknown_registered": ~frame["members/registered"].isin(["yes", "no"]),
    }
    for name, years in RESIDENCES.items():
        place = frame[f"members/{name}"]
        found[f"unknown_{name}"] = place.notna() & ~place.isin(PLACES)
        found[f"missing_{name}"] = (age >= years) & place.isna() & bool(years)
        found[f"early_{name}"] = (age < years) & place.notna()
    return pd.DataFrame(found)


ARMS = {"ours": ours, "json_normalize": _script}


def compare(folder: Path, peer: str, _facts: dict) -> dict:
    """Hold counts of households and members, and persons and ages by area of the point, against the peer's."""
    counts = [json.loads((folder / f"answer-{arm}.json").read_text(encoding="utf-8")) for arm in ("ours", peer)]
    mine, theirs = (
        pd.read_parquet(folder / f"answer-{arm}.parquet").sort_values("pcode", ignore_index=True).astype(
            {"households": "int64", "persons": "int64", "years": "int64", "pcode": "str"}
        )
        for arm in ("ours", peer)
    )  # fmt: skip
    equal = counts[0] == counts[1] and bool(mine.equals(theirs))
    return {"equal": equal, "areas": len(mine), "persons": int(mine["persons"].sum())}

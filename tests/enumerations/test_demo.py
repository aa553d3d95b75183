"""Demonstration returns: calibrated to published figures, consistent over rounds, with a ledger of their faults."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enumerations._demo_checkpoints import CHECKPOINTS
from enumerations._demo_faults import LEDGER_COLUMNS
from enumerations._demo_people import CITY, gravity, round_shares
from enumerations._demo_tables import plan_rounds
from enumerations.codelists import codes_of
from enumerations.columns import AGE_BANDS, ARRIVALS, BASELINE, DEPARTURES, PASSAGES, WATCH
from enumerations.demo import DemoReturns, build_returns
from enumerations.errors import EnumerationsError

DISTRICT_PERSONS_2020 = {"MN1101": 29_342, "MN1104": 4_463, "MN1107": 231_517, "MN1110": 367_679, "MN1113": 38_690, "MN1116": 335_703, "MN1119": 144_616, "MN1122": 195_927, "MN1125": 151_203}  # fmt: skip  # noqa: E501
NSO = {2023: (32_299, 11_201), 2024: (31_111, 16_820), 2025: (32_030, 12_996)}
OTHER_AIMAGS = {aimag for checkpoint in CHECKPOINTS.values() for aimag in checkpoint[3]} - {"MN41", "MN67", "MN83"}
KINDS = {"missing_value", "text_in_number", "sex_sum", "negative", "gps_neighbour", "gps_swapped", "unknown_pcode", "date_outside_round", "duplicate_return", "unit_twice"}  # fmt: skip  # noqa: E501


def _world(n_khoroos: dict[str, int], khesegs: int) -> dict[str, pd.DataFrame]:
    """Lay out a city of squares: districts in rows, khoroos in columns."""
    units, points = [], []
    for row, (district, count) in enumerate(n_khoroos.items()):
        for khoroo in range(1, count + 1):
            for kheseg in range(1, khesegs + 1):
                pcode = f"{district}{khoroo:02d}{kheseg:02d}"
                persons = DISTRICT_PERSONS_2020[district] / count / khesegs
                units.append((pcode, pcode[:8], persons, (kheseg % 5) / 4))
                points.append((pcode, 106.5 + khoroo / 50 + kheseg / 1000, 47.8 + row / 50))
    places = [
        ("MN11", 1, "Улаанбаатар", 106.92, 47.92, 1_499_140), ("MN41", 1, "Төв", 106.95, 47.71, 94_250),
        ("MN67", 1, "Хөвсгөл", 100.16, 49.63, 135_095), ("MN83", 1, "Баян-Өлгий", 89.96, 48.97, 108_530),
        *[(code, 1, f"Аймаг {code}", 104.0, 46.0, 80_000) for code in sorted(OTHER_AIMAGS)],
        *[(code, 2, f"Дүүрэг {code}", 106.9, 47.9, persons) for code, persons in DISTRICT_PERSONS_2020.items()],
    ]  # fmt: skip
    return {
        "units": pd.DataFrame(units, columns=["pcode", "khoroo_pcode", "persons", "ger_area_share"]),
        "unit_points": pd.DataFrame(points, columns=["pcode", "lon", "lat"]),
        "places": pd.DataFrame(places, columns=["pcode", "level", "name_mn", "lon", "lat", "persons"]),
    }


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> DemoReturns:
    """All of the city's people in 400 units."""
    counts = dict.fromkeys(DISTRICT_PERSONS_2020, 5)
    return build_returns(tmp_path_factory.mktemp("returns"), **_world(counts, 9), seed=7)


@pytest.fixture(scope="module")
def tables(city) -> dict[str, pd.DataFrame]:
    """The CSV rounds, faults and all."""
    frames = {
        name: [
            pd.read_csv(path, dtype={"unit": str})
            for n in (1, 2, 3, 4)
            for path in city.files[n]
            if path.stem.endswith(name)
        ]
        for name in ("baseline", "arrivals", "departures", "passages", "watch")
    }
    return {name: pd.concat(own, ignore_index=True) for name, own in frames.items()}


def _sound(city: DemoReturns, table: pd.DataFrame) -> pd.DataFrame:
    return table[~table["instance_id"].isin(city.faults["instance_id"])]


def test_rounds_are_spring_and_autumn_of_three_years_without_overlap():
    rounds = plan_rounds(6)
    assert [(r.started_on, r.ended_on) for r in rounds[:2]] == [
        (date(2023, 4, 1), date(2023, 4, 21)),
        (date(2023, 10, 1), date(2023, 10, 21)),
    ]
    assert rounds[-1].ended_on == date(2025, 10, 21)
    assert all((b.window_from - a.window_to).days == 1 for a, b in pairwise(rounds))
    assert (rounds[1].window_to - rounds[0].window_from).days + 1 == 365


def test_districts_have_the_people_published_for_2020(city):
    first = city.truth[city.truth["round"] == 1]
    persons = first.groupby(first["pcode"].str[:6])["persons"].sum()
    for pcode, published in DISTRICT_PERSONS_2020.items():
        assert persons[pcode] == pytest.approx(published, rel=0.04), pcode


def test_the_moves_over_the_citys_border_are_those_published(city):
    truth = city.truth.assign(year=2023 + (city.truth["round"] - 1) // 2)
    totals = truth.groupby("year")[["from_aimags_persons", "to_aimags_persons"]].sum()
    for year, (arrivals, departures) in NSO.items():
        assert totals.loc[year, "from_aimags_persons"] == pytest.approx(arrivals, rel=0.001)
        assert totals.loc[year, "to_aimags_persons"] == pytest.approx(departures, rel=0.001)


def test_the_files_tell_those_moves_but_for_the_silent_units(city, tables):
    arrivals = tables["arrivals"]
    outside = arrivals["origin"].str.fullmatch(r"MN(?!11)\d\d|.* аймаг")
    told = arrivals.loc[outside, "persons"].sum()
    assert told == pytest.approx(NSO[2023][0] + NSO[2024][0], rel=0.08)
    assert told < NSO[2023][0] + NSO[2024][0]


def test_stocks_follow_from_moves_births_and_deaths(city):
    truth = city.truth.pivot_table(index="pcode", columns="round")
    change = truth["persons"].diff(axis=1)
    told = truth["arrivals_persons"] - truth["departures_persons"] + truth["births_persons"] - truth["deaths_persons"]
    residual = (change - told).loc[:, 2:]
    assert (residual == 0).to_numpy().mean() > 0.9
    assert abs(residual.to_numpy().sum()) < 0.002 * truth["persons"][6].sum()


def test_moves_inside_the_city_are_told_by_both_ends(city):
    """Nobody is lost: what is not over the border leaves one unit and enters another."""
    inside = city.truth.groupby("round").sum(numeric_only=True)
    arrived = inside["arrivals_persons"] - inside["from_aimags_persons"]
    left = inside["departures_persons"] - inside["to_aimags_persons"]
    assert (abs(arrived - left) < 0.03 * arrived).all(), "they differ by moves from and to abroad and unknown places"


def test_sound_returns_add_up(city, tables):
    sound = _sound(city, tables["baseline"]).set_index("instance_id")
    counts = sound.drop(columns=["unit", "number_source", "remarks"]).select_dtypes("number")
    ages = sound[[f"age_{band}_persons" for band in AGE_BANDS]].astype(int).sum(axis=1)
    persons = sound["actual_persons"].astype(int)
    assert (counts >= 0).all().all()
    assert (ages == persons).all()
    assert (sound["male_persons"].astype(int) + sound["female_persons"].astype(int) == persons).all()
    registered = sound["registered_persons"].astype(float)
    assert (registered - sound["registered_absent_persons"] + sound["unregistered_persons"] == persons).all()
    dwellings = sound[[f"{name}_households" for name in ("ger", "house", "apartment", "other")]].sum(axis=1)
    assert (dwellings == sound["actual_households"].astype(int)).all()
    assert (sound["actual_households"].astype(int) <= persons).all()
    assert sound["accuracy_m"].between(3, 30).all()
    assert sound["remarks"].isna().all()


@pytest.mark.parametrize("form", [BASELINE, ARRIVALS, DEPARTURES, PASSAGES, WATCH], ids=lambda form: form.name)
def test_columns_and_codes_are_the_declared_ones(tables, form):
    table = tables[form.name]
    assert list(table.columns) == [name for name in form.column_names if name in table.columns]
    assert set(form.required_names) <= set(table.columns)
    for column in form.columns:
        if column.codelist and column.name in table.columns:
            known = set(codes_of(column.codelist))
            told = table[column.name].dropna().astype(str)
            assert set(told.str.split(" ").explode() if column.kind == "codes" else told) <= known, column.name


def test_moves_of_a_group_add_up(tables):
    for name in ("arrivals", "departures"):
        table = tables[name]
        assert (table["male_persons"] + table["female_persons"] == table["persons"]).all()
        assert (table[[f"age_{band}_persons" for band in AGE_BANDS]].sum(axis=1) == table["persons"]).all()
        assert (table["households"] <= table["persons"]).all()
        assert table["persons"].min() >= 1
        assert set(table["instance_id"]) <= set(tables["baseline"]["instance_id"])


def test_passages_are_seen_only_while_somebody_watched(city, tables):
    passages = tables["passages"]
    assert 90_000 < 1.5 * len(passages) < 110_000, "six rounds hold about 100,000"
    groups = [column for column in passages.columns if column.endswith("_persons") and column != "persons"]
    assert (passages[groups].sum(axis=1) == passages["persons"]).all()
    assert set(passages["checkpoint"]) == set(CHECKPOINTS)
    watch = tables["watch"].set_index(["checkpoint", "day"])["hours_observed"]
    at = pd.to_datetime(passages["passed_at"])
    hours = watch.loc[list(zip(passages["checkpoint"], at.dt.strftime("%Y-%m-%d"), strict=True))].to_numpy()
    assert (at.dt.hour.to_numpy() >= 24 - hours).all()
    inwards = passages["direction"] == "in"
    assert not passages.loc[inwards, "origin"].str.startswith(CITY).any()
    assert not passages.loc[~inwards, "destination"].str.startswith(CITY).any()


def test_about_two_percent_carry_a_fault_of_every_kind(city):
    reported = 6 * 9 * 5 * 9 - len(city.silent)
    assert len(city.faults) == pytest.approx(0.02 * reported, rel=0.1)
    assert set(city.faults["fault"]) == KINDS
    assert tuple(city.faults.columns) == LEDGER_COLUMNS


def _is_before_the_round(row, own, fault) -> bool:
    return row["collected_at"][:10] < f"{2023 + (fault.round - 1) // 2}-{4 if fault.round % 2 else 10:02d}-01"


def _is_elsewhere(row, own, fault) -> bool:
    """In the squares of this world the khoroo can be read off the longitude, the district off the latitude."""
    return (round((row["lon"] - 106.5) * 50 - 0.25), round(row["lat"], 2)) != (
        int(fault.unit[6:8]),
        round(47.8 + list(DISTRICT_PERSONS_2020).index(fault.unit[:6]) / 50, 2),
    )


IS_FAULT = {
    "missing_value": lambda row, _own, _fault: pd.isna(row["registered_persons"]),
    "text_in_number": lambda row, _own, _fault: str(row["actual_persons"]).endswith("хүн орчим"),
    "sex_sum": lambda row, _own, _fault: (
        int(row["male_persons"]) + int(row["female_persons"]) == int(row["actual_persons"]) + 7
    ),
    "negative": lambda row, _own, _fault: int(row["actual_households"]) < 0,
    "gps_neighbour": _is_elsewhere,
    "gps_swapped": lambda row, _own, _fault: row["lat"] > 100 > row["lon"],
    "unknown_pcode": lambda row, _own, _fault: row["unit"] == "MN11079999",
    "date_outside_round": _is_before_the_round,
    "duplicate_return": lambda _row, own, _fault: len(own) == 2 and len(own.drop_duplicates()) == 1,
    "unit_twice": lambda _row, own, _fault: len(own) == 1,
}


def test_each_fault_is_in_the_file(city, tables):
    rows = dict(list(tables["baseline"].groupby("instance_id")))
    for fault in city.faults[city.faults["round"] <= 4].itertuples():
        own = rows[fault.instance_id]
        assert IS_FAULT[fault.fault](own.iloc[0], own, fault), fault


def test_coverage_is_between_93_and_99_percent_and_one_khoroo_is_silent(city):
    units = 9 * 5 * 9
    silent = city.silent.groupby("round").size().reindex(range(1, 7), fill_value=0)
    assert ((silent / units > 0) & (silent / units < 0.07)).all()
    third = city.silent[city.silent["round"] == 3]["pcode"]
    assert third.str[:8].value_counts().max() == 9, "all khesegs of one khoroo"


def test_the_last_rounds_come_as_workbook_and_kobo_json(city):
    book = pd.read_excel(next(p for p in city.files[5] if p.suffix == ".xlsx"), sheet_name=None, engine="calamine")
    assert list(book) == ["baseline", "arrivals", "departures"]
    document = json.loads(next(p for p in city.files[6] if p.suffix == ".json").read_text(encoding="utf-8"))
    assert document["count"] == len(document["results"])
    first = document["results"][0]
    assert {"_uuid", "_submission_time", "_geolocation", "_validation_status", "counts/actual_persons"} <= set(first)
    lat, lon = first["_geolocation"]
    assert lat < 60 < lon
    assert all("demonstration" in path.name for paths in city.files.values() for path in paths)


def _hashes(returns: DemoReturns) -> list[str]:
    return [hashlib.sha256(p.read_bytes()).hexdigest() for n in sorted(returns.files) for p in returns.files[n]]


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    world = _world({"MN1107": 4, "MN1119": 3}, 3)
    first, again, other = (
        build_returns(tmp_path / name, **world, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert _hashes(first) == _hashes(again)
    assert _hashes(first) != _hashes(other)


def test_a_few_units_still_show_every_fault_in_six_rounds(tmp_path):
    returns = build_returns(tmp_path, **_world({"MN1107": 4, "MN1119": 3}, 3), seed=1)
    assert set(returns.faults["fault"]) == KINDS
    assert returns.faults.groupby("round").size().tolist() == [2] * 6


def test_wrong_use_is_refused(tmp_path):
    world = _world({"MN1107": 1}, 2)
    with pytest.raises(EnumerationsError, match="1 to 6"):
        build_returns(tmp_path, **world, seed=1, n_rounds=7)
    with pytest.raises(EnumerationsError, match="place"):
        build_returns(tmp_path, **{**world, "unit_points": world["unit_points"].iloc[:1]}, seed=1)


def test_gravity_is_people_over_distance():
    """At equal distance twice the people draw twice the movers."""
    places = pd.DataFrame({
        "pcode": ["MN11", "MN21", "MN22"], "level": 1, "lon": [106.0, 112.0, 100.0], "lat": [48.0, 48.0, 48.0],
        "persons": [1_500_000, 50_000, 100_000],
    })  # fmt: skip
    assert gravity(places).round(6).to_dict() == {"MN21": 0.333333, "MN22": 0.666667}


@given(
    totals=st.lists(st.integers(0, 10_000), min_size=1, max_size=20),
    shares=st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4),
)
def test_rounded_shares_add_up(totals, shares):
    parts = round_shares(np.array(totals), np.tile(shares, (len(totals), 1)))
    assert parts.sum(axis=1).tolist() == totals
    assert parts.min() >= 0

"""Hold the table of flows to its promises: checked cells, exact sums over all levels, parts that make up the whole."""

from __future__ import annotations

import contextlib
import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtm._flow_table_columns import PERSONS_TOGETHER_MAX
from dtm._flow_table_places import PARTS
from dtm._flow_table_sums import add_fractions
from dtm.errors import BadInputError, UnknownRoundError, WrongUseError
from dtm.flow_table import LEVELS, BadFlowsError, Flows, read_flows
from dtm.flows import build_flows
from dtm.scope import build_reporting_scope, build_scope
from geodata.pcodes import region_of
from tests.dtm.release_factory import build_release
from tests.dtm.small_world import KHESEGS, KHOROOS, OPERATION, SmallWorld

KEYS = ("source", "period", "origin", "destination")


def table(*rows, **columns):
    """Flows from (origin, destination, persons)."""
    frame = pd.DataFrame(rows, columns=["origin", "destination", "persons"])
    return Flows(frame.assign(source="table", **columns))


def persons(flows, *by):
    """Counts by columns, as plain values."""
    keys = [flows.frame[name].astype(str) for name in by or ("origin", "destination")]
    counts = flows.frame["persons"].astype(object).where(flows.frame["persons"].notna(), None)
    return dict(zip(zip(*keys, strict=True), counts, strict=True))


# --- by hand --------------------------------------------------------------------------------------------------------

TOLD = (
    ("MN11070101", "MN11070102", 3),  # two khesegs of one khoroo
    ("MN11070101", "MN11070201", 5),  # two khoroos of one district
    ("MN11070102", "MN11100101", 7),  # two districts
    ("MN1107", "MN11070201", 11),  # a khoroo of the own district, or the own one: nobody told
    ("MN4101", "MN11070101", 13),  # a soum of Tuv
    ("MN45", "MN11100101", 17),  # Darkhan-Uul, in Tuv's region
    ("abroad", "MN11070101", 19),
    ("unknown", "MN11100101", 23),
)


def test_khesegs_roll_up_to_khoroos_districts_the_city_and_regions():
    flows = table(*TOLD)
    assert persons(flows.roll_up(3))["MN110701", "MN110701"] == 3
    assert persons(flows.roll_up(2)) == {
        ("MN1107", "MN1107"): 3 + 5 + 11, ("MN1107", "MN1110"): 7, ("MN4101", "MN1107"): 13, ("MN45", "MN1110"): 17,
        ("abroad", "MN1107"): 19, ("unknown", "MN1110"): 23,
    }  # fmt: skip
    assert persons(flows.roll_up(1)) == {
        ("MN11", "MN11"): 26, ("MN41", "MN11"): 13, ("MN45", "MN11"): 17, ("abroad", "MN11"): 19,
        ("unknown", "MN11"): 23,
    }  # fmt: skip
    assert persons(flows.roll_up("region")) == {
        ("central", "ulaanbaatar"): 30, ("ulaanbaatar", "ulaanbaatar"): 26, ("abroad", "ulaanbaatar"): 19,
        ("unknown", "ulaanbaatar"): 23,
    }  # fmt: skip


def test_each_part_stands_apart_and_follows_the_level():
    found = {
        level: {name: int(part.frame["persons"].sum()) for name, part in parts(table(*TOLD).roll_up(level)).items()}
        for level in LEVELS
    }
    assert found == {
        4: {"between": 3 + 5 + 7 + 13 + 17, "diagonal": 0, "nested": 11, "abroad": 19, "unknown": 23},
        3: {"between": 5 + 7 + 13 + 17, "diagonal": 3, "nested": 11, "abroad": 19, "unknown": 23},
        2: {"between": 7 + 13 + 17, "diagonal": 3 + 5 + 11, "nested": 0, "abroad": 19, "unknown": 23},
        1: {"between": 13 + 17, "diagonal": 26, "nested": 0, "abroad": 19, "unknown": 23},
        "region": {"between": 30, "diagonal": 26, "nested": 0, "abroad": 19, "unknown": 23},
    }


def parts(flows):
    return {name: getattr(flows, name) for name in ("between", "diagonal", "nested", "abroad", "unknown")}


def test_one_area_told_too_coarsely_at_both_ends_may_hide_a_border():
    within = table(("MN1107", "MN1107", 4))
    assert within.part.tolist() == ["inside"]
    assert within.roll_up(2).part.tolist() == ["inside"]
    assert within.roll_up(3).part.tolist() == ["nested"]


def test_a_sum_with_an_untold_part_is_null_with_the_gravest_reason():
    rows = (("MN4101", "MN1107", 5), ("MN4104", "MN1107", None), ("MN4107", "MN1107", None), ("MN45", "MN1107", 6))
    flows = table(*rows, status=["told", "not_reported", "suppressed", "told"])
    rolled = flows.roll_up(1)
    assert persons(rolled) == {("MN41", "MN11"): None, ("MN45", "MN11"): 6}
    assert rolled.frame["status"].tolist() == ["suppressed", "told"]


def test_sources_periods_and_methods_are_never_added():
    flows = Flows(
        pd.DataFrame(
            {
                "source": ["arrivals", "departures", "arrivals", "arrivals"],
                "period": ["1", "1", "2", "2"],
                "method": ["observed", "observed", "observed", "imputed"],
                "origin": "MN4101",
                "destination": "MN1107",
                "persons": [1, 2, 4, 8],
            }
        )
    )
    assert sorted(flows.roll_up(1).frame["persons"]) == [1, 2, 4, 8]
    assert len(flows.sum_by()) == 4
    assert flows.sum_by("destination")["persons"].tolist() == [
        1,
        8,
        4,
        2,
    ]  # arrivals of 1, imputed ones of 2, observed ones of 2, departures


def test_a_table_of_margins_can_be_held_but_not_rolled_up():
    margins = table(("total", "MN1107", 5), ("total", "MN1110", 6))
    assert margins.part.tolist() == ["total", "total"]
    with pytest.raises(WrongUseError, match="does not say which moves stay inside"):
        margins.roll_up(1)


def test_a_coarse_table_is_not_divided():
    with pytest.raises(WrongUseError, match="it can't be divided to level 3"):
        table(*TOLD).roll_up(1).roll_up(3)
    with pytest.raises(WrongUseError, match="no level 0; there are: 4, 3, 2, 1, region"):
        table(*TOLD).roll_up(0)


def test_an_empty_table_has_empty_sums():
    empty = table()
    assert empty.roll_up(2).frame.empty
    assert empty.sum_by().empty
    assert empty.between.frame.empty
    assert empty.by == ()


def test_sums_are_exact_beyond_what_a_double_holds():
    flows = table(("MN4101", "MN1107", 2**53), ("MN4104", "MN1107", 1), ("MN4107", "MN1107", 2**61))
    assert persons(flows.roll_up(1)) == {("MN41", "MN11"): 2**53 + 1 + 2**61}


# --- estimates ------------------------------------------------------------------------------------------------------


def test_estimates_have_fractions_and_counts_beside_them_stay_whole():
    rows = (("MN4101", "MN1107", 2.5), ("MN4104", "MN1107", 0.25), ("MN45", "MN1107", 3.0), ("MN43", "MN1107", None))
    flows = table(*rows, method=["modelled", "modelled", "observed", "imputed"])
    rolled = flows.roll_up(1)
    assert persons(rolled, "origin", "method") == {
        ("MN41", "modelled"): 2.75, ("MN43", "imputed"): None, ("MN45", "observed"): 3,
    }  # fmt: skip
    assert rolled.frame["persons"].dtype == flows.between.frame["persons"].dtype == "Float64"
    assert rolled.frame["status"].tolist() == ["told", "not_reported", "told"]
    both = Flows.stack(flows, table(("MN4107", "MN1107", 9)))
    assert both.roll_up(1).sum_by("destination")["persons"].isna().tolist() == [True, False, False]
    assert table(("MN41", "MN1107", 2), method="modelled").frame["persons"].dtype == "Int64"


@pytest.mark.parametrize(
    ("methods", "counts", "message"),
    [
        (["modelled", "observed"], [2.5, 1.5], "Record 2, persons: 1.5 is no whole number"),
        (["modelled", "observed"], [2.5, 2.0**53], "Record 2, persons: 9007199254740992.0 is too large to stand among"),
        (["modelled", "modelled"], [2.5, -0.5], "Record 2, persons: -0.5 is below 0"),
        (["modelled", "modelled"], [2.5, float("inf")], "Record 2, persons: inf is no number"),
        (["modelled", "modelled"], [2.5, "many"], "Record 2, persons: 'many' is no number"),
        (["modelled", "modelled"], [2.5, 1e19], "1e+19 together, more than there can be"),
        (["guessed", "modelled"], [2.5, 1.5], "Record 1, method: there is no code 'guessed'"),
    ],
)
def test_a_wrong_estimate_is_named(methods, counts, message):
    with pytest.raises(BadFlowsError) as caught:
        table(("MN41", "MN11", counts[0]), ("MN45", "MN11", counts[1]), method=methods)
    assert message in str(caught.value)


FRACTIONS = st.floats(0, 1e12, allow_nan=False) | st.floats(0, 1e-3) | st.sampled_from([0.1, 0.0, 1 / 3])


@settings(max_examples=6, deadline=None)
@given(counts=st.lists(FRACTIONS, min_size=1, max_size=60), random=st.randoms(use_true_random=False))
def test_sums_of_fractions_keep_the_total_and_do_not_hang_on_the_order(counts, random):
    origins = [f"MN41{1 + place // 9:02d}{1 + place % 9:02d}" for place in range(len(counts))]
    rows = [(origin, "MN1107", count) for origin, count in zip(origins, counts, strict=True)]
    for level, length in ((2, 6), (1, 4), ("region", None)):
        rolled = persons(table(*rows, method="modelled").roll_up(level), "origin")
        for (code,), found in rolled.items():
            assert found == pytest.approx(
                math.fsum(n for o, _, n in rows if length is None or o[:length] == code), rel=1e-15
            )
        assert math.fsum(rolled.values()) == pytest.approx(math.fsum(counts), rel=1e-12)
        random.shuffle(rows)
        assert persons(table(*rows, method="modelled").roll_up(level), "origin") == pytest.approx(rolled, rel=1e-15)


def test_many_small_fractions_are_not_lost_in_a_large_one():
    values = np.concatenate([[1e6], np.full(1_000_000, 0.1)])
    (found,) = add_fractions(values, np.zeros(len(values), dtype=np.int64), 1)
    assert found == math.fsum(values)
    assert np.add.accumulate(values)[-1] != found  # plain adding up loses digits


def test_the_survey_of_a_release_is_held_as_published(tmp_path):
    with contextlib.closing(build_release(tmp_path)) as release:
        flows = Flows.from_survey(release)
        assert persons(flows) == {
            ("MN67", "MN1107"): 61.5, ("MN1107", "MN1107"): 700.25, ("abroad", "MN1107"): None,
        }  # fmt: skip
        told = flows.frame.set_index("origin").loc["abroad", ["source", "period", "method", "status"]].tolist()
        assert told == ["survey_1y", "2", "sampled", "suppressed"]
        assert persons(flows.roll_up(1))["MN67", "MN11"] == 61.5
        assert flows.diagonal.frame["persons"].tolist() == [700.25]  # those who stayed
        assert Flows.from_survey(release, level=1).frame.empty
        assert len(Flows.from_survey(release, sources=["survey_1y"], rounds=[2]).frame) == 3
        for wrong, message in (({"level": 3}, "no level 3; there are: 1, 2"), ({"sources": ["x"]}, "no source x")):
            with pytest.raises(WrongUseError, match=message):
                Flows.from_survey(release, **wrong)
        with pytest.raises(UnknownRoundError, match="no round 7; there are: 1, 2"):
            Flows.from_survey(release, rounds=[7])


# --- what the constructor refuses -----------------------------------------------------------------------------------

GOOD = {"source": "arrivals", "origin": "MN41", "destination": "MN11", "persons": 5}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"origin": "MN99"}, "Record 2, origin: 'MN99' is no P-code"),
        ({"origin": "MN"}, "Record 2, origin: 'MN' is no P-code"),
        ({"destination": "Tuv"}, "Record 2, destination: 'Tuv' is no P-code"),
        ({"destination": "MN110"}, "no P-code"),
        ({"source": "hearsay"}, "Record 2, source: there is no code 'hearsay'; there are: arrivals, departures"),
        ({"reason": "boredom"}, "Record 2, reason: there is no code 'boredom'"),
        ({"sex": "male"}, "a total stands beside its own parts"),
        ({"origin": "total"}, "Record 2, origin: a total stands beside its own parts"),
        ({"persons": -1}, "Record 2, persons: -1 is below 0"),
        ({"persons": 2.5}, "Record 2, persons: 2.5 is no whole number"),
        ({"persons": "many"}, "Record 2, persons: 'many' is no whole number"),
        ({"persons": float("inf")}, "Record 2, persons: inf is no whole number"),
        ({"persons": None, "status": "told"}, "persons: they are not there, but the status is 'told'"),
        ({"persons": 5, "status": "suppressed"}, "persons: they are there, but the status is 'suppressed'"),
        ({"origin": None}, "Record 2, origin: is empty"),
        ({"origin": "MN41"}, "Record 2: source arrivals, period total, origin MN41, destination MN11 is there twice"),
        ({"persons": PERSONS_TOGETHER_MAX}, "9,223,372,036,854,775,812 together, more than there can be"),
        ({"colour": "red"}, "has no column 'colour'"),
    ],
)
def test_a_wrong_cell_is_named(wrong, message):
    first, second = dict(GOOD), {**GOOD, "origin": "MN45", **wrong}
    if "status" in wrong:
        first["status"] = "told"
    if "reason" in wrong or "sex" in wrong:
        first |= dict.fromkeys(set(wrong) & {"reason", "sex"}, "total")
    frame = pd.DataFrame([first, second])
    if wrong.get("persons") in (5, -1, PERSONS_TOGETHER_MAX):
        frame = frame.astype({"persons": "Int64"})
    if "colour" in wrong:
        frame = frame.assign(colour="red")
    with pytest.raises(BadFlowsError, match="^" if message is None else None) as caught:
        Flows(frame)
    assert message in str(caught.value)
    assert isinstance(caught.value, BadInputError)


def test_the_most_people_there_can_be_are_taken():
    assert int(table(("MN41", "MN11", PERSONS_TOGETHER_MAX)).roll_up(1).frame["persons"].sum()) == PERSONS_TOGETHER_MAX


def test_a_column_that_is_missing_is_named():
    with pytest.raises(BadFlowsError, match="lacks the column destination, persons"):
        Flows(pd.DataFrame({"source": ["table"], "origin": ["MN11"]}))


# --- tables that are brought ----------------------------------------------------------------------------------------


def test_a_file_is_read_rows_of_a_pair_are_added_and_p_codes_may_be_small(tmp_path):
    path = tmp_path / "moves.csv"
    path.write_text("from,to,n,year\nmn41,MN11,5,2020\nMN41 ,MN11,6,2020\nAbroad,MN11,,2021\n", encoding="utf-8")
    flows = read_flows(path, origin="from", destination="to", persons="n", period="year")
    assert persons(flows, "period", "origin") == {("2020", "MN41"): 11, ("2021", "abroad"): None}
    assert flows.frame["status"].tolist() == ["told", "not_reported"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("from,to,n\nMN41,Seoul,5\n", "moves.csv: Record 1, to: 'Seoul' is no P-code"),
        ("from,to,n\nMN41,MN11,5\nMN45,MN11,1.5\n", "moves.csv: Record 2, n: 1.5 is no whole number"),
        ("from,to,n\nMN41,MN11,five\n", "'n' is no number in row 2 ('five')"),
        ("from,to\nMN41,MN11\n", "there is no column 'n'; the file has: from, to"),
    ],
)
def test_a_file_with_a_wrong_cell_is_refused(tmp_path, body, message):
    path = tmp_path / "moves.csv"
    path.write_text(body, encoding="utf-8")
    with pytest.raises(BadInputError) as caught:
        read_flows(path, origin="from", destination="to", persons="n")
    assert message in str(caught.value)


# --- properties -----------------------------------------------------------------------------------------------------

PLACES = (
    *KHESEGS,
    *KHOROOS,
    "MN1107",
    "MN1110",
    "MN11",
    "MN4101",
    "MN4104",
    "MN41",
    "MN43",
    "MN8301",
    "abroad",
    "unknown",
)


def without_count(row):
    return row[:2] + row[3:]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(PLACES), st.sampled_from(PLACES), st.one_of(st.integers(0, 60), st.integers(0, 60), st.none()),
        st.sampled_from(["work", "study", "unknown"]), st.sampled_from(["1", "2"]),
    ),
    max_size=25, unique_by=without_count,
)  # fmt: skip


def flows_of(rows):
    frame = pd.DataFrame(rows, columns=["origin", "destination", "persons", "reason", "period"])
    return Flows(frame.astype({"persons": "Int64"}).assign(source="arrivals"))


def at_level(code, level):
    if not code.startswith("MN"):
        return code
    return region_of(code).code if level == "region" else code[: 2 + 2 * level]


@settings(max_examples=8, deadline=None)
@given(rows=ROWS, random=st.randoms(use_true_random=False))
def test_every_level_equals_a_plain_count_and_the_way_there_does_not_matter(rows, random):
    random.shuffle(rows)
    step = flows_of(rows)
    for level in LEVELS:
        expected, untold = Counter(), set()
        for origin, destination, count, reason, period in rows:
            key = (period, at_level(origin, level), at_level(destination, level), reason)
            expected[key] += count or 0
            untold |= {key} if count is None else set()
        step = step.roll_up(level)
        at_once = flows_of(sorted(rows, key=str)).roll_up(level)
        pd.testing.assert_frame_equal(step.frame, at_once.frame)
        assert persons(step, "period", "origin", "destination", "reason") == {
            key: None if key in untold else count for key, count in expected.items()
        }


@settings(max_examples=12, deadline=None)
@given(rows=ROWS, level=st.sampled_from([None, *LEVELS]))
def test_the_parts_make_up_the_whole(rows, level):
    flows = flows_of([row for row in rows if row[2] is not None])
    whole = flows if level is None else flows.roll_up(level)
    sums = [int(part.frame["persons"].sum()) for part in parts(whole).values()]
    assert sum(sums) == sum(row[2] for row in rows if row[2] is not None)
    assert sum(len(part.frame) for part in parts(whole).values()) == len(whole.frame)
    assert set(whole.part.cat.categories) == set(PARTS)
    for origin, destination, part in zip(whole.frame["origin"], whole.frame["destination"], whole.part, strict=True):
        if part == "between":
            assert not origin.startswith(destination)
            assert not destination.startswith(origin)


# --- from the warehouse ---------------------------------------------------------------------------------------------


def told(world, source, **options):
    return Flows.from_movements(world.connection, source=source, **options)


@pytest.fixture(scope="module")
def small():
    world = SmallWorld()
    world.add_round(1)
    first = world.add_return(1, KHESEGS[0], actual={"persons": 100}, received="2021-06-01")
    again = world.add_return(1, KHESEGS[0], actual={"persons": 100}, received="2021-07-01")
    elsewhere = world.add_return(1, KHESEGS[1], located="MN111001", actual={"persons": 100})
    world.add_move(
        first, 1, KHESEGS[0], "arrival", "MN4101", 6, households=2, reason="work", registered=True, male_persons=4,
        female_persons=2, age_0_4_persons=1, age_5_14_persons=0, age_15_24_persons=2, age_25_59_persons=3,
        age_60_plus_persons=0,
    )  # fmt: skip
    world.add_move(first, 1, KHESEGS[0], "arrival", "MN4101", 4, households=1, registered=False, male_persons=1)
    world.add_move(first, 1, KHESEGS[0], "arrival", "MN", 2)
    world.add_move(again, 1, KHESEGS[0], "arrival", "MN45", 50)  # the unit had reported before
    world.add_move(elsewhere, 1, KHESEGS[1], "arrival", "MN1107", 9, households=3)
    world.add_passage(1, "2021-06-02 08:00", "in", 30, "MN41", "MN11")
    world.add_passage(1, "2021-06-02 09:00", "out", 20, "MN1107", "unknown")
    world.add_passage(1, "2021-06-02 09:00", "in", 10, "MN41", "MN45")
    world.add_passage(1, "2021-06-02 09:00", "out", 5, "MN45", "MN41")
    build_scope(world.connection, operation=OPERATION, last_round=1)
    return world


def test_moves_are_told_between_the_kheseg_and_the_place_it_named(small):
    flows = told(small, "arrivals")
    assert persons(flows) == {
        ("MN4101", "MN11070101"): 10,
        ("unknown", "MN11070101"): 2,  # somewhere in the country
        ("MN1107", "MN111001"): 9,  # a return counted outside its unit is its khoroo's
    }
    households = dict(zip(flows.frame["origin"], flows.frame["households"], strict=True))
    assert (households["MN4101"], households["MN1107"], pd.isna(households["unknown"])) == (3, 3, True)
    assert set(flows.frame["period"]) == {"1"}


@pytest.mark.parametrize(
    ("by", "column", "expected"),
    [
        ("reason", "reason", {"work": 6, "unknown": 15}),
        ("registered", "registered", {"yes": 6, "no": 4, "not_stated": 11}),
        ("distance", "distance_class", {"other_aimag": 10, "unknown": 2, "other_district": 9}),
        ("sex", "sex", {"male": 4, "female": 2, "not_stated": 15}),  # 1 man of 4 people is no breakdown
        ("age", "age_band", {"0_4": 1, "15_24": 2, "25_59": 3, "not_stated": 15}),
    ],
)
def test_each_breakdown_adds_up(small, by, column, expected):
    flows = told(small, "arrivals", by=[by])
    assert flows.by == (column,)
    found = flows.sum_by(column)
    assert dict(zip(found[column], found["persons"], strict=True)) == expected


def test_reason_registered_and_sex_may_be_crossed_and_sex_by_age_may_not(small):
    flows = told(small, "arrivals", by=["reason", "registered", "sex", "distance"])
    assert persons(flows, "reason", "registered", "sex", "distance_class")["work", "yes", "male", "other_aimag"] == 4
    assert int(flows.sum_by()["persons"].iloc[0]) == 21
    with pytest.raises(WrongUseError, match="no sex by age"):
        told(small, "arrivals", by=["sex", "age"])
    with pytest.raises(WrongUseError, match="There is no breakdown 'shoe_size' here; there are: reason, sex, age"):
        told(small, "arrivals", by=["shoe_size"])
    with pytest.raises(UnknownRoundError, match="no round 7 in the scope; there are: 1"):
        told(small, "arrivals", rounds=[7])
    with pytest.raises(WrongUseError, match="no 'checkpoint'"):
        told(small, "checkpoint")


def test_travellers_through_the_city_are_a_source_of_their_own(small):
    flows = Flows.from_passages(small.connection, city="MN11")
    assert persons(flows, "source", "origin", "destination") == {
        ("checkpoint", "MN41", "MN11"): 30, ("checkpoint", "MN1107", "unknown"): 20,
        ("checkpoint_through", "MN41", "MN45"): 10, ("checkpoint_through", "MN45", "MN41"): 5,
    }  # fmt: skip
    assert Flows.from_passages(small.connection, city="MN11", by=["sex"]).sum_by("sex")["sex"].tolist() == [
        "not_stated", "not_stated",
    ]  # fmt: skip
    build_flows(small.connection, build_scope(small.connection, operation=OPERATION, last_round=1))
    published = dict(
        small.rows(
            "SELECT direction, value FROM full_flow WHERE source = 'checkpoint' AND counterpart = 'total' AND level = 1"
        )
    )
    rolled = flows.roll_up(1)
    assert published == {"in": 30, "out": 20}
    assert int(rolled.frame.query("source == 'checkpoint'")["persons"].sum()) == 50


def test_stacked_sources_stand_side_by_side(small):
    both = Flows.stack(
        told(small, "arrivals"), told(small, "departures"), Flows.from_passages(small.connection, city="MN11")
    )
    assert both.sum_by()["source"].tolist() == ["arrivals", "checkpoint", "checkpoint_through"]
    with pytest.raises(WrongUseError, match="one level"):
        Flows.stack(both, both.roll_up(1))


@pytest.fixture(scope="module")
def world():
    made = SmallWorld()
    made.add_round(1)
    return made


def load(world, rows):
    sent = world.start_over(1, KHESEGS[:5])
    for unit, direction, counterpart, count, households, reason in rows:
        world.add_move(sent[unit], 1, unit, direction, counterpart, count, households=households, reason=reason)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(KHESEGS[:5]), st.sampled_from(["arrival", "departure"]),
        st.sampled_from(["MN41", "MN4101", "MN11", "MN", "abroad", "unknown", "MN1107", "MN1110", *KHOROOS]),
        st.integers(1, 50), st.one_of(st.integers(1, 5), st.none()), st.sampled_from(["work", "study", None]),
    ),
    max_size=25,
)  # fmt: skip
QUIET = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))


@QUIET
@given(rows=MOVES)
def test_every_published_figure_follows_from_the_table(world, rows):
    load(world, rows)
    build_flows(world.connection, build_scope(world.connection, operation=OPERATION, last_round=1))
    full = world.frame("full_flow").query("measure == 'persons' and value.notna()")
    published = {
        (row.source, row.pcode, row.counterpart, row.reason): int(row.value) for row in full.itertuples() if row.value
    }
    expected = Counter()
    for source, here, there in (("arrivals", "destination", "origin"), ("departures", "origin", "destination")):
        flows = told(world, source, by=["reason"])
        for level in (1, 2, 3):
            rolled = flows.roll_up(level)
            for row in rolled.frame.assign(part=rolled.part.astype(str)).to_dict("records"):
                area, other, count = row[here], row[there], int(row["persons"])
                # A khoroo's counterparts are districts, so nothing stays inside one
                counterpart = other[: 4 if level == 1 or other[:4] != area[:4] else 6]
                counterpart = other if row["part"] in ("abroad", "unknown") else counterpart
                expected[source, area, counterpart, "total"] += count
                if row["part"] != "inside" or level == 3:
                    expected[source, area, "total", "total"] += count
                    expected[source, area, "total", row["reason"]] += count
    assert published == dict(expected)


@QUIET
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(KHESEGS[:5]), st.sampled_from(KHESEGS[:5]), st.integers(1, 60)), max_size=12
    )
)
def test_in_a_closed_system_all_that_leave_arrive(world, rows):
    load(
        world,
        [(to, "arrival", start[:8], n, None, None) for start, to, n in rows]
        + [(start, "departure", to[:8], n, None, None) for start, to, n in rows],
    )
    build_reporting_scope(world.connection, operation=OPERATION, last_round=1)
    for level in (3, 1):
        ends = [told(world, source).roll_up(level).frame for source in ("arrivals", "departures")]
        pd.testing.assert_frame_equal(*(frame.drop(columns=["source", "households"]) for frame in ends))

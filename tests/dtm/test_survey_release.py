"""Check what of a sample is released: weights and figures by hand, and that an attacker finds nothing hidden."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from dtm._release_tables import RELEASE_TABLES, STATUSES
from dtm._survey_catalogue import SURVEY_ESTIMATES, SURVEY_SOURCES
from dtm._survey_disclosure import BASE, MINIMUM_BASE_HOUSEHOLDS, OUTSIDE, SIZE, count_sample, hide_counts
from dtm._survey_sample import (
    MOVES,
    Sample,
    _household_answers,
    _person_answers,
    _with_areas,
    read_samples,
    residence_of,
)
from dtm.disclosure import protect_release
from dtm.measures import NOTES, note_words
from dtm.survey_release import SURVEY_TABLES, _estimate_rows, _flow_rows, build_survey
from dtm.workspace import Settings
from tests.dtm.small_world import KHESEGS, KHOROOS, SmallWorld, boxes

WEST, EAST = "MN1107", "MN1110"
FOURTH = "MN111002"
MAIN, PARTLY, LONELY, REFUSED = ROUNDS = (1, 2, 3, 4)


class Survey:
    """Collect households, then insert them all at once."""

    def __init__(self, world):
        self.world, self.tables = world, {"submission": [], "survey_household": [], "survey_person": []}

    def add(self, number, khoroo, *, consent=True, members=(), **answers):
        """Add a household with its members: (sex, age, residences one and five years ago, at birth)."""
        base = {"submission_id": next(self.world._ids), "round_number": number}
        self.tables["submission"].append(
            {**base, "import_id": 1, "instance_id": f"h{base['submission_id']}", "form": "household-survey",
             "row_number": base["submission_id"], "declared_pcode": f"{khoroo}01", "located_pcode": khoroo,
             "located_by": "gps"}
        )  # fmt: skip
        answers = {"household_persons": len(members), **answers} if consent else {}
        self.tables["survey_household"].append({**base, "pcode": f"{khoroo}01", "consent": consent, **answers})
        for row, (sex, age, one, five, birth) in enumerate(members):
            self.tables["survey_person"].append(
                {**base, "pcode": f"{khoroo}01", "sex": sex, "age_years": age, "residence_1y_pcode": one,
                 "residence_5y_pcode": five, "birth_pcode": birth, "registered": age < 60, "import_id": 1,
                 "sheet": "members", "row_number": row}
            )  # fmt: skip

    def release(self):
        for name, rows in self.tables.items():
            self.world.connection.register("new_rows", pd.DataFrame(rows))
            self.world.connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM new_rows")
        self.world.scope = self.world.build(ROUNDS[-1])
        protect_release(self.world.connection, Settings())
        self.world.survey_cells = build_survey(self.world.connection, self.world.scope, Settings())
        return self.world


def add_main_round(survey):
    """Add two khoroos of 20 households in the west (one with 5 refusals more), one of 20 and one of 15 in the east.

    The west has 1,200 people in 300 households, the east 400 in 100.
    """
    for kheseg, people in zip(KHESEGS, (300, 300, 300, 300, 200, 200), strict=True):
        counts = {"persons": people, "households": people // 4}
        survey.world.add_return(MAIN, kheseg, actual=counts, registered=counts)
    for khoroo, n_households, n_movers in zip((*KHOROOS, FOURTH), (20, 20, 20, 15), (8, 12, 12, 6), strict=True):
        home = khoroo[:6]
        came = ("male", 30, home, "MN64", "MN64")
        stayed = ("female", 40, home, home, home)
        child = ("female", 3, home, None, home)
        old = ("male", 70, home, home, home)
        for n in range(n_households):
            members = (came, stayed, child) if n < n_movers else (stayed, old)
            survey.add(MAIN, khoroo, members=members, dwelling="ger" if n < 12 else "house", registered=n < 8)
    for _ in range(5):
        survey.add(MAIN, KHOROOS[0], consent=False)


@pytest.fixture(scope="module")
def world():
    """Rounds of their own: the main one, one the east told nothing in, one of a single khoroo there, one refused."""
    made = SmallWorld()
    made.add_area("khoroos", FOURTH, 3, boxes((3, 0, 4, 1)).geometry[0], number=4, name_mn="4-р хороо", area_km2=1.0)
    for number in ROUNDS:
        made.add_round(number)
    survey = Survey(made)
    add_main_round(survey)
    for kheseg in KHESEGS[:2]:
        made.add_return(PARTLY, kheseg, actual={"persons": 500, "households": 150})
    for kheseg in KHESEGS:
        made.add_return(LONELY, kheseg, actual={"persons": 300, "households": 80})
    for khoroo in KHOROOS:
        for n in range(30):
            survey.add(PARTLY, khoroo, members=[("male", 30, None, "MN64", "abroad"), ("female", 30, *[khoroo] * 3)])
            birth = "MN64" if n % 2 or n < 5 else khoroo
            survey.add(LONELY, khoroo, members=[("male" if n % 3 else "female", 30, None, khoroo, birth)] * 2)
    made.add_return(REFUSED, KHESEGS[0], actual={"persons": 100, "households": 30})
    survey.add(REFUSED, KHOROOS[0], consent=False)
    return survey.release()


def row(world, estimate, pcode, item="total", *, number=MAIN):
    return one_of(world.frame("safe_survey_estimate"), round_number=number, estimate=estimate, pcode=pcode, item=item)


def flow(world, source, origin, destination, *, number=MAIN):
    keys = {"source": source, "origin": origin, "destination": destination}
    return one_of(world.frame("safe_survey_flow"), round_number=number, **keys)


def one_of(frame, **keys):
    found = frame[np.logical_and.reduce([frame[name] == value for name, value in keys.items()])]
    assert len(found) == 1
    return found.iloc[0]


# --- figures by hand ----------------------------------------------------------------------------------------------


def test_weights_sum_to_the_published_people_and_households(world):
    sample = read_samples(world.connection, world.scope)[0]
    households, people = (sample.records(of).groupby("stratum")["weight"].sum() for of in ("households", "persons"))
    assert households.to_dict() == pytest.approx({WEST: 300, EAST: 100})
    assert people.to_dict() == pytest.approx({WEST: 1200, EAST: 400})
    # 25 asked and 20 who answered in the first khoroo, 20 and 20 in the second: the weights are as 25 / 20 to 1
    by_khoroo = sample.households.groupby("area")["weight"].first()
    assert by_khoroo[KHOROOS[0]] / by_khoroo[KHOROOS[1]] == pytest.approx(1.25)


# In the west a household of the first khoroo weighs 25 / 20 of one of the second: 48 x 1.25 + 52 = 112 stand for all.
PERSON = 1200 / 112


def told(exact, step):
    """What is published of a figure: to the weight of one respondent, the next 1, 2 or 5."""
    return pytest.approx(round(exact / step) * step)


def test_shares_by_hand(world):
    ger = row(world, "dwelling_share_pct", WEST, "ger")
    assert (ger["value"], ger["base_households"], ger["base_persons"]) == (60, 40, 100)  # 12 of 20 in both khoroos
    moved = row(world, "moved_5y_share_pct", WEST)
    # 8 of 40 and 12 of 40 of those of 5 and over moved
    assert moved["value"] == told(100 * (8 * 1.25 + 12) / (40 * 1.25 + 40), 2)  # 1.25 of 90 is 1.4 %
    assert (moved["base_persons"], moved["base_households"]) == (80, 40)
    assert 0 <= moved["low"] < moved["value"] < moved["high"] < 100  # outwards to the 2 %
    size = row(world, "household_size_persons", WEST)
    assert size["value"] == told((48 * 1.25 + 52) / (20 * 1.25 + 20), 0.05)
    assert (size["base_households"], size["base_persons"]) == (40, 100)
    ratio = row(world, "sex_ratio", WEST)
    # 20 men in each; 28 and 32 women and girls
    assert ratio["value"] == told(100 * (20 * 1.25 + 20) / (28 * 1.25 + 32), 2)
    dependants = row(world, "dependency_ratio", WEST)
    # 8 children and 12 of 70, 12 children and 8 of 70; 28 and 32 between
    assert dependants["value"] == told(100 * (20 * 1.25 + 20) / (28 * 1.25 + 32), 2)


def test_the_city_weighs_its_districts(world):
    moved = row(world, "moved_5y_share_pct", "MN11")
    # west 22 of 90 by weight, of 112 for 1,200; east 18 of 70, of 88 for 400
    movers, asked = 22 * PERSON + 18 * 400 / 88, 90 * PERSON + 70 * 400 / 88
    assert moved["value"] == told(100 * movers / asked, 2)
    assert moved["base_persons"] == 150


def test_flows_by_hand(world):
    came = flow(world, "survey_5y", "MN64", WEST)
    assert (came["value"], came["base_persons"]) == (told(22 * PERSON, 20), 20)  # the heaviest stand for 13.4 people
    assert flow(world, "survey_5y", WEST, WEST)["value"] == told(68 * PERSON, 20)  # 22 not born yet
    assert flow(world, "survey_lifetime", WEST, WEST)["value"] == told(90 * PERSON, 20)
    to_city = flow(world, "survey_lifetime", "MN64", "MN11")
    assert to_city["value"] == told(22 * PERSON + 18 * 400 / 88, 20)
    assert 0 < came["low"] < came["value"] < came["high"] < 1200


def test_without_spread_there_is_no_error_and_the_note_says_why(world):
    stayed = flow(world, "survey_1y", WEST, WEST)
    assert (stayed["value"], stayed["note"]) == (1200, "sample_all_alike")
    assert stayed[["standard_error", "low", "high"]].isna().all()
    ger = row(world, "dwelling_share_pct", WEST, "ger")  # 60 % in each khoroo
    assert ger[["standard_error", "low", "high", "design_effect"]].isna().all()
    assert ger["note"] == "sample_no_spread"


def test_the_tables_honour_their_declarations(world):
    for name in SURVEY_TABLES:
        table, frame = RELEASE_TABLES[name], world.frame(f"safe_{name}")
        assert list(frame.columns) == table.column_names
        assert not frame.duplicated(list(table.key)).any()
        assert frame["value"].notna().equals(frame["status"] == "published")
        assert set(frame["status"]) <= set(STATUSES)
        hidden = frame[frame["status"] != "published"]
        numbers = [c for c in ("standard_error", "low", "high", "base_persons", "base_households") if c in frame]
        assert hidden[numbers].isna().all(axis=None)
        assert set(frame["method"]) == {"sampled"}
        for note in frame["note"].dropna().unique():
            assert all(all(note_words(part)) for part in note.split())
    assert {"sampled_areas", "sample_all_alike", "sample_no_spread", "nobody_asked"} <= set(NOTES)


def test_every_row_is_counted_for_the_manifest(world):
    cells = world.survey_cells
    assert {table for table, _, _ in cells} == set(SURVEY_TABLES)
    for (table, level, status), count in cells.items():
        rows = world.frame(f"safe_{table}")
        assert count == ((rows["level"] == level) & (rows["status"] == status)).sum() > 0
    assert sum(cells.values()) == sum(len(world.frame(f"safe_{name}")) for name in SURVEY_TABLES)


def test_what_is_hidden_is_logged_without_a_value(world):
    logged = dict(world.rows("SELECT table_name, count(*) FROM safe_suppression_log GROUP BY 1"))
    for name in SURVEY_TABLES:
        assert logged[name] == (world.frame(f"safe_{name}")["status"] == "suppressed").sum() > 0
    (cell,) = world.rows("SELECT cell FROM safe_suppression_log WHERE table_name = 'survey_flow' LIMIT 1")[0]
    assert '"round_number":3,' in cell


def test_a_district_whose_people_are_not_published_is_left_out_and_said(world):
    city = row(world, "sex_ratio", "MN11", number=PARTLY)
    assert (city["value"], city["base_persons"], city["note"]) == (100, 120, "sample_no_spread sampled_areas:1")
    rows = world.frame("safe_survey_estimate")
    assert EAST not in set(rows.loc[rows["round_number"] == PARTLY, "pcode"])
    assert flow(world, "survey_lifetime", "abroad", "MN11", number=PARTLY)["value"] == 500
    assert flow(world, "survey_1y", "unknown", WEST, number=PARTLY)["value"] == 500


def test_one_khoroo_is_not_published_nor_told_by_the_others(world):
    rows = world.frame("safe_survey_estimate")
    rows = rows[rows["round_number"] == LONELY]
    assert "published" not in set(rows.loc[rows["pcode"] == EAST, "status"])
    for estimate in ("born_elsewhere_share_pct", "sex_ratio"):
        assert row(world, estimate, "MN11", number=LONELY)["status"] == "published"
        assert row(world, estimate, WEST, number=LONELY)["status"] == "suppressed"  # the city less it is the east


def test_refusals_alone_tell_nothing(world):
    for name in SURVEY_TABLES:
        assert REFUSED not in set(world.frame(f"safe_{name}")["round_number"])


def test_without_a_survey_the_tables_are_empty(world):
    world.connection.execute("BEGIN")
    world.connection.execute("DELETE FROM survey_household")
    build_survey(world.connection, world.scope, Settings())
    assert [len(world.frame(f"safe_{name}")) for name in SURVEY_TABLES] == [0, 0]
    world.connection.execute("ROLLBACK")


@pytest.mark.parametrize(
    ("code", "area", "expected"),
    [
        ("MN110702", "MN1107", "MN1107"), ("MN1110", "MN1107", "MN1110"), ("MN11", "MN1107", "MN11"),
        ("MN6401", "MN1107", "MN64"), ("abroad", "MN1107", "abroad"), ("MN", "MN1107", "unknown"),
        (None, "MN1107", "unknown"), ("MN1110", "MN11", "MN11"), ("MN64", "MN11", "MN64"),
        ("unknown", "MN11", "unknown"),
    ],
)  # fmt: skip
def test_origins_follow_the_rule_of_flows(code, area, expected):
    level = 1 if len(area) == 4 else 2
    assert residence_of(pd.Series([code]), pd.Series([area]), level=level).tolist() == [expected]


# --- what an attacker finds ---------------------------------------------------------------------------------------

AREAS = [f"MN11{d:02d}{k:02d}" for d in (1, 4, 7) for k in (1, 2, 3)]
PLACES = np.array(["MN1101", "MN1104", "MN1107", "MN11", "MN21", "MN64", "abroad", "unknown"], dtype=object)


def random_sample(seed):
    """Make a sample of three districts of which one may be small, most of its answers rare."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(len(AREAS), 0.8))
    n = int(rng.integers(60, 260))
    area = rng.choice(AREAS, size=n, p=weights)
    households = pd.DataFrame(
        {
            "submission_id": np.arange(n), "area": area, "stratum": [a[:6] for a in area],
            "persons": rng.integers(1, 6, n).astype(float), "weight": rng.uniform(5, 40, n),
            "dwelling": rng.choice(["ger", "house", "apartment", "other"], n, p=[0.6, 0.3, 0.07, 0.03]),
            "registered": rng.choice(np.array([True, False, None], dtype=object), n, p=[0.85, 0.1, 0.05]),
            "move_distance": rng.choice(["never_moved", "abroad", "unknown"], n, p=[0.9, 0.03, 0.07]),
            "intended_duration": rng.choice(["permanent", "lt_3m", "gt_12m"], n, p=[0.8, 0.05, 0.15]),
        }
    )  # fmt: skip
    people = households.loc[
        households.index.repeat(households["persons"].astype(int)), ["submission_id", "area", "stratum"]
    ]
    home, m = people["stratum"].to_numpy(dtype=object), len(people)

    def lived(share):
        return np.where(rng.random(m) < share, rng.choice(PLACES, m), home)

    people = people.assign(
        weight=rng.uniform(5, 40, m), sex=rng.choice(["male", "female"], m), age_years=rng.integers(0, 80, m),
        registered=rng.choice(np.array([True, False, None], dtype=object), m, p=[0.9, 0.07, 0.03]),
        reason=rng.choice(np.array(["work", "study", "health", None], dtype=object), m, p=[0.15, 0.06, 0.02, 0.77]),
        residence_1y_pcode=lived(0.03), residence_5y_pcode=lived(0.2), birth_pcode=lived(0.4),
    )  # fmt: skip
    left_out = {of: frozenset() for of in ("persons", "households")}
    return Sample(
        1, _household_answers(_with_areas(households)), _person_answers(_with_areas(people)), (1, 2), left_out
    )


def answers_seen(estimates, flows, counts):
    """Return the counts that a reader takes from the published rows, all sizes of samples included."""
    seen = set(counts.loc[counts["item"] == SIZE, "key"])
    shown = estimates[estimates["status"] == "published"]
    for line in shown.itertuples():
        one = SURVEY_ESTIMATES[line.estimate]
        answers = one.answers if len(one.items) == 1 else (line.item,)
        seen |= {(line.level, line.pcode, line.estimate, item) for item in (*answers, BASE)}
    for line in flows[flows["status"] == "published"].itertuples():
        seen.add((line.level, line.destination, line.source, line.origin))
    return seen


def sums_known(counts):
    """Return what the definitions say: lists of (key, sign) that sum to 0."""
    keys = list(counts["key"])
    found = []
    for level, pcode in sorted({key[:2] for key in keys}):
        own = [key for key in keys if key[:2] == (level, pcode)]
        for variable in sorted({key[2] for key in own} - {"persons", "households"}):
            mine = [key for key in own if key[2] == variable]
            parts = [(key, -1) for key in mine if key[3] not in (BASE, OUTSIDE, SIZE)]
            head = [((level, pcode, variable, BASE), 1)]
            if variable != "household_size_persons":
                found.append(head + parts)
            of = SURVEY_ESTIMATES[variable].of if variable in SURVEY_ESTIMATES else "persons"
            found.append([((level, pcode, of, SIZE), 1), (head[0][0], -1), ((level, pcode, variable, OUTSIDE), -1)])
        if level == 2:
            for name, source in MOVES.items():
                here = [key for key in own if key[2] == source and key[3] not in (BASE, OUTSIDE)]
                moved = [(key, -1) for key in here if key[3] not in (pcode, "MN11", "unknown")]
                found.append([((2, pcode, name, "moved"), 1), *moved])
                found.append([((2, pcode, name, "stayed"), 1), ((2, pcode, source, pcode), -1)])
    for key in keys:
        if key[0] == 1:
            below = [
                (other, -1)
                for other in keys
                if other[0] == 2
                and other[2] == key[2]
                and (
                    other[3] == key[3]
                    or (key[2] in SURVEY_SOURCES and key[3] == "MN11" and other[3].startswith("MN11"))
                )
            ]
            found.append([(key, 1), *below])
    return found


def solved(counts, seen):
    """Return the counts over 0 that are not seen and that the sums determine, by singular values."""
    values = dict(zip(counts["key"], counts["value"], strict=True))
    unknown = [key for key in counts["key"] if key not in seen]
    position = {key: number for number, key in enumerate(unknown)}
    rows = []
    for every in sums_known(counts):
        terms = [(key, sign) for key, sign in every if key in values]
        assert sum(sign * values[key] for key, sign in terms) == 0, terms
        line = np.zeros(len(unknown))
        for key, sign in terms:
            if key in position:
                line[position[key]] += sign
        rows.append(line)
    if not unknown:
        return set()
    _, sizes, vectors = np.linalg.svd(np.array(rows))
    rank = int((sizes > 1e-9).sum())
    free = np.abs(vectors[rank:]).max(axis=0, initial=0) > 1e-9
    return {key for key, is_free in zip(unknown, free, strict=True) if not is_free}


def keyed(counts):
    return counts.assign(
        key=list(zip(counts["level"], counts["pcode"], counts["variable"], counts["item"], strict=True))
    )


def is_secret(key):
    level, pcode, variable, item = key
    is_open = variable in SURVEY_SOURCES and (item == "unknown" or (level == 2 and item == pcode[:4]))
    return not is_open and item not in (BASE, OUTSIDE, SIZE)


def rests_on_enough(estimates, flows, rules):
    shown = estimates[estimates["status"] == "published"]
    of_people = shown["estimate"].map(lambda name: SURVEY_ESTIMATES[name].of == "persons").astype(bool)
    assert (shown.loc[of_people, "base_persons"] >= rules.minimum_denominator_persons).all()
    assert (shown.loc[~of_people, "base_households"] >= MINIMUM_BASE_HOUSEHOLDS).all()
    assert (flows.loc[flows["status"] == "published", "base_persons"] >= rules.threshold_persons).all()
    assert (shown["clusters"] >= 2).all()


@given(st.integers(0, 100_000))
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_hidden_count_follows_from_what_is_published(seed):
    sample, rules = random_sample(seed), Settings()
    counts = keyed(count_sample(sample))
    hidden, _ = hide_counts(counts.drop(columns="key"), rules)
    estimates, flows = _estimate_rows(sample, hidden, rules), _flow_rows(sample, hidden, rules)
    seen = answers_seen(estimates, flows, counts)
    nothing_shown = {key for key in counts["key"] if key[3] == SIZE}
    always = solved(counts, nothing_shown)  # the whole sample gave this answer: no rule can hide it
    found = {key for key in solved(counts, seen) if is_secret(key)} - always
    assert found <= {key for key, shown in zip(counts["key"], ~hidden["is_hidden"], strict=True) if shown}
    rests_on_enough(estimates, flows, rules)
    few = {key for key, value in zip(counts["key"], counts["value"], strict=True) if value < 10 and is_secret(key)}
    of_households = {name for name, one in SURVEY_ESTIMATES.items() if one.of == "households"}
    assert not {key for key in (found | seen) & few if key[2] not in of_households}
    households = {key for key in (found | seen) & few if key[2] in of_households}
    assert all(counts.set_index("key").loc[[key], "value"].item() >= 5 for key in households)


def test_the_attacker_succeeds_where_only_small_counts_are_hidden():
    counts = keyed(count_sample(random_sample(3)))
    small = {key for key, value in zip(counts["key"], counts["value"], strict=True) if value < 10 and is_secret(key)}
    seen = {key for key in counts["key"] if key not in small}
    assert solved(counts, seen) & small


def test_the_order_of_the_returns_does_not_matter():
    sample, rules = random_sample(11), Settings()
    households = sample.households.sample(frac=1, random_state=1).reset_index(drop=True)
    people = sample.people.sample(frac=1, random_state=2).reset_index(drop=True)
    mixed = Sample(1, households, people, sample.levels, sample.left_out)
    rows = []
    for one in (sample, mixed):
        hidden, _ = hide_counts(count_sample(one), rules)
        rows.append((_estimate_rows(one, hidden, rules), _flow_rows(one, hidden, rules)))
    for first, second in zip(*rows, strict=True):
        pd.testing.assert_frame_equal(first, second, check_exact=False, rtol=1e-9)


def heavy_and_light(weights=(100, 1, 120, 150)):
    """Four districts of 60 households; in the first two, of very different weights, few live in apartments."""
    rows = [
        (f"MN11{10 + d}0{1 + n % 3}", weight, "apartment" if n < few else "ger")
        for d, (weight, few) in enumerate(zip(weights, (3, 4, 12, 20), strict=True))
        for n in range(60)
    ]
    households = pd.DataFrame(rows, columns=["area", "weight", "dwelling"]).assign(
        submission_id=range(240), stratum=lambda f: f["area"].str[:6], persons=2.0, registered=True,
        move_distance="unknown", intended_duration="unknown",
    )  # fmt: skip
    households["weight"] = households["weight"].astype(float)
    nobody = pd.DataFrame(
        columns=["submission_id", "area", "stratum", "weight", "sex", "age_years", "registered", "reason",
                 "residence_1y_pcode", "residence_5y_pcode", "birth_pcode"]
    )  # fmt: skip
    nobody = nobody.astype({"weight": float, "age_years": float, "area": str, "stratum": str})
    left_out = {of: frozenset() for of in ("persons", "households")}
    return Sample(
        1, _household_answers(_with_areas(households)), _person_answers(_with_areas(nobody)), (1, 2), left_out
    )


def told_by_the_city(sample):
    """Bound each hidden count of households in apartments by the city's rows; return the widths of the intervals.

    The attacker knows the weights, the sizes of the samples, the counts of the districts that are shown, and of the
    city's shares what they were rounded from, give or take half a step.
    """
    rules = Settings()
    hidden, _ = hide_counts(count_sample(sample), rules)
    rows = _estimate_rows(sample, hidden, rules)
    rows = rows[(rows["estimate"] == "dwelling_share_pct") & (rows["level"] == 1) & (rows["status"] == "published")]
    rows = rows[rows["value"] > 0]
    counts = hidden[(hidden["variable"] == "dwelling_share_pct") & (hidden["level"] == 2)]
    counts = counts[counts["item"].isin(["ger", "apartment"])].reset_index(drop=True)
    weight = counts["pcode"].map(sample.households.groupby("level_2")["weight"].first()).to_numpy()
    low, high = (np.where(counts["is_hidden"], end, counts["value"]) for end in (0, 60))
    whole = sample.households["weight"].sum()
    above, below = [], []
    for line in rows.itertuples():
        own = np.where(counts["item"] == line.item, weight, 0.0)
        above += [own, -own]
        below += [(line.value + line.step / 2) / 100 * whole, -(line.value - line.step / 2) / 100 * whole]
    sums = np.array([counts["pcode"] == pcode for pcode in counts["pcode"].unique()], dtype=float)
    found = {}
    for place in counts.index[counts["is_hidden"] & (counts["item"] == "apartment")]:
        one = np.arange(len(counts)) == place
        ends = [
            linprog(sign * one, A_ub=np.array(above) if above else None, b_ub=below or None, A_eq=sums,
                    b_eq=np.full(len(sums), 60.0), bounds=list(zip(low, high, strict=True)))
            for sign in (1.0, -1.0)
        ]  # fmt: skip
        assert all(end.success for end in ends)
        found[counts.loc[place, "pcode"]] = -ends[1].fun - ends[0].fun
    return found, len(rows)


def test_a_heavy_district_is_not_told_by_the_city_because_the_other_hidden_one_is_light(monkeypatch):
    found, shown = told_by_the_city(heavy_and_light())
    assert set(found) == {"MN1110", "MN1111", "MN1112"}  # the lighter of the two that are left goes with them
    assert shown == 2
    assert min(found.values()) >= Settings().threshold_households - 1
    alike, _ = told_by_the_city(heavy_and_light((50, 50, 50, 50)))
    assert set(alike) == {"MN1110", "MN1111"}  # two that weigh the same hide each other
    assert min(alike.values()) >= Settings().threshold_households - 1
    monkeypatch.setattr("dtm._survey_disclosure.lacking_companions", lambda _cells: set())
    without, _ = told_by_the_city(heavy_and_light())
    assert set(without) == {"MN1110", "MN1111"}
    assert without["MN1110"] < 3  # 3 of 60 was known to be one of three numbers


def test_a_figure_that_no_part_can_cover_is_hidden_itself():
    # the heaviest weighs more than all others together: nothing beside it hides it in the city's figure
    found, shown = told_by_the_city(heavy_and_light((1000, 1, 2, 3)))
    assert shown == 0
    assert found["MN1110"] >= Settings().threshold_households - 1


def test_errors_are_made_of_what_is_told(world):
    """The exact error and design effect of a share would tell it to a part of a respondent."""
    moved = row(world, "moved_5y_share_pct", WEST)
    share = moved["value"] / 100
    error = 100 * np.sqrt(moved["design_effect"] * share * (1 - share) / (moved["base_persons"] - 1))
    assert moved["standard_error"] == pytest.approx(error, rel=0.05)  # two digits
    ratio = row(world, "sex_ratio", WEST)
    times = ratio["value"] / 100
    error = 100 * np.sqrt(ratio["design_effect"] * times * (1 + times) ** 2 / (ratio["base_persons"] - 1))
    assert ratio["standard_error"] == pytest.approx(error, rel=0.05)
    for one in (moved, ratio):
        assert float(f"{one['standard_error']:.1e}") == pytest.approx(one["standard_error"])
    assert 0 <= moved["low"] <= moved["value"] - moved["standard_error"]


def test_every_estimate_is_declared_in_both_languages():
    for name, one in SURVEY_ESTIMATES.items():
        assert name == one.name
        assert all((one.label_en, one.label_mn, one.unit, one.formula, one.reference))
        assert any("а" <= letter <= "я" for letter in one.label_mn.lower())
        assert set(one.shown) <= set(one.answers)

"""Hold the views of published moves to the release's own rows, and regions to sums made by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dtm._flow_views_regions import to_regions
from dtm.errors import UnknownRoundError, WrongUseError
from dtm.exports import product_table
from dtm.flow_views import BREAKDOWNS, COLUMNS, SOURCES, view_flows, view_table
from geodata.pcodes import places, region_of
from tests.dtm.release_factory import build_release


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    opened = build_release(tmp_path_factory.mktemp("releases"))
    yield opened
    opened.close()


def values(frame):
    """Values by source, origin, destination and item; None where there is none."""
    keys = zip(frame["source"], frame["origin"], frame["destination"], frame["item"], strict=True)
    shown = frame["value"].astype(object).where(frame["value"].notna(), None)
    return dict(zip(keys, shown, strict=True))


def test_all_sources_stand_side_by_side(release):
    view = view_flows(release)
    assert list(view.frame.columns) == list(COLUMNS)
    assert values(view.frame) == {
        ("arrivals", "MN67", "MN110701", "total"): 24, ("arrivals", "abroad", "MN110701", "total"): None,
        ("arrivals", "total", "MN110701", "total"): 31, ("departures", "MN110701", "MN110701", "total"): 12,
        ("checkpoint", "MN67", "MN11", "total"): 480, ("checkpoint", "total", "MN11", "total"): 480,
        ("reconciled", "MN110701", "MN110702", "total"): 27.5, ("reconciled", "MN110702", "MN110701", "total"): None,
        ("imputed", "total", "MN1107", "total"): 46.5, ("imputed", "total", "MN110702", "total"): None,
        ("survey_1y", "MN67", "MN1107", "total"): 61.5, ("survey_1y", "MN1107", "MN1107", "total"): 700.25,
        ("survey_1y", "abroad", "MN1107", "total"): None,
    }  # fmt: skip
    assert view.frame["source"].drop_duplicates().tolist() == [
        "arrivals", "departures", "checkpoint", "reconciled", "imputed", "survey_1y",
    ]  # fmt: skip
    assert view.notes == ("The release has no figures of checkpoint_through, survey_5y, survey_lifetime here.",)


def test_each_row_says_where_the_move_goes_and_why_it_has_no_value(release):
    frame = view_flows(release).frame
    parts = dict(zip(zip(frame["source"], frame["origin"], strict=True), frame["part"], strict=True))
    assert parts["arrivals", "MN67"] == "between"
    assert parts["arrivals", "abroad"] == "abroad"
    assert parts["arrivals", "total"] == "total"
    assert parts["departures", "MN110701"] == "inside"
    assert parts["imputed", "total"] == "total"
    assert (frame["value"].notna() == (frame["status"] == "published")).all()
    told = frame.set_index(["source", "origin"]).loc[("reconciled", "MN110701")]
    assert (told["low"], told["high"], told["method"], told["pcode"], told["direction"]) == (
        20.0, 36.0, "reconciled", None, None,
    )  # fmt: skip


def test_a_khoroos_own_district_may_hold_its_own_moves(tmp_path):
    rows = [
        (2, "arrivals", 3, "MN110701", other, "in", "total", other, "MN110701", "persons", 20, "published", "observed")
        for other in ("MN1107", "MN1110", "MN11")
    ]
    release = build_release(tmp_path, rows={"flow": rows})
    frame = view_flows(release, sources=["arrivals"]).frame
    assert dict(zip(frame["origin"], frame["part"], strict=True)) == {
        "MN1107": "nested", "MN1110": "between", "MN11": "nested",
    }  # fmt: skip
    release.close()


def test_breakdowns_stand_each_by_itself(release):
    view = view_flows(release, sources=["arrivals"], by=["reason", "sex", "registered"])
    assert values(view.frame) == {
        ("arrivals", "total", "MN110701", "work"): 31, ("arrivals", "total", "MN110701", "male"): 16,
        ("arrivals", "total", "MN110701", "female"): 15, ("arrivals", "total", "MN110701", "yes"): None,
    }  # fmt: skip
    assert set(view.frame["part"]) == {"total"}
    assert set(view.frame["breakdown"]) == {"reason", "sex", "registered"}


def test_what_is_not_published_is_an_empty_list_with_a_note(release):
    assert view_flows(release, sources=["survey_5y"]).notes == ("The release has no figures of survey_5y here.",)
    empty = view_flows(release, sources=["checkpoint", "reconciled"], by=["sex"])
    assert empty.frame.empty
    assert empty.notes == (
        "No breakdown is published of checkpoint, reconciled; arrivals and departures have them.",
    )  # fmt: skip
    assert view_flows(release, round_number=1).frame.empty
    assert view_table(release, empty).frame.empty


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sources": ["moves"]}, WrongUseError, f"no source 'moves'; there are: {', '.join(SOURCES)}"),
        ({"by": ["colour"]}, WrongUseError, f"no breakdown 'colour'; there are: {', '.join(BREAKDOWNS)}"),
        ({"round_number": 9}, UnknownRoundError, "no round 9; there are: 1, 2"),
        ({"level": 4}, WrongUseError, "no level 4; there are: 1, 2, 3, region"),
    ],
)
def test_what_there_is_is_named(release, options, error, message):
    with pytest.raises(error) as caught:
        view_flows(release, **options)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_view_reads_on_its_own(release):
    frame = view_table(release, view_flows(release), language="mn").frame.set_index(["source", "origin"])
    row = frame.loc[("arrivals", "MN67")]
    assert (row["zone_level"], row["value"], row["units_expected"], row["part_label"]) == (
        "3",
        24,
        2,
        "Хоёр нэгжийн хооронд",
    )
    assert (row["origin_name_mn"], row["destination_name_en"]) == ("Хөвсгөл", "Khoroo 1")
    assert frame.loc[("checkpoint", "MN67"), "hours_observed"] == 16.5
    assert np.isnan(frame.loc[("checkpoint", "MN67"), "registered_coverage_share"])
    assert frame["is_demonstration"].all()
    plain = product_table(release, "flows").frame
    both = plain[(plain["measure"] == "persons") & (plain["reason"] == "total")]
    assert frame["value"].sum() - 27.5 - 46.5 - 61.5 - 700.25 == both["value"].sum()


# --- regions --------------------------------------------------------------------------------------------------------


def level_1(*rows):
    """Rows of a view of level 1 from (source, origin, destination, direction, part, value)."""
    frame = pd.DataFrame(rows, columns=["source", "origin", "destination", "direction", "part", "value"])
    frame["pcode"] = frame["destination"].where(frame["direction"] == "in", frame["origin"])
    status = np.where(frame["value"].notna(), "published", "suppressed")
    fixed = {"round_number": 1, "level": 1, "breakdown": "total", "item": "total", "method": "observed", "note": None}
    return frame.assign(**fixed, status=status, low=np.nan, high=np.nan).astype({"value": "Float64"})


EASTERN = ("MN21", "MN22", "MN23")


def eastern(*, hidden=()):
    """Arrivals told by the three aimags of the east: total = from outside + from the other two."""
    rows = []
    for number, here in enumerate(EASTERN, start=1):
        pairs = {"MN11": 100 * number, "abroad": 10, **{other: number for other in EASTERN if other != here}}
        rows += [
            (
                "arrivals",
                other,
                here,
                "in",
                "abroad" if other == "abroad" else "between",
                None if (other, here) in hidden else n,
            )
            for other, n in pairs.items()
        ]
        rows.append(("arrivals", here, here, "in", "inside", 1000))
        rows.append(("arrivals", "total", here, "in", "total", sum(pairs.values())))
    return level_1(*rows)


def test_a_region_adds_its_aimags_and_keeps_the_moves_between_them_inside():
    rolled, notes = to_regions(eastern(), EASTERN)
    assert notes == []
    found = rolled.set_index("origin")
    assert found["value"].to_dict() == {
        "abroad": 30,
        "eastern": 3000 + 2 * (1 + 2 + 3),
        "total": 630,
        "ulaanbaatar": 600,
    }
    assert found["part"].to_dict() == {
        "abroad": "abroad", "eastern": "inside", "total": "total", "ulaanbaatar": "between",
    }  # fmt: skip
    assert set(rolled["level"]) == {"region"}
    assert found.loc["total", "value"] == found.loc[["abroad", "ulaanbaatar"], "value"].sum()


def test_a_hidden_pair_hides_the_sums_it_is_in_and_no_other():
    rolled, notes = to_regions(eastern(hidden={("MN11", "MN22")}), EASTERN)
    found = rolled.set_index("origin")
    assert pd.isna(found.loc["ulaanbaatar", "value"])
    assert found.loc["ulaanbaatar", "status"] == "suppressed"
    assert found.loc["total", "value"] == 630
    assert notes == ["1 of 4 figures of regions are hidden, because a figure in them is."]
    within, _ = to_regions(eastern(hidden={("MN21", "MN22")}), EASTERN)
    assert set(within.set_index("origin").query("status == 'suppressed'").index) == {"eastern", "total"}


def test_a_region_without_all_its_aimags_is_left_out():
    rows = eastern()
    rolled, notes = to_regions(rows[rows["pcode"] != "MN23"], EASTERN[:2])
    assert rolled.empty
    assert notes == ["Eastern region is left out: the release has 2 of its 3 aimags."]


def test_items_of_a_region_of_several_aimags_can_not_be_made_up():
    rows = eastern().query("part == 'total'").assign(breakdown="sex", item="male")
    rolled, notes = to_regions(rows, EASTERN)
    assert rolled.empty
    assert "Eastern region: breakdowns and totals without pairs tell nothing" in notes[0]
    capital, notes = to_regions(rows.assign(pcode="MN11", destination="MN11").iloc[:1], ["MN11"])
    assert capital[["pcode", "origin", "destination", "item", "value"]].to_numpy().tolist() == [
        ["ulaanbaatar", "total", "ulaanbaatar", "male", 112]
    ]
    assert notes == []


def test_the_country_as_regions_balances():
    """What all regions tell of each other, from both ends, is the same when the aimags told the same."""
    rng = np.random.default_rng(7)
    aimags = places().query("level == 1")["pcode"].tolist()
    table = rng.integers(0, 50, (22, 22))
    rows = []
    for source, direction in (("arrivals", "in"), ("departures", "out")):
        for i, start in enumerate(aimags):
            here = table[:, i] if direction == "in" else table[i, :]
            ends = ("total", start) if direction == "in" else (start, "total")
            rows.append((source, *ends, direction, "total", int(here.sum() - table[i, i])))
            rows += [
                (source, start, end, direction, "inside" if i == j else "between", int(table[i, j]))
                for j, end in enumerate(aimags)
            ]
    rolled, _ = to_regions(level_1(*rows), aimags)
    told = rolled[rolled["part"] != "total"]
    both = [
        told[told["source"] == source].set_index(["origin", "destination"])["value"].sort_index()
        for source in ("arrivals", "departures")
    ]
    pd.testing.assert_series_equal(*both)
    of = [region_of(code).code for code in aimags]
    for (origin, destination), value in both[0].items():
        rows_of, columns_of = [code == origin for code in of], [code == destination for code in of]
        assert value == table[np.ix_(rows_of, columns_of)].sum()
    totals = rolled[(rolled["part"] == "total") & (rolled["source"] == "arrivals")].set_index("destination")["value"]
    outside = both[0][both[0].index.get_level_values(0) != both[0].index.get_level_values(1)]
    assert totals.to_dict() == outside.groupby("destination").sum().to_dict()

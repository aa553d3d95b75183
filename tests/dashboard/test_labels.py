"""Names on the map are few enough to read: those that fit, the areas with most people first, none over another."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pandas as pd
import pytest
import shapely

from dashboard import labels, maps
from dashboard.words import Words

EN = Words("en")


def test_a_name_waits_for_the_zoom_at_which_its_area_is_as_wide():
    # ten letters of 14 px: 84 px. An area of 3.6 degrees is 3.6 / 360 x 512 = 5.12 px wide at zoom 0
    wide = shapely.box(100, 45, 103.6, 46)
    expected = math.log2(84 / 5.12) - labels.SLACK_ZOOM
    assert labels.fitting_zoom("Bayanzurkh", wide, size_px=14) == pytest.approx(expected, abs=0.01)
    half = shapely.box(100, 45, 101.8, 46)
    assert labels.fitting_zoom("Bayanzurkh", half, size_px=14) == pytest.approx(expected + 1, abs=0.01)
    assert labels.fitting_zoom("Bayanzurkh", None, size_px=14) == 0


def layers_of(style):
    return {layer["id"]: layer for layer in style["layers"]}


def test_a_city_names_its_districts_from_afar_and_its_khoroos_from_near_by(snapshot):
    style = labels.style(snapshot, EN)
    layers = layers_of(style)
    assert list(layers) == ["background", maps.LABELS_ID, "districts"]  # the upper ones are placed first
    assert layers["districts"]["minzoom"] == 0
    assert layers[maps.LABELS_ID]["minzoom"] == labels.KHOROO_MIN_ZOOM
    for layer in list(layers.values())[1:]:
        assert "text-allow-overlap" not in layer["layout"]
        assert layer["layout"]["symbol-sort-key"] == ["-", 0, ["get", "people"]]
    people = {
        feature["properties"]["name"]: feature["properties"]["people"]
        for feature in style["sources"]["districts"]["data"]["features"]
    }
    # the third district has khoroos 9 to 12; the last told nothing: 9,300 + 10,300 + 11,300
    assert people["Khan-Uul"] == 30_900
    assert "glyphs" not in style


def country():
    """Two aimags side by side, the second the smaller and with most people, of one soum each."""
    codes = ["MN11", "MN65", "MN1101", "MN6501"]
    levels, names = [1, 1, 2, 2], ["Ulaanbaatar", "Arkhangai", "Bagakhangai", "Battsengel"]
    boxes = [shapely.box(106.9, 47, 107, 47.1), shapely.box(100, 47, 104, 49)] * 2
    areas = pd.DataFrame(
        {
            "pcode": codes, "level": levels, "parent_pcode": [None, None, "MN11", "MN65"], "number": None,
            "name_en": names, "lon": [b.centroid.x for b in boxes], "lat": 47.0, "area_km2": 10.0,
        },
        index=codes,
    )  # fmt: skip
    persons = pd.DataFrame({"pcode": codes, "level": levels, "value": [900.0, 100.0, 900.0, None]})
    return SimpleNamespace(
        areas=areas,
        last_round=1,
        at_level=lambda level: areas[areas["level"] == level],
        shapes=lambda level: {code: box for code, box, at in zip(codes, boxes, levels, strict=True) if at == level},
        rows=lambda _name, *, level, **_: persons[persons["level"] == level],
        layers=lambda _kind: [],
        release_id="r1",
    )


def test_a_country_names_its_aimags_first_and_the_capital_always():
    style = labels.style(country(), EN)
    layers = layers_of(style)
    assert list(layers)[-1] == "aimags"
    assert layers["districts"]["minzoom"] == labels.SOUM_MIN_ZOOM
    found = {f["properties"]["name"]: f["properties"] for f in style["sources"]["aimags"]["data"]["features"]}
    assert found["Ulaanbaatar"]["zoom"] == 0
    assert 0 < found["Arkhangai"]["zoom"] < 5
    (soum,) = [f for f in style["sources"]["districts"]["data"]["features"] if f["properties"]["name"] == "Battsengel"]
    assert soum["properties"]["people"] == 0  # hidden or not reported: after those that are known


def test_borders_of_aimags_stand_out_in_a_country():
    inner, outer = maps.district_lines(country())
    assert "areas-2" in inner["source"]
    assert "areas-1" in outer["source"]
    assert outer["line"]["width"] > 2 * inner["line"]["width"]

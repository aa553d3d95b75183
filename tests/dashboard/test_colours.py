"""What colours say is told apart by colour-blind readers, or said by a pattern, a sign or a place as well."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd
import pytest

from dashboard import charts, maps
from dashboard.account_charts import FLAGS
from dashboard.pages.hazards import SERVICE_COLORS, SERVICES_KNOWN
from dashboard.scales import CLASSES, diverging_scale, sequential_scale

SEEN = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
"""Linear RGB as they see it: Machado, Oliveira & Fernandes 2009, IEEE TVCG 15(6), doi 10.1109/TVCG.2009.113."""
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]])
WHITE = np.array([0.95047, 1.0, 1.08883])
STEP, APART = 12, 20
"""Least distance in CIE L*a*b* (1976) of neighbouring classes, and of colours that stand for different things."""


def rgb(color):
    if color.startswith("#"):
        return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.array([float(part) for part in re.findall(r"[\d.]+", color)[:3]]) / 255


def lab(color, eye):
    linear = np.where(rgb(color) <= 0.04045, rgb(color) / 12.92, ((rgb(color) + 0.055) / 1.055) ** 2.4)
    ratio = XYZ @ np.clip(np.array(SEEN[eye]) @ linear, 0, 1) / WHITE
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one, other, eye):
    return float(np.linalg.norm(lab(one, eye) - lab(other, eye)))


def closest(colors, eye):
    return min(distance(one, other, eye) for one, other in itertools.combinations(colors, 2))


def test_the_measure_tells_a_pair_that_collapses():
    assert lab("#ffffff", "normal") == pytest.approx([100, 0, 0], abs=0.1)
    assert distance("#000000", "#ffffff", "deuteranopia") == pytest.approx(100, abs=0.5)
    green, red = "#2e7d32", "#b3261e"  # far apart for most, alike for some
    assert distance(green, red, "normal") > 90
    assert distance(green, red, "deuteranopia") < APART


@pytest.mark.parametrize("eye", SEEN)
def test_verdicts_charts_and_services_are_told_apart(eye):
    assert closest([flag.color for flag in FLAGS.values()], eye) > APART
    assert closest(SERVICE_COLORS[: len(SERVICES_KNOWN)], eye) > APART
    assert distance(charts.ARRIVALS, charts.DEPARTURES, eye) > APART
    assert distance(charts.ACTUAL, charts.REGISTERED, eye) > APART


def test_verdicts_need_no_colour():
    for what in ("sign", "marker", "pattern"):
        assert len({getattr(flag, what) for flag in FLAGS.values()}) == len(FLAGS)


@pytest.mark.parametrize("eye", SEEN)
def test_classes_of_a_map_are_steps_to_every_eye(eye):
    scale = sequential_scale(pd.Series(np.arange(600.0)), decimals=0)
    assert len(scale.colors) == CLASSES
    assert min(distance(*pair, eye) for pair in itertools.pairwise(scale.colors)) > STEP
    light = [lab(color, eye)[0] for color in scale.colors]
    assert light == sorted(light, reverse=True)
    losses_and_gains = diverging_scale(pd.Series(np.arange(-300.0, 301.0)), decimals=0).colors
    assert min(distance(*pair, eye) for pair in itertools.pairwise(losses_and_gains)) > STEP
    half = len(losses_and_gains) // 2
    for loss, gain in itertools.product(losses_and_gains[:half], losses_and_gains[half + 1 :]):
        assert distance(loss, gain, eye) > APART


def test_each_kind_of_gap_has_lines_of_its_own(snapshot):
    shapes = snapshot.shapes(3)
    codes = sorted(shapes)[:4]
    statuses = ["published", "suppressed", "not_reported", "undefined"]
    frame = pd.DataFrame({"value": [5.0, None, None, None], "status": statuses}, index=codes)
    traces = maps.gap_traces(shapes, frame)
    assert [trace.line.color for trace in traces] == list(maps.GAP_LINES.values())
    slopes = []
    for trace in traces:
        lon, lat = (np.array(axis, dtype=float) for axis in (trace.lon, trace.lat))
        run, rise = lon[1::3] - lon[::3], lat[1::3] - lat[::3]
        slopes.append(set(np.sign(rise / run)))
    assert slopes == [{1.0}, {1.0, -1.0}, {-1.0}]  # rising, crossed, falling
    nothing = maps.gap_traces(shapes, frame.assign(value=None))  # no figure to take a gap for
    assert [trace.line.color for trace in nothing] == [maps.SUPPRESSED_LINE]

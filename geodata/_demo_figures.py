"""Hold the published figures that the demonstration geography is placed and scaled by."""

from __future__ import annotations

from dataclasses import dataclass

CENTRE_KM = (643.3, 5308.7)
"""Sukhbaatar Square (47.919 N, 106.918 E) in EPSG:32648, km; all skeletons below are told from here."""


@dataclass(frozen=True)
class District:
    """A district of Ulaanbaatar as published.

    Khoroos, population of 2020 and area: the Wikipedia article "Districts of Ulaanbaatar", after the city's
    statistics office. Centre: mean point of the district in OCHA's COD-AB of Mongolia, rounded to 0.01 degree.
    """

    pcode: str
    name_en: str
    name_mn: str
    khoroos: int
    population_persons: int
    area_km2: float
    lat: float
    lon: float


DISTRICTS = (
    District("MN1101", "Baganuur", "Багануур", 5, 29_342, 620.2, 47.82, 108.34),
    District("MN1104", "Bagakhangai", "Багахангай", 2, 4_463, 140.0, 47.37, 107.45),
    District("MN1107", "Bayangol", "Баянгол", 34, 231_517, 29.5, 47.91, 106.84),
    District("MN1110", "Bayanzurkh", "Баянзүрх", 43, 367_679, 1244.1, 47.95, 107.14),
    District("MN1113", "Nalaikh", "Налайх", 8, 38_690, 687.6, 47.81, 107.42),
    District("MN1116", "Songinokhairkhan", "Сонгинохайрхан", 43, 335_703, 1200.6, 48.07, 106.64),
    District("MN1119", "Sukhbaatar", "Сүхбаатар", 20, 144_616, 208.4, 48.08, 106.95),
    District("MN1122", "Khan-Uul", "Хан-Уул", 25, 195_927, 484.7, 47.81, 106.74),
    District("MN1125", "Chingeltei", "Чингэлтэй", 24, 151_203, 89.3, 48.03, 106.88),
)

NODES_KM: dict[str, tuple[float, float]] = {
    "c0": (-1.6, -1.3), "c1": (-1.8, 0.1), "c2": (-4.0, 2.2), "c3": (-8.9, -4.8), "c4": (1.1, -3.1), "c5": (-7.7, 1.5),
    "n1": (-5.2, 25.5), "n1a": (-5.9, 12.0), "n2": (-3.0, 27.4), "n2a": (-0.0, 11.7), "n3": (7.4, 31.0),
    "n3a": (5.4, 15.2), "n3b": (1.9, 4.2), "w0": (-12.6, 35.0), "w1": (-29.8, 36.8), "w2": (-40.3, 23.8),
    "w3": (-37.6, 9.2), "w4": (-25.1, -5.0), "w5": (-30.4, -12.4), "k1": (-22.3, -23.1), "k2": (-9.9, -21.5),
    "k3": (0.7, -17.7), "k4": (1.8, -9.0), "b1": (16.3, 29.6), "b2": (28.9, 20.6), "b3": (36.6, 10.7),
    "b4": (29.7, -0.4), "b5": (28.0, -12.0), "b6": (16.0, -21.4), "l1": (45.1, 4.0), "l2": (52.3, -7.7),
    "l3": (49.2, -21.1), "l4": (38.1, -26.5), "l5": (25.6, -21.4),
    "u1": (96.5, -20.5), "u2": (112.0, -18.5), "u3": (117.5, -4.5), "u4": (113.0, 9.5), "u5": (98.5, 6.0),
    "h1": (34.5, -61.5), "h2": (42.0, -66.0), "h3": (48.5, -59.5), "h4": (44.5, -51.5), "h5": (37.0, -53.5),
}  # fmt: skip
"""Made-up corners of the districts, km east and north of the square.

They were moved about by least squares until each district had its published area and middle; they follow no survey.
"""

RINGS: dict[str, tuple[str, ...]] = {
    "MN1101": ("u1", "u2", "u3", "u4", "u5"),
    "MN1104": ("h1", "h2", "h3", "h4", "h5"),
    "MN1107": ("c0", "c1", "c2", "c5", "c3"),
    "MN1110": ("c4", "k4", "k3", "b6", "b5", "b4", "b3", "b2", "b1", "n3", "n3a", "n3b"),
    "MN1113": ("b3", "b4", "b5", "b6", "l5", "l4", "l3", "l2", "l1"),
    "MN1116": ("c3", "c5", "c2", "n1a", "n1", "w0", "w1", "w2", "w3", "w4"),
    "MN1119": ("c0", "c4", "n3b", "n3a", "n3", "n2", "n2a", "c1"),
    "MN1122": ("c0", "c3", "w4", "w5", "k1", "k2", "k3", "k4", "c4"),
    "MN1125": ("c1", "n2a", "n2", "n1", "n1a", "c2"),
}

RIVER_KM = (
    (54.0, 4.0), (44.0, -1.0), (33.0, -3.0), (22.0, -3.5), (13.0, -2.2), (6.0, -4.0), (0.5, -3.4), (-6.0, -5.4),
    (-12.0, -7.4), (-20.0, -9.8), (-27.0, -9.4), (-36.0, -14.0),
)  # fmt: skip
"""A made-up river through the city, about where the Tuul runs."""

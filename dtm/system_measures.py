"""Declare the indices of a system of areas once: unit, words, formula and source."""

from __future__ import annotations

from dataclasses import dataclass

from dtm.measures import PERCENT, PERSONS

KM = "km"
RATIO = "ratio"
SYSTEM_UNITS = (PERSONS, PERCENT, KM, RATIO)
"""Units of the indices; a ratio has none."""

_BELL = "Bell et al. 2002, JRSS A 165(3), doi 10.1111/1467-985X.00247"
_COURGEAU = "Courgeau 1973, Population 28(1), doi 10.2307/1530972"
_PLANE = "Plane & Mulligan 1997, Demography 34(2); corrected as in Bell et al. 2002, doi 10.1111/1467-985X.00247"
_FLOWERDEW = "Flowerdew & Aitkin 1982, Journal of Regional Science 22; R package migest, index_distance"


@dataclass(frozen=True)
class SystemIndex:
    """One index of the areas of a level as one system, computed from the published moves between them."""

    name: str
    unit: str
    label_en: str
    label_mn: str
    formula: str
    reference: str


SYSTEM_INDICES: dict[str, SystemIndex] = {
    index.name: index
    for index in (
        SystemIndex(
            "movers", PERSONS, "Moves between the areas", "Нэгж хооронд шилжсэн хүн",
            "M: sum of m_ij over all pairs of different areas", _BELL,
        ),
        SystemIndex(
            "population", PERSONS, "People of the areas", "Нэгжүүдийн хүн ам",
            "P: sum of the actual persons of all areas, less half of their change since the round before (mid-period)",
            _BELL,
        ),
        SystemIndex(
            "crude_migration_intensity_pct", PERCENT, "Crude migration intensity", "Шилжилтийн ерөнхий эрчим",
            "CMI = 100 M / P, of the days the moves were asked for, not a year's", _BELL,
        ),
        SystemIndex(
            "courgeau_k", RATIO, "Courgeau's k", "Куржогийн k үзүүлэлт",
            "k = CMI / ln n^2, n the number of areas; compares divisions into areas", _COURGEAU,
        ),
        SystemIndex(
            "effectiveness_mei", PERCENT, "Migration effectiveness index", "Шилжилтийн үр дүнтэй байдлын индекс",
            "MEI = 100 sum |D - O| / sum (D + O), within the system", _BELL,
        ),
        SystemIndex(
            "anmr_pct", PERCENT, "Aggregate net migration rate", "Цэвэр шилжилтийн нэгдсэн түвшин",
            "ANMR = 100 (1/2) sum |D - O| / P = CMI x MEI / 100", _BELL,
        ),
        SystemIndex(
            "connectivity", RATIO, "Connectivity", "Холбогдсон байдал",
            "share of the n (n - 1) pairs of areas with moves", _BELL,
        ),
        SystemIndex(
            "inequality", RATIO, "Inequality of the flows", "Урсгалын тэгш бус байдал",
            "(1/2) sum |m_ij / M - 1 / (n (n - 1))|", _BELL,
        ),
        SystemIndex(
            "inequality_independence", RATIO, "Inequality beyond the areas' totals",
            "Нэгжийн нийлбэрээс гадуурх тэгш бус байдал",
            "(1/2) sum |m_ij - mu_ij| / M, mu the Poisson fit moves ~ origin + destination", _BELL,
        ),
        SystemIndex(
            "gini_total", RATIO, "Gini index of all flows", "Бүх урсгалын Жини коэффициент",
            "sum of |m_ij - m_kl| over all pairs of cells / (2 (n (n - 1) - 1) M)", _PLANE,
        ),
        SystemIndex(
            "gini_in", RATIO, "Gini index of origins", "Гарсан газрын Жини коэффициент",
            "sum_j (D_j / M) G_j, G_j = sum |m_ij - m_kj| / (2 (n - 2) D_j)", _PLANE,
        ),
        SystemIndex(
            "gini_out", RATIO, "Gini index of destinations", "Очих газрын Жини коэффициент",
            "sum_i (O_i / M) G_i, G_i = sum |m_ij - m_ik| / (2 (n - 2) O_i)", _PLANE,
        ),
        SystemIndex(
            "mean_distance_km", KM, "Mean distance of a move", "Шилжилтийн дундаж зай",
            "sum m_ij d_ij / M, d between population-weighted centroids", _BELL,
        ),
        SystemIndex(
            "median_distance_km", KM, "Median distance of a move", "Шилжилтийн медиан зай",
            "least distance that half of the moves don't exceed", _BELL,
        ),
        SystemIndex(
            "distance_decay", RATIO, "Distance decay", "Зайн сөрөг нөлөө",
            "beta of the Poisson model log mu_ij = a_i + b_j + beta log d_ij, i not j", _FLOWERDEW,
        ),
    )
}  # fmt: skip
"""Indices of the release table `system`, by name; the names are those of `dtm indicators --json`."""

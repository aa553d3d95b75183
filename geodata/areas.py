"""Read a file of areas into one checked table: codes, names, numbers, polygons, and all that is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import pandas as pd
import shapely

from geodata import _area_checks as checks
from geodata import _area_fields as fields
from geodata import pcodes
from geodata._vector_files import RawLayer, names_of, read_vector
from geodata.errors import GeodataUseError
from geodata.findings import AreaFinding, has_errors

if TYPE_CHECKING:
    from pathlib import Path

GAP_TOLERANCE_M: Final = 5.0
"""Gaps narrower than this are slivers of drawing (in the real 204 khoroos the widest is 2.6 m)."""
OVERLAP_TOLERANCE_KM2: Final = 0.2
"""Overlaps of a pair up to this are slivers of drawing (in the real 152 khoroos the largest is 0.10 km2)."""
AREA_COLUMNS: Final = (
    "pcode", "level", "parent_pcode", "number", "name_mn", "name_en", "declared_population_persons", "area_km2", "lon",
    "lat", "geometry",
)  # fmt: skip
_LISTED_LEVEL: Final = 2
_M2_PER_KM2: Final = 1e6
_LOCAL_KINDS: Final = {"khoroo": ("хороо", "Khoroo"), "bagh": ("баг", "Bagh"), "kheseg": ("хэсэг", "Kheseg")}


@dataclass(frozen=True)
class AreaSet:
    """A set of areas as read from one file; if `findings` holds an error nothing of it may be loaded.

    `areas` is in EPSG:4326, sorted by pcode: pcode, level, parent_pcode, number (nullable), name_mn, name_en,
    declared_population_persons (nullable), area_km2 (measured in `area_crs`: EPSG:32648 around Ulaanbaatar, the
    equal-area EPSG:6933 for sets that reach beyond 101-109.5 E), lon and lat of a point inside, geometry.
    """

    name: str
    level: int
    areas: gpd.GeoDataFrame
    crs: str
    area_crs: str
    file_name: str
    file_sha256: str
    findings: list[AreaFinding]

    @property
    def has_errors(self) -> bool:
        """Say whether an error forbids loading the set."""
        return has_errors(self.findings)


@dataclass(frozen=True)
class _Request:
    """What the caller wants of a file."""

    level: int
    parents: gpd.GeoDataFrame | None
    name_field: str | None
    parent_field: str | None
    number_field: str | None
    population_field: str | None

    def parent_names(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the loaded parents by P-code."""
        if self.parents is None:
            return {}
        named = self.parents[["pcode", "name_mn", "name_en"]].itertuples(index=False)
        return {str(row[0]): (str(row[1] or ""), str(row[2] or "")) for row in named}


def read_areas(  # noqa: PLR0913  (one argument for each option of the command)
    path: Path,
    *,
    area_set: str | None = None,
    level: int,
    parents: gpd.GeoDataFrame | None = None,
    name_field: str | None = None,
    parent_field: str | None = None,
    number_field: str | None = None,
    population_field: str | None = None,
    repair: bool = False,
    gap_tolerance_m: float = GAP_TOLERANCE_M,
    overlap_tolerance_km2: float = OVERLAP_TOLERANCE_KM2,
) -> AreaSet:
    """Read GeoJSON (also .gz), GeoPackage, zipped Shapefile, KML or FlatGeobuf as the areas of one level.

    `area_set` names the result (by default as the file). `parents` (columns pcode, name_mn, name_en, geometry, one
    level up) checks declared parents against polygons; without it parents are known from OCHA's list. How fields are
    found is written down in `geodata._area_fields`. An overlap of more than `overlap_tolerance_km2` or 5 % of the
    smaller area is an error; a gap wider than `gap_tolerance_m` is a warning, because it may be an enclave; narrower
    slivers are summed up in one warning.

    Raises
    ------
    GeodataUseError
        If `level` is not 0 to 4.
    UnreadableFileError
        If there is no such file. All else is a finding.
    """
    if not 0 <= level <= pcodes.MAXIMUM_LEVEL:
        raise GeodataUseError(
            f"level {level} is not one of 0 country, 1 aimag, 2 soum or district, 3 bagh or khoroo, 4 kheseg"
        )
    raw = read_vector(path)
    area_set = area_set or path.name.partition(".")[0]
    request = _Request(level, parents, name_field, parent_field, number_field, population_field)
    if raw.frame.empty or raw.unusable:
        return _result(raw, area_set, level, _table([]))
    names = names_of(raw.frame)
    checks.check_each(raw, names=names, repair=repair)
    shares = checks.parents_by_polygon(raw, parents) if parents is not None and len(parents) else {}
    rows = _identified(raw, request, shares)
    names |= {feature: row["name_mn"] or row["pcode"] for feature, row in rows.items()}
    _check_codes(raw, rows, request)
    if parents is not None and level > 1:
        declared = {feature: str(row["parent_pcode"]) for feature, row in rows.items()}
        field = next((row["parent_field"] for row in rows.values()), "")
        checks.check_parents(raw, parents, declared=declared, names=names, field=field, shares=shares)
    _add_populations(raw, rows, population_field)
    pairs = checks.check_duplicates(raw, names=names)
    checks.check_coverage(
        raw, names=names, gap_tolerance_m=gap_tolerance_m, overlap_tolerance_km2=overlap_tolerance_km2, known=pairs
    )
    geometries = dict(raw.frame.geometry.items())
    whole = [row | {"geometry": geometries[key]} for key, row in rows.items() if geometries[key] is not None]
    return _result(raw, area_set, level, _table(whole))


def _result(raw: RawLayer, name: str, level: int, areas: gpd.GeoDataFrame) -> AreaSet:
    measured = checks.EQUAL_AREA
    if len(areas):
        west, _, east, _ = areas.total_bounds
        measured = checks.area_crs(west, east)
        areas["area_km2"] = areas.to_crs(measured).area / _M2_PER_KM2
        points = shapely.point_on_surface(areas.geometry.array)
        areas["lon"], areas["lat"] = shapely.get_x(points), shapely.get_y(points)
    return AreaSet(name, level, areas, raw.crs, measured, raw.file_name, raw.file_sha256, list(raw.findings))


def _table(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    """Return the declared columns, sorted by P-code."""
    data = pd.DataFrame(
        {name: [row.get(name) for row in rows] for name in AREA_COLUMNS if name not in ("geometry", "area_km2")}
    )
    for name in ("pcode", "parent_pcode", "name_mn", "name_en"):
        data[name] = data[name].astype("str")
    data["level"] = data["level"].astype("int64")
    for name in ("number", "declared_population_persons"):
        data[name] = data[name].astype("Int64")
    for name in ("lon", "lat", "area_km2"):
        data[name] = pd.Series([float("nan")] * len(data), dtype="float64")
    frame = gpd.GeoDataFrame(data, geometry=[row["geometry"] for row in rows], crs="EPSG:4326")
    return frame[list(AREA_COLUMNS)].sort_values("pcode", kind="stable", ignore_index=True)


# --- Codes and names ---------------------------------------------------------------------------------------------


def _identified(raw: RawLayer, request: _Request, shares: dict[int, dict[str, float]]) -> dict[int, dict[str, Any]]:
    """Return for each feature that can be identified its code, parent, number and names."""
    asked = (request.name_field, request.parent_field, request.number_field, request.population_field)
    for name in asked:
        if name is not None and not fields.given_field(raw, name):
            return {}
    if request.level == 0:
        return {int(feature): _row(pcodes.COUNTRY_PCODE, 0, "") for feature in raw.frame.index}
    own = fields.find_pcode(raw, level=request.level)
    if own.field:
        codes = _required(raw, own, request.level, missing="pcode-missing", unknown="pcode-unknown")
        return {feature: _row(code, request.level, own.field) for feature, code in codes.items()}
    if fields.undecided(raw):
        return {}
    return _by_name(raw, request) if request.level <= _LISTED_LEVEL else _by_number(raw, request, shares)


def _required(raw: RawLayer, found: fields.Found, level: int, *, missing: str, unknown: str) -> dict[int, str]:
    """Return what a field says, with a finding for each feature it says nothing useful about."""
    texts = fields.column(raw, found.field)
    result: dict[int, str] = {}
    for feature, value in found.answers.items():
        text = texts[feature]
        if value is not None:
            result[feature] = value
        elif not text or set(text) == {"?"}:
            raw.add(missing, feature=feature, field=found.field)
        else:
            raw.add(unknown, feature=feature, field=found.field, value=text, level=level)
    return result


def _row(code: str, level: int, parent_field: str, number: int | None = None) -> dict[str, Any]:
    mongolian, english = _names(code, level)
    return {
        "pcode": code, "level": level, "parent_pcode": pcodes.parent_of(code), "name_mn": mongolian, "name_en": english,
        "number": number if number is not None or level <= _LISTED_LEVEL else int(code[-2:]),
        "declared_population_persons": None, "parent_field": parent_field,
    }  # fmt: skip


def _names(code: str, level: int) -> tuple[str, str]:
    """Return the listed names; below level 2 the number and what kind of area it is."""
    if level <= _LISTED_LEVEL:
        return pcodes.place_name(code)
    kind = "kheseg" if level == pcodes.MAXIMUM_LEVEL else "khoroo"
    if kind == "khoroo" and not code.startswith(pcodes.CAPITAL_PCODE):
        kind = "bagh"
    mongolian, english = _LOCAL_KINDS[kind]
    return f"{int(code[-2:])}-р {mongolian}", f"{english} {int(code[-2:])}"


def _by_name(raw: RawLayer, request: _Request) -> dict[int, dict[str, Any]]:
    """Identify aimags, soums and districts by their names, inside the parent where a field names it."""
    parent = fields.Found("", {})
    if request.level == _LISTED_LEVEL:
        parent = fields.find_parent(raw, level=_LISTED_LEVEL, parents=request.parent_names(), only=request.parent_field)
    candidates = [request.name_field] if request.name_field else [f for f in raw.fields if f != parent.field]
    units = {code[:4] for code in request.parent_names()}
    default = units.pop() if len(units) == 1 and request.level == _LISTED_LEVEL else None
    best = fields.Found("", {})
    for name in candidates:
        texts = fields.column(raw, name)
        for values in _matches(raw, name, texts, parent.answers, default, request.level):
            if sum(map(bool, values.values())) > sum(map(bool, best.answers.values())):
                best = fields.Found(name, values)
    if not best.field:
        _not_found(raw, "P-codes or names", "--name-field")
        return {}
    codes = _required(raw, best, request.level, missing="pcode-missing", unknown="pcode-unknown")
    return {feature: _row(code, request.level, parent.field or best.field) for feature, code in codes.items()}


def _matches(
    raw: RawLayer, name: str, texts: dict[int, str], parent: fields.Values, default: str | None, level: int
) -> list[fields.Values]:
    """Return what the names of a field mean: inside their parents, and all inside the unit that has most of them."""
    scoped: fields.Values = {
        feature: pcodes.match_name(text, parent=parent.get(feature) or default, level=level)
        for feature, text in texts.items()
    }
    if level < _LISTED_LEVEL or parent or default:
        return [scoped]
    matcher = fields.name_matcher(raw, level=level, parents={}, fields=[name])
    return [scoped, {feature: matcher(text) for feature, text in texts.items()}]


def _by_number(raw: RawLayer, request: _Request, shares: dict[int, dict[str, float]]) -> dict[int, dict[str, Any]]:
    """Identify khoroos, baghs and khesegs by parent and number."""
    parent = fields.find_parent(raw, level=request.level, parents=request.parent_names(), only=request.parent_field)
    number = fields.find_number(raw, level=request.level, only=request.number_field)
    if not parent.field and shares and request.parent_field is None:
        largest = {
            feature: max(sorted(inside), key=lambda c: inside[c]) for feature, inside in shares.items() if inside
        }
        parent = fields.Found("geometry", {feature: largest.get(int(feature)) for feature in raw.frame.index})
        raw.add("parent-by-polygon")
        parents = {feature: code for feature, code in parent.answers.items() if code}
    elif not parent.field:
        if not fields.undecided(raw):
            _not_found(raw, "the parent of each area", "--parent-field")
        return {}
    else:
        parents = _required(raw, parent, request.level - 1, missing="parent-unknown", unknown="parent-unknown")
    if not number.field:
        if not fields.undecided(raw):
            _not_found(raw, "the number of each area", "--number-field")
        return {}
    numbers = _numbers(raw, number)
    named = fields.name_values(raw, request.name_field, ("name_mn",))
    english = fields.name_values(raw, None, ("name_en",))
    rows: dict[int, dict[str, Any]] = {}
    for feature in sorted(set(parents) & set(numbers)):
        code = pcodes.local_pcode(parents[feature], numbers[feature])
        rows[feature] = _row(code, request.level, parent.field, numbers[feature])
        own = named.get(feature, "")
        if own:
            rows[feature]["name_mn" if fields.has_cyrillic(own) else "name_en"] = own
        if english.get(feature):
            rows[feature]["name_en"] = english[feature]
    return rows


def _numbers(raw: RawLayer, found: fields.Found) -> dict[int, int]:
    texts = fields.column(raw, found.field)
    result: dict[int, int] = {}
    for feature, digits in found.answers.items():
        if digits is not None and 1 <= int(digits) <= pcodes.MAXIMUM_LOCAL_NUMBER:
            result[feature] = int(digits)
        elif not texts[feature]:
            raw.add("number-missing", feature=feature, field=found.field)
        else:
            raw.add("number-text", feature=feature, field=found.field, value=texts[feature])
    return result


def _not_found(raw: RawLayer, wanted: str, option: str) -> None:
    raw.add("field-not-found", wanted=wanted, candidates=", ".join(raw.fields) or "-", option=option)


def _check_codes(raw: RawLayer, rows: dict[int, dict[str, Any]], request: _Request) -> None:
    """Find codes given twice, and codes that seem to be left out."""
    seen: dict[str, int] = {}
    by_parent: dict[str, set[str]] = {}
    for feature in sorted(rows):
        code = rows[feature]["pcode"]
        first = seen.setdefault(code, feature)
        if first != feature:
            raw.add("pcode-duplicate", feature=feature, other=first, value=code)
        by_parent.setdefault(str(rows[feature]["parent_pcode"]), set()).add(code)
    listed = pcodes.places()
    for parent in sorted(by_parent):
        codes = by_parent[parent]
        if request.level <= _LISTED_LEVEL and parent != "None":
            expected = set(listed.loc[listed["parent_pcode"] == parent, "pcode"])
            left_out = sorted(expected - codes)
            if left_out:
                details = {"count": len(left_out), "expected": len(expected), "candidates": ", ".join(left_out)}
                raw.add("pcode-short", parent=parent, **details)
        elif request.level > _LISTED_LEVEL:
            numbers = {int(code[-2:]) for code in codes}
            holes = sorted(set(range(1, max(numbers) + 1)) - numbers)
            if holes:
                raw.add("number-gap", parent=parent, candidates=", ".join(map(str, holes)))


def _add_populations(raw: RawLayer, rows: dict[int, dict[str, Any]], given: str | None) -> None:
    field = given or fields.find_population(raw)
    if field is None or field not in raw.fields:
        return
    for feature, text in fields.column(raw, field).items():
        if not text:
            continue
        try:
            number = float(text.replace("\u00a0", "").replace(" ", ""))
            whole = int(number) if number.is_integer() else None
        except (ValueError, OverflowError):
            whole = None
        if whole is None:
            raw.add("population-text", feature=feature, field=field, value=text)
        elif whole < 0:
            raw.add("population-negative", feature=feature, field=field, value=text)
        elif feature in rows:
            rows[feature]["declared_population_persons"] = whole

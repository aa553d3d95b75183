"""Make up where people live: a density on a grid, the share of it in ger areas, and points drawn from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from rasterio.features import rasterize
from rasterio.transform import Affine

from geodata._demo_figures import CENTRE_KM, RIVER_KM

Floats = npt.NDArray[np.float64]

CELL_M = 100.0
"""Width of a population cell."""
MAX_CELLS = 4_000_000
"""Larger extents get wider cells."""
GER_AREA_PERSONS_PER_HA = 12.0
"""A cell is ger area from this density of people outside apartments on."""

APARTMENT_QUARTERS_KM = (
    (0.0, 0.1, 2.6, 1.3, 1.0), (-5.6, -0.4, 2.6, 1.0, 1.0), (4.6, -0.4, 2.4, 1.2, 0.9), (-11.5, 0.2, 2.0, 1.0, 0.7),
    (-8.8, -7.0, 2.6, 0.9, 0.5), (-0.5, -5.8, 2.2, 0.8, 0.5), (9.5, -1.4, 1.6, 0.9, 0.4), (26.8, -16.6, 1.0, 0.7, 0.25),
    (108.4, -10.4, 1.1, 0.8, 0.3), (43.6, -60.6, 0.7, 0.5, 0.15),
)  # fmt: skip
"""East and north of the square, spread east and north (km), and weight of the apartment quarters; made up."""
SOUTH_BANK_SETTLED_TO_KM = -6.0
"""West of here people settle south of the river too; made up."""
TOWNS_KM = ((26.8, -16.6, 2.0), (108.4, -10.4, 2.2), (43.6, -60.6, 1.1))
"""Ger areas round the three outer towns: east, north, spread; made up."""


@dataclass(frozen=True)
class PeopleGrid:
    """Persons per cell (row 0 in the north), those of them in ger areas, and the grid's place in EPSG:32648."""

    persons: Floats
    ger_persons: Floats
    transform: Affine
    cell_m: float
    scale: float = 1.0
    """People settled, as a share of those published for the place."""

    @property
    def ger_mask(self) -> npt.NDArray[np.bool_]:
        """Return the cells that are ger area."""
        hectares = self.cell_m**2 / 10_000
        mask: npt.NDArray[np.bool_] = self.ger_persons / hectares >= GER_AREA_PERSONS_PER_HA * self.scale
        return mask


def value_noise(x: Floats, y: Floats, *, rng: np.random.Generator, octaves: int = 4, wrap: int = 0) -> Floats:
    """Return smooth noise from 0 to 1 at positions told in lattice steps; `wrap` closes x after so many steps."""
    total, weight, result = 0.0, 1.0, np.zeros_like(x)
    for octave in range(octaves):
        scale = 2**octave
        steps = 64
        lattice = rng.random((steps * 4, steps * 4))
        xs, ys = x * scale, y * scale
        x0, y0 = np.floor(xs).astype(int), np.floor(ys).astype(int)
        u, v = xs - x0, ys - y0
        u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
        modulus_x = wrap * scale if wrap else lattice.shape[0]
        xa, xb = x0 % modulus_x % lattice.shape[0], (x0 + 1) % modulus_x % lattice.shape[0]
        ya, yb = y0 % lattice.shape[1], (y0 + 1) % lattice.shape[1]
        upper = lattice[xa, ya] * (1 - u) + lattice[xb, ya] * u
        lower = lattice[xa, yb] * (1 - u) + lattice[xb, yb] * u
        result += weight * (upper * (1 - v) + lower * v)
        total, weight = total + weight, weight * 0.5
    return result / total


def _east_north_km(bounds: Floats, cell_m: float) -> tuple[Floats, Floats, Affine]:
    west, south, east, north = bounds
    west, north = np.floor(west / cell_m) * cell_m, np.ceil(north / cell_m) * cell_m
    columns, rows = int(np.ceil((east - west) / cell_m)), int(np.ceil((north - south) / cell_m))
    x = (west + (np.arange(columns) + 0.5) * cell_m) / 1000 - CENTRE_KM[0]
    y = (north - (np.arange(rows) + 0.5) * cell_m) / 1000 - CENTRE_KM[1]
    east_km, north_km = np.meshgrid(x, y)
    return east_km, north_km, Affine(cell_m, 0.0, west, 0.0, -cell_m, north)


def _apartments(x: Floats, y: Floats, noise: Floats) -> Floats:
    result = np.zeros_like(x)
    for east, north, spread_x, spread_y, weight in APARTMENT_QUARTERS_KM:
        near = np.exp(-(((x - east) / spread_x) ** 2) - ((y - north) / spread_y) ** 2)
        result += weight * near
    result[result < 0.06] = 0.0  # noqa: PLR2004  an apartment quarter ends somewhere
    return result * (0.35 + 1.3 * noise)


def _gers(x: Floats, y: Floats, apartments: Floats, noise: Floats, *, rng: np.random.Generator) -> Floats:
    """Lay ger areas on the slopes and up the valleys that run out of the basin, few of them south of the river."""
    radius = np.hypot(x / 1.75, y - 0.5)
    angle = (np.arctan2(y, x) / (2 * np.pi) + 0.5) * 28
    valleys = value_noise(angle, radius / 9.0, rng=rng, octaves=3, wrap=28)
    reach = np.exp(-((np.maximum(radius - 2.2, 0) / (1.6 + 8.0 * valleys**1.6)) ** 2))
    river = np.interp(x, [e for e, _ in RIVER_KM][::-1], [n for _, n in RIVER_KM][::-1])
    south = np.where(
        y < river - 0.4, np.where(x < SOUTH_BANK_SETTLED_TO_KM, 0.12, 0.02), np.where(y < river + 0.6, 0.25, 1.0)
    )
    result = reach * south * np.clip((noise - 0.30) * 2.6, 0, 1)
    for east, north, spread in TOWNS_KM:
        near = np.exp(-((np.hypot(x - east, y - north) / spread) ** 2))
        result += 0.9 * near * np.clip((noise - 0.25) * 2.4, 0, 1)
    result[result < 0.02] = 0.0  # noqa: PLR2004  a ger area ends somewhere
    return result * np.exp(-4 * apartments)


def _villages(x: Floats, *, rng: np.random.Generator, count: int = 70) -> Floats:
    """Scatter hamlets and camps over the country round the city."""
    result = np.zeros_like(x)
    rows, columns = x.shape
    for row, column, size in zip(
        rng.integers(0, rows, count), rng.integers(0, columns, count), rng.uniform(2, 5, count), strict=True
    ):
        reach = 15
        box = (slice(max(row - reach, 0), row + reach), slice(max(column - reach, 0), column + reach))
        rr, cc = np.indices(x[box].shape)
        rr, cc = rr + box[0].start - row, cc + box[1].start - column
        result[box] += 0.05 * np.exp(-(rr**2 + cc**2) / size**2)
    result[result < 0.003] = 0.0  # noqa: PLR2004
    return result


def build_people(polygons: list[Any], persons: Floats, *, rng: np.random.Generator, scale: float = 1.0) -> PeopleGrid:
    """Spread the given persons over each polygon by the made-up density.

    Parameters
    ----------
    polygons : list of shapely geometries
        Where people live, EPSG:32648; the sums of the grid over them are `persons`.
    persons : array
        Persons per polygon.
    rng : numpy.random.Generator
        Source of chance.
    scale : float
        `persons` as a share of those published for the place; ger areas are thinner in the same measure.
    """
    bounds = shapely.total_bounds(polygons)
    extent_m2 = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1])
    cell_m = CELL_M * max(1.0, np.ceil(np.sqrt(extent_m2 / MAX_CELLS) / CELL_M))
    x, y, transform = _east_north_km(bounds, cell_m)
    noise = value_noise(x / 1.3 + 64, y / 1.3 + 64, rng=rng, octaves=4)
    apartments = 3.2 * _apartments(x, y, noise)
    gers = _gers(x, y, apartments, noise, rng=rng) + _villages(x, rng=rng)
    owner = rasterize(
        zip(polygons, range(1, len(polygons) + 1), strict=True),
        out_shape=x.shape, transform=transform, fill=0, dtype="int32",
    ).ravel()  # fmt: skip
    weight = (apartments + gers).ravel()
    sums = np.bincount(owner, weight, len(polygons) + 1)
    empty = (sums <= 0)[owner]
    weight[empty] = 1.0
    sums = np.bincount(owner, weight, len(polygons) + 1)
    factor = np.concatenate([[0.0], persons]) / np.where(sums > 0, sums, 1.0)
    total = (weight * factor[owner]).reshape(x.shape)
    share = np.divide(gers, apartments + gers, out=np.ones_like(gers), where=apartments + gers > 0)
    return PeopleGrid(total, total * share, transform, cell_m, scale)


def draw_points(
    grid: PeopleGrid, polygon: Any, count: int, *, rng: np.random.Generator, anywhere: float = 0.05
) -> Floats:
    """Draw points inside a polygon, most of them where people live; a share `anywhere` of them anywhere in it.

    Returns an array of shape (count, 2), EPSG:32648.
    """
    west, south, east, north = shapely.bounds(polygon)
    column0, row0 = (int(np.floor(value)) for value in ~grid.transform @ (west, north))
    column1, row1 = (int(np.ceil(value)) for value in ~grid.transform @ (east, south))
    rows, columns = grid.persons.shape
    row0, column0 = max(row0, 0), max(column0, 0)
    window = grid.persons[row0 : min(row1, rows), column0 : min(column1, columns)]
    weight = window.ravel()
    shapely.prepare(polygon)
    parts: list[Floats] = []
    have = 0
    for attempt in range(40):
        wanted = 2 * count + 50
        box = rng.uniform((west, south), (east, north), (wanted, 2))
        if weight.sum() > 0 and attempt < 6:  # noqa: PLR2004  then it holds hardly any cell with people
            cell = rng.choice(len(weight), size=wanted, p=weight / weight.sum())
            row, column = np.divmod(cell, window.shape[1])
            x = grid.transform.c + (column0 + column + rng.random(wanted)) * grid.cell_m
            y = grid.transform.f - (row0 + row + rng.random(wanted)) * grid.cell_m
            loose = rng.random(wanted) < anywhere
            box = np.where(loose[:, None], box, np.stack([x, y], axis=1))
        inside = box[shapely.contains_xy(polygon, box)]
        parts.append(inside)
        have += len(inside)
        if have >= count:
            break
    return np.concatenate(parts)[:count]


def ger_share_at(grid: PeopleGrid, points: Floats) -> Floats:
    """Return the share of people in ger areas in the cells of the points (1 where nobody lives)."""
    column = ((points[:, 0] - grid.transform.c) / grid.cell_m).astype(int).clip(0, grid.persons.shape[1] - 1)
    row = ((grid.transform.f - points[:, 1]) / grid.cell_m).astype(int).clip(0, grid.persons.shape[0] - 1)
    persons = grid.persons[row, column]
    shares: Floats = np.divide(grid.ger_persons[row, column], persons, out=np.ones_like(persons), where=persons > 0)
    return shares


def sum_cells(grid: PeopleGrid, polygons: list[Any]) -> Floats:
    """Return the persons of the cells whose middle lies in each polygon."""
    owner = rasterize(
        zip(polygons, range(1, len(polygons) + 1), strict=True),
        out_shape=grid.persons.shape, transform=grid.transform, fill=0, dtype="int32",
    )  # fmt: skip
    sums: Floats = np.bincount(owner.ravel(), grid.persons.ravel(), len(polygons) + 1)[1:].astype(np.float64)
    return sums

"""Make up a valid coverage of areas with rough borders: Voronoi cells, each edge displaced alike for both sides."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import shapely

WEST, SOUTH, EAST, NORTH = 106.3, 47.3, 108.5, 48.3
CENTRE = (106.92, 47.92)
DECIMALS = 7
ROUGHNESS = 0.1
"""Displacement of an edge's middle, as a share of its length; halves of the edge get less by `DECAY` each time."""
DECAY = 0.6
MANY = 2_000
DEPTH, DEPTH_MANY = 6, 4
"""Halvings of an edge: about 400 corners an area, about 100 where there are many areas."""


def build_coverage(n: int, *, seed: int = 1) -> gpd.GeoDataFrame:
    """Return `n` areas, small in the centre and large outside, EPSG:4326, columns pcode and geometry."""
    rng = np.random.default_rng(seed)
    seeds = _seeds(n, rng)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(np.vstack([seeds, _ring()]))))
    own = shapely.STRtree(cells).query(shapely.points(seeds), predicate="within")
    cells = cells[own[1][np.argsort(own[0])]]
    rings = [np.round(shapely.get_coordinates(cell), DECIMALS) for cell in cells]
    depth = DEPTH_MANY if n > MANY else DEPTH
    straight: set[tuple] = set()
    while True:
        polygons = np.array([_rough(ring, depth=depth, seed=seed, straight=straight) for ring in rings])
        bad = ~shapely.is_valid(polygons)
        bad[np.unique(_crossing(polygons))] = True
        if not bad.any():
            break
        straight |= {_edge(a, b) for i in bad.nonzero()[0] for a, b in pairwise(rings[i])}
    codes = [f"A{number:05d}" for number in range(n)]
    return gpd.GeoDataFrame({"pcode": codes}, geometry=polygons, crs="EPSG:4326")


def _seeds(n: int, rng: np.random.Generator) -> np.ndarray:
    close = rng.normal(CENTRE, (0.12, 0.06), size=(n // 2, 2))
    far = rng.uniform((WEST, SOUTH), (EAST, NORTH), size=(n - n // 2, 2))
    return np.clip(np.vstack([close, far]), (WEST + 0.01, SOUTH + 0.01), (EAST - 0.01, NORTH - 0.01))


def _ring() -> np.ndarray:
    """Return seeds around the land; their cells bound the others and are thrown away."""
    x, y = np.linspace(WEST - 0.2, EAST + 0.2, 40), np.linspace(SOUTH - 0.2, NORTH + 0.2, 24)
    sides = [
        (x, np.full_like(x, y[0])),
        (x, np.full_like(x, y[-1])),
        (np.full_like(y, x[0]), y),
        (np.full_like(y, x[-1]), y),
    ]
    return np.unique(np.vstack([np.column_stack(side) for side in sides]), axis=0)


def _edge(a: np.ndarray, b: np.ndarray) -> tuple:
    return tuple(sorted([tuple(a.tolist()), tuple(b.tolist())]))


def _rough(ring: np.ndarray, *, depth: int, seed: int, straight: set[tuple]) -> shapely.Polygon:
    parts = []
    for a, b in pairwise(ring):
        key = _edge(a, b)
        if key[0] == key[1]:
            continue
        line = np.array(key) if key in straight else _displaced(key, depth=depth, seed=seed)
        parts.append(line[:-1] if key[0] == tuple(a.tolist()) else line[::-1][:-1])
    return shapely.Polygon(np.vstack(parts))


def _displaced(key: tuple, *, depth: int, seed: int) -> np.ndarray:
    """Displace the middles of an edge again and again; the chance depends on the edge alone, so both sides agree."""
    chance = np.random.default_rng([seed, *(round(value * 10**DECIMALS) for point in key for value in point)])
    line, roughness = np.array(key), ROUGHNESS
    for _ in range(depth):
        step = np.diff(line, axis=0)
        shift = chance.uniform(-roughness, roughness, size=(len(step), 1)) * np.column_stack([-step[:, 1], step[:, 0]])
        middle = (line[:-1] + line[1:]) / 2 + shift
        joined = np.empty((len(line) + len(middle), 2))
        joined[0::2], joined[1::2] = line, middle
        line, roughness = joined, roughness * DECAY
    line = np.round(line, DECIMALS)
    return line[np.insert((np.diff(line, axis=0) != 0).any(axis=1), 0, True)]


def _crossing(polygons: np.ndarray) -> np.ndarray:
    """Return the areas whose borders do not match their neighbours'."""
    edges = shapely.coverage_invalid_edges(polygons)
    return (~shapely.is_empty(edges)).nonzero()[0]

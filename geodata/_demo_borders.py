"""Draw borders that look grown: fractal lines between the neighbours of a Voronoi division."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]

GRID_M = 0.5
"""All borders are noded on this grid, so that neighbours share every vertex."""
MAX_SLIVER_M2 = 10_000.0
"""Smaller faces between polygons are slivers of the noding and go to a neighbour."""
ROUGHNESS = 0.16
"""Sideways shift of a border's middle, as a share of its length."""


def fractal_line(
    start: Floats,
    end: Floats,
    *,
    rng: np.random.Generator,
    depth: int,
    limits: Any = None,
    roughness: float = ROUGHNESS,
) -> Floats:
    """Bend a straight line by midpoint displacement.

    Parameters
    ----------
    start, end : array of shape (2,)
        Ends, in metres; they stay where they are.
    rng : numpy.random.Generator
        Source of chance.
    depth : int
        Halvings; the line gets 2**depth + 1 vertices.
    limits : callable, optional
        Gives, for positions from 0 to 1 along the line, the widest allowed shift to the left and to the right in
        metres. Lines that keep to the limits of a Voronoi edge never touch another edge.
    roughness : float
        Widest shift of the middle, as a share of the length.

    Returns
    -------
    array of shape (2**depth + 1, 2)
    """
    count = 2**depth + 1
    shifts = np.zeros(count)
    length = float(np.hypot(*(end - start)))
    step, size = count - 1, roughness * length
    while step > 1:
        middles = np.arange(step // 2, count - 1, step)
        ends = (shifts[middles - step // 2] + shifts[middles + step // 2]) / 2
        shifts[middles] = ends + rng.normal(0.0, size / 2, len(middles)).clip(-size, size)
        step, size = step // 2, size * 0.52
    along = np.linspace(0.0, 1.0, count)
    if limits is not None:
        left, right = limits(along)
        shifts = np.clip(shifts, -0.7 * right, 0.7 * left)
    direction = (end - start) / max(length, 1e-9)
    normal = np.array([-direction[1], direction[0]])
    line: Floats = start + along[:, None] * (end - start) + shifts[:, None] * normal
    line[0], line[-1] = start, end
    return line


def _kite(along: Floats, *, height: float, foot: float) -> Floats:
    """Give the room between a Voronoi edge and the seed beside it, at positions along the edge."""
    rising = along / foot if foot > 0 else np.full_like(along, np.inf)
    falling = (1 - along) / (1 - foot) if foot < 1 else np.full_like(along, np.inf)
    return height * np.minimum(rising, falling)


def _bend_edge(edge: Floats, seeds: Floats, *, rng: np.random.Generator, smallest_m: float) -> Floats:
    """Bend one Voronoi edge inside the kite of its two seeds."""
    start, end = edge[0], edge[-1]
    length = float(np.hypot(*(end - start)))
    depth = int(np.clip(np.floor(np.log2(max(length / smallest_m, 1.0))), 0, 6))
    if depth == 0:
        return edge
    direction = (end - start) / length
    nearest = seeds[np.argsort(((seeds - (start + end) / 2) ** 2).sum(axis=1), kind="stable")[:2]]
    relative = nearest - start
    heights = relative @ np.array([-direction[1], direction[0]])
    feet = relative @ direction / length
    left, right = (0, 1) if heights[0] > 0 else (1, 0)

    def limits(along: Floats) -> tuple[Floats, Floats]:
        return (
            _kite(along, height=abs(float(heights[left])), foot=float(feet[left])),
            _kite(along, height=abs(float(heights[right])), foot=float(feet[right])),
        )

    return fractal_line(start, end, rng=rng, depth=depth, limits=limits)


def centre_seeds(points: Floats, count: int, *, rng: np.random.Generator, rounds: int = 6) -> Floats:
    """Place seeds so that each has about the same number of points (k-means of Lloyd, 1982)."""
    seeds = points[rng.choice(len(points), size=count, replace=False)].copy()
    for _ in range(rounds):
        owner = nearest_seed(points, seeds)
        sizes = np.bincount(owner, minlength=count)
        sums = np.stack([np.bincount(owner, points[:, axis], count) for axis in (0, 1)], axis=1)
        full = sizes > 0
        seeds[full] = sums[full] / sizes[full, None]
        if not full.all():
            seeds[~full] = points[rng.choice(len(points), size=int((~full).sum()), replace=False)]
    return seeds


def nearest_seed(points: Floats, seeds: Floats) -> npt.NDArray[np.intp]:
    """Return the number of the seed nearest to each point."""
    middle = seeds.mean(axis=0)
    squares = ((seeds - middle) ** 2).sum(axis=1)
    owner: npt.NDArray[np.intp] = (squares - 2 * (points - middle) @ (seeds - middle).T).argmin(axis=1)
    return owner


def split_polygon(polygon: Any, seeds: Floats, *, rng: np.random.Generator, smallest_m: float = 60.0) -> list[Any]:
    """Split a polygon into one part per seed with bent borders.

    The parts cover the polygon without gap or overlap. A part cut off from its seed goes to the neighbour it shares
    the longest border with, so every part is in one piece unless the polygon itself has several.

    Parameters
    ----------
    polygon : shapely Polygon or MultiPolygon
        What is split; metres.
    seeds : array of shape (n, 2)
        One point per part.
    rng : numpy.random.Generator
        Source of chance.
    smallest_m : float
        Borders are not bent below this length.
    """
    if len(seeds) == 1:
        return [polygon]
    lines = _bent_voronoi(polygon, seeds, rng=rng, smallest_m=smallest_m)
    pieces = shapely.union_all([shapely.boundary(polygon), *lines], grid_size=GRID_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(pieces)))
    cores = shapely.point_on_surface(faces)
    faces = faces[shapely.contains(shapely.buffer(polygon, GRID_M), cores) & (shapely.area(faces) > 0)]
    cells = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.union_all(lines))))
    cores = shapely.point_on_surface(faces)
    return _merge_faces(faces, _label_faces(cores, cells, seeds), len(seeds), seeds)


def _bent_voronoi(polygon: Any, seeds: Floats, *, rng: np.random.Generator, smallest_m: float) -> list[Any]:
    west, south, east, north = shapely.bounds(polygon)
    margin = 0.6 * max(east - west, north - south)
    frame = shapely.box(west - margin, south - margin, east + margin, north + margin)
    edges = shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=frame, only_edges=True)
    lines = []
    for edge in sorted(shapely.get_parts(shapely.get_parts(edges)), key=lambda line: tuple(line.coords[0])):
        coordinates = shapely.get_coordinates(edge)
        lines += [
            shapely.linestrings(_bend_edge(coordinates[i : i + 2], seeds, rng=rng, smallest_m=smallest_m))
            for i in range(len(coordinates) - 1)
        ]
    return [*lines, shapely.boundary(shapely.box(*shapely.total_bounds([frame, *lines])))]


def _label_faces(cores: Any, cells: Any, seeds: Floats) -> npt.NDArray[np.intp]:
    """Give each face the number of the seed in whose bent cell it lies."""
    cell_seed = np.full(len(cells), -1, dtype=np.intp)
    tree = shapely.STRtree(cells)
    seed_number, cell_number = tree.query(shapely.points(seeds), predicate="within")
    cell_seed[cell_number] = seed_number
    labels = nearest_seed(shapely.get_coordinates(cores), seeds)
    face_number, cell_number = tree.query(cores, predicate="within")
    known = cell_seed[cell_number] >= 0
    labels[face_number[known]] = cell_seed[cell_number[known]]
    return labels


def _merge_faces(faces: Any, labels: npt.NDArray[np.intp], count: int, seeds: Floats) -> list[Any]:
    """Unite the faces of each label; hand what is cut off to a neighbour."""
    areas = shapely.area(faces)
    keep = np.zeros(len(faces), dtype=bool)
    tree = shapely.STRtree(faces)
    for number in range(count):
        own = np.flatnonzero(labels == number)
        if len(own) == 0:
            # The seed's cell lies outside: take the face at the seed out of its owner's hands.
            own = np.array([tree.nearest(shapely.Point(seeds[number]))])
            labels[own] = number
        keep[own[np.argmax(areas[own])]] = True
    for loose in np.flatnonzero(~keep)[np.argsort(-areas[~keep], kind="stable")]:
        near = tree.query(faces[loose], predicate="intersects")
        near = near[keep[near]]
        shared = [shapely.length(shapely.intersection(faces[loose], faces[other])) for other in near]
        if shared and max(shared) > 0:
            labels[loose] = labels[near[int(np.argmax(shared))]]
        keep[loose] = True
    return [shapely.union_all(faces[labels == number], grid_size=GRID_M) for number in range(count)]


def node_together(polygons: list[Any], *, longest_m: float | None = None) -> list[Any]:
    """Node all borders with each other, so that neighbours share every vertex and none overlap.

    Straight stretches longer than `longest_m` get vertices, so that they stay in place in another projection.
    Returns the polygons in the order given.
    """
    borders = shapely.boundary(polygons)
    if longest_m is not None:
        borders = shapely.segmentize(borders, longest_m)
    lines = shapely.union_all(borders, grid_size=GRID_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    cores = shapely.point_on_surface(faces)
    tree = shapely.STRtree(polygons)
    labels = np.full(len(faces), -1, dtype=np.intp)
    face_number, owner = tree.query(cores, predicate="intersects")
    labels[face_number[::-1]] = owner[::-1]
    loose = np.flatnonzero((labels < 0) & (shapely.area(faces) < MAX_SLIVER_M2))
    labels[loose] = tree.nearest(cores[loose]) if len(loose) else labels[loose]
    return [shapely.coverage_union_all(faces[labels == number]) for number in range(len(polygons))]

"""Measure great-circle distances between areas, from where their people live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm.errors import BadInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_KM = 6371.0088
"""Mean radius R1 = (2a + b) / 3 of the Earth (IUGG; Moritz 2000, Geodetic Reference System 1980, J. Geodesy 74)."""
_LON_LIMIT_DEG, _LAT_LIMIT_DEG = 180.0, 90.0


def great_circle_km(lon: ArrayLike, lat: ArrayLike, other_lon: ArrayLike, other_lat: ArrayLike) -> NDArray[np.float64]:
    """Return distances on a sphere by the haversine formula (Sinnott 1984, Sky & Telescope 68(2), p. 159).

    A sphere instead of the ellipsoid errs by at most about 0.56 %.

    Parameters
    ----------
    lon, lat, other_lon, other_lat
        Degrees, WGS84 (EPSG:4326), of any shapes that broadcast. A missing coordinate gives NaN.

    Returns
    -------
    numpy.ndarray
        Kilometres, of the broadcast shape.
    """
    lon1, lat1, lon2, lat2 = (
        np.radians(np.asarray(part, dtype="float64")) for part in (lon, lat, other_lon, other_lat)
    )
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1))), dtype="float64")


def weighted_centroids(children: pd.DataFrame) -> pd.DataFrame:
    """Return the population-weighted centre of each area, from the points and people of its parts.

    The centre is the mean of the parts' unit vectors on the sphere, weighted by people and brought back to the
    surface: for small areas the weighted mean of the coordinates, and right across the date line as well
    (Mardia & Jupp 2000, Directional Statistics, ch. 9).

    Parameters
    ----------
    children
        A row a part: `parent` (the area), `lon`, `lat` (degrees, EPSG:4326), `persons`. Parts without a number of
        people are left out; where an area's parts have none at all, each of them counts alike.

    Returns
    -------
    pandas.DataFrame
        `area`, `lon`, `lat` (degrees), `persons` (those it rests on), in the order of the areas' codes.

    Raises
    ------
    BadInputError
        A column is missing, people are below 0, or a coordinate is missing or no degree.
    """
    _check_children(children)
    persons = children["persons"].astype("float64").fillna(0.0)
    nobody = persons.groupby(children["parent"]).transform("sum") == 0
    weight = persons.where(~nobody, 1.0)
    lon, lat = (np.radians(children[name].astype("float64")) for name in ("lon", "lat"))
    parts = pd.DataFrame(
        {
            "area": children["parent"],
            "x": weight * np.cos(lat) * np.cos(lon),
            "y": weight * np.cos(lat) * np.sin(lon),
            "z": weight * np.sin(lat),
            "persons": persons,
        }
    )
    found = parts.groupby("area", as_index=False, sort=True)[["x", "y", "z", "persons"]].sum()
    return pd.DataFrame(
        {
            "area": found["area"],
            "lon": np.degrees(np.arctan2(found["y"], found["x"])),
            "lat": np.degrees(np.arctan2(found["z"], np.hypot(found["x"], found["y"]))),
            "persons": found["persons"],
        }
    )


def _check_children(children: pd.DataFrame) -> None:
    missing = [name for name in ("parent", "lon", "lat", "persons") if name not in children]
    if missing:
        there = ", ".join(map(str, children.columns))
        raise BadInputError(f"the parts of areas lack the column {', '.join(missing)}; there are: {there}.")
    lon, lat = children["lon"].astype("float64").abs(), children["lat"].astype("float64").abs()
    bad = ~((lon <= _LON_LIMIT_DEG) & (lat <= _LAT_LIMIT_DEG))
    if bad.any():
        raise BadInputError(f"row {int(np.argmax(bad)) + 1} of the parts has no longitude and latitude in degrees.")
    if (children["persons"].astype("float64") < 0).any():
        raise BadInputError("people of a part are below 0; a count can't be. Correct it.")


def pair_distances(points: pd.DataFrame, *, rows: slice = slice(None)) -> NDArray[np.float64]:
    """Return the distances from some areas to all, a row an origin.

    Parameters
    ----------
    points
        `lon`, `lat` in degrees (EPSG:4326), a row an area.
    rows
        Which rows to take as origins; all when not given. Take a few hundred at a time of a large system.

    Returns
    -------
    numpy.ndarray
        Kilometres, origins x areas; 0 from an area to itself.
    """
    lon, lat = points["lon"].to_numpy(dtype="float64"), points["lat"].to_numpy(dtype="float64")
    return great_circle_km(lon[rows, None], lat[rows, None], lon[None, :], lat[None, :])

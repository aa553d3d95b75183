"""Weigh the households and people of a sample by what is known of their strata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dtm._survey_columns import Floats


def household_weights(stratum: Any, cluster: Any, answered: Any, *, in_stratum: Mapping[str, float]) -> Floats:
    """Return the weight of each household that was asked.

    The base weight is the households of the stratum over those of the sample. In each cluster the households that
    answered take over the weight of those that refused (weighting classes: Lohr 2010, sec. 8.5); where a whole
    cluster refused, the other clusters of the stratum do. The weights of a stratum sum to its households.

    Parameters
    ----------
    stratum, cluster
        Of each household asked, those that refused included.
    answered
        Whether it agreed to be asked.
    in_stratum
        Households of each stratum.

    Returns
    -------
    numpy.ndarray
        0 for those that refused; NaN in a stratum whose households are not known, or where nobody answered.
    """
    frame = pd.DataFrame(
        {
            "stratum": np.asarray(stratum, dtype=object),
            "cluster": np.asarray(cluster, dtype=object),
            "answered": np.asarray(answered, dtype=bool),
        }
    )
    known = frame["stratum"].map(dict(in_stratum)).to_numpy(dtype=np.float64)
    clusters = frame.groupby(["stratum", "cluster"])["answered"]
    asked, answers = clusters.transform("size").to_numpy(), clusters.transform("sum").to_numpy()
    in_sample = frame.groupby("stratum")["answered"].transform("size").to_numpy()
    reached = pd.Series(answers > 0).groupby(frame["stratum"]).transform("sum").to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = known / in_sample * (asked / answers) * (in_sample / reached)
    return np.where(reached == 0, np.nan, np.where(frame["answered"], weight, np.where(np.isnan(known), np.nan, 0.0)))


def calibrate(weight: Floats, group: Any, *, totals: Mapping[str, float]) -> Floats:
    """Return weights scaled so that those of each group sum to its known total (post-stratification).

    A group whose total is not known or 0, or that has no weight, is NaN. Source: Cochran 1977, ch. 5A.
    """
    codes = pd.Series(np.asarray(group, dtype=object))
    sums = pd.Series(weight).groupby(codes).transform("sum").to_numpy(dtype=np.float64)
    known = codes.map(dict(totals)).to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((known > 0) & (sums > 0), weight * known / sums, np.nan)

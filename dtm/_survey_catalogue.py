"""Declare every estimate of the household survey once: what it counts, in which unit, with its words and source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dtm.measures import MALES_PER_100_FEMALES, PERCENT, PERSONS_PER_HOUSEHOLD
from enumerations.codelists import codes_of

TOTAL = "total"
DEPENDANTS_PER_100 = "dependants_per_100"
"""Unit: persons under 15 and of 65 and over, for 100 of 15 to 64."""
UNKNOWN = "unknown"
MOVED, STAYED = "moved", "stayed"
YES, NO = "yes", "no"
WORKING_FROM_YEARS, WORKING_TO_YEARS = 15, 64

SURVEY_SOURCES = {"survey_1y": 1, "survey_5y": 5, "survey_lifetime": 0}
"""Sources of `survey_flow`, with the age in years from which a person had a residence then."""

NOTE_SAMPLED_AREAS = "sampled_areas"
NOTE_ALL_ALIKE = "sample_all_alike"
NOTE_NO_SPREAD = "sample_no_spread"
NOTE_NOBODY_ASKED = "nobody_asked"


@dataclass(frozen=True)
class SurveyEstimate:
    """One estimate of the survey.

    Parameters
    ----------
    name, unit, label_en, label_mn, formula, reference
        Name, unit code, words, formula and source.
    of
        Whom it counts: ``persons``, weighted to the people really living there, or ``households``.
    answers
        The answers it counts, of which those in ``shown`` have a row each. Others are not in its base.
    shown
        Answers with a row of their own; the row of a single one is called ``total``.
    kind
        ``share``: 100 x the answer / the base. ``ratio``: 100 x the first answer / the second. ``mean``: persons a
        household.
    """

    name: str
    unit: str
    label_en: str
    label_mn: str
    formula: str
    reference: str
    of: Literal["persons", "households"]
    answers: tuple[str, ...]
    shown: tuple[str, ...]
    kind: Literal["share", "ratio", "mean"] = "share"

    @property
    def items(self) -> tuple[str, ...]:
        """Return the values of the column `item`."""
        return self.shown if len(self.answers) > len(BOTH) else (TOTAL,)

    @property
    def scale(self) -> float:
        """Return what a ratio is multiplied by."""
        return 1.0 if self.kind == "mean" else 100.0


BOTH = (YES, NO)
_COCHRAN = "Cochran 1977, Sampling Techniques, 3rd ed., ch. 6 and 11"
_UN = "United Nations 1970, Methods of Measuring Internal Migration (Manual VI)"
_SHRYOCK = "Shryock & Siegel, The Methods and Materials of Demography"


def _list(codelist: str) -> tuple[str, ...]:
    return tuple(code for code in codes_of(codelist) if code != UNKNOWN)


def _moved(name: str, label_en: str, label_mn: str, then: str) -> SurveyEstimate:
    formula = f"100 x persons whose residence {then} was another district, soum or country / persons who told it"
    return SurveyEstimate(
        name, PERCENT, label_en, label_mn, formula, _UN, "persons", (MOVED, STAYED), (MOVED,)
    )  # fmt: skip


def _items(name: str, label_en: str, label_mn: str, codelist: str, of: Literal["persons", "households"], base: str) -> (
    SurveyEstimate
):  # fmt: skip
    codes = _list(codelist)
    formula = f"100 x {of} with the answer / {base}"
    return SurveyEstimate(name, PERCENT, label_en, label_mn, formula, _COCHRAN, of, codes, codes)


SURVEY_ESTIMATES: dict[str, SurveyEstimate] = {
    one.name: one
    for one in (
        SurveyEstimate(
            "unregistered_share_pct", PERCENT, "People not registered at this address",
            "Энэ хаягт бүртгэлгүй хүний эзлэх хувь",
            "100 x persons not registered / persons who told it", _COCHRAN, "persons", (YES, NO), (YES,),
        ),
        _moved(
            "moved_1y_share_pct", "Lived in another soum or district a year ago",
            "Нэг жилийн өмнө өөр сум, дүүрэгт амьдарч байсан", "a year ago (from 1 year of age)",
        ),
        _moved(
            "moved_5y_share_pct", "Lived in another soum or district five years ago",
            "Таван жилийн өмнө өөр сум, дүүрэгт амьдарч байсан", "five years ago (from 5 years of age)",
        ),
        _moved(
            "born_elsewhere_share_pct", "Born in another soum or district",
            "Өөр сум, дүүрэгт төрсөн", "at birth",
        ),
        SurveyEstimate(
            "registered_households_share_pct", PERCENT, "Households registered at this address",
            "Энэ хаягт бүртгэлтэй өрхийн эзлэх хувь",
            "100 x households registered / households that told it", _COCHRAN, "households", (YES, NO), (YES,),
        ),
        _items(
            "move_reason_share_pct", "Reason of the last move", "Сүүлд шилжсэн шалтгаан",
            "reason", "persons", "persons who told a reason",
        ),
        _items(
            "move_distance_share_pct", "How far the last move was", "Сүүлийн шилжилтийн зай",
            "move_distance", "households", "households that told it, those that never moved included",
        ),
        _items(
            "intended_duration_share_pct", "How long households mean to stay", "Өрхийн оршин суух хугацаа",
            "intended_duration", "households", "households that told it",
        ),
        _items(
            "dwelling_share_pct", "Kind of dwelling", "Сууцны төрөл", "dwelling", "households",
            "households that told it",
        ),
        SurveyEstimate(
            "household_size_persons", PERSONS_PER_HOUSEHOLD, "People in a household", "Нэг өрхийн хүний тоо",
            "persons of the households / households that told them", _COCHRAN, "households",
            ("persons",), ("persons",), "mean",
        ),
        SurveyEstimate(
            "sex_ratio", MALES_PER_100_FEMALES, "Men per 100 women", "100 эмэгтэйд ногдох эрэгтэй",
            "100 x men / women", _SHRYOCK, "persons", ("male", "female"), ("male",), "ratio",
        ),
        SurveyEstimate(
            "dependency_ratio", DEPENDANTS_PER_100, "Dependants per 100 of working age",
            "Хөдөлмөрийн насны 100 хүнд ногдох хүүхэд, ахмад настан",
            "100 x (0-14 + 65 and over) / 15-64", _SHRYOCK, "persons", ("dependant", "working"), ("dependant",),
            "ratio",
        ),
    )
}  # fmt: skip
"""Estimates of the release table `survey_estimate`, by name, in the order they are shown."""

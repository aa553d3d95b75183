"""Declare every derived measure once: its unit, words, formula, source and the cells it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from enumerations.codelists import codes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

PERSONS = "persons"
PER_1000_YEAR = "per_1000_year"
PERCENT = "pct"
PERSONS_PER_HOUSEHOLD = "persons_per_household"
MALES_PER_100_FEMALES = "males_per_100_females"
PERSONS_PER_KM2 = "persons_per_km2"
PERSONS_PER_HA = "persons_per_ha"
HOUSEHOLDS_PER_HA = "households_per_ha"
UNITS = (
    PERSONS,
    PER_1000_YEAR,
    PERCENT,
    PERSONS_PER_HOUSEHOLD,
    MALES_PER_100_FEMALES,
    PERSONS_PER_KM2,
    PERSONS_PER_HA,
    HOUSEHOLDS_PER_HA,
)
"""Units of the measures, as codes; the words for them are the reader's."""


NOTE_NOT_REPORTED = "not_reported"
NOTE_MATCHED_UNITS = "matched_units"
NOTE_PAIRED_RETURNS = "paired_returns"
NOTE_AREAS_REPORTED = "areas_reported"
NOTES: dict[str, tuple[str, str]] = {
    NOTE_NOT_REPORTED: ("Nobody reported it.", "Мэдээлэл ирээгүй."),
    "incomplete": (
        "Some of the returns leave out a figure it needs.",
        "Зарим мэдээнд шаардлагатай тоо дутуу байна.",
    ),
    "no_previous_round": ("There is no round before it.", "Өмнөх үе шат байхгүй."),
    "no_matched_units": ("No unit reported in both rounds.", "Хоёр үе шатанд хоёуланд нь мэдээ өгсөн хэсэг алга."),
    "no_window": (
        "The days the movements were asked for are not known.",
        "Шилжилтийг асуусан хугацааны хоног тодорхойгүй.",
    ),
    "nobody_moved": ("Nobody came or left.", "Шилжин ирсэн, явсан хүн алга."),
    "zero_denominator": ("It would divide by zero.", "Тэгд хуваах болно."),
    "no_ger_layer": ("No layer of ger areas was loaded.", "Гэр хорооллын давхарга оруулаагүй."),
    "little_ger_area": (
        "Less than one hectare of ger area lies inside it.",
        "Энэ нутагт нэг га-гаас бага гэр хороолол бий.",
    ),
    "dwelling_partly_stated": (
        "Some returns do not tell the dwellings; their households are left out.",
        "Зарим мэдээнд сууцны төрлийг заагаагүй тул тэдгээр өрхийг оруулаагүй.",
    ),
    "no_ger_area": ("The area has no ger area.", "Энэ газарт гэр хороолол байхгүй."),
    NOTE_MATCHED_UNITS: ("Units compared: {count}.", "Харьцуулсан хэсгийн тоо: {count}."),
    NOTE_PAIRED_RETURNS: (
        "From the {count} returns that tell both figures.",
        "Хоёр тоог хоёуланг нь мэдээлсэн {count} мэдээгээр тооцов.",
    ),
    NOTE_AREAS_REPORTED: ("From the {count} areas that reported.", "Мэдээ өгсөн {count} нэгжээр тооцов."),
    "told_by_destination": ("Only the destination told it.", "Зөвхөн очсон газар нь мэдээлсэн."),
    "told_by_origin": ("Only the origin told it.", "Зөвхөн гарсан газар нь мэдээлсэн."),
    "few_pairs": (
        "Too few pairs of areas were told by both ends for an interval.",
        "Хоёр талаас нь мэдээлсэн нэгжийн хос цөөн тул итгэх завсар тооцоогүй.",
    ),
    "zero_by_one_end": (
        "One end told 0 and the other told nothing, so that nobody moved is not known.",
        "Нэг тал нь 0 гэж мэдээлсэн, нөгөө тал нь мэдээлээгүй тул шилжсэн хүнгүй гэж үзэх боломжгүй.",
    ),
    "zero_in_part": (
        "Both ends told 0, but units of both did not report, so that nobody moved is not known.",
        "Хоёр тал хоёулаа 0 гэсэн боловч аль алинд нь мэдээлээгүй хэсэг байгаа тул шилжсэн хүнгүй гэж үзэх боломжгүй.",
    ),
    "registered_unknown": (
        "The registered people of the units that did not report are not known.",
        "Мэдээ ирүүлээгүй хэсгийн бүртгэлтэй хүний тоо тодорхойгүй.",
    ),
    "few_respondents": (
        "Too few published figures to estimate from.",
        "Үнэлгээ хийхэд нийтэлсэн тоо хүрэлцэхгүй байна.",
    ),
    "wider_stratum": (
        "Estimated with the ratio of a wider area: too few areas of its own reported.",
        "Өөрийнх нь нэгжээс цөөн мэдээ ирсэн тул илүү том нутгийн харьцаагаар үнэлэв.",
    ),
    "units_differ": (
        "The units of the two rounds are not the same; in both: {count}.",
        "Хоёр үе шатны хэсгүүд ижил биш; хоёуланд нь мэдээлсэн нь: {count}.",
    ),
    "window_differs": (
        "Days the moves were asked for / days between the rounds: {count}.",
        "Шилжилтийг асуусан хоног / үе шат хоорондын хоног: {count}.",
    ),
    "other_areas": ("The two rounds have different areas.", "Хоёр үе шатны нэгжүүд өөр байна."),
    "coverage_differs": (
        "The two counts it rests on differ in coverage by more than 2 percentage points.",
        "Үндэслэсэн хоёр тооны хамралт 2 нэгж хувиас илүү зөрүүтэй.",
    ),
    "straight_line": (
        "One of the two counts is 0: a straight line between them.",
        "Хоёр тооны нэг нь 0 тул шулуун шугамаар холбов.",
    ),
    "series_break": ("The series is broken here: {count}.", "Цуваа энд тасалдсан: {count}."),
    "sampled_areas": (
        "From the sample of {count} districts; the others have none that can be weighted.",
        "{count} дүүрэг, сумын түүврээр тооцов; бусдад жигнэх боломжтой түүвэр алга.",
    ),
    "sample_all_alike": (
        "All of the sample gave the same answer, so its error is not known.",
        "Түүврийн бүх хариулт ижил тул алдааг тооцох боломжгүй.",
    ),
    "sample_no_spread": (
        "The khoroos of the sample show no spread, so the error is not known.",
        "Түүврийн хороодын хооронд ялгаа гараагүй тул алдааг тооцох боломжгүй.",
    ),
    "nobody_asked": ("Nobody in the sample gave an answer.", "Түүвэрт хариулсан хүн, өрх алга."),
    "no_population": ("No population at risk is given.", "Шилжих магадлалтай хүн амын тоо өгөгдөөгүй."),
    "population_missing": (
        "The population of some area is not known.",
        "Зарим нэгжийн хүн амын тоо тодорхойгүй.",
    ),
    "no_watch": (
        "Nobody watched, or nobody wrote down for how long.",
        "Ажиглаагүй, эсвэл хэдэн цаг ажигласныг тэмдэглээгүй.",
    ),
    "hours_unknown": ("Which hours were watched is not known.", "Аль цагуудад ажигласан нь тодорхойгүй."),
    "no_profile": (
        "The profile of the week expects nobody in the hours watched.",
        "Долоо хоногийн хэв маягаар ажигласан цагуудад хүн өнгөрөхгүй байх учиртай.",
    ),
    "profile_no_travellers": (
        "Nobody passed, so there is no profile of the week.",
        "Хүн өнгөрөөгүй тул долоо хоногийн хэв маягийг тооцох боломжгүй.",
    ),
    "profile_hours_never_watched": (
        "Some hours were watched on no day, so there is no profile of the week.",
        "Зарим цагт нэг ч өдөр ажиглаагүй тул долоо хоногийн хэв маягийг тооцох боломжгүй.",
    ),
    "profile_unconnected": (
        "The hours were watched on different days with none in common, so there is no profile of the week.",
        "Цагуудыг огтлолцоогүй өөр өөр өдөр ажигласан тул долоо хоногийн хэв маягийг тооцох боломжгүй.",
    ),
    "hidden_hours_spread": (
        "Hidden hours of the profile share evenly what is left of their weekday.",
        "Хэв маягийн нууцалсан цагуудад тухайн гарагийн үлдсэн тоог тэнцүү хуваарилсан.",
    ),
    "profile_of_all_rounds": (
        "With the profile of all rounds: the day is in none.",
        "Өдөр нь аль ч үе шатанд хамаарахгүй тул бүх үе шатны хэв маягаар тооцов.",
    ),
    "checkpoints_summed": ("Sum of {count} checkpoints.", "{count} хяналтын цэгийн нийлбэр."),
    "checkpoints_missing": (
        "Checkpoints that are open and have no figure: {count}.",
        "Ажиллаж байгаа боловч тоогүй хяналтын цэг: {count}.",
    ),
    "one_area": ("It needs two areas or more.", "Хоёр ба түүнээс дээш нэгж шаардлагатай."),
    "two_areas": ("It needs three areas or more.", "Гурав ба түүнээс дээш нэгж шаардлагатай."),
    "no_distances": ("No distances are known.", "Зайн мэдээлэл алга."),
    "distances_incomplete": (
        "Moves between areas whose distance is not known are left out.",
        "Зай нь тодорхойгүй нэгж хоорондын шилжилтийг оруулаагүй.",
    ),
    "pairs_without_distance": (
        "Pairs of areas without a distance, left out of the model: {count}.",
        "Зайгүй тул загварт ороогүй нэгжийн хос: {count}.",
    ),
    "distance_says_nothing": (
        "Distance says nothing beyond origin and destination.",
        "Гарсан ба очсон газраас гадна зай нэмж юу ч тайлбарлахгүй байна.",
    ),
    "no_convergence": ("The fit did not settle.", "Загварын тооцоо тогтсонгүй."),
    "between": (
        "The hidden pairs leave it between these two; their middle is shown: {count}.",
        "Нуусан хосын улмаас утга нь дараах хоёрын хооронд байна, дундажийг харуулав: {count}.",
    ),
    "hidden_pairs": ("Moves of some pairs are hidden: {count}.", "Нуусан хосын тоо: {count}."),
    "other_levels_pairs": (
        "Moves between areas of different aimags are not told at this level.",
        "Өөр өөр аймгийн нэгж хоорондын шилжилтийг энэ түвшинд мэдээлээгүй.",
    ),
}
"""Codes of the column `note`, with the words in English and Mongolian; some carry a count or a name after a colon."""


def note_words(note: str) -> tuple[str, str]:
    """Return what a note says, in English and in Mongolian.

    ``matched_units:8`` is a code with its count, ``few_pairs;told_by_origin`` two notes.
    """
    parts = [one.partition(":") for one in note.split(";")]
    english = " ".join(NOTES[code][0].format(count=count) for code, _, count in parts)
    return english, " ".join(NOTES[code][1].format(count=count) for code, _, count in parts)


@dataclass(frozen=True)
class Ingredient:
    """One published cell a measure is made of.

    Parameters
    ----------
    table
        The release table the cell is in.
    where
        Columns of that table and the values that pick the cell; round and area come from the measure's own row.
    role
        ``denominator`` where the measure divides by it.
    of
        ``area``: the cell of the same area. ``children``: the cells of all of the release's finest areas inside it.
    round
        ``same``, or ``previous`` for the round before it in the release. There is no such cell at the first round:
        an ingredient without a row asks for nothing.
    """

    table: Literal["stock", "flow"]
    where: Mapping[str, str]
    role: Literal["numerator", "denominator"] = "numerator"
    of: Literal["area", "children"] = "area"
    round: Literal["same", "previous"] = "same"


@dataclass(frozen=True)
class Indicator:
    """One derived measure, computed on full data and hidden where one of its ingredients is."""

    name: str
    unit: str
    label_en: str
    label_mn: str
    formula: str
    reference: str
    ingredients: tuple[Ingredient, ...]


_BELL = "Bell et al. 2002, JRSS A 165(3), doi 10.1111/1467-985X.00247"
_SHRYOCK = "Shryock & Siegel, The Methods and Materials of Demography, ch. on internal migration"
_DTM = "IOM, DTM Methodological Framework, 2nd ed. 2022"


def _flow(direction: Literal["in", "out"]) -> Ingredient:
    source = "arrivals" if direction == "in" else "departures"
    where = {"source": source, "direction": direction, "counterpart": "total", "reason": "total", "measure": "persons"}
    return Ingredient("flow", where)


def _stock(
    category: str = "actual",
    *,
    measure: str = "persons",
    breakdown: str = "total",
    item: str = "total",
    role: Literal["numerator", "denominator"] = "numerator",
    of: Literal["area", "children"] = "area",
    at: Literal["same", "previous"] = "same",
) -> Ingredient:
    where = {"category": category, "measure": measure, "breakdown": breakdown, "item": item}
    return Ingredient("stock", where, role, of, at)


*_BANDS, _OLD = codes_of("age_band")
_YOUNG, _WORKING = _BANDS[:2], _BANDS[2:]
_IN, _OUT = _flow("in"), _flow("out")
_AT_RISK = (_stock(role="denominator"), _stock(role="denominator", at="previous"))
_GER = _stock(measure="households", breakdown="dwelling", item="ger")
_FLOWS = (
    Indicator(
        "in_persons", PERSONS, "Arrivals", "Шилжин ирсэн хүн",
        "D: people who arrived from outside the area", _BELL, (_IN,),
    ),
    Indicator(
        "out_persons", PERSONS, "Departures", "Шилжин явсан хүн",
        "O: people who left the area", _BELL, (_OUT,),
    ),
    Indicator(
        "net_persons", PERSONS, "Net migration", "Цэвэр шилжилт",
        "D - O", _BELL, (_IN, _OUT),
    ),
    Indicator(
        "gross_persons", PERSONS, "Gross migration (turnover)", "Нийт шилжилт (эргэлт)",
        "D + O", _BELL, (_IN, _OUT),
    ),
    Indicator(
        "in_per_1000", PER_1000_YEAR, "Arrivals per 1,000 a year", "Жилд 1000 хүнд ногдох шилжин ирсэн хүн",
        "1000 D / P x 365.25 / days", _BELL, (_IN, *_AT_RISK),
    ),
    Indicator(
        "out_per_1000", PER_1000_YEAR, "Departures per 1,000 a year", "Жилд 1000 хүнд ногдох шилжин явсан хүн",
        "1000 O / P x 365.25 / days", _BELL, (_OUT, *_AT_RISK),
    ),
    Indicator(
        "net_per_1000", PER_1000_YEAR, "Net migration per 1,000 a year", "Жилд 1000 хүнд ногдох цэвэр шилжилт",
        "1000 (D - O) / P x 365.25 / days", _BELL, (_IN, _OUT, *_AT_RISK),
    ),
    Indicator(
        "gross_per_1000", PER_1000_YEAR, "Gross migration per 1,000 a year", "Жилд 1000 хүнд ногдох нийт шилжилт",
        "1000 (D + O) / P x 365.25 / days", _BELL, (_IN, _OUT, *_AT_RISK),
    ),
    Indicator(
        "effectiveness_pct", PERCENT, "Migration effectiveness", "Шилжилтийн үр дүнтэй байдал",
        "100 (D - O) / (D + O)", _SHRYOCK, (_IN, _OUT),
    ),
)  # fmt: skip
_STOCKS = (
    Indicator(
        "registered_per_actual_pct", PERCENT, "Registered per 100 really living there",
        "Амьдарч буй 100 хүнд ногдох бүртгэлтэй хүн",
        "100 registered / actual", _DTM, (_stock("registered"), _stock(role="denominator")),
    ),
    Indicator(
        "registration_gap_persons", PERSONS, "Registration gap", "Бүртгэлийн зөрүү",
        "actual - registered", _DTM, (_stock(), _stock("registered")),
    ),
    Indicator(
        "unregistered_share_pct", PERCENT, "Share not registered", "Бүртгэлгүй амьдарч буй хүний эзлэх хувь",
        "100 unregistered / actual", _DTM, (_stock("unregistered"), _stock(role="denominator")),
    ),
    Indicator(
        "absent_share_pct", PERCENT, "Share of the registered who are absent",
        "Бүртгэлтэй боловч амьдардаггүй хүний эзлэх хувь",
        "100 registered_absent / registered", _DTM,
        (_stock("registered_absent"), _stock("registered", role="denominator")),
    ),
    Indicator(
        "change_persons", PERSONS, "Change since the previous round", "Өмнөх үе шатаас гарсан өөрчлөлт",
        "P(t) - P(t-1), over the units that reported in both rounds", _DTM, (_stock(), _stock(at="previous")),
    ),
    Indicator(
        "change_pct", PERCENT, "Change since the previous round, %", "Өмнөх үе шатаас гарсан өөрчлөлт, %",
        "100 (P(t) - P(t-1)) / P(t-1), over the units that reported in both rounds", _DTM,
        (_stock(), _stock(role="denominator", at="previous")),
    ),
    Indicator(
        "growth_pct_year", PERCENT, "Growth a year, %", "Жилийн өсөлт, %",
        "100 ln(P(t) / P(t-1)) / years between the rounds, over the units that reported in both", _SHRYOCK,
        (_stock(), _stock(role="denominator", at="previous")),
    ),
    Indicator(
        "dependency_ratio", PERCENT, "Children under 15 and people of 60 and over per 100 of 15-59",
        "15-59 насны 100 хүнд ногдох 0-14 ба 60-аас дээш насны хүн",
        "100 (0-14 + 60 and over) / (15-59)", _SHRYOCK,
        (
            *(_stock(breakdown="age", item=band) for band in (*_YOUNG, _OLD)),
            *(_stock(breakdown="age", item=band, role="denominator") for band in _WORKING),
        ),
    ),
    Indicator(
        "sex_ratio", MALES_PER_100_FEMALES, "Men per 100 women", "100 эмэгтэйд ногдох эрэгтэй",
        "100 male / female", _SHRYOCK,
        (_stock(breakdown="sex", item="male"), _stock(breakdown="sex", item="female", role="denominator")),
    ),
    Indicator(
        "persons_per_household", PERSONS_PER_HOUSEHOLD, "Persons per household", "Нэг өрхөд ногдох хүн",
        "actual persons / actual households", _SHRYOCK,
        (_stock(), _stock(measure="households", role="denominator")),
    ),
)  # fmt: skip

INDICATORS: dict[str, Indicator] = {indicator.name: indicator for indicator in (*_FLOWS, *_STOCKS)}
"""Indicators of the release table `indicator`, by name."""

_FORSYTH = "Forsyth 2003, Measuring Density, Design Brief 8, Metropolitan Design Center"
_CRAIG = "Craig 1984, Averaging population density, Demography 21(3)"

DENSITIES: dict[str, Indicator] = {
    indicator.name: indicator
    for indicator in (
        Indicator(
            "persons_per_km2", PERSONS_PER_KM2, "Persons per km²", "1 км² талбайд ногдох хүн",
            "actual persons / area_km2", _FORSYTH, (_stock(),),
        ),
        Indicator(
            "persons_per_ha", PERSONS_PER_HA, "Persons per hectare", "1 га талбайд ногдох хүн",
            "actual persons / (100 area_km2)", _FORSYTH, (_stock(),),
        ),
        Indicator(
            "ger_households_per_ha_of_ger_area", HOUSEHOLDS_PER_HA, "Ger households per hectare of ger area",
            "Гэр хорооллын 1 га-д ногдох гэрт амьдардаг өрх",
            "households in gers / (100 ger_area_km2)", _FORSYTH, (_GER,),
        ),
        Indicator(
            "ger_household_share_pct", PERCENT, "Share of households living in gers",
            "Гэрт амьдардаг өрхийн эзлэх хувь",
            "100 households in gers / actual households whose dwelling is stated", _FORSYTH,
            (
                _GER, _stock(measure="households", role="denominator"),
                _stock(measure="households", breakdown="dwelling", item="not_stated"),
            ),
        ),
        Indicator(
            "ger_area_share_pct", PERCENT, "Share of the land that is ger area", "Гэр хорооллын газрын эзлэх хувь",
            "100 ger_area_km2 / area_km2", _FORSYTH, (),
        ),
        Indicator(
            "population_weighted_density_per_km2", PERSONS_PER_KM2, "Population-weighted density, persons per km²",
            "Хүн амаар жигнэсэн нягтшил, 1 км²-д ногдох хүн",
            "sum P_i (P_i / A_i) / sum P_i over the khoroos i inside", _CRAIG, (_stock(of="children"),),
        ),
    )
}  # fmt: skip
"""Densities of the release table `density`, by name."""

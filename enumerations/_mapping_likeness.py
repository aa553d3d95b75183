"""Weigh how well a column of another form answers to one of ours: by name, label, kind of values and codes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from enumerations._mapping_sql import shape
from enumerations._questions import question_labels
from enumerations.codelists import spelling_key, spellings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enumerations.columns import FormColumn

NAME_WEIGHT, VALUE_WEIGHT = 0.65, 0.35
MISFIT_FACTOR = 0.4
"""What is left of a name's likeness where fewer than half of the values can be meant."""
MISFIT_SHARE = 0.5
CODE_SHARE = 0.75
"""Share of letters from which on a spelling is read as a code: a letter or two of a word may differ."""
PARTS_MAXIMUM = 100
"""More different values than this are text, not codes."""
LABEL_SHARE = 0.95
"""A label is read as surely as a name, nearly."""
DATE_FORMATS = (
    "%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y%m%d",
)  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M", "T%H:%M:%S")
_CONCEPTS = {
    "households": "hh hhs household families өрх",
    "persons": "person people individuals ind inds pop population inhabitants residents хүн хүний",
    "male": "m males men man boys эрэгтэй эр",
    "female": "f females women woman girls эмэгтэй эм",
    "registered": "reg register registration бүртгэлтэй бүртгүүлсэн",
    "unregistered": "unreg бүртгэлгүй",
    "actual": "really real present living lives бодит бодитоор",
    "absent": "away эзгүй",
    "origin": "from came хаанаас",
    "destination": "dest to went хаашаа",
    "reason": "why cause reasons шалтгаан",
    "enumerator": "interviewer surveyor collector тоологч",
    "collected": "collection visit visited interview submitted огноо",
    "at": "date time day when өдөр цаг",
    "khoroo": "хороо horoo",
    "kheseg": "хэсэг kheseg heseg",
    "district": "дүүрэг duureg düüreg",
    "lon": "longitude long lng x уртраг",
    "lat": "latitude y өргөрөг",
    "accuracy": "precision нарийвчлал",
    "births": "born birth төрөлт төрсөн",
    "deaths": "died death dead баралт",
    "ger": "gers yurt гэр гэрт",
    "house": "houses байшин байшинд",
    "apartment": "apartments flat flats байр",
    "round": "wave шат",
    "remarks": "remark comment comments notes note тайлбар",
    "passed": "passage passing нэвтэрсэн",
    "direction": "чиглэл",
    "vehicle": "transport тээвэр",
    "instance": "uuid submission return key",
    "unit": "pcode нэгж",
}
_WORD = {word: concept for concept, words in _CONCEPTS.items() for word in (concept, *words.split())}
_STEM_CHARACTERS = 4
_PCODE = re.compile(r"[A-Z]{2}\d{2,12}")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_PLACE_WORDS = {"abroad", "unknown"}
_YES_NO = {"yes", "no", "true", "false", "1", "0", "y", "n"}
_RANGES = {"lon": (87.0, 120.0), "lat": (41.0, 53.0)}


@dataclass(frozen=True)
class Theirs:
    """A column of a file: its name, a sample of distinct values, and how many records have one."""

    name: str
    position: int
    values: tuple[str, ...]
    is_unique: bool = False
    fits: dict[tuple[object, ...], Likeness | None] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Likeness:
    """How sure it is (0 to 1) that two columns are the same, and why."""

    share: float
    why: tuple[str, ...] = ()
    codes: dict[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()


@cache
def _pairs(text: str) -> frozenset[str]:
    return frozenset(text[at : at + 2] for at in range(len(text) - 1)) or frozenset((text,))


def letters_share(one: str, other: str) -> float:
    """Return how many pairs of neighbouring letters two texts share (Dice's coefficient), 0 to 1."""
    own, theirs = _pairs(one), _pairs(other)
    return 2 * len(own & theirs) / (len(own) + len(theirs))


@cache
def _concept(word: str) -> str:
    if word in _WORD:
        return _WORD[word]
    for stem, concept in _WORD.items():
        if len(stem) >= _STEM_CHARACTERS and word.startswith(stem):
            return concept
    return word


@cache
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name by what they mean, in any of the languages and abbreviations known."""
    text = re.sub(r"(?<=[a-zа-яөү])(?=[A-ZА-ЯӨҮ])", " ", name)
    parts = re.split(r"[\W_]+", text.casefold())
    return tuple(dict.fromkeys(_concept(part) for part in parts if part))


@cache
def _alike(ours: str, theirs: str) -> float:
    own, other = words_of(ours), words_of(theirs)
    if not own or not other:
        return 0.0
    shared = len(set(own) & set(other))
    part = shared / len(set(own) | set(other))
    letters = letters_share(" ".join(sorted(own)), " ".join(sorted(other)))
    return 1.0 if part == 1.0 else 0.65 * part + 0.35 * letters * (0.5 if not shared else 1.0)


def name_share(table: str, column: FormColumn, name: str) -> tuple[float, str]:
    """Return how alike a name is to a column's name or labels, and which of them it was."""
    tail = shape(name).rsplit("/", 1)[-1]
    best = max((_alike(one, told), "name") for one in (column.name, *column.aliases) for told in (tail, name))
    labels = (column.meaning_en, column.meaning_mn, *question_labels(table, column.name))
    label = max((_alike(one, name) * LABEL_SHARE, "label") for one in labels)
    return max(best, label)


def _share(values: Sequence[str], fits: Sequence[bool]) -> float:
    return sum(fits) / len(values)


def _number_fit(column: FormColumn, values: Sequence[str]) -> float:
    low, high = _RANGES.get(column.name, (column.minimum, column.maximum))

    def fits(text: str) -> bool:
        if not _NUMBER.fullmatch(text):
            return False
        number = float(text)
        whole = column.kind != "integer" or number.is_integer()
        return whole and (low is None or number >= low) and (high is None or number <= high)

    return _share(values, [fits(value) for value in values])


def date_formats(values: Sequence[str]) -> tuple[str, ...]:
    """Return the formats that read every value, the most likely first; none where a plain date is written."""
    found = []
    for day in DATE_FORMATS:
        for time in TIMES:
            try:
                for value in values:
                    datetime.strptime(value, day + time)  # noqa: DTZ007  only whether it can be read
            except ValueError:
                continue
            found.append(day + time)
    return tuple(found)


def is_iso(value: str) -> bool:
    """Return whether a date or time is written year-month-day."""
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return "-" in value


def _codes(column: FormColumn, values: Sequence[str]) -> tuple[float, dict[str, str], tuple[str, ...]]:
    """Return the share of values that are codes or labels, translations of others, and those without any."""
    spellings = spellings_of(column.codelist)
    parts = sorted({part for value in values for part in ([value] if column.kind == "code" else value.split())})
    known = {part for part in parts if spelling_key(part) in spellings}
    if len(parts) > PARTS_MAXIMUM:
        return len(known) / len(parts), {}, tuple(part for part in parts if part not in known)
    translated, unknown = {}, []
    for part in parts:
        if part in known:
            continue
        ratio, code = max((letters_share(spelling_key(part), one), code) for one, code in spellings.items())
        inside = {code for one, code in spellings.items() if spelling_key(part) in one.split("_")}
        if ratio < CODE_SHARE and len(inside) == 1:
            ratio, code = CODE_SHARE, inside.pop()
        if ratio >= CODE_SHARE:
            translated[part] = code
        else:
            unknown.append(part)
    return (len(known) + 0.8 * len(translated)) / len(parts), translated, tuple(unknown)


def _text_fit(column: FormColumn, theirs: Theirs) -> float | None:
    if column.name == "instance_id":
        if "parent_key" in column.aliases:
            return None
        return 1.0 if theirs.is_unique else 0.3
    if column.kind == "place" or column.name in {"district", "khoroo", "kheseg"}:
        known = [
            bool(_PCODE.fullmatch(value)) or value.casefold() in _PLACE_WORDS or not _NUMBER.fullmatch(value)
            for value in theirs.values
        ]
        numbered = column.name in {"khoroo", "kheseg"}
        return _share(theirs.values, [one or numbered for one in known])
    return None


def _value_fit(column: FormColumn, theirs: Theirs) -> Likeness | None:
    """Return how many of the values a column may have; None where nothing can be told."""
    values = theirs.values
    if not values:
        return None
    if column.kind in {"integer", "number"}:
        return Likeness(_number_fit(column, values))
    if column.kind in {"date", "timestamp"}:
        formats = () if all(map(is_iso, values)) else date_formats(values)
        fit = 1.0 if formats else _share(values, [is_iso(value) for value in values])
        return Likeness(fit, dates=formats)
    if column.kind in {"code", "codes"} and column.codelist:
        share, codes, unknown = _codes(column, values)
        return Likeness(share, codes=codes, unknown=unknown)
    if column.kind == "yesno":
        known = {*_YES_NO, *spellings_of("yesno")}
        return Likeness(_share(values, [value.casefold() in known for value in values]))
    fit_of_text = _text_fit(column, theirs)
    return None if fit_of_text is None else Likeness(fit_of_text)


def _cached_fit(column: FormColumn, theirs: Theirs) -> Likeness | None:
    is_special = column.name in _RANGES or column.kind in {"text", "place"}
    key = (column.kind, column.codelist, column.minimum, column.maximum, column.name if is_special else "")
    if key not in theirs.fits:
        theirs.fits[key] = _value_fit(column, theirs)
    return theirs.fits[key]


def weigh(table: str, column: FormColumn, theirs: Theirs, *, is_known_name: bool) -> Likeness:
    """Return how sure it is that a column of theirs is one of ours."""
    share, by = (1.0, "name") if is_known_name else name_share(table, column, theirs.name)
    fit = _cached_fit(column, theirs)
    why = [f"{by} {share:.0%}"]
    if fit is None:
        return Likeness(share if is_known_name else 0.9 * share, tuple(why))
    why.append(f"values {fit.share:.0%}")
    total = NAME_WEIGHT * share + VALUE_WEIGHT * fit.share
    if is_known_name:
        total = max(total, share * NAME_WEIGHT)
    elif fit.share < MISFIT_SHARE:
        total *= MISFIT_FACTOR
    elif column.kind in {"code", "codes"} and fit.share >= 0.8 and len(theirs.values) > 1:  # noqa: PLR2004
        total = max(total, 0.55)
    elif column.name in _RANGES and fit.share == 1.0 and any("." in value for value in theirs.values):
        total = max(total, 0.6)
    elif column.kind not in {"code", "codes"} and share < 0.4:  # noqa: PLR2004  any number fits any count
        total = min(total, share)
    return Likeness(round(total, 3), tuple(why), fit.codes, fit.unknown, fit.dates)

"""Find the fields that name, number and place the areas of a file, by rules that give one answer or say so.

The rules, in this order; a field given as an option is taken as it is:

1. *P-code* (levels 1 and 2: with or without 'MN' or a leading 0; levels 3 and 4: written with 'MN' and of the right
   length): fields with a usual name first, then any field; at least half of the rows must hold a code.
2. *Parent* (level 2 without P-codes, levels 3 and 4): fields whose values are P-codes one level up, then fields whose
   values are names of places one level up. A name is matched inside its own parent: the level-1 unit that another
   field of the row names; else the capital if the file speaks of khoroos, which only the capital has; else the one
   level-1 unit (of the loaded parents, if any) in which the most names are found.
3. *Number* (levels 3 and 4): fields whose values read like '20-р хороо', 'Khoroo 20', then fields with a usual name
   that hold one number each. Identifiers and codes ('id', 'code') are never taken for a number.
4. *Population*: fields with a usual name.

Two fields of the same rank that agree on every row are one answer (the first is taken); if they disagree it is an error
that names both and the option to give.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from geodata import pcodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geodata._vector_files import RawLayer

Values = dict[int, str | None]
"""What a field says per feature; None where it says nothing that can be used."""

_PCODE_NAMES: Final = ("pcode", "p_code", "area_pcode", "adm{level}_pcode", "admin{level}pcode", "admin{level}_pcode")
_KHOROO_NAMES: Final = (
    "khoroo", "horoo", "khoroo_no", "horoo_no", "khoroo_number", "хороо", "bag", "bagh", "баг",
)  # fmt: skip
_KHESEG_NAMES: Final = ("kheseg", "heseg", "kheseg_no", "kheseg_number", "хэсэг")
_NUMBER_NAMES: Final = ("number", "no", "num", "nr", "дугаар", *_KHOROO_NAMES, *_KHESEG_NAMES)
_POPULATION_NAMES: Final = (
    "population", "population_persons", "declared_population_persons", "pop", "persons", "people", "хүн_ам", "хүн ам",
)  # fmt: skip
_NEVER_NUMBERS: Final = ("id", "fid", "objectid", "ogc_fid", "gid", "code", "old_code")
_KIND_WORDS: Final = r"(?:хороо|баг|хэсэг|khoroo|horoo|bagh?|kheseg|heseg)"
_NUMBERED: Final = (
    re.compile(rf"^\s*(\d{{1,3}})\s*-?\s*(?:р|r|th|st|nd|rd)?\s*(?:дугаар)?\s*{_KIND_WORDS}\b", re.IGNORECASE),
    re.compile(rf"^\s*{_KIND_WORDS}\s*(?:№|no\.?|#)?\s*(\d{{1,3}})\s*$", re.IGNORECASE),
)
_ONE_NUMBER: Final = re.compile(r"^\D*(\d{1,3})(?:\.0+)?\D*$")
_ENOUGH: Final = 0.5
_HIGHEST_LISTED_LEVEL: Final = 2
_DISTRICT_LEVEL: Final = 2


@dataclass(frozen=True)
class Found:
    """The field that answered and what it says per feature; `field` is '' when nothing was found."""

    field: str
    answers: Values


_NOTHING: Final = Found("", {})


def text_of(value: object) -> str:
    """Return a field's value as text: '' for nothing, whole numbers without '.0'."""
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):  # noqa: PLR0124  (NaN)
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def column(raw: RawLayer, name: str) -> dict[int, str]:
    """Return the texts of a field by feature."""
    return {int(feature): text_of(value) for feature, value in raw.frame[name].items()}


def given_field(raw: RawLayer, name: str) -> bool:
    """Say whether the field an option names is there; add the finding if it is not."""
    if name in raw.fields:
        return True
    raw.add("field-missing", field=name, candidates=", ".join(raw.fields))
    return False


def undecided(raw: RawLayer) -> bool:
    """Say whether the search for fields came to an error."""
    return any(finding.code.startswith("field-") for finding in raw.findings)


def find_pcode(raw: RawLayer, *, level: int) -> Found:
    """Find the field with the areas' own P-codes."""
    usual = {name.format(level=level) for name in _PCODE_NAMES}
    known = [name for name in raw.fields if name.casefold() in usual]
    others = [name for name in raw.fields if name not in known]
    for group in (known, others):
        found = _agreed(raw, group, lambda text: own_pcode(text, level=level), wanted="P-codes", option="--name-field")
        if found.field or undecided(raw):
            return found
    return _NOTHING


def own_pcode(text: str, *, level: int) -> str | None:
    """Read a P-code of a level: listed at levels 1 and 2, written with 'MN' below."""
    code = pcodes.as_pcode(text)
    if code is None or pcodes.level_of(code) != level:
        return None
    if level > _HIGHEST_LISTED_LEVEL:
        return code if text.strip().upper().startswith(pcodes.COUNTRY_PCODE) else None
    return code if pcodes.is_listed(code) else None


def find_parent(raw: RawLayer, *, level: int, parents: dict[str, tuple[str, ...]], only: str | None = None) -> Found:
    """Find the field that names the parent; `parents` are the loaded parents' names by P-code (may be empty)."""
    fields = [only] if only else raw.fields
    above = level - 1
    found = _agreed(
        raw, fields, lambda text: _parent_code(text, level=above, parents=parents), wanted="P-codes of the parent",
        option="--parent-field", least=1 / max(len(raw.frame), 1) if only else _ENOUGH,
    )  # fmt: skip
    if found.field or undecided(raw):
        return found
    if above > _DISTRICT_LEVEL:
        return _parent_khoroo(raw, fields, parents=parents)
    wanted, option = "names of the parent", "--parent-field"
    if above == _DISTRICT_LEVEL:
        inside = _inside_level_1(raw, fields)
        if inside:
            return _one_answer(raw, inside, wanted=wanted, option=option)
    matcher = name_matcher(raw, level=above, parents=parents, fields=fields)
    return _agreed(raw, fields, matcher, wanted=wanted, option=option)


def _parent_code(text: str, *, level: int, parents: dict[str, tuple[str, ...]]) -> str | None:
    code = pcodes.as_pcode(text)
    if code is None or pcodes.level_of(code) != level:
        return None
    if level > _HIGHEST_LISTED_LEVEL:
        return code if text.strip().upper().startswith(pcodes.COUNTRY_PCODE) or code in parents else None
    return code if pcodes.is_listed(code) or code in parents else None


def _parent_khoroo(raw: RawLayer, fields: Sequence[str], *, parents: dict[str, tuple[str, ...]]) -> Found:
    """Make the parent khoroo of a kheseg from a field with its district and one with the khoroo's number."""
    district = find_parent(raw, level=_DISTRICT_LEVEL + 1, parents={})
    names = [name for name in fields if name.casefold() in _KHOROO_NAMES]
    number = _agreed(raw, names, _any_number, wanted="the khoroo's number", option="--parent-field")
    if not district.field or not number.field:
        return _NOTHING
    values: Values = {}
    for feature, code in district.answers.items():
        digits = number.answers.get(feature)
        is_whole = code and digits and 1 <= int(digits) <= pcodes.MAXIMUM_LOCAL_NUMBER
        made = pcodes.local_pcode(str(code), int(str(digits))) if is_whole else None
        values[feature] = made if made and (not parents or made in parents) else None
    return Found(number.field, values)


def _inside_level_1(raw: RawLayer, fields: Sequence[str]) -> list[Found]:
    """Return the fields with names of soums or districts inside the level-1 unit named by another field."""
    answers: list[Found] = []
    for name in fields:
        others = [other for other in raw.fields if other != name]
        units: Values = {}
        for read in (lambda text: own_pcode(text, level=1), lambda text: pcodes.match_name(text, level=1)):
            found = _readable(raw, others, read, least=_ENOUGH)
            if found:
                units = found[0].answers
                break
        texts = column(raw, name)
        values: Values = {
            feature: pcodes.match_name(texts[feature], parent=unit) if unit and texts[feature] else None
            for feature, unit in units.items()
        }
        if values and _share(values) >= _ENOUGH:
            answers.append(Found(name, values))
    return answers


def name_matcher(
    raw: RawLayer, *, level: int, parents: dict[str, tuple[str, ...]], fields: Sequence[str]
) -> Callable[[str], str | None]:
    """Return how to match a parent's name: inside the level-1 unit in which the most names of any field are found."""
    if level < _HIGHEST_LISTED_LEVEL:
        return lambda text: pcodes.match_name(text, level=level)
    texts = {name: {text for text in column(raw, name).values() if text} for name in fields}
    every = {text for name in raw.fields for text in column(raw, name).values()}
    if any(word in text.casefold() for text in every for word in ("хороо", "khoroo", "horoo")):
        return lambda text: pcodes.match_name(text, parent=pcodes.CAPITAL_PCODE)
    units = sorted({code[:4] for code in parents}) or [
        str(code) for code in pcodes.places().query("level == 1")["pcode"]
    ]
    scores = {
        unit: max(
            (sum(pcodes.match_name(text, parent=unit) is not None for text in group) for group in texts.values()),
            default=0,
        )
        for unit in units
    }
    best = max(scores.values(), default=0)
    winners = [unit for unit, score in scores.items() if score == best]
    if best == 0 or len(winners) > 1:
        return lambda text: pcodes.match_name(text, level=level)
    return lambda text: pcodes.match_name(text, parent=winners[0])


def find_number(raw: RawLayer, *, level: int, only: str | None = None) -> Found:
    """Find the field with the number inside the parent; values are digits."""
    if only:
        return Found(only, {feature: _any_number(text) for feature, text in column(raw, only).items()})
    others = _KHESEG_NAMES if level < pcodes.MAXIMUM_LEVEL else _KHOROO_NAMES
    fields = [name for name in raw.fields if name.casefold() not in (*_NEVER_NUMBERS, *others)]
    option, wanted = "--number-field", "the number inside the parent"
    usual = [name for name in fields if name.casefold() in _NUMBER_NAMES]
    for group, read in ((usual, numbered), (fields, numbered), (usual, _any_number)):
        found = _agreed(raw, group, read, wanted=wanted, option=option)
        if found.field or undecided(raw):
            return found
    return _NOTHING


def numbered(text: str) -> str | None:
    """Read the number out of '20-р хороо' or 'Khoroo 20'."""
    for pattern in _NUMBERED:
        match = pattern.match(text)
        if match:
            return str(int(match.group(1)))
    return None


def _any_number(text: str) -> str | None:
    """Read the only number of a text, however it is surrounded."""
    match = _ONE_NUMBER.match(text) if "-" not in text[:1] else None
    return numbered(text) or (str(int(match.group(1))) if match else None)


def find_population(raw: RawLayer) -> str | None:
    """Return the field with the declared population, if a usual name is there."""
    return next((name for name in raw.fields if name.casefold().strip() in _POPULATION_NAMES), None)


def _agreed(
    raw: RawLayer,
    fields: Sequence[str],
    read: Callable[[str], str | None],
    wanted: str,
    option: str,
    least: float = _ENOUGH,
) -> Found:
    """Return the first field of which at least `least` of the rows can be read, if all such fields agree."""
    return _one_answer(raw, _readable(raw, fields, read, least=least), wanted=wanted, option=option)


def _readable(raw: RawLayer, fields: Sequence[str], read: Callable[[str], str | None], *, least: float) -> list[Found]:
    """Return the fields of which at least `least` of the rows can be read."""
    answers: list[Found] = []
    for name in fields:
        texts = column(raw, name)
        meanings = {text: read(text) for text in set(texts.values()) if text}
        values: Values = {feature: meanings.get(text) for feature, text in texts.items()}
        if values and _share(values) >= least:
            answers.append(Found(name, values))
    return answers


def _share(values: Values) -> float:
    return sum(value is not None for value in values.values()) / len(values)


def _one_answer(raw: RawLayer, answers: list[Found], *, wanted: str, option: str) -> Found:
    """Return the fullest of fields that agree; add a finding that names them if they don't."""
    if not answers:
        return _NOTHING
    disagreeing = [answer.field for answer in answers[1:] if _disagree(answers[0].answers, answer.answers)]
    if disagreeing:
        candidates = ", ".join([answers[0].field, *disagreeing])
        raw.add("field-ambiguous", wanted=wanted, candidates=candidates, option=option)
        return _NOTHING
    return max(answers, key=lambda answer: _share(answer.answers))


def _disagree(one: Values, other: Values) -> bool:
    return any(one[key] is not None and other[key] is not None and one[key] != other[key] for key in one)


def has_cyrillic(text: str) -> bool:
    """Say whether a text has a Cyrillic letter."""
    return any("\u0400" <= letter <= "\u04ff" for letter in text)


def name_values(raw: RawLayer, field: str | None, usual: Sequence[str]) -> dict[int, str]:
    """Return the texts of a name field: the given one, else the first with a usual name, else nothing."""
    chosen: Any = field or next((name for name in raw.fields if name.casefold() in usual), None)
    return column(raw, chosen) if chosen else {}

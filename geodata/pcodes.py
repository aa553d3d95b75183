"""Give, check and look up P-codes, and match the many spellings of a place to one.

Codes are OCHA's at levels 1 and 2 ('MN11', 'MN1107'), valid from 2020-10-19; below them a local code is the parent's
code and two digits: khoroo 'MN110701', kheseg 'MN11070103'. `PLACES.md` names the sources of the lists.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

import pandas as pd

from geodata.errors import PcodeError

COUNTRY_PCODE: Final = "MN"
COUNTRY_NAMES: Final = ("Монгол Улс", "Mongolia")
CAPITAL_PCODE: Final = "MN11"
MAXIMUM_LEVEL: Final = 4
MAXIMUM_LOCAL_NUMBER: Final = 99


class Region(NamedTuple):
    """A group of aimags, or the capital, that the national statistics are given for."""

    code: str
    name_mn: str
    name_en: str


REGIONS: Final = {
    "8": Region("western", "Баруун бүс", "Western region"),
    "6": Region("khangai", "Хангайн бүс", "Khangai region"),
    "4": Region("central", "Төвийн бүс", "Central region"),
    "2": Region("eastern", "Зүүн бүс", "Eastern region"),
    "1": Region("ulaanbaatar", "Улаанбаатар", "Ulaanbaatar"),
}
"""Regions by the first digit of an aimag's code, as in the tables by region of the National Statistics Office."""

_PCODE = re.compile(r"MN(?:\d\d){0,4}")
_DIGITS = re.compile(r"0?((?:\d\d){1,4})")
_FLOAT_TAIL = re.compile(r"\.0+$")
_LEVEL_WORDS: Final = {
    1: ("аймаг", "aimag", "aymag", "province", "нийслэл хот", "хот", "city", "hot", "khot"),
    2: ("дүүрэг", "сум", "duureg", "düüreg", "district", "soum", "sum"),
}
_DISTRICT_WORDS: Final = ("дүүрэг", "duureg", "düüreg", "district")
_SOUM_WORDS: Final = ("сум", "soum", "sum")
_LOOKALIKES: Final = str.maketrans("aeopcyxkmthbvїє", "аеорсухкмтнвүүө")
_CYRILLIC: Final = str.maketrans(
    {
        **dict(zip("абвгджзийклмнопрстуфхыэёеөүь", "abvgdjziiklmnoprstufhieoeuui", strict=True)),
        "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ю": "yu", "я": "ya", "ъ": "",
    }
)  # fmt: skip
_LATIN: Final = (
    ("kh", "h"), ("x", "h"), ("ch", "č"), ("c", "ts"), ("č", "ch"), ("dz", "z"), ("zh", "j"), ("ye", "e"), ("yo", "o"),
    ("y", "i"), ("w", "v"), ("o", "u"), ("iii", "ii"),
)  # fmt: skip


def level_of(pcode: str) -> int:
    """Return the administrative level of a P-code: 0 for the country, 4 for a kheseg."""
    if not _PCODE.fullmatch(pcode):
        raise PcodeError(f"{pcode!r} is not a P-code; write MN and two digits for each level, for example MN110701")
    return (len(pcode) - len(COUNTRY_PCODE)) // 2


def parent_of(pcode: str) -> str | None:
    """Return the P-code one level up; None for the country."""
    return pcode[:-2] if level_of(pcode) else None


def local_pcode(parent: str, number: int) -> str:
    """Return the code of the `number`-th khoroo or kheseg of `parent`: two digits, 1 to 99."""
    if level_of(parent) >= MAXIMUM_LEVEL:
        raise PcodeError(f"{parent} is at the lowest level; nothing can be numbered inside it")
    if not 1 <= number <= MAXIMUM_LOCAL_NUMBER:
        raise PcodeError(f"number {number} in {parent} is outside 1 to {MAXIMUM_LOCAL_NUMBER}: a code has two digits")
    return f"{parent}{number:02d}"


def as_pcode(text: object) -> str | None:
    """Read a P-code however it was written ('MN1119', 'mn1119', '01119', '1119', 1119.0); None if it is none."""
    written = _FLOAT_TAIL.sub("", str(text).strip().upper())
    if written != COUNTRY_PCODE and _PCODE.fullmatch(written):
        return written
    digits = _DIGITS.fullmatch(written)
    return f"{COUNTRY_PCODE}{digits.group(1)}" if digits else None


def normalise(name: str) -> str:
    """Return a name in small letters, one script per word, without hyphens or the word for what kind of place it is."""
    text = unicodedata.normalize("NFKC", name).casefold().strip()
    text = re.sub(r"[\u2018\u2019\u02bc\u00b4`]", "'", text)
    text = re.sub(r"[-\u2010-\u2015_.,]+", " ", text)
    words = [_one_script(word) for word in text.split()]
    while len(words) > 1 and any(words[-1] in known for known in _LEVEL_WORDS.values()):
        words.pop()
    return " ".join(words)


def match_name(name: str, *, parent: str | None = None, level: int | None = None) -> str | None:
    """Return the P-code of the only place with this name, or None if no place or more than one has it.

    Only the children of `parent` are looked at when it is given, and only places of `level`. A word such as 'аймаг' or
    'district' in the name limits the search too: "Sukhbaatar" alone is an aimag, a district and soums, so None;
    "Сүхбаатар дүүрэг" is MN1119. A spelling that fits exactly goes before one that fits only by its sound.
    """
    hinted_level, hinted_parent = _hints(name)
    if level is not None and hinted_level is not None and level != hinted_level:
        return None
    level = hinted_level if level is None else level
    within = parent if parent is not None else hinted_parent
    for index, keys in _searches(name):
        found: set[str] = set()
        for key in keys:
            found |= {code for code in index.get(key, ()) if _fits(code, within, level, name)}
        if len(found) == 1:
            return found.pop()
        if found:
            return None
    return None


def place_name(pcode: str) -> tuple[str, str]:
    """Return the Mongolian and the English name of a place at level 0 to 2; raise `PcodeError` if it isn't listed."""
    if pcode == COUNTRY_PCODE:
        return COUNTRY_NAMES
    row = _rows().get(pcode)
    if row is None:
        raise PcodeError(f"{pcode} is not in OCHA's list of P-codes for Mongolia (valid from 2020-10-19)")
    return row["name_mn"], row["name_en"]


def region_of(pcode: str) -> Region:
    """Return the statistical region of a place at level 1 to 4; raise `PcodeError` where its aimag isn't listed."""
    aimag = pcode[: len(CAPITAL_PCODE)]
    if level_of(pcode) == 0 or not is_listed(aimag):
        raise PcodeError(f"{pcode} is in no aimag of OCHA's list of P-codes for Mongolia, so in no region")
    return REGIONS[aimag[len(COUNTRY_PCODE)]]


def is_listed(pcode: str) -> bool:
    """Say whether OCHA's list has this P-code at level 1 or 2."""
    return pcode in _rows()


def places() -> pd.DataFrame:
    """Return the 22 + 339 listed places: pcode, level, parent_pcode, name_mn, name_en, lon, lat (WGS84 degrees)."""
    frame = pd.DataFrame(list(_rows().values()))
    frame["level"] = frame["level"].astype("int64")
    for column in ("lon", "lat"):
        frame[column] = pd.to_numeric(frame[column].replace("", None), errors="raise").astype("float64")
    return frame


@cache
def _rows() -> dict[str, dict[str, str]]:
    text = resources.files("geodata").joinpath("places.csv").read_text(encoding="utf-8")
    return {row["pcode"]: row for row in csv.DictReader(text.splitlines())}


@cache
def _aliases() -> list[tuple[str, str]]:
    text = resources.files("geodata").joinpath("aliases.csv").read_text(encoding="utf-8")
    listed = [(row["pcode"], row["alias"]) for row in csv.DictReader(text.splitlines())]
    return [(code, row[key]) for code, row in _rows().items() for key in ("name_mn", "name_en")] + listed


@cache
def _by_spelling() -> dict[str, set[str]]:
    index: dict[str, set[str]] = {}
    for code, alias in _aliases():
        index.setdefault(_joined(normalise(alias)), set()).add(code)
    return index


@cache
def _by_sound() -> dict[str, set[str]]:
    index: dict[str, set[str]] = {}
    for code, alias in _aliases():
        index.setdefault(_sound(alias), set()).add(code)
    return index


def _searches(name: str) -> list[tuple[dict[str, set[str]], list[str]]]:
    """Return the indexes to ask, the strictest first, with the keys to ask each for."""
    spelling = _joined(normalise(name))
    if not spelling:
        return []
    # A Latin e inside a Cyrillic word may stand for е or, in older city files, for ө.
    variants = [spelling] if "е" not in spelling else [spelling, spelling.replace("е", "ө")]
    return [(_by_spelling(), [spelling]), (_by_spelling(), variants), (_by_sound(), [_sound(name)])]


def _fits(code: str, parent: str | None, level: int | None, name: str) -> bool:
    if parent is not None and parent_of(code) != parent:
        return False
    if level is not None and level_of(code) != level:
        return False
    is_soum = _last_word(name) in _SOUM_WORDS
    return not (is_soum and code.startswith(CAPITAL_PCODE))


def _hints(name: str) -> tuple[int | None, str | None]:
    """Read level and parent off the last word: 'аймаг', 'дүүрэг', 'сум' and their English forms."""
    last = _last_word(name)
    if not last or last == normalise(name):
        return None, None
    level = next((level for level, words in _LEVEL_WORDS.items() if last in words), None)
    if last in ("хот", "hot", "khot", "city"):
        level = None
    return level, CAPITAL_PCODE if last in _DISTRICT_WORDS else None


def _last_word(name: str) -> str:
    words = re.split(r"[\s\-]+", unicodedata.normalize("NFKC", name).casefold().strip())
    return _one_script(words[-1]) if words else ""


def _one_script(word: str) -> str:
    """Turn Latin look-alikes inside a Cyrillic word into Cyrillic: 'тeв', 'vндэсний'."""
    if any("\u0400" <= letter <= "\u04ff" for letter in word):
        return word.translate(_LOOKALIKES)
    return word


def _joined(text: str) -> str:
    return text.replace(" ", "")


def _sound(name: str) -> str:
    """Return what Cyrillic, COD, BGN and common spellings of one name have in common."""
    text = normalise(name).translate(_CYRILLIC)
    text = "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    text = re.sub(r"[^a-z]", "", text)
    for old, new in _LATIN:
        text = text.replace(old, new)
    return text

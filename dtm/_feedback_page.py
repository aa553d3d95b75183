"""Draw the feedback page of a khoroo: one HTML document to print on A4, without scripts or anything from elsewhere."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LANGUAGES = ("mn", "en")
_FIGURES = (
    "registered_households",
    "registered_persons",
    "actual_households",
    "actual_persons",
    "arrivals_persons",
    "departures_persons",
)
LONG_TEXT_CHARACTERS = 60
"""A text longer than this may be broken anywhere, so that it can't widen the page."""
_STYLE = """
@page { size: A4; margin: 14mm; }
* { box-sizing: border-box; }
body { font: 10.5pt/1.45 "Noto Sans", "DejaVu Sans", Arial, sans-serif; color: #1a1a1a; max-width: 190mm;
  margin: 8mm auto; padding: 0 4mm; }
h1 { font-size: 17pt; margin: 0 0 1mm; } h2 { font-size: 12.5pt; margin: 6mm 0 2mm; break-after: avoid; }
p { margin: 1mm 0; } .place { font-size: 12.5pt; font-weight: 600; }
.notice { border: 0.6mm solid #8a1c1c; color: #8a1c1c; padding: 2mm 3mm; margin: 3mm 0; font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-size: 9pt; } tr { break-inside: avoid; }
th, td { border: 0.2mm solid #8c8c8c; padding: 1mm 1.6mm; text-align: left; vertical-align: top;
  overflow-wrap: break-word; }
th { background: #eef1f4; font-size: 8.5pt; }
td:first-child { white-space: nowrap; } td.text { overflow-wrap: anywhere; }
td.number, td.day { text-align: right; white-space: nowrap; }
footer { margin-top: 6mm; font-size: 8.5pt; color: #4d4d4d; }
@media print { body { margin: 0; padding: 0; max-width: none; } }
"""


@cache
def feedback_words(language: str) -> dict[str, str]:
    """Return the words of the page in one language, by key."""
    text = (resources.files("dtm") / "feedback_words.csv").read_text(encoding="utf-8")
    return {row["key"]: row[language] for row in csv.DictReader(text.splitlines())}


def render_page(told: Mapping[str, Any], names: Mapping[str, tuple[str, str]], *, language: str) -> str:
    """Return the document; every text that comes from outside is escaped.

    Parameters
    ----------
    told
        What `dtm.feedback` collected for the khoroo.
    names
        Names (Mongolian, English) of the khoroo, its district and its units.
    """
    words = feedback_words(language)
    position = LANGUAGES.index(language)
    place = f"{names[told['pcode'][:-2]][position]}, {names[told['pcode']][position]} ({told['pcode']})"

    def unit(pcode: str | None) -> str:
        if not pcode:
            return words["unknown_unit"]
        if pcode == told["pcode"]:
            return words["whole_khoroo"]
        return names[pcode][position] if pcode in names else pcode

    dates = {key: told[key] for key in ("number", "first", "last")}
    notices = [words["notice"], *([words["demonstration"]] if told["is_demonstration"] else [])]
    body = [
        f"<h1>{escape(words['title'])}</h1>",
        f'<p class="place">{escape(place)}</p>',
        _text(f"{words['round'].format(**dates)}. {words['state_' + told['status']]}"),
        *(f'<p class="notice">{escape(text)}</p>' for text in notices),
        _heading(words["coverage"]),
        _text(words["coverage_text"].format(received=told["received"], expected=told["expected"])),
        _heading(words["sent"]),
        _text(words["sent_text"]),
        _sent_table(told["sent"], words, unit),
        _heading(words["corrected"]),
        _corrected_table(told["corrected"], words, unit),
    ]
    for name in ("unusable", "check", "waived"):
        body += [_heading(words[name]), _finding_table(told[name], words, unit, name=name)]
    body += [
        _heading(words["thanks"]),
        _text(words["thanks_text"]),
        f"<footer>{escape(words['made_on'].format(day=told['made_on']))} · {escape(words['notice'])}</footer>",
    ]
    title = escape(f"{words['title']}: {place}")
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


def _heading(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def _text(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _table(header: Iterable[str], rows: Iterable[Sequence[str | int | date]]) -> str:
    """Return a table; whole numbers are set to the right, days and units are not broken."""
    lines = ["<table>", "<thead><tr>" + "".join(f"<th>{escape(text)}</th>" for text in header) + "</tr></thead>"]
    lines += ["<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows]
    return "\n".join([*lines, "</table>"])


def _cell(cell: str | int | date) -> str:
    if isinstance(cell, int):
        return f'<td class="number">{cell:,}</td>'
    if isinstance(cell, date):
        return f'<td class="day">{cell.isoformat()}</td>'
    kind = ' class="text"' if len(cell) > LONG_TEXT_CHARACTERS else ""
    return f"<td{kind}>{escape(cell)}</td>"


def _sent_table(rows: Sequence[Mapping[str, Any]], words: Mapping[str, str], unit: Any) -> str:
    header = [words["unit"], words["state"], words["day"], *(words[name] for name in _FIGURES)]
    cells = [
        [
            unit(row["unit"]),
            words[row["state"]],
            row["day"] or words["not_asked"],
            *(words["not_asked"] if row[name] is None else int(row[name]) for name in _FIGURES),
        ]
        for row in rows
    ]
    return _table(header, cells)


def _corrected_table(rows: Sequence[Mapping[str, Any]], words: Mapping[str, str], unit: Any) -> str:
    if not rows:
        return _text(words["corrected_none"])

    def value(row: Mapping[str, Any], side: str) -> str:
        if row[f"{side}_elsewhere"]:
            return words["elsewhere"]
        return words["empty"] if row[side] in (None, "") else str(row[side])

    cells = []
    for row in rows:
        if row["field"] == "(return)":
            cells.append([unit(row["unit"]), words["whole_return"], "", words["replaced"], row["reason"] or ""])
        else:
            cells.append(
                [unit(row["unit"]), row["question"], value(row, "old"), value(row, "new"), row["reason"] or ""]
            )
    return _table([words[name] for name in ("unit", "field", "old", "new", "reason")], cells)


def _finding_table(rows: Sequence[Mapping[str, Any]], words: Mapping[str, str], unit: Any, *, name: str) -> str:
    if not rows:
        return _text(words[f"{name}_none"])
    header = [words["unit"], words["what"], *([words["reason"]] if name == "waived" else [])]
    cells = []
    for row in rows:
        text = row["text"] or words["waiting"].format(count=row["count"])
        if name == "unusable" and row["state"] == "waived":
            text = f"{text} {words['let_stand']}"
        cells.append([unit(row["unit"]), text, *([row["reason"] or ""] if name == "waived" else [])])
    return _table(header, cells)

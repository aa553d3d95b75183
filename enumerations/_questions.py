"""Look up the labels that the forms give to the questions behind canonical columns."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources


@cache
def _labels() -> dict[tuple[str, str], tuple[str, ...]]:
    folder = resources.files("enumerations") / "questions"
    labels: dict[tuple[str, str], tuple[str, ...]] = {}
    if not folder.is_dir():
        return labels
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".csv"):
            for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines()):
                told = tuple(row[key] for key in ("label_en", "label_mn") if row.get(key))
                key = (row.get("table") or "", row.get("column") or "")
                if all(key):
                    labels[key] = labels.get(key, ()) + told
    return labels


def question_labels(table: str, column: str) -> tuple[str, ...]:
    """Return the labels, in both languages, of the question that a canonical column holds the answer of."""
    return _labels().get((table, column), ())


def labels_of_helpers() -> list[str]:
    """Return the labels of the questions that no canonical column holds: notes, and steps on the way to an answer."""
    helpers = [label for (_, column), told in _labels().items() if column.startswith("_") for label in told]
    words = resources.files("enumerations") / "questions" / "words.csv"
    if words.is_file():
        rows = csv.DictReader(words.read_text(encoding="utf-8").splitlines())
        helpers += [row[key] for row in rows for key in ("text_mn", "text_en") if row.get(key)]
    return helpers

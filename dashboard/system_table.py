"""Show the indices of a level's areas as one system of migration, each with formula, unit and source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import html

from dashboard.measures import note_text
from dtm.system_measures import SYSTEM_INDICES

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.reader import Snapshot
    from dashboard.words import Words

FORMULAS: dict[str, tuple[str, int]] = {
    "movers": ("M = Σ m(i,j), i ≠ j", 0),
    "population": ("P = Σ (P(i) − ΔP(i) / 2)", 0),
    "crude_migration_intensity_pct": ("CMI = 100 M / P", 2),
    "courgeau_k": ("k = CMI / ln n²", 3),
    "effectiveness_mei": ("MEI = 100 Σ |D(i) − O(i)| / Σ (D(i) + O(i))", 2),
    "anmr_pct": ("ANMR = 100 · ½ Σ |D(i) − O(i)| / P = CMI · MEI / 100", 3),
    "connectivity": ("#{m(i,j) > 0} / (n (n − 1))", 3),
    "inequality": ("½ Σ |m(i,j) / M − 1 / (n (n − 1))|", 3),
    "inequality_independence": ("½ Σ |m(i,j) − μ(i,j)| / M, ln μ(i,j) = a(i) + b(j)", 3),
    "gini_total": ("Σ |m(i,j) − m(k,l)| / (2 (n (n − 1) − 1) M)", 3),
    "gini_in": ("Σ D(j) G(j) / M, G(j) = Σ |m(i,j) − m(k,j)| / (2 (n − 2) D(j))", 3),
    "gini_out": ("Σ O(i) G(i) / M, G(i) = Σ |m(i,j) − m(i,k)| / (2 (n − 2) O(i))", 3),
    "mean_distance_km": ("Σ m(i,j) d(i,j) / M", 1),
    "median_distance_km": ("min d: Σ m(i,j) [d(i,j) ≤ d] ≥ M / 2", 1),
    "distance_decay": ("β: ln μ(i,j) = a(i) + b(j) + β ln d(i,j)", 3),
}
"""Formula in signs that every language reads, and the decimals of the value, by the index."""
DECIMALS = 3


def index_name(code: str, words: Words) -> str:
    """Return the words of an index."""
    index = SYSTEM_INDICES.get(code)
    return code if index is None else index.label_mn if words.lang == "mn" else index.label_en


def decimals_of(code: str) -> int:
    """Return the decimals an index is written with."""
    return FORMULAS[code][1] if code in FORMULAS else DECIMALS


def system_rows(snapshot: Snapshot, *, round_number: int, source: str, level: int) -> pd.DataFrame:
    """Return the indices of a round, source and level, in the order they are read."""
    frame = snapshot.rows("system", round_number=round_number, source=source, level=level)
    order = {name: i for i, name in enumerate(SYSTEM_INDICES)}
    return frame.sort_values("indicator", key=lambda names: names.map(order).fillna(len(order)), kind="stable")


def system_table(words: Words, frame: pd.DataFrame) -> html.Div:
    """Return the indices as a table that fits a phone."""
    head = [words(f"column.{name}") for name in ("index", "value", "formula", "reference")]
    body = []
    for row in frame.itertuples():
        index = SYSTEM_INDICES.get(row.indicator)
        formula, decimals = FORMULAS.get(row.indicator, ("" if index is None else index.formula, DECIMALS))
        value = (
            words.number(float(row.value), decimals=decimals)
            if row.status == "published"
            else words(f"status.{row.status}")
        )
        unit = words(f"unit.{row.unit}") if words.has(f"unit.{row.unit}") and row.status == "published" else ""
        note = note_text(row.note, words.lang)
        cells = [
            html.Th(index_name(row.indicator, words), scope="row"),
            html.Td([html.Strong(f"{value} {unit}".strip()), html.Div(note, className="note") if note else None]),
            html.Td(formula, className="formula"),
            html.Td("" if index is None else index.reference, className="reference"),
        ]
        body.append(html.Tr(cells))
    return html.Div(
        html.Table(
            [html.Thead(html.Tr([html.Th(name, scope="col") for name in head])), html.Tbody(body)],
            className="plain-table system-table",
        )
    )

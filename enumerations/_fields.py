"""Turn the columns of a header into SQL for canonical columns: one column, several versions, points, choices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from enumerations._names import (
    RANK_LABEL,
    Match,
    is_export,
    is_odk_csv,
    is_point_name,
    keys_of,
    match_choice,
    match_name,
    plain,
    point_part,
    whole,
)
from enumerations.codelists import choices_of, spelling_key, spellings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enumerations.columns import FormTable

_POINT_COLUMNS = {"lon": ("longitude", 2), "lat": ("latitude", 1), "accuracy_m": ("accuracy", 4)}
"""Canonical columns of a point: its part, and the place of that part in a point written as text."""
ROOT_IDENTITY = "meta/rootuuid"
_TRUE = ("1", "1.0", "true", "yes", "тийм", "үнэн")
_FALSE = ("0", "0.0", "false", "no", "үгүй", "худал")


def quote(text: str) -> str:
    """Return text as an SQL literal."""
    return "'" + text.replace("'", "''").replace("\0", "") + "'"


def merged_sql(cells: Sequence[str]) -> str:
    """Return SQL for a question asked in several columns: the one that is filled, all of them if they differ."""
    if len(cells) == 1:
        return cells[0]
    filled = [f"nullif(trim({cell}), '')" for cell in cells]
    distinct = f"list_sort(list_distinct(list_filter([{', '.join(filled)}], lambda one: one IS NOT NULL)))"
    return f"nullif(array_to_string({distinct}, ' | '), '')"


def point_sql(cell: str, column: str) -> str:
    """Return SQL for a canonical column of a point written as 'latitude longitude altitude accuracy'."""
    return f"nullif(split_part(trim({cell}), ' ', {_POINT_COLUMNS[column][1]}), '')"


def choices_sql(choices: Sequence[tuple[str, str]], codelist: str) -> str:
    """Return SQL that joins the codes of the choices that were ticked; `choices` are pairs of cell and choice."""
    spellings = spellings_of(codelist) if codelist else {}
    parts = []
    for cell, choice in choices:
        code = spellings.get(spelling_key(choice), choice)
        parts.append(f"{{'said': lower(trim({cell})), 'label': {quote(choice.casefold())}, 'code': {quote(code)}}}")
    ticked, empty = (", ".join(map(quote, words)) for words in (_TRUE, ("", *_FALSE)))
    told = f"list_filter([{', '.join(parts)}], lambda one: one.said NOT IN ({empty}))"
    named = f"one.said IN ({ticked}, one.label, lower(one.code))"
    codes = f"list_transform({told}, lambda one: one.code || CASE WHEN {named} THEN '' ELSE '=' || one.said END)"
    return f"nullif(array_to_string({codes}, ' '), '')"


def labels_sql(cell: str, codelist: str) -> str:
    """Return SQL that turns the labels of several choices in one cell into their codes, the longest label first."""
    sql = f"lower({cell})"
    pairs = [
        (label, code)
        for choice in choices_of(codelist)
        for label, code in ((choice.label_en, choice.code), (choice.label_mn, choice.code))
    ]
    for label, code in sorted(pairs, key=lambda pair: -len(pair[0])):
        sql = f"replace({sql}, {quote(label.casefold())}, {quote(code)})"
    return f"trim(regexp_replace({sql}, '[,;|\\s]+', ' ', 'g'))"


@dataclass
class Fields:
    """What a header holds of one table: the cell or SQL of canonical columns, and the positions that are used."""

    table: FormTable
    names: Sequence[str]
    positions: dict[str, int] = field(default_factory=dict)
    expressions: dict[str, str] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    repeated: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find them."""
        export = is_export(self.names)
        keys = keys_of(self.table)
        multiples = {column.name for column in self.table.columns if column.kind == "codes"}
        found: dict[str, list[Match]] = {}
        choices: dict[str, list[tuple[int, str]]] = {}
        for position, name in enumerate(self.names):
            if not name.strip():
                continue
            choice = match_choice(keys, multiples, name, export=export) if multiples else None
            if choice:
                choices.setdefault(choice[0], []).append((position, choice[1]))
                continue
            match = match_name(keys, name, position, export=export)
            if match:
                found.setdefault(match.column, []).append(match)
        self._prefer_key(found)
        for column, matches in found.items():
            self._take(column, matches, export=export)
        self._prefer_root()
        self._take_points()
        self._take_choices(choices, found)

    def _prefer_key(self, found: dict[str, list[Match]]) -> None:
        """In ODK Central's exports the KEY stays when a return is edited, the instance id doesn't."""
        if "instance_id" not in found or not is_odk_csv(self.names):
            return
        keys = [one for one in found["instance_id"] if whole(self.names[one.position]) in {"key", "parent_key"}]
        found["instance_id"] = keys or found["instance_id"]

    def _prefer_root(self) -> None:
        """In Kobo's exports the root identifier stays when a return is edited, `_uuid` doesn't."""
        root = next((at for at, name in enumerate(self.names) if whole(name) == ROOT_IDENTITY), None)
        at = self.positions.get("instance_id")
        if root is not None and at is not None and whole(self.names[at]) == "_uuid":
            self.expressions["instance_id"] = f"coalesce(nullif(replace(c{root}, 'uuid:', ''), ''), c{at})"
            self.used.add(root)

    def _take(self, column: str, matches: list[Match], *, export: bool) -> None:
        best = min(match.rank for match in matches)
        chosen = [match for match in matches if match.rank == best]
        self.used |= {match.position for match in chosen}
        self.positions[column] = chosen[0].position
        if len(chosen) > 1:
            self.expressions[column] = merged_sql([f"c{match.position}" for match in chosen])
            if not export and sum(match.is_whole for match in chosen) > 1:
                self.repeated.append(column)
        elif column == "instance_id" and plain(self.names[chosen[0].position]) == "parent_key":
            self.expressions[column] = f"split_part(c{chosen[0].position}, '/', 1)"
        elif best >= RANK_LABEL and self.table.by_name[column].kind == "codes":
            self.expressions[column] = labels_sql(f"c{chosen[0].position}", self.table.by_name[column].codelist)

    def _take_points(self) -> None:
        if "lon" not in self.table.by_name:
            return
        points: dict[str, dict[str, int]] = {}
        for position, name in enumerate(self.names):
            part = point_part(name)
            if part:
                points.setdefault(part[0], {})[part[1]] = position
        whole_points = {base: parts for base, parts in points.items() if {"latitude", "longitude"} <= parts.keys()}
        if whole_points:
            base = next((one for one in whole_points if is_point_name(one)), next(iter(whole_points)))
            held = whole_points[base]
            for column, (coordinate, _) in _POINT_COLUMNS.items():
                if coordinate in held and self._lacks(column):
                    self.positions[column] = held[coordinate]
            self.used |= set(held.values())
            own = base.replace(" ", "_")
            self.used |= {at for at, name in enumerate(self.names) if plain(name).strip("_") == own}
        text = next((at for at, name in enumerate(self.names) if is_point_name(name)), None)
        if text is not None and text not in self.used:
            for column in _POINT_COLUMNS:
                if self._lacks(column):
                    self.positions[column] = text
                    self.expressions[column] = point_sql(f"c{text}", column)
            self.used.add(text)

    def _lacks(self, column: str) -> bool:
        return column in self.table.by_name and column not in self.positions

    def _take_choices(self, choices: dict[str, list[tuple[int, str]]], found: dict[str, list[Match]]) -> None:
        for column, own in choices.items():
            self.used |= {position for position, _ in own}
            cells = [(f"c{position}", choice) for position, choice in own]
            ticked = choices_sql(cells, self.table.by_name[column].codelist)
            single = found.get(column)
            if single and min(match.rank for match in single) < RANK_LABEL:
                cell = self.expressions.get(column, f"c{self.positions[column]}")
                ticked = f"coalesce(nullif(trim({cell}), ''), {ticked})"
            self.positions.setdefault(column, own[0][0])
            self.expressions[column] = ticked

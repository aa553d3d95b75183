"""Write down every sum that ties the published figures, from the tables of a release.

Which sums there are follows from the definitions of the release's tables:

- stock: the items of a breakdown sum to the total; registered - registered_absent + unregistered = actual; the areas
  inside an area sum to it, for every category, measure and item;
- flow: the counterparts other than the area itself sum to the total; the reasons sum to the total; the areas inside
  an area sum to it for each counterpart, where moves to a counterpart inside the larger area become its own inside
  moves; so the totals of the areas inside sum to the larger area's total plus its inside moves;
- flow items: each breakdown sums to the total; the distances are sums of counterparts;
- reasons, sexes, ages and registration of moves: the areas inside an area sum to it and the moves between them;
- births and deaths: the areas inside an area sum to it;
- checkpoints: the travellers of all days and checkpoints sum to the flows at checkpoints and those who are in none; the
  hours of a weekday sum to the days of that weekday;
- change between rounds = the stock of the one minus the stock of the other, where all units reported in both.

Besides, no count of households is over that of their persons, nor one of vehicles over that of their travellers.
Figures that were not reported are null, are known to be, and take part in no sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm._disclosure_inside import KEYS, Inside, breakdowns, moved_up, moves_inside, tie_inside
from dtm._disclosure_system import Cells, System, SystemBuilder
from dtm.flow_items import distance_class

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dtm.workspace import Settings

TOTAL = "total"
PERSONS = "persons"
CHANGE = "change_persons"
CHANGE_PERCENT = "change_pct"
_COMPONENTS = ("registered_absent", "unregistered")
_TIER_ITEM, _TIER_TOTAL = (0, 1, 4), (2, 3, 5)
"""Tiers by levels above the finest (0, 1, 2 and more): items, then totals."""


@dataclass(frozen=True)
class Frames:
    """The counted tables of a release; ``row`` numbers each table's rows in the order of its key."""

    stock: pd.DataFrame
    flow: pd.DataFrame
    flow_item: pd.DataFrame
    vital: pd.DataFrame
    passage_day: pd.DataFrame
    passage_hour: pd.DataFrame
    change: pd.DataFrame
    parent_of: Mapping[str, str]
    level_of: Mapping[str, int]
    rounds: tuple[int, ...]


@dataclass(frozen=True)
class Linked:
    """The system, and the frames with the number of each row's cell (-1 where null) in ``cell``."""

    system: System
    frames: dict[str, pd.DataFrame]


def threshold_of(measure: pd.Series, settings: Settings) -> pd.Series:
    """Return the threshold of each count.

    A vehicle is a party of travellers and not a dwelling with an address, but often one person: it takes the
    stricter (higher) threshold.
    """
    strictest = max(settings.threshold_persons, settings.threshold_households)
    known = {PERSONS: settings.threshold_persons, "households": settings.threshold_households}
    return measure.map(known).fillna(strictest).astype(np.int64)


def _tier(frame: pd.DataFrame, is_total: pd.Series, finest: int) -> pd.Series:
    above = (finest - frame["level"]).clip(0, len(_TIER_ITEM) - 1).astype(int)
    return pd.Series(
        np.where(is_total, np.array(_TIER_TOTAL)[above], np.array(_TIER_ITEM)[above]), index=frame.index, dtype=np.int64
    )


def _numbered(frame: pd.DataFrame, start: int) -> pd.DataFrame:
    reported = frame["value"].notna().to_numpy()
    numbers = np.where(reported, np.cumsum(reported) - 1 + start, -1)
    return frame.assign(cell=numbers.astype(np.int64))


def link(frames: Frames, settings: Settings) -> Linked:
    """Give each cell a number and tie them by every sum that holds."""
    finest = max(frames.level_of.values(), default=0)
    stock, flow, change = frames.stock, frames.flow, frames.change
    main = (stock["breakdown"] == TOTAL) & ~stock["category"].isin(_COMPONENTS)
    stock = stock.assign(tier=_tier(stock, main, finest), threshold=threshold_of(stock["measure"], settings))
    all_of = (flow["counterpart"] == TOTAL) & (flow["reason"] == TOTAL)
    flow = flow.assign(tier=_tier(flow, all_of, finest), threshold=threshold_of(flow["measure"], settings))
    item, vital = (
        frame.assign(tier=_tier(frame, frame["level"] < 0, finest), threshold=settings.threshold_persons)
        for frame in (frames.flow_item, frames.vital)
    )
    passage = frames.passage_day.assign(tier=0, threshold=threshold_of(frames.passage_day["measure"], settings))
    hour = frames.passage_hour.assign(tier=0, threshold=settings.threshold_persons)
    change = change.assign(tier=_tier(change, change["level"] < 0, finest), threshold=0)
    counted = {
        "stock": stock, "flow": flow, "flow_item": item, "vital": vital, "passage_day": passage, "passage_hour": hour,
    }  # fmt: skip
    inside = moves_inside(breakdowns(flow, item), frames.parent_of, frames.level_of)
    unreleased = {
        f"{kind}_{name}": rows.assign(tier=0, threshold=threshold_of(rows["measure"], settings))
        for kind, tables in (("between", inside.between), ("within", inside.within))
        for name, rows in tables.items()
    }
    rest = _outside_flows(flow, passage)
    unreleased["rest_of_days"] = rest.assign(tier=0, threshold=threshold_of(rest["measure"], settings))
    numbered: dict[str, pd.DataFrame] = {}
    start = 0
    for name, frame in (*counted.items(), ("change", change), *unreleased.items()):
        numbered[name] = _numbered(frame, start)
        start += int(frame["value"].notna().sum())
    reported = {name: frame[frame["cell"] >= 0] for name, frame in numbered.items()}

    def column(name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.concatenate([frame[name].to_numpy(dtype=np.float64) for frame in reported.values()]).astype(np.int64)

    sizes = [len(frame) for frame in reported.values()]
    is_count = np.repeat([name != "change" for name in reported], sizes)
    is_released = np.repeat([name not in unreleased for name in reported], sizes)
    cells = Cells(column("value"), column("threshold"), column("tier"), is_count, is_released)
    builder = SystemBuilder(cells)
    _add_stock(builder, reported["stock"], frames)
    _add_flow(builder, reported["flow"], frames)
    _add_flow_items(builder, reported["flow"], reported["flow_item"], frames)
    of_kind = [{name: reported[f"{kind}_{name}"] for name in KEYS} for kind in ("between", "within")]
    own = reported["flow"][reported["flow"]["counterpart"] == reported["flow"]["pcode"]]
    told = breakdowns(reported["flow"], reported["flow_item"])
    tie_inside(builder, told, Inside(*of_kind), own, frames.parent_of)
    by_area = ["round_number", "pcode", "event"]
    builder.add("vital_areas", [(reported["vital"], 1), (moved_up(reported["vital"], frames.parent_of), -1)], by_area)
    _add_checkpoints(builder, reported["flow"], reported["passage_day"], reported["rest_of_days"])
    _add_hours(builder, reported["passage_day"], reported["passage_hour"])
    _add_change(builder, reported["change"], reported["stock"], frames)
    for name, smaller in (("stock", "households"), ("flow", "households"), ("passage_day", "vehicles")):
        _add_sizes(builder, reported[name], smaller)
    return Linked(builder.build(), numbered)


def _add_stock(builder: SystemBuilder, stock: pd.DataFrame, frames: Frames) -> None:
    by = ["round_number", "pcode", "category", "measure"]
    items = stock[stock["breakdown"] != TOTAL]
    totals = stock[stock["breakdown"] == TOTAL]
    for breakdown in sorted(items["breakdown"].unique()):
        builder.add("stock_breakdown", [(totals, 1), (items[items["breakdown"] == breakdown], -1)], by)
    persons = totals[totals["measure"] == PERSONS]
    signs = {"registered": 1, "registered_absent": -1, "unregistered": 1, "actual": -1}
    parts = [(persons[persons["category"] == category], sign) for category, sign in signs.items()]
    if all(len(part) for part, _ in (parts[0], parts[3])):
        builder.add("stock_identity", parts, ["round_number", "pcode"])
    builder.add("stock_areas", [(stock, 1), (moved_up(stock, frames.parent_of), -1)], [*by, "breakdown", "item"])


def _add_flow(builder: SystemBuilder, flow: pd.DataFrame, frames: Frames) -> None:
    by = ["round_number", "source", "pcode", "direction", "measure"]
    of_all, to_all = flow["reason"] == TOTAL, flow["counterpart"] == TOTAL
    totals, pairs, reasons = flow[of_all & to_all], flow[of_all & ~to_all], flow[~of_all & to_all]
    inside = pairs["counterpart"] == pairs["pcode"]
    builder.add("flow_counterparts", [(totals, 1), (pairs[~inside], -1)], by)
    builder.add("flow_reasons", [(totals, 1), (reasons, -1)], by)
    children = moved_up(pairs.assign(child=pairs["pcode"]), frames.parent_of)
    is_inside = [
        counterpart.startswith(parent)
        for counterpart, parent in zip(children["counterpart"], children["pcode"], strict=True)
    ]
    children = children.assign(counterpart=children["pcode"].where(np.array(is_inside, bool), children["counterpart"]))
    builder.add("flow_areas", [(pairs, 1), (children, -1)], [*by, "counterpart"])
    own = pairs[inside]
    builder.add(
        "flow_totals",
        [(totals, 1), (own, 1), (moved_up(totals, frames.parent_of), -1), (moved_up(own, frames.parent_of), -1)],
        by,
    )


def _add_flow_items(builder: SystemBuilder, flow: pd.DataFrame, items: pd.DataFrame, frames: Frames) -> None:
    by = ["round_number", "source", "pcode", "direction", "measure"]
    of_all, to_all = flow["reason"] == TOTAL, flow["counterpart"] == TOTAL
    totals, pairs = flow[of_all & to_all], flow[of_all & ~to_all]
    for breakdown in sorted(items["breakdown"].unique()):
        builder.add("flow_items", [(totals, 1), (items[items["breakdown"] == breakdown], -1)], by)
    outside = pairs[pairs["counterpart"] != pairs["pcode"]]
    ends = zip(outside["pcode"], outside["counterpart"], strict=True)
    far = outside.assign(item=[distance_class(area, counterpart) for area, counterpart in ends])
    distances = items[items["breakdown"] == "distance"]
    builder.add("flow_distances", [(distances, 1), (far, -1)], [*by, "item"])
    builder.add("flow_distance_areas", [(distances, 1), (moved_up(distances, frames.parent_of), -1)], [*by, "item"])


def _add_hours(builder: SystemBuilder, passage: pd.DataFrame, hours: pd.DataFrame) -> None:
    days = passage[(passage["measure"] == PERSONS) & passage["round_number"].notna()]
    if len(days) and len(hours):
        weekday = pd.to_datetime(days["day"]).dt.day_of_week + 1
        days = days.assign(round_number=days["round_number"].astype(np.int64), weekday=weekday.astype(np.int64))
        hours = hours.astype({"round_number": np.int64, "weekday": np.int64})
        builder.add("passage_hours", [(days, 1), (hours, -1)], ["round_number", "direction", "weekday"])


def _at_checkpoints(flow: pd.DataFrame, passage: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the totals of travellers at checkpoints, and their days, where they are persons of a round."""
    totals = flow[(flow["counterpart"] == TOTAL) & (flow["reason"] == TOTAL) & (flow["measure"] == PERSONS)]
    persons = passage[(passage["measure"] == PERSONS) & passage["round_number"].notna()]
    return (
        totals[totals["source"].str.startswith("checkpoint")],
        persons.assign(round_number=persons["round_number"].astype(np.int64)),
    )


def _outside_flows(flow: pd.DataFrame, passage: pd.DataFrame) -> pd.DataFrame:
    """Count the travellers of days who are in no flow: both ends are in the city, or one that nobody knew.

    No table has them, but the days less the flows do.
    """
    keys = ["round_number", "direction", "measure"]
    totals, persons = _at_checkpoints(flow, passage)
    both = pd.concat([persons[[*keys, "value"]], totals[[*keys, "value"]].assign(value=-totals["value"])])
    rest = both.dropna(subset="value").astype({"value": np.int64}).groupby(keys, as_index=False)[["value"]].sum()
    return rest[rest["value"] > 0].reset_index(drop=True)


def _add_checkpoints(builder: SystemBuilder, flow: pd.DataFrame, passage: pd.DataFrame, rest: pd.DataFrame) -> None:
    totals, persons = _at_checkpoints(flow, passage)
    if len(totals) and len(persons):
        builder.add("checkpoint_days", [(totals, 1), (rest, 1), (persons, -1)], ["round_number", "direction"])


def _add_sizes(builder: SystemBuilder, frame: pd.DataFrame, smaller: str) -> None:
    """Tell that a household or a vehicle has one person at least."""
    no_key = ("row", "measure", "value", "cell", "tier", "threshold", "note", "method")
    by = [column for column in frame.columns if column not in no_key]
    builder.bound(frame[frame["measure"] == PERSONS], frame[frame["measure"] == smaller], by)


def _add_change(builder: SystemBuilder, change: pd.DataFrame, stock: pd.DataFrame, frames: Frames) -> None:
    if not len(change):
        return
    actual = stock[(stock["category"] == "actual") & (stock["measure"] == PERSONS) & (stock["breakdown"] == TOTAL)]
    following = dict(zip(frames.rounds, frames.rounds[1:], strict=False))
    after = actual["round_number"].map(following)
    previous = actual[after.notna()].assign(round_number=after[after.notna()].astype(np.int64))
    by = ["round_number", "pcode"]
    for stock_cells in (actual, previous):
        tied = change[[*by, "cell"]].merge(stock_cells[[*by, "cell"]], on=by, suffixes=("", "_stock"))
        builder.follow(tied["cell_stock"], tied["cell"])
    both = change.merge(actual[by], on=by).merge(previous[by], on=by)
    rows = [frame.merge(both[by], on=by) for frame in (change, actual, previous)]
    builder.add("change", [(rows[0], 1), (rows[1], -1), (rows[2], 1)], by)
    builder.add("change_areas", [(change, 1), (moved_up(change, frames.parent_of), -1)], by)

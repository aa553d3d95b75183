"""Show which units have reported: progress by day, the map of khoroos, districts, roles, and who is late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
import shapely.geometry
from dash import html
from plotly.subplots import make_subplots

from dashboard import charts, labels, maps, parts, tables
from dashboard.desk.round_head import share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    import plotly.graph_objects as go

    from dashboard.desk.board import Board
    from dashboard.words import Words


WORLD_EQUAL_AREA = "EPSG:6933"
PROGRESS_HEIGHT_PX = 300
MISSING_ROWS_MAXIMUM = 5000
HALF = 0.5
FEW_DAYS = 10
DAY_MS = 86_400_000
CLASSES = ("none", "some", "most", "all")
"""Khoroos by the share of their units that reported: none, less than half, half and more, all."""
COLORS = ("#a6361c", "#f0a04b", "#bcd5ea", "#2b6cb0")
"""Rust to blue, told apart by readers who don't see red or green; khoroos without any return are hatched too."""
NOT_EXPECTED = "#ffffff"
EXPECTED_LINE = "#1c2330"
ROLES = ("kheseg_leader", "khoroo_officer", "checkpoint", "interviewer", "other", "nobody")
FORMS = ("kheseg-baseline", "checkpoint-registry", "household-survey", "event-report", "dtm-published")
TRAININGS = ("trained", "untrained", "unknown")
TRAINING_COLUMNS = ("form", "returns", "set_aside", "findings", "per_return")


def class_of(received: float, expected: float) -> str | None:
    """Return the class of a khoroo; None where no unit is expected."""
    if not expected:
        return None
    if received <= 0:
        return "none"
    if received >= expected:
        return "all"
    return "some" if received / expected < HALF else "most"


def legend(words: Words) -> html.Div:
    """Return the classes with their colours."""
    entries = [(words(f"desk.class.{name}"), color, "") for name, color in zip(CLASSES, COLORS, strict=True)]
    entries[0] = (entries[0][0], "", "swatch-missing")
    return parts.swatches([*entries, (words("desk.class.not_expected"), NOT_EXPECTED, "swatch-empty")])


def _hover(row: Mapping[str, Any], name: str, words: Words) -> str:
    received, expected = words.number(row["units_received"]), words.number(row["units_expected"])
    lines = [
        f"<b>{name}</b>",
        words("hover.coverage", reported=received, expected=expected),
        words("desk.hover_errors", count=words.number(row["errors_open"])),
        f"<i>{row['pcode']}</i>",
    ]
    return "<br>".join(lines)


def bounds(board: Board, shapes: gpd.GeoSeries) -> maps.Bounds:
    """Return the box that holds most units."""
    expected = {row["pcode"]: row["units_expected"] for row in board.khoroos}
    weights = np.array([max(1.0, float(expected.get(code) or 0)) for code in shapes.index])
    middles = shapes.representative_point()
    return maps.dense_bounds(middles.x.to_numpy(), middles.y.to_numpy(), weights)


def map_figure(board: Board, shapes: gpd.GeoSeries, words: Words, *, chosen: str = "", window_px: int) -> go.Figure:
    """Return the map of khoroos by the share of their units that reported; `chosen` gets a border."""
    url, outlines = f"/desk/areas-{board.number}.geojson", f"/desk/districts-{board.number}.geojson"
    figure = maps.blank_map(
        maps.camera_for(bounds(board, shapes), window_px=window_px),
        land=url,
        layers=[maps.line_layer(outlines, color=maps.BORDER, width=1.6)],
        keep=f"desk-{board.number}",
        style=f"/desk/style-{board.number}-{words.lang}.json",
    )
    names = board.area_names(words.lang)
    hover = {row["pcode"]: _hover(row, names[row["pcode"]], words) for row in board.khoroos}
    classes = {row["pcode"]: class_of(row["units_received"], row["units_expected"]) for row in board.khoroos}
    told = [code for code, name in classes.items() if name is not None]
    blank = [code for code, name in classes.items() if name is None]
    if told:
        numbers = [CLASSES.index(str(classes[code])) for code in told]
        figure.add_trace(maps.polygons_trace(url, told, numbers, list(COLORS), hover, opacity=0.9))
    if blank:
        figure.add_trace(maps.polygons_trace(url, blank, [0] * len(blank), [NOT_EXPECTED], hover, opacity=0.85))
    drawn = {str(code): shape for code, shape in shapes.items()}
    silent = [code for code, name in classes.items() if name == "none"]
    extra = [maps.hatch_trace(drawn, silent, color=maps.LAND), maps.outline_trace(drawn.get(chosen))]
    figure.add_traces([trace for trace in extra if trace is not None])
    return figure


def progress_figure(board: Board, words: Words) -> go.Figure:
    """Return units received against units expected, and below it the returns of each day."""
    shared = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.62, 0.38], vertical_spacing=0.08)
    figure = charts.base_chart(height=PROGRESS_HEIGHT_PX, legend=True)
    shared.update_layout(figure.layout)
    shared.update_yaxes(gridcolor="#e6e8ec", tickformat=",d", rangemode="tozero", nticks=5, title={"standoff": 4})
    shared.update_yaxes(title_text=words("desk.units"), row=1, col=1)
    shared.update_yaxes(title_text=words("desk.returns"), row=2, col=1)
    shared.update_xaxes(
        showgrid=False, tickformat="%m-%d", hoverformat="%Y-%m-%d", linecolor="#9aa1ae", automargin=True
    )
    days = board.days
    if len(days) <= FEW_DAYS:
        shared.update_xaxes(dtick=DAY_MS)
    when = [str(row["day"])[:10] for row in days]
    for key, column, color, dash in (
        ("desk.cumulative", "cumulative_units", charts.ARRIVALS, "solid"),
        ("desk.expected", "expected_units", EXPECTED_LINE, "dot"),
    ):
        shared.add_scatter(
            x=when, y=[row[column] for row in days], name=words(key), mode="lines",
            line={"color": color, "width": 2.5, "dash": dash}, row=1, col=1,
            hovertemplate="%{x}: %{y:,.0f}<extra>" + words(key) + "</extra>",
        )  # fmt: skip
    shared.add_bar(
        x=when, y=[row["returns"] for row in days], name=words("desk.returns_by_day"),
        marker={"color": charts.BAR}, row=2, col=1,
        hovertemplate="%{x}: %{y:,.0f}<extra>" + words("desk.returns_by_day") + "</extra>",
    )  # fmt: skip
    if not board.returns:
        shared.add_annotation(
            text=words("desk.no_returns"), xref="paper", yref="paper", x=0.5, y=0.5, showarrow=False,
            font={"size": 14, "color": "#4a5263"},
        )  # fmt: skip
    return shared


def plain_table(label: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> html.Div:
    """Return a small table that scrolls on its own."""
    body = [html.Tr([html.Th(row[0], scope="row"), *(html.Td(cell) for cell in row[1:])]) for row in rows]
    return html.Div(
        html.Table(
            [html.Thead(html.Tr([html.Th(title, scope="col") for title in head])), html.Tbody(body)],
            className="plain-table desk-table",
        ),
        className="table-scroll",
        tabIndex=0,
        role="region",
        **{"aria-label": label},
    )


def _bar(part: float, whole: float, words: Words) -> html.Div:
    width = min(100.0, 100 * part / whole) if whole else 0.0
    meter = html.Div(html.Div(style={"width": f"{width:.1f}%"}, className="desk-bar-fill"), className="desk-bar")
    return html.Div([meter, html.Span(share(part, whole, words), className="desk-bar-share")], className="desk-bar-row")


def districts(board: Board, words: Words) -> Any:
    """Return the units of each district, the least complete first."""
    if not board.districts:
        return html.P(words("desk.nothing_yet"), className="note")
    ordered = sorted(
        board.districts, key=lambda row: row["units_received"] / row["units_expected"] if row["units_expected"] else 2
    )
    rows = [
        (
            row.get(words.name_column) or row["pcode"],
            words("key.of", reported=words.number(row["units_received"]), expected=words.number(row["units_expected"])),
            _bar(row["units_received"], row["units_expected"], words),
        )
        for row in ordered
    ]
    return plain_table(
        words("desk.by_district"), [words("desk.district"), words("desk.units"), words("desk.share")], rows
    )


def roles(board: Board, words: Words) -> Any:
    """Return units and returns by the role of the enumerators."""
    if not board.roles:
        return html.P(words("desk.nothing_yet"), className="note")
    rows = [
        (
            role_name(row["role"], words),
            words.number(row["enumerators"]),
            words("key.of", reported=words.number(row["units_received"]), expected=words.number(row["units_expected"])),
            words.number(row["returns"]),
        )
        for row in board.roles
    ]
    head = [words("desk.role"), words("desk.enumerators"), words("desk.units"), words("desk.returns")]
    return plain_table(words("desk.by_role"), head, rows)


def training(board: Board, words: Words) -> Any:
    """Return returns and findings by the training of who sent them, so that quality is read beside training."""
    rows = [
        (
            words(f"desk.training.{row['training']}"),
            form_name(row["form"], words),
            words.number(row["returns"]),
            words.number(row["set_aside"]),
            words.number(row["findings"]),
            words.number(row["findings_per_return"], decimals=2),
        )
        for row in board.training
        if row["returns"]
    ]
    if not rows:
        return html.P(words("desk.nothing_yet"), className="note")
    head = [words(f"desk.training.head.{name}") for name in TRAINING_COLUMNS]
    return plain_table(words("desk.by_training"), [words("desk.training"), *head], rows)


def form_name(form: str, words: Words) -> str:
    """Return a form in words; one that nobody foresaw keeps its name."""
    return words(f"desk.form.{form}") if form in FORMS else form


def role_name(role: str | None, words: Words) -> str:
    """Return a role in words; a code that nobody foresaw stays as it is."""
    return words(f"desk.role.{role}") if role in ROLES else str(role or "")


def missing_grid(words: Words) -> html.Div:
    """Return the table of units without a return."""
    return tables.grid(
        "desk-missing",
        words,
        label=words("desk.missing"),
        height_px=340,
        columns=[
            tables.text_column("district", words("desk.district"), minWidth=140),
            tables.text_column("khoroo", words("desk.khoroo"), minWidth=130),
            tables.text_column("unit", words("desk.unit"), minWidth=140),
            tables.text_column("enumerator", words("desk.enumerator"), minWidth=150),
            tables.text_column("role", words("desk.role"), minWidth=140),
            tables.text_column("trained_on", words("desk.trained_on"), minWidth=140),
            tables.number_column("set_aside", words("desk.set_aside"), minWidth=130),
            tables.text_column("pcode", words("column.pcode"), minWidth=130),
        ],
    )


def missing_rows(board: Board, words: Words, *, pcode: str = "") -> list[dict[str, Any]]:
    """Return the units without a return in an area, or all."""
    lang = words.lang
    return [
        {
            "id": row["unit"],
            "district": row[f"district_{lang}"],
            "khoroo": row[f"khoroo_{lang}"],
            "unit": row[f"unit_{lang}"],
            "pcode": row["unit"],
            "enumerator": ", ".join(str(one["enumerator"]) for one in row["enumerators"]) or words.number(None),
            "role": ", ".join(dict.fromkeys(role_name(one["role"], words) for one in row["enumerators"])),
            "trained_on": ", ".join(
                str(one["trained_on"])[:10] if one["trained_on"] else words("desk.training.untrained")
                for one in row["enumerators"]
            ),
            "set_aside": row["set_aside"],
        }
        for row in board.missing
        if str(row["unit"]).startswith(pcode)
    ][:MISSING_ROWS_MAXIMUM]


def missing_note(board: Board, words: Words, *, shown: int) -> str:
    """Return how many units are missing, and since when they are late."""
    key = "desk.missing_late" if board.is_due else "desk.missing_not_due"
    day = words.date(board.due_on) if board.due_on else ""
    told = words(key, count=words.number(len(board.missing)), day=day)
    return told if shown == len(board.missing) else f"{told} {words('desk.missing_shown', shown=words.number(shown))}"


def area_collection(shapes: gpd.GeoSeries) -> dict[str, Any]:
    """Return the khoroos as GeoJSON known by their P-codes: only shapes, which stay the same through the round."""
    return _collection(shapes)


def district_collection(shapes: gpd.GeoSeries) -> dict[str, Any]:
    """Return the districts, joined from their khoroos."""
    return _collection(shapes.groupby(shapes.index.str[:-2]).agg(shapely.union_all))


def _collection(shapes: Any) -> dict[str, Any]:
    features = [
        {"type": "Feature", "id": code, "properties": {}, "geometry": shapely.geometry.mapping(shape)}
        for code, shape in shapes.items()
    ]
    return {"type": "FeatureCollection", "features": features}


def style(board: Board, shapes: gpd.GeoSeries, words: Words) -> dict[str, Any]:
    """Return the style that names the districts, and the khoroos from near by."""
    middles = shapes.representative_point()
    areas = shapes.to_crs(WORLD_EQUAL_AREA).area
    khoroos = [
        labels.point(name, name, middles[row["pcode"]].x, middles[row["pcode"]].y)
        for row in board.khoroos
        if row["pcode"] in middles.index and (name := str(row[words.name_column]))
    ]
    districts = []
    for row in board.districts:
        inside = middles.index.str.startswith(row["pcode"])
        if inside.any():
            lon, lat = labels.dense_middle(middles[inside].x, middles[inside].y, areas[inside] / 1e6)
            name = str(row[words.name_column])
            districts.append(labels.point(name, name, lon, lat))
    return labels.named_style(f"desk-{words.lang}", districts=labels.points(districts), khoroos=labels.points(khoroos))

"""Build the pieces that pages share: header, banner, footer, controls, cards, legends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
import pandas as pd
from dash import dcc, html

from dashboard.maps import EVERYWHERE, GAP_FILLS, PEOPLE
from dashboard.measures import note_text

if TYPE_CHECKING:
    from dashboard.measures import Measure
    from dashboard.reader import Snapshot
    from dashboard.scales import Scale
    from dashboard.state import View
    from dashboard.words import Words

PAGES = {
    "overview": "/", "flows": "/flows", "accounts": "/accounts", "ger": "/ger", "hazards": "/hazards", "data": "/data",
}  # fmt: skip
MARKS_MAXIMUM = 9
GRAPH_CONFIG = {
    "displaylogo": False,
    "scrollZoom": True,
    "responsive": True,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "toImage", "sendChartToCloud"],
    "showSendToCloud": False,  # Plotly's own default offers to upload the chart
    "plotlyServerURL": "",
    "topojsonURL": "/assets/",
}


def control_id(page: str, name: str) -> dict[str, str]:
    """Return the id of a control whose value is part of the view."""
    return {"type": f"control-{page}", "name": name}


def header(view: View, page: str, words: Words, *, title: str) -> html.Header:
    """Return the head of the page: title, pages, language."""
    links = [
        dcc.Link(
            words(f"page.{name}"),
            href=path + view.to_search(),
            id={"type": "nav", "path": path},
            className="nav-link nav-link-here" if name == page else "nav-link",
        )
        for name, path in PAGES.items()
    ]
    other = "en" if words.lang == "mn" else "mn"
    switch = dcc.Link(
        words(f"language.{other}"),
        href=PAGES[page] + view.but(lang=other).to_search(),
        id={"type": "language", "lang": other},
        className="language-switch",
    )
    return html.Header(
        [
            html.Div([html.Span(title, className="site-title"), switch], className="header-top"),
            html.Nav(links, **{"aria-label": words("nav.label")}, className="nav"),
        ],
        className="header",
    )


def banner(words: Words) -> html.Div:
    """Return the strip that says the figures are generated."""
    return html.Div(
        [html.Strong(words("banner.demonstration")), " ", words("banner.explain")], className="banner", role="note"
    )


def provisional(words: Words) -> html.Div:
    """Return the strip that says that rounds of the release are not signed off."""
    return html.Div(
        [html.Strong(words("banner.provisional"), className="badge"), " ", words("banner.provisional_why")],
        className="banner banner-provisional",
        role="note",
    )


def footer(snapshot: Snapshot, words: Words, *, round_number: int) -> list[Any]:
    """Return which release this is, and how complete the round's returns are."""
    row = snapshot.rows("coverage", round_number=round_number, pcode=snapshot.home)
    pieces = [words("footer.release", id=snapshot.release_id)]
    created = snapshot.release.manifest.get("created_at") or snapshot.release.manifest.get("built_at")
    if created:
        day = pd.Timestamp(created).date()
        pieces.append(words("footer.built", day=words.date(day)))
    if not row.empty:
        pieces.append(
            words(
                "footer.coverage",
                number=round_number,
                reported=words.number(row.iloc[0]["units_reported"]),
                expected=words.number(row.iloc[0]["units_expected"]),
            )
        )
    return [html.Span(piece) for piece in pieces]


def select(
    page: str, name: str, words: Words, *, label: str, data: list[dict[str, str]], value: str, **more: Any
) -> dmc.Select:
    """Return a labelled list to choose from."""
    return dmc.Select(
        id=control_id(page, name),
        label=label,
        data=data,
        value=value,
        allowDeselect=False,
        nothingFoundMessage=words("control.nothing_found"),
        comboboxProps={"zIndex": 2000},
        className="control",
        size="sm",
        **more,
    )


def segments(page: str, name: str, *, label: str, data: list[dict[str, str]], value: str) -> html.Fieldset:
    """Return a choice of a few, all visible."""
    return html.Fieldset(
        [
            html.Legend(label, className="control-label"),
            dmc.SegmentedControl(id=control_id(page, name), data=data, value=value, size="sm"),
        ],
        className="control control-fieldset",
    )


def slider(
    page: str, name: str, *, label: str, minimum: int, maximum: int, value: int, step: int = 1, **more: Any
) -> html.Div:
    """Return a labelled slider that announces its name."""
    return html.Div(
        [
            html.Div(label, className="control-label", **{"aria-hidden": "true"}),
            dmc.Slider(
                id=control_id(page, name),
                min=minimum,
                max=maximum,
                value=value,
                step=step,
                thumbLabel=label,
                size="md",
                color="#00396b",
                **more,
            ),
        ],
        className="control control-slider",
    )


def round_slider(page: str, snapshot: Snapshot, view: View, words: Words) -> html.Div:
    """Return the slider over the rounds; a release of one round says which it is."""
    numbers = [int(number) for number in snapshot.rounds.index]
    value = snapshot.round_or_last(view.round)
    if len(numbers) == 1:
        text = words("round.only", number=value, month=words.month(snapshot.reference_day(value)))
        hidden = dcc.Input(id=control_id(page, "round"), value=value, type="hidden")
        return html.Div(
            [html.Div(words("control.round"), className="control-label"), html.Span(text), hidden], className="control"
        )
    step = -(-len(numbers) // MARKS_MAXIMUM)
    marks = [
        {"value": number, "label": words.short_month(snapshot.reference_day(number)) if i % step == 0 else ""}
        for i, number in enumerate(numbers)
    ]
    return html.Div(
        slider(
            page, "round", label=words("control.round"), minimum=numbers[0], maximum=numbers[-1], value=value,
            marks=marks, restrictToMarks=True,
        ),
        className="round-slider",
    )  # fmt: skip


def area_select(page: str, snapshot: Snapshot, view: View, words: Words) -> dmc.Select:
    """Return the searchable list of areas, districts before their khoroos."""
    areas = snapshot.areas.sort_index()
    data = [{"value": str(pcode), "label": snapshot.full_name(str(pcode), words)} for pcode in areas.index]
    return select(
        page, "area", words, label=words("control.area"), data=data,
        value=snapshot.area_or_home(view.area), searchable=True, limit=300,
    )  # fmt: skip


def extent_select(page: str, snapshot: Snapshot, view: View, words: Words) -> dmc.Select:
    """Return the list of places the map can jump to."""
    data = [
        {"value": PEOPLE, "label": words("extent.people")},
        {"value": EVERYWHERE, "label": words("extent.everywhere")},
        *(
            {"value": str(pcode), "label": snapshot.name(str(pcode), words)}
            for pcode in snapshot.at_level(2).sort_index().index
        ),
    ]
    known = {entry["value"] for entry in data}
    value = view.extent if view.extent in known else PEOPLE
    return select(page, "extent", words, label=words("control.extent"), data=data, value=value)


def figure_controls(page: str, keys: tuple[str, ...], snapshot: Snapshot, view: View, words: Words) -> html.Section:
    """Return the bar of a page that maps one figure: figure, level, area, extent and round."""
    return html.Section(
        [
            measure_select(page, keys, view, words),
            level_segments(page, view, words),
            area_select(page, snapshot, view, words),
            extent_select(page, snapshot, view, words),
            round_slider(page, snapshot, view, words),
        ],
        className="controls",
        **{"aria-label": words("control.section")},
    )


def measure_select(page: str, keys: tuple[str, ...], view: View, words: Words) -> dmc.Select:
    """Return the list of figures the map can show."""
    data = [{"value": key, "label": words(f"measure.{key}")} for key in keys]
    value = view.measure if view.measure in keys else keys[0]
    return select(page, "measure", words, label=words("control.measure"), data=data, value=value)


def level_segments(page: str, view: View, words: Words) -> html.Fieldset:
    """Return the choice between districts and khoroos."""
    data = [{"value": str(level), "label": words(f"level.{level}")} for level in (2, 3)]
    return segments(page, "level", label=words("control.level"), data=data, value=str(view.level))


def card(label: str, value: str, *, note: str = "", accent: str = "") -> html.Div:
    """Return one key figure."""
    return html.Div(
        [
            html.Div(label, className="card-label"),
            html.Div(value, className="card-value"),
            html.Div(note, className="card-note"),
        ],
        className=f"card {accent}".strip(),
    )


def unit_name(measure: Measure, words: Words) -> str:
    """Return a figure's unit."""
    return words(f"unit.{measure.unit}")


def written(value: float | None, status: str, measure: Measure, words: Words) -> str:
    """Return a figure with its unit, or why there is none."""
    if status != "published" or value is None or pd.isna(value):
        return words(f"status.{status if status != 'published' else 'undefined'}")
    return f"{words.number(value, decimals=measure.decimals, signed=measure.diverging)} {unit_name(measure, words)}"


def hover_texts(
    snapshot: Snapshot, frame: pd.DataFrame, measure: Measure, words: Words, *, round_number: int
) -> dict[str, str]:
    """Return what the map says of each area: name, figure with unit or status, units reported."""
    coverage = snapshot.rows("coverage", round_number=round_number).set_index("pcode")
    texts = {}
    for pcode, row in frame.iterrows():
        lines = [
            f"<b>{snapshot.full_name(str(pcode), words)}</b>",
            f"{words(f'measure.{measure.key}')}: <b>{written(row['value'], row['status'], measure, words)}</b>",
        ]
        if row["status"] != "published":
            lines.append(words(f"status.{row['status']}.why"))
        if note := note_text(row["note"], words.lang):
            lines.append(note)
        if pcode in coverage.index:
            found = coverage.loc[pcode]
            lines.append(
                words(
                    "hover.coverage",
                    reported=words.number(found["units_reported"]),
                    expected=words.number(found["units_expected"]),
                )
            )
        lines.append(f"<i>{pcode}</i>")
        texts[str(pcode)] = "<br>".join(lines)
    return texts


def legend(frame: pd.DataFrame, scale: Scale, measure: Measure, words: Words) -> html.Div:
    """Return the classes with their colours, and the kinds of gap the map shows."""
    labels = scale.labels(words, decimals=measure.decimals, signed=measure.diverging)
    classes = zip(scale.colors, labels, strict=True) if frame["value"].notna().any() else ()
    entries = [_swatch(label, {"backgroundColor": color}) for color, label in classes]
    statuses = set(frame["status"])
    entries += [
        _swatch(words(f"status.{status}"), {}, extra=f"swatch-{status}") for status in GAP_FILLS if status in statuses
    ]
    title = words("legend.title", measure=words(f"measure.{measure.key}"), unit=unit_name(measure, words))
    return html.Div(
        [html.Span(title, className="legend-title"), html.Ul(entries, className="legend-list")], className="legend"
    )


def nothing_shown(frame: pd.DataFrame, words: Words) -> list[html.P]:
    """Say that no area of a map has a figure, and how many have none for which reason; nothing where one has."""
    if frame["value"].notna().any():
        return []
    counts = frame["status"].value_counts()
    told = "; ".join(f"{words(f'status.{status}')}: {words.number(count)}" for status, count in counts.items())
    return [html.P(words("nothing.map", statuses=told), className="note")]


def _swatch(label: str, style: dict[str, str], *, extra: str = "") -> html.Li:
    return html.Li([html.Span(className=f"swatch {extra}".strip(), style=style), label])


def swatches(entries: list[tuple[str, str, str]]) -> html.Div:
    """Return a plain legend from (label, colour, class) entries."""
    items = [
        _swatch(label, {"backgroundColor": color} if color else {}, extra=extra) for label, color, extra in entries
    ]
    return html.Div(html.Ul(items, className="legend-list"), className="legend")


def graph(graph_id: str, *, label: str, height: int | None = None, **more: Any) -> html.Div:
    """Return a chart or map with a name for those who can't see it; its numbers are in a table too."""
    return html.Div(
        dcc.Graph(id=graph_id, style={"height": f"{height}px"} if height else {}, **{"config": GRAPH_CONFIG, **more}),
        role="group",
        **{"aria-label": label},
        className="graph",
    )

"""Lay the desk's page out: one page, its sections in the order of a round's work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import dcc, html

from dashboard import maps, parts
from dashboard.desk import deciding, files, finding_table, round_head, units
from dashboard.desk.notices import notice
from dashboard.own_names import own_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.words import Words
    from dtm.workspace import Workspace

SECTIONS = ("round", "coverage", "findings", "files")
NAME_MAXIMUM_CHARACTERS = 80


def title_of(workspace: Workspace, words: Words) -> str:
    """Return the deployment's own title."""
    return workspace.settings.title_mn if words.lang == "mn" else workspace.settings.title_en


def address(*, lang: str, number: int | None) -> str:
    """Return the page's address for a language and a round."""
    values = {"lang": lang} | ({"round": number} if number is not None else {})
    return f"/?{urlencode(values)}"


def header(workspace: Workspace, words: Words, *, number: int | None) -> html.Header:
    """Return the head of the page: what it is, its sections, the other language."""
    other = "en" if words.lang == "mn" else "mn"
    switch = dcc.Link(words(f"language.{other}"), href=address(lang=other, number=number), className="language-switch")
    links = [html.A(words(f"desk.section.{name}"), href=f"#{name}", className="nav-link") for name in SECTIONS]
    return html.Header(
        [
            html.Div(
                [html.Span(words("desk.head", title=title_of(workspace, words)), className="site-title"), switch],
                className="header-top",
            ),
            *([html.Nav(links, **{"aria-label": words("desk.sections")}, className="nav")] if number else []),
        ],
        className="header",
    )


def banners(workspace: Workspace, words: Words) -> list[Any]:
    """Return the strips that say that this page is not for the public, and what is made up."""
    private = html.Div(
        [html.Strong(words("desk.private")), " ", words("desk.private_why")],
        className="banner banner-desk",
        role="note",
    )
    return [private, *([parts.banner(words)] if workspace.settings.is_demonstration else [])]


def _round_label(entry: Mapping[str, Any], words: Words) -> str:
    return words(
        "desk.round_option", number=entry["number"], start=str(entry["started_on"])[:10],
        end=str(entry["ended_on"])[:10], state=words(f"desk.state.{entry['status']}"),
    )  # fmt: skip


def controls(rounds: Sequence[Mapping[str, Any]], number: int, words: Words) -> html.Section:
    """Return the bar: which round, who is working."""
    return html.Section(
        [
            dmc.Select(
                id="desk-round",
                label=words("control.round"),
                data=[
                    {"value": str(entry["number"]), "label": _round_label(entry, words)} for entry in reversed(rounds)
                ],
                value=str(number),
                allowDeselect=False,
                comboboxProps={"zIndex": 2000},
                className="control desk-control-round",
                size="sm",
            ),
            dmc.TextInput(
                id="desk-who",
                label=words("desk.who"),
                description=words("desk.who_why"),
                value="",
                attributes={"input": {"maxLength": NAME_MAXIMUM_CHARACTERS}},
                persistence="desk",
                persistence_type="session",
                inputWrapperOrder=["label", "input", "description", "error"],
                className="control desk-control-who",
                size="sm",
                debounce=True,
            ),
            html.Button(words("desk.refresh"), id="desk-refresh", className="button", type="button"),
            html.Div(id="desk-fresh", className="desk-fresh", role="status"),
        ],
        className="controls desk-controls",
        **{"aria-label": words("control.section")},
    )


def _section(name: str, words: Words, children: list[Any]) -> html.Section:
    heading = html.H2(words(f"desk.section.{name}"), className="desk-section-title", id=f"{name}-title")
    return html.Section([heading, *children], id=name, className="desk-section", **{"aria-labelledby": f"{name}-title"})


def main(rounds: Sequence[Mapping[str, Any]], number: int, words: Words) -> html.Main:
    """Return the sections, empty where a callback fills them."""
    return html.Main(
        [
            html.H1(words("desk.title"), className="page-title"),
            dcc.Store(id="desk-view", data={"lang": words.lang, "round": number, "title": words("desk.title")}),
            dcc.Store(id="desk-tick", data=0),
            dcc.Store(id="desk-screen"),
            controls(rounds, number, words),
            html.Div(id="desk-notice", role="status"),
            _section(
                "round", words, [html.Div(id="desk-cards", className="cards desk-cards"), round_head.panel(words)]
            ),
            _section("coverage", words, [_coverage(words)]),
            _section("findings", words, [finding_table.panel(words), deciding.panel(words)]),
            _section("files", words, [files.panel(number, words)]),
            deciding.dialog(words),
        ],
        id="main",
        tabIndex=-1,
        lang=words.lang,
    )


def _coverage(words: Words) -> html.Div:
    def table(title: str, identity: str) -> html.Div:
        return html.Div([html.H3(words(title), className="panel-subtitle"), html.Div(id=identity)])

    map_panel = html.Div(
        [
            html.H3(words("desk.map"), className="panel-title"),
            html.P(words("desk.map_how"), className="note note-above"),
            parts.graph("desk-map", label=words("desk.map"), height=maps.MAP_HEIGHT_PX),
            html.Div(units.legend(words), id="desk-legend"),
        ],
        className="panel panel-map",
    )
    side = html.Div(
        [
            html.H3(words("desk.progress"), className="panel-title"),
            parts.graph("desk-progress", label=words("desk.progress"), height=units.PROGRESS_HEIGHT_PX),
            table("desk.by_district", "desk-districts"),
        ],
        className="panel panel-side",
    )
    people = html.Div(
        html.Div(
            [table("desk.by_role", "desk-roles"), table("desk.by_training", "desk-training")],
            className="columns columns-even desk-people",
        ),
        className="panel",
    )
    missing = html.Div(
        [
            html.H3(words("desk.missing"), className="panel-title"),
            html.P(id="desk-missing-note", className="note note-above"),
            units.missing_grid(words),
        ],
        className="panel",
    )
    return html.Div([html.Div([map_panel, side], className="columns"), people, missing])


def shell(workspace: Workspace, rounds: Sequence[Mapping[str, Any]], words: Words, *, number: int | None) -> list[Any]:
    """Return the whole page; without a round, what to run first."""
    return [
        html.A(words("nav.skip"), href="#main", className="skip-link"),
        own_names(words),
        header(workspace, words, number=number),
        *banners(workspace, words),
        main(rounds, number, words) if number is not None else no_round(workspace, words),
    ]


def no_round(workspace: Workspace, words: Words) -> html.Main:
    """Return what to run in a workspace that has no round."""
    steps = (
        ("empty.areas", "dtm areas load khoroos.geojson --area-set khoroo --level 3 --valid-from 2022-01-01"),
        ("empty.round", "dtm round open --number 1 --from 2026-03-01 --to 2026-03-14 --area-set khoroo"),
    )
    folder = workspace.path.name or str(workspace.path)
    return html.Main(
        html.Section(
            [
                html.H1(words("desk.no_round"), className="panel-title"),
                html.P(words("desk.no_round_why", folder=folder)),
                html.Ol([html.Li([words(key), html.Pre(command)]) for key, command in steps]),
                html.P(words("desk.no_round_reload")),
            ],
            className="panel empty",
        ),
        id="main",
        tabIndex=-1,
        lang=words.lang,
    )


def unreadable(workspace: Workspace, text: str, words: Words) -> list[Any]:
    """Return the page when the warehouse can't be read now."""
    return [
        header(workspace, words, number=None),
        *banners(workspace, words),
        html.Main(
            [
                html.H1(words("desk.title"), className="page-title"),
                notice(text, kind="stop", more=html.A(words("desk.try_again"), href="", className="button")),
            ],
            id="main",
            tabIndex=-1,
            lang=words.lang,
        ),
    ]

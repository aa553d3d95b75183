"""Fill in an XForm the way a phone does, and stage the same record as CSV the way an office does."""

from __future__ import annotations

import copy
import csv
import re
from datetime import date
from functools import cache

from lxml import etree
from pyxform.xls2xform import convert

from enumerations._forms_logic import logic_of
from enumerations._forms_paths import Paths
from enumerations._forms_questions import POINT, POINT_COLUMNS, design_of
from enumerations._forms_survey import FormArea, as_workbook, lay_out
from enumerations.checks import CheckPlan, check_staged
from enumerations.lookups import Resolved, build_lookup, column_lookup
from enumerations.returns import stage_returns

TODAY = date(2025, 4, 10)
"""The day on which every record of the tests is collected."""
XFORMS = "{http://www.w3.org/2002/xforms}"
AREAS = [
    FormArea("MN11", 1, "MN", "Улаанбаатар", "Ulaanbaatar"),
    FormArea("MN62", 1, "MN", "Өвөрхангай", "Uvurkhangai"),
    FormArea("MN1107", 2, "MN11", "Баянгол дүүрэг", "Bayangol district"),
    FormArea("MN1110", 2, "MN11", "Баянзүрх дүүрэг", "Bayanzurkh district"),
    FormArea("MN6204", 2, "MN62", "Бат-Өлзий", "Bat-Ulzii"),
    *(FormArea(f"MN11070{n}", 3, "MN1107", f"{n}-р хороо", f"Khoroo {n}") for n in (1, 2)),
    *(FormArea(f"MN1107010{n}", 4, "MN110701", f"{n}-р хэсэг", f"Kheseg {n}") for n in (1, 2)),
]
FORM_OF = {
    "baseline": "kheseg-baseline",
    "arrivals": "kheseg-baseline",
    "departures": "kheseg-baseline",
    "passages": "checkpoint-registry",
    "watch": "checkpoint-watch",
    "households": "household-survey",
    "members": "household-survey",
    "events": "event-report",
    "event_moves": "event-report",
}
FLAGS = {"arrivals": "had_arrivals", "departures": "had_departures", "members": "consent", "event_moves": "had_moves"}
"""What must be answered with yes for a repeat to be asked."""


def _text(value) -> str:
    if isinstance(value, list):
        return (value[0].text or "") if value else ""
    return str(value)


def _format_date(_context, value, _pattern):
    return _text(value)[:10].replace("-", "")


FUNCTIONS = {
    (None, "selected"): lambda _c, value, choice: choice in _text(value).split(),
    (None, "count-selected"): lambda _c, value: float(len(_text(value).split())),
    (None, "selected-at"): lambda _c, value, at: (_text(value).split()[int(at) :] or [""])[0],
    (None, "format-date"): _format_date,
    (None, "today"): lambda _c: TODAY.isoformat(),
    (None, "regex"): lambda _c, value, pattern: re.search(pattern, _text(value)) is not None,
    (None, "if"): lambda _c, condition, yes, no: _text(yes) if condition else _text(no),
    (None, "now"): lambda _c: f"{TODAY.isoformat()}T12:00:00",
}


@cache
def xform(form_id: str) -> etree._Element:
    """Return the XForm that pyxform makes of a form."""
    sheets = lay_out(design_of(form_id), AREAS, version="2025040101", round_number=1)
    warnings: list[str] = []
    result = convert(as_workbook(sheets), validate=False, warnings=warnings)
    assert warnings == []
    return etree.fromstring(result.xform.encode())


@cache
def compiled(expression: str) -> etree.XPath:
    return etree.XPath(expression, extensions=FUNCTIONS)


@cache
def logic_by_question(form_id: str):
    design = design_of(form_id)
    paths = Paths(design)
    return {
        (group.name, question.column): logic_of(question, group, paths)
        for group in design.groups
        for question in group.questions
    }


class Phone:
    """One form being filled in."""

    def __init__(self, form_id: str, table: str) -> None:
        self.design = design_of(form_id)
        self.logic = logic_by_question(form_id)
        document = xform(form_id)
        self.binds = {bind.get("nodeset"): bind for bind in document.iter(f"{XFORMS}bind")}
        data = copy.deepcopy(next(document.iter(f"{XFORMS}instance"))[0])
        for node in list(data.iter()):
            node.tag = etree.QName(node).localname
            if any("template" in key for key in node.attrib):
                node.getparent().remove(node)
        for group in self.design.groups:
            if group.is_repeat and group.name != table:
                data.remove(data.find(group.name))  # nothing was added to this repeat
        self.data = data
        self.paths = Paths(self.design)

    def path(self, node) -> str:
        steps = [node.tag, *(parent.tag for parent in node.iterancestors())]
        return "/" + "/".join(reversed(steps))

    def ask(self, expression: str, node):
        return compiled(expression)(node)

    def answer(self, table: str, values: dict[str, str]) -> None:
        """Type the answers of one record."""
        for name, value in values.items():
            if name in POINT_COLUMNS:
                continue
            group = (
                self.data
                if (table, name) not in self.paths._groups
                else self.data.find(self.paths._groups[table, name])
            )
            if group.find(f"_{name}_1") is not None:
                for level, length in ((1, 4), (2, 6), (3, 8)):
                    step = group.find(f"_{name}_{level}")
                    if step is not None and value and (level == 1 or (len(value) >= length and value.startswith("MN"))):
                        step.text = value[:length] if value.startswith("MN") else value
            elif group.find(name) is not None:
                group.find(name).text = value
        if values.get("lat") or values.get("lon"):
            point = next(node for node in self.data.iter(POINT))
            point.text = f"{values['lat']} {values['lon']} 0 {values.get('accuracy_m', '')}"

    def settle(self) -> None:
        """Compute what is computed and empty what is not asked, until nothing changes."""
        bound = [(node, self.binds[self.path(node)]) for node in self.data.iter() if self.path(node) in self.binds]
        for _ in range(3):
            for node, bind in bound:
                if bind.get("calculate") and node.tag != "instanceName":
                    node.text = str(self.ask(f"string({bind.get('calculate')})", node))
            for node, _bind in bound:
                if len(node) == 0 and not node.tag.startswith("_note") and not self.is_relevant(node):
                    node.text = None

    def is_relevant(self, node) -> bool:
        for one in (node, *node.iterancestors()):
            bind = self.binds.get(self.path(one))
            if bind is not None and bind.get("relevant") and not self.ask(f"boolean({bind.get('relevant')})", one):
                return False
        return True

    def refusals(self) -> list[str]:
        """Return the code of each question that does not let its answer pass, in the order of the form."""
        found = []
        for group in self.design.groups:
            for question in group.questions:
                node = self.data.find(f"{group.name}/{question.column}")
                asked = self.data.find(f"{group.name}/_{question.column}_1")
                code = None if node is None else self._refusal(question, group, node, node if asked is None else asked)
                if code:
                    found.append(code)
        return found

    def _refusal(self, question, group, node, asked) -> str | None:
        if not self.is_relevant(asked):
            return None
        bind = self.binds[self.path(asked)]
        logic = self.logic[group.name, question.column]
        assert bind.get("constraint", "") == logic.constraint
        if not node.text:
            needed = bind.get("required")
            return "missing_value" if needed and self.ask(f"boolean({needed})", asked) else None
        if bind.get("type") == "int" and not re.fullmatch(r"-?\d+", node.text):
            return "fraction"
        failing = [part.code for part in logic.parts if not self.ask(f"boolean({part.holds})", node)]
        assert bool(failing) == (bool(logic.constraint) and not self.ask(f"boolean({logic.constraint})", node))
        return failing[0] if failing else None

    def warnings(self) -> list[str]:
        """Return the code of each note that is shown."""
        found = []
        for group in self.design.groups:
            for question in group.questions if self.data.find(group.name) is not None else ():
                for number, note in enumerate(self.logic[group.name, question.column].notes, 1):
                    node = self.data.find(f"{group.name}/_note_{question.column.strip('_')}_{number}")
                    assert self.binds[self.path(node)].get("relevant") == note.fails
                    if self.is_relevant(node):
                        found.append(note.code)
        return found


def on_the_phone(table: str, record: dict[str, str], parent: dict[str, str] | None = None) -> set[str]:
    """Return what the form refuses or warns of in a record; a repeat is filled in beside a sound parent."""
    phone = Phone(FORM_OF[table], table)
    if parent is not None:
        phone.answer(phone.design.main_table.name, parent | {FLAGS[table]: "yes"})
    phone.answer(table, record)
    phone.settle()
    return {*phone.refusals(), *phone.warnings()}


def in_the_office(connection, folder, table: str, record: dict[str, str]) -> set[str]:
    """Return the codes of the findings on a record that comes as CSV."""
    path = folder / f"{table}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(record)
        writer.writerow(record.values())
    form = {"checkpoint-watch": "checkpoint-registry"}.get(FORM_OF[table], FORM_OF[table])
    (staged,) = stage_returns(connection, path, "staged", form=form)
    assert staged.header.table.name == table
    return checked(connection, staged)


def checked(connection, staged) -> set[str]:
    """Check a staged table and return the codes of what was found."""
    lookups = {}
    for column in staged.header.table.columns:
        lookup = column_lookup(connection, staged, column)
        source = staged.source(column.name)
        if column.kind == "place" and source and column.name != "unit":
            lookup = build_lookup(connection, staged, column.name, source, _places)
        if lookup is not None:
            lookups[column.name] = lookup
    check_staged(connection, staged, CheckPlan(lookups), into="checked")
    return {row[0] for row in connection.execute("SELECT DISTINCT code FROM checked_found").fetchall()}


def _places(raws: list[str]) -> list[Resolved]:
    return [Resolved(raw if re.fullmatch(r"MN(\d\d){1,3}|abroad|unknown", raw) else None) for raw in raws]

"""Turn the declarations of columns and the rules between them into what a form refuses and what it warns of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enumerations._forms_paths import place_of
from enumerations._forms_questions import Text
from enumerations._rules import form_rules_of
from enumerations.findings import CATALOGUE, ERROR
from enumerations.rules import FormRule, Needed

if TYPE_CHECKING:
    from enumerations._columns_common import FormColumn
    from enumerations._forms_paths import Paths
    from enumerations._forms_questions import Group, Question


@dataclass(frozen=True)
class Part:
    """One condition of a question: the finding it stands for, XPath that must be true, and the words for a slip."""

    code: str
    holds: str
    message: Text


@dataclass(frozen=True)
class Warned:
    """A note that a form shows while `fails` is true."""

    code: str
    fails: str
    message: Text


@dataclass(frozen=True)
class Logic:
    """What a form does at one question; `required` is XPath, empty where the answer may be left out."""

    required: str
    required_message: Text
    parts: tuple[Part, ...]
    notes: tuple[Warned, ...]

    @property
    def constraint(self) -> str:
        """Return the condition that an answer must meet."""
        return " and ".join(f"({part.holds})" for part in self.parts)

    @property
    def constraint_message(self) -> Text:
        """Return what is said of an answer that is refused."""
        messages = dict.fromkeys(part.message for part in self.parts)
        return Text(" ".join(one.mn for one in messages), " ".join(one.en for one in messages))


def message(code: str, label: Text, *, limits: str = "") -> Text:
    """Return the words of the catalogue for a slip that a form sees, without the figures it can't show."""
    kind = CATALOGUE[code]

    def words(language: str, name: str) -> str:
        what, why, cure = (getattr(kind, f"{part}_{language}") for part in ("what", "why", "cure"))
        text = f"{why if '{value}' in what or '{hint}' in what else what} {cure}"
        text = text.replace("{field}", f"\u00ab{name}\u00bb").replace(" {hint}", "").replace("{value}", "")
        return f"{text} ({limits})" if limits else text

    return Text(words("mn", label.mn), words("en", label.en))


def logic_of(question: Question, group: Group, paths: Paths) -> Logic:
    """Return what a form does at a question of a group."""
    table = group.table
    column = table.by_name.get(question.column)
    required = "true()" if column is not None and column.required else ""
    parts = _declared(column, question.label) if column is not None else []
    notes: list[Warned] = []
    for rule in form_rules_of(table):
        if _last(rule, group, paths) is not question:
            continue
        is_error = CATALOGUE[rule.code].severity == ERROR
        if is_error and isinstance(rule, Needed) and rule.when is not None:
            required = rule.when.xpath(paths.from_group(group, question.column))
        elif is_error:
            parts.append(_part(rule, question, group, paths))
        else:
            fails = rule.xpath(table, paths.from_group(group, "_note"))
            notes.append(Warned(rule.code, fails, message(rule.code, _label(rule, question, group))))
    return Logic(required, message("missing_value", question.label), tuple(parts), tuple(notes))


def _last(rule: FormRule, group: Group, paths: Paths) -> Question | None:
    """Return the question of the group that is the last of the rule's in the form, if the group has it."""
    columns = rule.columns()
    if not columns:
        return None
    own = [question for question in group.questions if any(place_of(question, name) for name in columns)]
    later = paths.later_groups(group)
    if not own or any((group.table.name, name) in later for name in columns):
        return None
    return own[-1]


def _label(rule: FormRule, question: Question, group: Group) -> Text:
    """Return the label of the question that the finding of a rule names."""
    field = rule.sql(group.table).field.split(", ")[-1]
    return next((one.label for one in group.questions if place_of(one, field)), question.label)


def _part(rule: FormRule, question: Question, group: Group, paths: Paths) -> Part:
    """Write the rule at a question; there the answer being given is the dot, not the one stored before."""
    ref = paths.from_group(group, question.column)

    def own(column: str) -> str:
        return "." if column == question.column else ref(column)

    fails = rule.xpath(group.table, own)
    return Part(rule.code, f"not({fails})", message(rule.code, _label(rule, question, group)))


def _declared(column: FormColumn, label: Text) -> list[Part]:
    """Return what the column itself asks of a number."""
    if column.kind not in {"integer", "number"}:
        return []
    low, high = column.minimum, column.maximum
    limits = "" if low is None else f"\u2265 {low:g}"
    limits = limits if high is None else f"{low:g} \u2013 {high:g}"
    wrong = message("negative", label) if low == 0 and high is None else message("out_of_range", label, limits=limits)
    parts = [] if low is None else [Part("negative", ". >= 0", wrong)]
    parts += [Part("out_of_range", f". >= {low:g}", wrong)] if low else []
    parts += [] if high is None else [Part("out_of_range", f". <= {high:g}", wrong)]
    return parts

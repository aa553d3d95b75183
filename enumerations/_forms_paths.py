"""Give the XPath from one question of a form to another, so that equal names in different groups can't be mixed up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from enumerations._forms_questions import POINT, POINT_COLUMNS

if TYPE_CHECKING:
    from enumerations._forms_questions import FormDesign, Group, Question
    from enumerations.rules import Ref

_NAMED = re.compile(r"\$\{([a-z_0-9]+)\}")


class Paths:
    """Where every question of a form stands in its data: in a group, or at the root where it is computed."""

    def __init__(self, design: FormDesign) -> None:
        self._groups = {
            (group.table.name, question.column): group.name for group in design.groups for question in group.questions
        }
        self._main = design.main_table.name
        self._order = [group.name for group in design.groups]

    def later_groups(self, group: Group) -> set[tuple[str, str]]:
        """Return table and name of the questions that come after a group."""
        later = set(self._order[self._order.index(group.name) + 1 :])
        return {key for key, name in self._groups.items() if name in later}

    def steps(self, table: str, name: str) -> tuple[str, ...]:
        """Return the path below the root of the data: a group and a name, or the name alone."""
        if name in POINT_COLUMNS and (table, POINT) in self._groups:
            return (name,)
        for owner in (table, self._main):
            if (owner, name) in self._groups:
                return (self._groups[owner, name], name)
        raise AssertionError(f"{table}.{name} is not asked in the form")

    def is_asked(self, table: str, name: str) -> bool:
        """Say whether a question of the form fills the column."""
        return (table, name) in self._groups or (name in POINT_COLUMNS and (table, POINT) in self._groups)

    def from_group(self, group: Group, name: str) -> Ref:
        """Return the references as seen from a question of the group."""
        here = (group.name, name)

        def ref(column: str) -> str:
            return relative(here, self.steps(group.table.name, column))

        return ref

    def resolve(self, expression: str, group: Group, *, on_group: bool = False) -> str:
        """Turn ${name} into the path seen from a question of the group, or from the group itself."""
        here = (group.name,) if on_group else (group.name, "")

        def replace(match: re.Match[str]) -> str:
            return relative(here, self.steps(group.table.name, match.group(1)))

        return _NAMED.sub(replace, expression)


def relative(here: tuple[str, ...], there: tuple[str, ...]) -> str:
    """Return the path from one node to another, both given from the root of the data."""
    shared = 0
    while shared < min(len(here), len(there)) - 1 and here[shared] == there[shared]:
        shared += 1
    return "/".join([".."] * (len(here) - shared) + list(there[shared:]))


def place_of(question: Question, column: str) -> bool:
    """Say whether a question is where a column's answer is given."""
    return question.column == column or (question.column == POINT and column in POINT_COLUMNS)

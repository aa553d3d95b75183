"""Declare the columns of the event report: what happened, and who moved because of it."""

from __future__ import annotations

from enumerations._columns_common import (
    AGES,
    COLLECTED_AT,
    ENUMERATOR,
    FORM_VERSION,
    GPS,
    INSTANCE,
    REMARKS,
    REVIEW,
    ROUND,
    SEX,
    UNIT,
    FormColumn,
    FormTable,
    count,
)

# fmt: off
EVENTS = FormTable(
    "event-report",
    "events",
    "A dzud, flood, fire or other event in a unit",
    "Нэгжид болсон зуд, үер, түймэр болон бусад үйл явдал",
    (
        INSTANCE,
        FORM_VERSION,
        ROUND,
        ENUMERATOR,
        COLLECTED_AT,
        *UNIT,
        *GPS,
        FormColumn("event_kind", "code", "kind of event", "үйл явдлын төрөл", required=True, codelist="event_kind"),
        FormColumn("happened_on", "date", "first day of the event", "эхэлсэн өдөр", required=True),
        FormColumn("ended_on", "date", "last day; empty while it goes on", "дууссан өдөр; үргэлжилж байвал хоосон"),
        count("affected_households", "households affected", "нэрвэгдсэн өрхийн тоо", unit="households"),
        FormColumn("affected_persons", "integer", "persons affected", "нэрвэгдсэн хүний тоо", "persons", required=True,
                   minimum=0),
        count("dwellings_destroyed", "dwellings destroyed", "бүрэн сүйдсэн сууцны тоо", unit="dwellings"),
        count("dwellings_damaged", "dwellings damaged", "эвдэрсэн сууцны тоо", unit="dwellings"),
        count("livestock_lost", "heads of livestock lost", "хорогдсон малын тоо", unit="heads"),
        FormColumn("had_moves", "yesno", "whether anyone had to move", "нүүх шаардлагатай болсон хүн байгаа эсэх"),
        FormColumn("services_lacking", "codes", "services that are missing now", "одоо дутагдаж буй үйлчилгээ",
                   codelist="service"),
        REMARKS,
        REVIEW,
    ),
    marks=("event_kind", "happened_on"),
)
EVENT_MOVES = FormTable(
    "event-report",
    "event_moves",
    "Groups of people who moved because of an event",
    "Үйл явдлын улмаас шилжсэн хүмүүс",
    (
        FormColumn(
            "instance_id", "text", "identifier of the event report it belongs to", "харьяалагдах маягтын дугаар",
            required=True, aliases=("parent_key", "_submission__uuid", "_uuid"),
        ),
        FormColumn("moved_from", "place", "where they lived: P-code, name, abroad or unknown",
                   "хаанаас: P-код, нэр, abroad, unknown", required=True),
        FormColumn("moved_to", "place", "where they are now: P-code, name, abroad or unknown",
                   "хаашаа: P-код, нэр, abroad, unknown", required=True),
        count("households", "households moved", "шилжсэн өрхийн тоо", unit="households"),
        FormColumn("persons", "integer", "persons moved", "шилжсэн хүний тоо", "persons", required=True, minimum=1),
        *SEX,
        *AGES,
        FormColumn("shelter", "code", "where they stay", "одоо байгаа сууц", codelist="shelter"),
    ),
    marks=("moved_from", "moved_to"),
)
# fmt: on

"""What our own forms send is read back without a mapping and without a finding."""

from __future__ import annotations

import csv
import json

import pytest

from dtm.engine import connect
from enumerations.returns import stage_returns
from tests.enumerations.forms_support import FLAGS, Phone, checked
from tests.enumerations.test_forms_checks import PARENTS, SOUND

FORMS = [
    ("kheseg-baseline", "baseline", "arrivals"),
    ("kheseg-baseline", "baseline", "departures"),
    ("household-survey", "households", "members"),
    ("event-report", "events", "event_moves"),
    ("checkpoint-registry", "passages", None),
    ("checkpoint-watch", "watch", None),
]


def as_kobo(node, prefix: str = "") -> dict[str, object]:
    """Return the answers the way Kobo's data API names them: with the path of their groups, blanks left out."""
    found: dict[str, object] = {}
    for child in node:
        name = f"{prefix}{child.tag}"
        if child.tag in PARENTS:
            found.setdefault(name, []).append(as_kobo(child, f"{name}/"))
        elif len(child):
            found |= as_kobo(child, f"{name}/")
        elif child.text:
            found[name] = child.text
    return found


def sent(form: str, main: str, repeat: str | None) -> dict[str, object]:
    phone = Phone(form, repeat or main)
    phone.answer(main, SOUND[main] | ({FLAGS[repeat]: "yes"} if repeat else {}))
    if repeat:
        phone.answer(repeat, SOUND[repeat])
    phone.settle()
    has_time = "collected_at" in SOUND[main]
    own = {
        "_start": "2025-04-10T10:00:00.000+08:00",
        "collected_at" if has_time else "_end": "2025-04-10T11:00:00.000+08:00",
        "today" if has_time else "_today": "2025-04-10",
        "meta/instanceID": f"uuid:{SOUND[main].get('instance_id', 'w-1')}",
        "meta/instanceName": "x", "__version__": "vX", "_id": 1, "_uuid": SOUND[main].get("instance_id", "w-1"),
        "_xform_id_string": "aX", "_status": "submitted_via_web", "_submission_time": "2025-04-10T03:05:00",
        "_attachments": [], "_tags": [], "_notes": [], "_validation_status": {}, "_submitted_by": None,
    }  # fmt: skip
    if "lat" in SOUND[main]:
        own["_geolocation"] = [float(SOUND[main]["lat"]), float(SOUND[main]["lon"])]
    return as_kobo(phone.data) | own


@pytest.mark.parametrize(("form", "main", "repeat"), FORMS)
def test_returns_of_our_forms_need_no_mapping(tmp_path, form, main, repeat):
    path = tmp_path / "data.json"
    answer = {"count": 1, "next": None, "previous": None, "results": [sent(form, main, repeat)]}
    path.write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")
    connection = connect(spatial=False)
    staged = {table.header.table.name: table for table in stage_returns(connection, path, "kobo")}
    assert set(staged) == {main, *([repeat] if repeat else [])}
    for name, table in staged.items():
        assert table.findings == ()
        record = SOUND[name] | ({FLAGS[repeat]: "yes"} if repeat and name == main else {})
        with (tmp_path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([list(record), list(record.values())])
        (as_csv,) = stage_returns(connection, tmp_path / f"{name}.csv", "csv", form=table.header.table.form)
        columns = ", ".join(record)
        rows = []
        for one in (table, as_csv):
            assert checked(connection, one) == set()
            rows.append(connection.execute(f"SELECT {columns} FROM checked").fetchall())
        assert rows[0] == rows[1]

"""Pull the recorded form of a real ODK Central server through a mapping, as another country's form would be."""

from __future__ import annotations

import pytest

from dtm.pulls import pull_returns
from dtm.warehouse import open_warehouse
from dtm.workspace import create_workspace
from enumerations.mapping import parse_mapping
from enumerations.odk import Credentials, OdkServer
from tests.dtm.imports_support import add_areas
from tests.enumerations.fake_servers import TOKEN
from tests.enumerations.test_odk_recorded import FORM, Replay

MAPPING = """
[form]
name = "kheseg-baseline"

[tables.baseline]
ignore = ["intro_note", "visit_date", "population/ger_share_pct", "informant_years", "end_note", "problems"]
not_asked = ["actual_households"]

[tables.baseline.columns]
instance_id = "KEY"
round = "round"
collected_at = "end"
district = "place/district"
khoroo = "place/khoroo"
kheseg = "place/kheseg"
lon = "location-Longitude"
lat = "location-Latitude"
registered_households = "population/households_registered"
registered_persons = "population/persons_registered"
actual_persons = "population/persons_actual"
male_persons = "population/male"
female_persons = "population/female"
review_state = "ReviewState"

[tables.arrivals]
source = "arrivals"
ignore = ["window"]

[tables.arrivals.columns]
instance_id = "PARENT_KEY"
origin = "origin_aimag"
persons = "persons"
male_persons = "male"
female_persons = "female"
reason = "reason"

[tables.departures]
source = "departures"
ignore = ["window"]

[tables.departures.columns]
instance_id = "PARENT_KEY"
destination = "destination_aimag"
persons = "persons"
male_persons = "male"
female_persons = "female"
reason = "reason"
"""


@pytest.mark.realdata
def test_every_recorded_return_is_accounted_for(realdata, tmp_path):
    workspace = create_workspace(tmp_path / "w")
    with open_warehouse(workspace) as connection:
        add_areas(connection)
        connection.execute(
            "INSERT INTO round VALUES (?, 3, DATE '2026-10-01', DATE '2026-10-31', DATE '2026-10-31', 'BA', 'khoroos', "
            "1, 'draft')",
            [workspace.settings.operation],
        )
    with Replay(realdata / "odk-central-recorded" / "odata") as fake:
        server = OdkServer(fake.url, 1, FORM, Credentials(token=TOKEN))
        report = pull_returns(workspace, server, mapping=parse_mapping(MAPPING), page_size=100)
        assert report.returns == 255
        tables = {table.name: table for table in report.imported.files[0].tables}
        assert {name: table.rows_read for name, table in tables.items()} == {
            "baseline": 255,
            "arrivals": 427,
            "departures": 292,
        }
        for table in tables.values():
            assert table.rows_read == table.accepted + table.quarantined + table.duplicate
        codes = [found["code"] for found in report.findings]
        assert codes.count("return_rejected") == 10
        again = pull_returns(workspace, server, mapping=parse_mapping(MAPPING), page_size=100)
        assert (again.imported.files[0].is_known_file, again.withdrawn) == (True, 0)
        server.close()

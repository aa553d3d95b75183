"""Hold `dtm indicators` to its contract: the keys of its answer, what it refuses and how."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from dtm.cli import main
from dtm.released import CURRENT_FILE
from dtm.workspace import create_workspace
from tests.dtm.release_factory import RELEASE_ID, WEST, build_release
from tests.dtm.test_fill_system import Made
from tests.dtm.test_migration_indices import HYP, HYP2, long, people

KEYS = [
    "period", "n_areas", "movers", "population", "crude_migration_intensity_pct", "courgeau_k", "effectiveness_mei",
    "anmr_pct", "connectivity", "inequality", "gini_total", "gini_in", "gini_out", "mean_distance_km", "areas",
]  # fmt: skip
AREA_KEYS = [
    "area", "in_persons", "out_persons", "net_persons", "gross_persons", "effectiveness", "in_per_1000", "out_per_1000",
]  # fmt: skip
FIELDS = ["--origin", "origin", "--destination", "destination", "--persons", "persons"]
RISK = ["--area", "area", "--at-risk", "persons"]


def run(capsys, *words):
    """Return the exit code and what was printed, on standard output and error."""
    try:
        main(["indicators", *map(str, words)])
    except SystemExit as leaving:
        code = leaving.code
    told = capsys.readouterr()
    return code or 0, told.out, told.err


def written(folder, frame, name="moves.csv"):
    path = folder / name
    frame.to_parquet(path, index=False) if name.endswith("parquet") else frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", ["moves.csv", "moves.parquet"])
def test_the_answer_has_the_keys_of_the_contract_in_their_order(capsys, tmp_path, name):
    moves = pd.concat([long(HYP).assign(year=2019, km=8.0), long(HYP2).assign(year=2020, km=8.0)])
    population = pd.concat([people(3).assign(year=2019), people(3, each=500).assign(year=2020)])
    files = (written(tmp_path, moves, name), written(tmp_path, population, f"people-{name}"))
    code, out, _ = run(
        capsys, files[0], *FIELDS, "--period", "year", "--distance", "km", "--population", files[1], *RISK, "--json"
    )
    assert code == 0
    first, second = json.loads(out)
    for told in (first, second):
        assert list(told)[: len(KEYS)] == KEYS
        assert all(list(area)[: len(AREA_KEYS)] == AREA_KEYS for area in told["areas"])
    assert (first["period"], second["period"]) == (2019, 2020)
    assert (first["n_areas"], first["movers"], first["population"]) == (3, 120, 3000)
    assert first["crude_migration_intensity_pct"] == pytest.approx(4)
    assert first["courgeau_k"] == pytest.approx(1.8205, abs=5e-5)
    assert first["effectiveness_mei"] == second["effectiveness_mei"] == 25
    assert first["anmr_pct"] == pytest.approx(1)
    assert first["gini_total"] == pytest.approx(0.2666666667)
    assert second["gini_total"] == pytest.approx(0.225)
    assert first["mean_distance_km"] == 8
    assert first["areas"][0] | {"in_per_1000": 50, "out_per_1000": 20} == first["areas"][0]
    assert [area["net_persons"] for area in second["areas"]] == [10, -40, 30]
    assert second["population"] == 1500


def test_one_period_is_a_list_too_and_what_is_apart_stays_apart(capsys, tmp_path):
    moves = pd.DataFrame(
        [(" a", "b ", 2.5), ("a", "b", 1), ("b", "b", 9), ("abroad", "a", 4), ("a", "unknown", 3), ("b", "a", 0)],
        columns=["from", "to", "n"],
    )
    fields = ["--origin", "from", "--destination", "to", "--persons", "n"]
    code, out, _ = run(capsys, written(tmp_path, moves), *fields, "--days", 365.25 / 2, "--json")
    assert code == 0
    (told,) = json.loads(out)
    assert (told["period"], told["n_areas"], told["movers"]) == (None, 2, 3.5)  # both rows of one pair together
    assert (told["diagonal_persons"], told["abroad_persons"], told["unknown_persons"]) == (9, 4, 3)
    assert told["connectivity"] == 0.5
    for name in ("population", "courgeau_k", "gini_in", "mean_distance_km"):
        assert told[name] is None
        assert told["notes"][name]
    assert told["areas"][0]["in_per_1000"] is None


def test_a_table_for_people_says_why_a_figure_is_missing(capsys, tmp_path):
    code, out, _ = run(capsys, written(tmp_path, long(HYP)), *FIELDS)
    assert code == 0
    for words in ("System of areas", "effectiveness_mei", "25", "No population at risk is given.", "net persons"):
        assert words in out


def test_rates_are_a_years(capsys, tmp_path):
    files = (written(tmp_path, long(HYP)), written(tmp_path, people(3), "people.csv"))
    _, out, _ = run(capsys, files[0], *FIELDS, "--population", files[1], *RISK, "--days", 36.525, "--json")
    (told,) = json.loads(out)
    assert told["areas"][0]["in_per_1000"] == pytest.approx(500)
    assert told["crude_migration_intensity_pct"] == pytest.approx(4)  # the period's own


REFUSED = {
    "no field named": (["--origin", "origin"], 2, "give --destination, --persons; its columns are: origin"),
    "a column for two": (["--origin", "origin", "--destination", "origin", "--persons", "persons"], 2, "two things"),
    "no such column": ([*FIELDS[:-1], "n"], 3, "no column 'n'; the file has: origin, destination, persons"),
    "no such period": ([*FIELDS, "--period", "year"], 3, "no column 'year'"),
    "area without file": ([*FIELDS, "--area", "x"], 2, "--area go with --population"),
    "no days": ([*FIELDS, "--days", "0"], 2, "more than 0 days"),
    "a release as well": ([*FIELDS, "--release", "x"], 2, "not both"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_use_and_missing_columns_are_told(capsys, tmp_path, name):
    words, exit_code, told = REFUSED[name]
    code, out, err = run(capsys, written(tmp_path, long(HYP)), *words, "--json")
    assert (code, out) == (exit_code, "")
    assert told in " ".join(err.split())


BAD_FILES = {
    "negative": ("origin,destination,persons\na,b,1\nb,a,-3\n", "below 0 in row 3"),
    "words": ("origin,destination,persons\na,b,many\n", "no number in row 2 ('many')"),
    "null": ("origin,destination,persons\na,b,\n", "empty in row 2"),
    "no origin": ("origin,destination,persons\n,b,3\n", "'origin' is empty in row 2"),
    "a sum": ("origin,destination,persons\na,b,1\nНийт,b,1\n", "'origin' has the word for a sum in row 3 ('Нийт')"),
    "only a header": ("origin,destination,persons\n", "no moves in it"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_cells_that_can_not_be_used_are_named_by_their_row(capsys, tmp_path, name):
    text, told = BAD_FILES[name]
    path = tmp_path / "moves.csv"
    path.write_text(text, encoding="utf-8")
    code, out, err = run(capsys, path, *FIELDS, "--json")
    assert (code, out) == (3, "")
    assert told in " ".join(err.split())
    assert "moves.csv" in err


def test_missing_empty_and_other_files_are_refused(capsys, tmp_path):
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for name in ("absent.csv", "empty.csv", "picture.png"):
        code, out, err = run(capsys, tmp_path / name, *FIELDS, "--json")
        assert (code, out) == (3, ""), name
        assert name in err


def test_a_population_that_does_not_fit_is_refused(capsys, tmp_path):
    moves = written(tmp_path, pd.concat([long(HYP).assign(year=1), long(HYP).assign(year=2)]))
    words = [moves, *FIELDS, "--period", "year", "--population"]
    cases = (
        (people(2), RISK, 3, "no people at risk for c in 1"),
        (people(3).assign(year=1), RISK, 3, "no period 2 that the moves have; it has: 1"),
        (pd.concat([people(3)] * 2), RISK, 3, "area a twice"),
        (people(3), ["--area", "area"], 2, "give --at-risk; its columns are: area, persons"),
        (people(3), ["--area", "place", "--at-risk", "persons"], 3, "no column 'place'"),
        (people(3, each=-1), RISK, 3, "below 0"),
    )
    for frame, fields, exit_code, told in cases:
        code, out, err = run(capsys, *words, written(tmp_path, frame, "people.csv"), *fields, "--json")
        assert (code, out) == (exit_code, "")
        assert told in " ".join(err.split())
        assert "people.csv" in err
    code, out, _ = run(capsys, *words, written(tmp_path, people(3), "people.csv"), *RISK, "--json")
    assert [told["population"] for told in json.loads(out)] == [3000, 3000]  # one population for every period


def test_without_a_file_options_of_files_have_no_meaning(capsys, tmp_path):
    code, _, err = run(capsys, "--origin", "x", "--workspace", tmp_path)
    assert code == 2
    assert "--origin go with a FILE" in err


def test_without_a_file_the_release_answers_by_round_source_and_level(capsys, tmp_path):
    made = Made()
    made.tell("departures", "out", teller_is=0)
    made.set("flow", "suppressed", "source = 'departures' AND pcode = 'MN1102' AND counterpart = 'MN1101'")
    tables = ("area", "round", "stock", "flow")
    rows = {name: made.connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables}
    rows["area"] = [(*row[:-1], WEST) for row in rows["area"]]
    workspace = create_workspace(tmp_path / "ws")
    build_release(workspace.releases_path, rows=rows, manifest={"inputs": {}}).close()
    (workspace.releases_path / CURRENT_FILE).write_text(RELEASE_ID, encoding="utf-8")
    code, out, _ = run(capsys, "--workspace", workspace.path, "--json")
    assert code == 0
    arrivals, departures = json.loads(out)
    for told in (arrivals, departures):
        assert list(told)[: len(KEYS)] == KEYS
        assert (told["period"], told["level"], told["n_areas"]) == (1, 2, 3)
        assert (told["release_id"], told["is_demonstration"], told["is_provisional"]) == (RELEASE_ID, True, False)
    assert (arrivals["source"], arrivals["hidden_pairs"], arrivals["effectiveness_mei"]) == ("arrivals", 0, 25)
    assert arrivals["areas"][0]["net_persons"] == 30
    assert arrivals["areas"][0]["in_per_1000"] == pytest.approx(50 * 365.25 / 182)
    assert (departures["source"], departures["hidden_pairs"]) == ("departures", 1)
    assert (departures["inequality_independence"], departures["areas"]) == (None, [])
    assert departures["notes"]["effectiveness_mei"] == "hidden_pairs:1"
    assert (departures["notes"]["areas"], "areas" in arrivals["notes"]) == ("hidden_pairs:1", False)
    code, out, _ = run(capsys, "--workspace", workspace.path)
    assert "demonstration data" in out
    assert "Moves of some pairs are hidden: 1." in out

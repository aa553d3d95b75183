from __future__ import annotations

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from dtm.cli import main
from dtm.flow_views import COLUMNS
from dtm.released import CURRENT_FILE
from dtm.workspace import create_workspace
from tests.dtm.release_factory import RELEASE_ID, build_release


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flows") / "city"
    workspace = create_workspace(folder)
    workspace.releases_path.mkdir(parents=True, exist_ok=True)
    build_release(workspace.releases_path, manifest={"inputs": {}}).close()
    (workspace.releases_path / CURRENT_FILE).write_text(RELEASE_ID, encoding="utf-8")
    return folder


@pytest.fixture
def moves(tmp_path):
    path = tmp_path / "moves.csv"
    path.write_text(
        "from,to,n,year\nMN4101,MN110701,5,2020\nMN43,mn1107,7,2020\nMN1107,MN1110,9,2020\nabroad,MN11,,2021\n",
        encoding="utf-8",
    )
    return path


def run(capsys, *words):
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    captured = capsys.readouterr()
    return left.value.code, captured.out, captured.err


def answer(capsys, *words):
    code, out, _ = run(capsys, "flows", *words, "--json")
    assert code == 0
    return json.loads(out)


COLUMNS_OF_FILE = ("--origin", "from", "--destination", "to", "--persons", "n")


def test_a_release_answers_in_json_with_what_it_is(city, capsys):
    told = answer(capsys, "--workspace", city, "--source", "arrivals,reconciled", "--round", 2, "--level", 3)
    assert (told["release_id"], told["is_demonstration"], told["is_provisional"]) == (RELEASE_ID, True, False)
    assert told["filters"] == {"source": ["arrivals", "reconciled"], "round": 2, "level": 3, "by": []}
    assert [list(row) for row in told["rows"]] == [list(COLUMNS)] * 5
    total, pair = told["rows"][:2]
    assert (total["origin"], total["value"], total["part"]) == ("total", 31, "total")
    assert (pair["origin"], pair["destination"], pair["value"]) == ("MN67", "MN110701", 24)
    assert isinstance(pair["value"], int)
    hidden = next(row for row in told["rows"] if row["origin"] == "abroad")
    assert (hidden["value"], hidden["status"]) == (None, "suppressed")
    assert {row["source"]: row["value"] for row in told["rows"] if row["source"] == "reconciled"}


def test_breakdowns_are_rows_with_their_items(city, capsys):
    rows = answer(capsys, "--workspace", city, "--by", "reason,sex")["rows"]
    assert {(row["breakdown"], row["item"]): row["value"] for row in rows} == {
        ("reason", "work"): 31, ("sex", "male"): 16, ("sex", "female"): 15,
    }  # fmt: skip


def test_nothing_published_is_an_empty_list_with_a_note(city, capsys):
    told = answer(capsys, "--workspace", city, "--source", "survey_lifetime")
    assert told["rows"] == []
    assert told["notes"] == ["The release has no figures of survey_lifetime here."]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--source", "hearsay"], "no source 'hearsay'; there are: arrivals, departures, checkpoint"),
        (["--round", "7"], "no round 7; there are: 1, 2"),
        (["--level", "5"], "no level 5; there are: 1, 2, 3, region"),
        (["--level", "town"], "no level 'town'"),
        (["--by", "colour"], "no breakdown 'colour'; there are: reason, sex, age, registered, distance"),
        (["--persons", "n"], "--persons go with a FILE of moves"),
        (["--out", "x.gpkg"], "name a file that ends in .csv, .parquet, .xlsx"),
        (["--release", "none"], "no release 'none'"),
        (["--out", "{city}/releases/flows.csv"], "a place the workspace keeps for itself"),
        (["--out", "{city}/series_breaks.csv"], "a place the workspace keeps for itself"),
    ],
)
def test_wrong_use_names_what_there_is(city, capsys, words, message):
    code, out, err = run(capsys, "flows", "--workspace", city, *(word.format(city=city) for word in words))
    assert code == 2
    assert message in " ".join(err.split())
    assert out == ""


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_a_file_of_a_release_carries_where_it_comes_from(city, tmp_path, capsys, ending):
    path = tmp_path / f"flows.{ending}"
    code, out, _ = run(capsys, "flows", "--workspace", city, "--source", "arrivals", "--out", path)
    assert code == 0
    assert "Wrote 3 rows of release" in out
    assert "demonstration data" in out
    if ending == "csv":
        frame = pd.read_csv(path)
        beside = json.loads((tmp_path / "flows.csv.manifest.json").read_text(encoding="utf-8"))
        assert beside["is_demonstration"] is True
        assert all(words["meaning"] for words in beside["columns"].values())
    elif ending == "parquet":
        frame = pd.read_parquet(path)
        assert pq.read_schema(path).metadata[b"dtm.release_id"].decode() == RELEASE_ID
    else:
        frame = pd.read_excel(path, sheet_name="data", engine="openpyxl")
    assert frame["value"].tolist()[:2] == [31, 24]
    assert frame["origin_name_en"].tolist()[1:] == ["Khuvsgul", "Abroad"]
    assert set(frame["release_id"]) == {RELEASE_ID}


def test_a_terminal_says_that_it_is_a_demonstration(city, capsys):
    code, out, _ = run(capsys, "flows", "--workspace", city)
    assert code == 0
    assert "demonstration data" in out
    assert "- The release has no figures of checkpoint_through, survey_5y, survey_lifetime here." in out


def test_any_table_is_rolled_up(moves, capsys):
    told = answer(capsys, moves, *COLUMNS_OF_FILE, "--period", "year", "--level", 1)
    rows = {(row["period"], row["origin"], row["destination"]): (row["part"], row["persons"]) for row in told["rows"]}
    assert rows == {
        ("2020", "MN41", "MN11"): ("between", 5), ("2020", "MN43", "MN11"): ("between", 7),
        ("2020", "MN11", "MN11"): ("inside", 9), ("2021", "abroad", "MN11"): ("abroad", None),
    }  # fmt: skip
    assert told["parts"] == [
        {"period": "2020", "part": "between", "method": "observed", "persons": 12},
        {"period": "2020", "part": "inside", "method": "observed", "persons": 9},
        {"period": "2021", "part": "abroad", "method": "observed", "persons": None},
    ]
    assert told["notes"] == [
        "MN11, MN1107 hold other places of the table. Their rows are taken as further moves, not as sums of the others."
    ]


def test_what_was_rolled_up_can_be_written_and_read_again(moves, tmp_path, capsys):
    path = tmp_path / "regions.parquet"
    assert run(capsys, "flows", moves, *COLUMNS_OF_FILE, "--level", "region", "--out", path)[0] == 0
    frame = pd.read_parquet(path).set_index("origin")
    assert frame.loc["central", ["destination", "part", "persons"]].tolist() == ["ulaanbaatar", "between", 12]
    again = answer(capsys, path, "--origin", "origin", "--destination", "destination", "--persons", "persons")
    assert {row["origin"]: row["persons"] for row in again["rows"]} == {"central": 12, "ulaanbaatar": 9, "abroad": None}


def test_what_was_fitted_is_rolled_up_and_read_again(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seed = "from,to,n\nMN4101,MN1107,1\nMN4104,MN1107,2\nMN43,MN1107,4\n"
    (tmp_path / "seed.csv").write_text(seed, encoding="utf-8")
    (tmp_path / "left.csv").write_text("area,persons\nMN4101,2.5\nMN4104,0.25\nMN43,7\n", encoding="utf-8")
    (tmp_path / "came.csv").write_text("area,persons\nMN1107,9.75\n", encoding="utf-8")
    margins = ("--row-margins", "left.csv", "--column-margins", "came.csv")
    assert run(capsys, "fit", "seed.csv", *COLUMNS_OF_FILE, *margins, "--out", "fitted.csv")[0] == 0
    fields = (*COLUMNS_OF_FILE[:-1], "fitted_persons")
    told = answer(capsys, "fitted.csv", *fields, "--level", 1, "--out", "aimags.csv")
    assert {(row["origin"], row["method"]): row["persons"] for row in told["rows"]} == {
        ("MN41", "modelled"): 2.75, ("MN43", "modelled"): pytest.approx(7),
    }  # fmt: skip
    assert told["parts"] == [{"period": "total", "part": "between", "method": "modelled", "persons": 9.75}]
    fields = ("--origin", "origin", "--destination", "destination", "--persons", "persons", "--method", "method")
    assert answer(capsys, "aimags.csv", *fields)["rows"] == told["rows"]
    code, _, err = run(capsys, "flows", "fitted.csv", *fields[:-1], "n")
    assert code == 3
    (tmp_path / "told.csv").write_text("from,to,n,method\nMN4101,MN1107,2.5,by telephone\n", encoding="utf-8")
    code, _, err = run(capsys, "flows", "told.csv", *COLUMNS_OF_FILE)
    assert (code, "2.5 is no whole number. Moves are counted; an estimate says so by its method" in err) == (3, True)
    code, _, err = run(capsys, "flows", "told.csv", *COLUMNS_OF_FILE, "--method", "method")
    assert (code, "no method 'by telephone'; there are: observed, imputed" in " ".join(err.split())) == (3, True)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "give --origin, --destination, --persons; its columns are: from, to, n, year"),
        ([*COLUMNS_OF_FILE, "--source", "arrivals"], 2, "--source go with a release; a FILE has none of them"),
        ([*COLUMNS_OF_FILE, "--level", "0"], 2, "no level 0; there are: 4, 3, 2, 1, region"),
        ([*COLUMNS_OF_FILE, "--out", "{moves}"], 2, "moves.csv is an input of this command"),
        (["--origin", "year", "--destination", "to", "--persons", "n"], 3, "Record 1, year: '2020' is no P-code"),
        (["--origin", "from", "--destination", "to", "--persons", "people"], 3, "there is no column 'people'"),
    ],
)
def test_a_table_that_can_not_be_read_so_is_named(moves, capsys, words, code, message):
    left, _, err = run(capsys, "flows", moves, *(word.format(moves=moves) for word in words))
    assert left == code
    assert message in " ".join(err.split())


def test_a_table_without_rows_is_no_error(tmp_path, capsys):
    path = tmp_path / "none.csv"
    path.write_text("from,to,n\n", encoding="utf-8")
    told = answer(capsys, path, *COLUMNS_OF_FILE, "--level", 2)
    assert told["rows"] == []
    assert told["parts"] == []

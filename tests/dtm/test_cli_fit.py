"""Hold `dtm fit` to its files, its answers and its refusals."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from dtm.cli import main
from dtm.fitting import fit_margins

KEYS = {
    "method", "n_rows", "n_columns", "iterations", "converged", "tolerance", "largest_absolute_error_persons",
    "largest_relative_error", "total", "seed_total", "deviance", "structural_zeros", "forced_zeros",
    "origins_without_seed", "destinations_without_seed", "out",
}  # fmt: skip
SEED = (
    ("A", "A", 5, "x"), ("A", "B", 3, "work"), ("A", "B", 1, "study"), ("A", "C", 2, "work"), ("B", "A", 4, "work"),
    ("B", "C", 1, "work"), ("C", "A", 2, "x"), ("C", "B", 2, None),
)  # fmt: skip
LEFT = {"A": 30, "B": 20, "C": 10}
CAME = {"A": 15, "B": 25, "C": 20}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame(SEED, columns=["from", "to", "n", "reason"]).to_csv("seed.csv", index=False)
    pd.DataFrame({"area": LEFT.keys(), "persons": LEFT.values()}).to_csv("left.csv", index=False)
    pd.DataFrame({"to": CAME.keys(), "n": CAME.values()}).to_csv("came.csv", index=False)
    return tmp_path


def run(capsys, *more, seed="seed.csv", rows="left.csv", columns="came.csv", out="fitted.csv"):
    """Return the exit code, what was printed and what was said about errors."""
    arguments = ["fit", seed, "--origin", "from", "--destination", "to", "--persons", "n"]
    arguments += ["--row-margins", rows, "--column-margins", columns, "--out", out, *more]
    try:
        main(arguments)
        code = 0
    except SystemExit as leaving:
        code = leaving.code or 0
    told = capsys.readouterr()
    return code, told.out, " ".join(told.err.split())


def pivoted(table):
    return table.pivot_table(index="from", columns="to", values="fitted_persons", aggfunc="sum", fill_value=0)


@pytest.mark.parametrize(("method", "out"), [("ipf", "fitted.csv"), ("log-linear", "fitted.parquet")])
def test_a_fit_is_written_and_told(folder, capsys, method, out):
    code, printed, _ = run(capsys, "--zero-diagonal", "--method", method, "--json", out=out)
    told = json.loads(printed)
    assert code == 0
    assert set(told) == KEYS
    assert (told["method"], told["n_rows"], told["n_columns"], told["converged"]) == (method, 3, 3, True)
    assert (told["total"], told["seed_total"], told["structural_zeros"]) == (60, 15, 3)
    assert told["largest_relative_error"] <= 1e-9
    assert told["out"] == out
    table = pd.read_csv(out) if out.endswith("csv") else pd.read_parquet(out)
    assert list(table.columns) == ["from", "to", "n", "reason", "fitted_persons", "method"]
    assert table[["from", "to", "n"]].apply(tuple, axis=1).tolist() == [row[:3] for row in SEED]
    assert table["reason"].fillna("").tolist() == [row[3] or "" for row in SEED]
    assert set(table["method"]) == {"modelled"}
    assert table["fitted_persons"][0] == 0  # A to A
    assert table["fitted_persons"][1] == pytest.approx(3 * table["fitted_persons"][2])  # by reason as in the seed
    seed = np.array([[0, 4, 2], [4, 0, 1], [2, 2, 0]])
    assert pivoted(table).to_numpy() == pytest.approx(
        fit_margins(seed, list(LEFT.values()), list(CAME.values())).fitted_persons, rel=1e-6
    )
    assert told["deviance"] == pytest.approx(
        fit_margins(seed, list(LEFT.values()), list(CAME.values())).deviance, rel=1e-6
    )


def test_words_instead_of_json(folder, capsys):
    code, printed, _ = run(capsys)
    assert code == 0
    assert "Wrote 8 rows, marked modelled, to fitted.csv" in printed
    assert "e-09" in printed  # the tolerance is not shown as 0
    assert pivoted(pd.read_csv("fitted.csv")).loc["A", "A"] > 0


def test_margins_in_one_file_with_named_columns(folder, capsys):
    both = pd.DataFrame({"place": LEFT.keys(), "code": ["x", "y", "z"], "out": LEFT.values(), "in": CAME.values()})
    both.to_parquet("both.parquet")
    columns = ("--margin-area", "place", "--row-persons", "out", "--column-persons", "in")
    code, _, _ = run(capsys, *columns, rows="both.parquet", columns="both.parquet")
    assert code == 0
    assert pivoted(pd.read_csv("fitted.csv")).sum(axis=1).to_dict() == pytest.approx(LEFT)
    assert pivoted(pd.read_csv("fitted.csv")).sum(axis=0).to_dict() == pytest.approx(CAME)


def test_the_only_numbers_and_the_only_other_column_are_found(folder, capsys):
    pd.DataFrame({"Aimag": LEFT.keys(), "2024": LEFT.values()}).to_csv("left.csv", index=False)
    assert run(capsys)[0] == 0


def test_areas_may_be_numbers(folder, capsys):
    codes = {"A": 11, "B": 21, "C": 22}
    seed = pd.read_csv("seed.csv").replace({"from": codes, "to": codes})
    seed.to_csv("seed.csv", index=False)
    for name, column in (("left.csv", "area"), ("came.csv", "to")):
        pd.read_csv(name).replace({column: codes}).to_csv(name, index=False)
    assert run(capsys)[0] == 0


def test_areas_of_margins_that_the_seed_lacks_are_told_where_nobody_moved(folder, capsys):
    (folder / "left.csv").write_text("area,persons\nD,0\nA,30\nB,20\nC,10\n")
    code, printed, _ = run(capsys, "--json")
    told = json.loads(printed)
    assert code == 0
    assert told["origins_without_seed"] == ["D"]
    assert (told["n_rows"], told["n_columns"], told["structural_zeros"]) == (4, 3, 5)


def refused(folder, capsys, *more, **files):
    code, printed, said = run(capsys, *more, **files)
    assert printed == ""
    assert not (folder / "fitted.csv").exists()
    assert said.startswith("dtm: ")
    return code, said


@pytest.mark.parametrize(
    ("name", "text", "code", "words"),
    [
        ("left.csv", "area,persons\nA,30\nB,20\n", 3, "origins that left.csv has no margin for: 'C'"),
        ("came.csv", "area,persons\nA,30\nC,30\n", 3, "destinations that came.csv has no margin for: 'B'"),
        ("left.csv", "area,persons\nA,30\nB,20\nC,10\nD,1\n", 3, "add to 61 persons and those by column to 60"),
        ("left.csv", "area,persons\nA,30\nB,20\nC,9\nD,1\n", 3, "row 'D': 1 persons are given there"),
        ("left.csv", "area,persons\nA,30\nB,20\nC,10\nA,0\n", 3, "the area 'A' stands in rows 2, 5"),
        ("left.csv", "area,persons\nA,30\nB,-20\nC,10\n", 3, "left.csv: column 'persons' is below 0 in row 3"),
        ("left.csv", "area,persons\nA,30\nB,20\nC,10\nTotal,60\n", 3, "'area' has the word for a sum in row 5"),
        ("came.csv", "place,a,b\nA,30,1\nB,20,1\nC,10,1\n", 2, "has: place, a, b. Give --margin-area and --column-p"),
        ("left.csv", "area,name\nA,x\nB,y\nC,z\n", 2, "which column has the persons"),
        ("seed.csv", "from,to,persons\nA,B,1\n", 3, "there is no column 'n'"),
        ("seed.csv", "from,to,n,method\nA,B,1,x\n", 2, "has a column 'method'"),
        ("seed.csv", "from,to,n\n", 3, "row 'A', 'B', 'C': 60 persons are given there"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(folder, capsys, name, text, code, words):
    (folder / name).write_text(text)
    answered, said = refused(folder, capsys)
    assert answered == code, said
    assert words in said


def test_files_that_are_not_there(folder, capsys):
    assert refused(folder, capsys, rows="none.csv")[0] == 3
    assert refused(folder, capsys, out="no/fitted.csv")[0] == 2
    assert refused(folder, capsys, out="fitted.txt")[0] == 2


@pytest.mark.parametrize("name", ["seed.csv", "left.csv", "./came.csv"])
def test_no_input_is_written_over(folder, capsys, name):
    before = (folder / name).read_bytes()
    code, said = refused(folder, capsys, out=name)
    assert code == 2
    assert "is an input of this command" in said
    assert (folder / name).read_bytes() == before


def test_margins_that_zeros_forbid(folder, capsys):
    (folder / "left.csv").write_text("area,persons\nA,58\nB,1\nC,1\n")
    code, said = refused(folder, capsys, "--zero-diagonal")
    assert code == 3
    assert "row 'A' need 58 persons and have cells above 0 only in column 'B', 'C'" in said


def test_without_convergence_nothing_is_written(folder, capsys):
    (folder / "fitted.csv").write_text("older")
    code, printed, said = run(capsys, "--max-iterations", "2", "--json")
    told = json.loads(printed)
    assert code == 1
    assert (folder / "fitted.csv").read_text() == "older"
    assert "the margins are not met after 2 iterations" in said
    assert (told["converged"], told["out"], told["iterations"]) == (False, None, 2)
    assert told["largest_relative_error"] > 1e-9


def test_weights_beyond_all_counts_are_written_as_they_are(folder, capsys):
    (folder / "seed.csv").write_text("from,to,n\nA,A,1e300\nA,B,2\nB,A,3\nB,C,1\nC,B,1\nC,C,1\n")
    assert run(capsys)[0] == 0
    assert pd.read_csv("fitted.csv")["n"].tolist() == [1e300, 2, 3, 1, 1, 1]


def test_nobody_moved(folder, capsys):
    (folder / "left.csv").write_text("area,persons\nA,0\nB,0\nC,0\n")
    (folder / "came.csv").write_text("area,persons\nA,0\nB,0\nC,0\n")
    code, printed, _ = run(capsys, "--json")
    assert code == 0
    assert json.loads(printed)["total"] == 0
    assert not pd.read_csv("fitted.csv")["fitted_persons"].any()

"""Hold what every exported file promises: released rows only, coverage, provenance, whole files."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import get_args

import pandas as pd
import pyogrio
import pytest

from dtm import exports
from dtm._exports_about import about_rows, provenance
from dtm._exports_columns import EXPORT_COLUMNS, PRODUCTS
from dtm._exports_rows import column_kind
from dtm.errors import DiskFullError, WrongUseError
from dtm.exports import (
    FORMATS,
    NotReleasedError,
    ProductName,
    UnwritableError,
    export,
    export_table,
    product_table,
    to_bytes,
)
from dtm.released import ReleasedTable
from tests.dtm.release_factory import AREAS, RELEASE_ID, WEST, build_release


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    opened = build_release(tmp_path_factory.mktemp("releases"))
    yield opened
    opened.close()


def test_flow_rows_read_on_their_own(release):
    frame = product_table(release, "flows").frame
    row = frame[
        (frame["counterpart"] == "MN67") & (frame["measure"] == "persons") & (frame["source"] == "arrivals")
    ].iloc[0]
    assert row["value"] == 24
    assert (row["name_mn"], row["parent_name_en"]) == ("1-р хороо", "Bayangol")
    assert (row["origin_name_en"], row["destination_name_mn"]) == ("Khuvsgul", "1-р хороо")
    assert (row["units_expected"], row["units_reported"], row["registered_coverage_share"]) == (2, 2, 1.0)
    assert str(row["started_on"])[:10] == "2024-10-01"
    assert row["release_id"] == RELEASE_ID


def test_checkpoint_flows_carry_hours_and_not_the_coverage_of_khesegs(release):
    frame = product_table(release, "flows").frame
    checkpoint = frame[frame["source"] == "checkpoint"]
    # 10 h at Emeelt (told twice, in and out) + 6.5 h at Nalaikh; the 4 h outside the round don't count
    assert checkpoint["hours_observed"].tolist() == [16.5, 16.5]
    assert checkpoint[["units_expected", "units_reported", "registered_coverage_share"]].isna().all().all()
    assert frame[frame["source"] == "arrivals"]["hours_observed"].isna().all()


def test_labels_follow_the_language_and_unknown_codes_stand_for_themselves(release):
    english = product_table(release, "flows").frame
    mongolian = product_table(release, "flows", language="mn").frame
    assert set(english["reason_label"]) == {"Work", "All"}
    assert set(mongolian["reason_label"]) == {"Ажил эрхлэх", "Бүгд"}
    assert set(english["counterpart_name_mn"]) >= {"Хөвсгөл", "Гадаад улс", "Бүх газар"}
    assert set(product_table(release, "density").frame["indicator_label"]) == {"Persons per km2"}


WITHOUT_COVERAGE = {
    "findings", "carried", "survey", "survey-flows", "checkpoint-days", "checkpoint-hours", "checkpoint-estimates",
}  # fmt: skip
"""Products whose rows rest on other things than the returns of a round, and tell them: shares, bases, hours."""
COVERAGE = ["units_expected", "units_reported", "registered_coverage_share"]


def test_the_command_line_offers_every_product():
    assert sorted(get_args(ProductName)) == sorted(PRODUCTS)


def test_every_code_and_note_is_told_in_words_of_both_languages(release):
    for product in PRODUCTS:
        for language in ("en", "mn"):
            frame = product_table(release, product, language=language).frame
            for name in [column for column in frame if column.endswith("_label")]:
                told = frame[name].dropna()
                if language == "mn":
                    assert told.str.contains("[а-яөүА-ЯӨҮ]", regex=True).all(), (product, name)
                assert not told.str.contains("_").any(), (product, name)


def test_estimates_are_told_in_words(release):
    balance = product_table(release, "balance").frame.set_index("pcode").loc["MN1107"]
    assert (balance["residual"], balance["flag_label"]) == (-24, "Over 2 % unexplained")
    survey = product_table(release, "survey").frame.set_index("estimate").loc["dwelling_share_pct"]
    assert (survey["estimate_label"], survey["item_label"], survey["base_persons"]) == ("Kind of dwelling", "Ger", 400)
    imputed = product_table(release, "imputed", language="mn").frame.set_index("pcode").loc["MN110702"]
    assert imputed["note_label"] == "Үнэлгээ хийхэд нийтэлсэн тоо хүрэлцэхгүй байна."
    ends = product_table(release, "survey-flows").frame.iloc[-1]
    assert (ends["origin_name_en"], ends["destination_name_mn"]) == ("Abroad", "Баянгол")
    carried = product_table(release, "carried").frame.iloc[0]
    assert (str(carried["reference_on"])[:10], carried["name_en"]) == (
        "2022-04-30",
        "Khoroo 1",
    )  # not the release's own round 1


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_column_is_declared_and_every_figure_has_status_and_coverage(release, product):
    frame = product_table(release, product).frame
    assert list(frame.columns) == list(PRODUCTS[product].columns)
    assert set(frame.columns) <= set(EXPORT_COLUMNS)
    if product != "findings":
        assert {"status", "status_label", "series_break"} <= set(frame.columns)
    if product not in WITHOUT_COVERAGE:
        ends = ("origin_", "destination_") if product == "reconciled" else ("",)
        assert {f"{end}{name}" for end in ends for name in COVERAGE} <= set(frame.columns)
    assert {"release_id", "is_demonstration"} <= set(frame.columns)


def test_a_move_has_the_coverage_of_both_ends_and_a_system_that_of_its_areas(release):
    move = product_table(release, "reconciled").frame.set_index("origin").loc["MN110701"]
    assert [move[f"origin_{name}"] for name in COVERAGE] == [2, 2, 1.0]
    assert [move[f"destination_{name}"] for name in COVERAGE] == [2, 1, 0.5]
    assert product_table(release, "system").frame[COVERAGE].to_numpy().tolist() == [[4, 3, 0.75]]  # the city's


def test_a_month_has_the_coverage_of_the_less_complete_of_its_rounds(tmp_path):
    first = [
        (1, 2, "MN1107", 4, 4, 1.0, 4, 4, 0),
        (1, 2, "MN67", 8, 6, None, 6, 6, 0),
        (1, 2, "MN65", 5, 0, 0.0, 0, 0, 0),
    ]
    second = [
        (2, 2, "MN1107", 4, 3, 0.75, 3, 3, 0),
        (2, 2, "MN67", 8, 8, 1.0, 8, 8, 0),
        (2, 2, "MN65", 5, 5, 1.0, 5, 5, 0),
    ]
    days = [dt.date(2024, 4, 30), dt.date(2024, 6, 1), dt.date(2024, 10, 31), dt.date(2024, 12, 1)]
    months = [
        (2, code, "actual", day, 812.0, "published", "observed", None)
        for code in ("MN1107", "MN67", "MN65")
        for day in days
    ]
    with contextlib.closing(build_release(tmp_path, rows={"coverage": first + second, "stock_month": months})) as made:
        frame = product_table(made, "monthly").frame
    told = {code: rows["units_reported"].tolist() for code, rows in frame.groupby("pcode")}
    assert told == {
        "MN1107": [4, 3, 3, 3],  # between and after both rounds: the second, with 75 %
        "MN67": [6, 6, 8, 6],  # the first, with 6 of 8 units
        "MN65": [0, 0, 5, 5],  # nobody told anything in the first
    }


def test_systems_of_several_aimags_add_up_the_units(tmp_path):
    aimags = [("MN65", 1, None, None, "а", "a", 1.0, None, 106.8, 47.9, WEST), ("MN67", *AREAS[0][1:])]
    coverage = [
        (2, 1, "MN65", 5, 4, 0.9, 4, 4, 0),
        (2, 1, "MN67", 3, 3, 1.0, 3, 3, 0),
        (1, 1, "MN65", 5, 5, 1.0, 5, 5, 0),
    ]
    systems = [(n, "arrivals", 1, "movers", 31.0, "persons", "published", None) for n in (1, 2)]
    rows = {"area": aimags, "coverage": coverage, "system": systems}
    with contextlib.closing(build_release(tmp_path, rows=rows)) as made:
        frame = product_table(made, "system").frame
    assert frame[COVERAGE[:2]].to_numpy().tolist() == [[5, 5], [8, 7]]
    assert frame["registered_coverage_share"].fillna(-1).tolist() == [1, -1]


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A release in a period that breaks every series."""
    texts = ("Stop", "Зогсолт", "Counting stopped.", "Тоолоогүй.", "an order")
    rows = [("stop", "all", "MN", dt.date(2022, 1, 1), None, *texts)]
    days = [(2, "emeelt", dt.date(2024, 10, 2), "in", "vehicles", 10.0, "8-17", 300, "published")]
    opened = build_release(tmp_path_factory.mktemp("broken"), rows={"series_break": rows, "passage_day": days})
    yield opened
    opened.close()


@pytest.mark.parametrize("product", [name for name in PRODUCTS if name != "findings"])
def test_every_row_of_a_broken_series_says_so(broken, product):
    frame = product_table(broken, product).frame
    assert len(frame) > 0
    assert set(frame["series_break"]) == {"stop"}


def test_a_map_says_which_areas_and_moves_lie_in_a_break(broken, tmp_path):
    out = export(broken, "flows", format="gpkg", out=tmp_path / "flows.gpkg")
    for layer in ("flows_areas_level_3", "flows_lines_level_3"):
        assert set(pyogrio.read_dataframe(out, layer=layer)["series_break"]) == {"stop"}
    assert set(product_table(broken, "checkpoint-days", language="mn").frame["measure_label"]) == {"Тээврийн хэрэгсэл"}


@pytest.mark.parametrize("product", exports.HXL_PRODUCTS)
def test_every_column_of_a_humanitarian_file_has_a_tag(product):
    assert [name for name in PRODUCTS[product].columns if not EXPORT_COLUMNS[name].hxl.startswith("#")] == []


def test_all_declared_columns_are_explained_in_both_languages():
    for column in EXPORT_COLUMNS.values():
        assert column.meaning_en
        assert column.meaning_mn
        assert any("\u0400" <= letter <= "\u04ff" for letter in column.meaning_mn)


def test_the_value_of_a_rate_is_real_and_of_a_count_whole():
    assert column_kind("density", "value") == "number"
    assert column_kind("stocks", "value") == "integer"
    assert column_kind("flow-items", "value") == "integer"
    assert column_kind("survey-flows", "value") == "number"
    assert column_kind("flow-view", "value") == "number"


def test_only_released_rows_can_be_exported(tmp_path):
    frame = pd.DataFrame({"value": [3]})
    with pytest.raises(NotReleasedError, match="Only rows of a release"):
        to_bytes(frame, "csv")
    with pytest.raises(NotReleasedError, match="Only rows of a release"):
        export_table(frame, format="csv", out=tmp_path / "x.csv")
    with pytest.raises(NotReleasedError, match="Only a release"):
        export(frame, "flows", format="csv", out=tmp_path / "x.csv")
    with pytest.raises(TypeError):
        to_bytes(None, "csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format_", FORMATS)
def test_the_same_release_gives_the_same_bytes(release, tmp_path, format_):
    first = export(release, "flows", format=format_, out=tmp_path / f"a.{format_}").read_bytes()
    assert export(release, "flows", format=format_, out=tmp_path / f"b.{format_}").read_bytes() == first
    assert to_bytes(release.table("flow"), format_, release=release) == first


@pytest.mark.parametrize("format_", FORMATS)
def test_raw_rows_without_the_release_still_name_it(release, format_):
    body = to_bytes(release.table("stock", where={"status": "published"}), format_)
    assert RELEASE_ID.encode() in body or format_ == "xlsx"


def test_a_table_that_is_no_product_is_exported_as_it_is(release):
    text = to_bytes(release.table("area", where={"level": 3}), "csv").decode("utf-8-sig")
    assert text.splitlines()[0].endswith("lon,lat,geometry,release_id,is_demonstration")
    assert "POLYGON ((106.8 47.9" in text


def test_csv_manifest_is_tied_to_the_file_and_holds_the_release_manifest(release, tmp_path):
    out = export(release, "stocks", format="csv", out=tmp_path / "stocks.csv")
    manifest = json.loads((tmp_path / "stocks.csv.manifest.json").read_text(encoding="utf-8"))
    assert manifest["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert manifest["release"]["inputs"][0]["sha256"] == "ab" * 32
    assert manifest["rows"] == 6
    assert manifest["columns"]["registered_coverage_share"]["unit"] == "0-1"


@pytest.mark.parametrize("format_", ["csv", "xlsx", "parquet"])
def test_no_exported_file_says_who_signed_off(release, tmp_path, format_):
    state = {"round": 1, "state": "signed_off", "signed_off_by": "B. Official", "signed_off_at": "2024-03-20T08:00:00"}
    facts = {"signed_off_by": "B. Official", "rounds": [state], "inputs": {"sign_off": [state]}}
    table = product_table(release, "stocks")
    named = ReleasedTable(table.name, table.frame, {**table.manifest, **facts})
    for texts in (provenance(named, language="en"), about_rows(named, language="mn")):
        told = json.dumps(texts, ensure_ascii=False, default=str)
        assert "Official" not in told
        assert "2024-03-20T08:00:00" in told
    content = to_bytes(named, format=format_)
    assert b"Official" not in (zipped(content) if format_ == "xlsx" else content)


def zipped(content):
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return b"".join(book.read(name) for name in book.namelist())


def test_hxl_row_is_offered_for_csv_of_figures_only(release, tmp_path):
    out = export(release, "flows", format="csv", out=tmp_path / "flows.csv", hxl=True)
    header, tags, *_ = out.read_text(encoding="utf-8-sig").splitlines()
    by_name = dict(zip(header.split(","), tags.split(","), strict=True))
    assert by_name["pcode"] == "#adm+code"
    assert all(tag.startswith("#") for tag in by_name.values())
    with pytest.raises(WrongUseError, match="HXL"):
        export(release, "findings", format="csv", out=tmp_path / "findings.csv", hxl=True)
    with pytest.raises(WrongUseError, match="HXL"):
        export(release, "flows", format="xlsx", out=tmp_path / "flows.xlsx", hxl=True)


@pytest.mark.parametrize(
    ("product", "format_", "name", "match"),
    [
        ("moves", "csv", "x.csv", "Unknown product 'moves'"),
        ("flows", "shp", "x.shp", "Unknown format 'shp'"),
        ("flows", "csv", "x.xlsx", r"ends in '.xlsx', but --format is csv; name it x.csv"),
        ("flows", "gpkg", "x", "has no ending"),
        ("flows", "csv", "none/x.csv", "mkdir -p"),
        ("flows", "csv", "folder.csv", "is a folder"),
    ],
)
def test_wrong_use_is_named_and_writes_nothing(release, tmp_path, product, format_, name, match):
    place = tmp_path / "out"
    (place / "folder.csv").mkdir(parents=True)
    with pytest.raises(WrongUseError, match=match) as caught:
        export(release, product, format=format_, out=place / name)
    assert caught.value.exit_code == 2
    assert [p.name for p in place.iterdir()] == ["folder.csv"]


def test_nothing_of_the_workspace_is_written_over(tmp_path):
    with contextlib.closing(build_release(tmp_path / "releases")) as release:
        (tmp_path / "inbox").mkdir()
        for name in (f"releases/{RELEASE_ID}/flows.csv", "inbox/flows.csv", "series_breaks.csv"):
            with pytest.raises(WrongUseError, match="the workspace keeps for itself"):
                export(release, "flows", format="csv", out=tmp_path / name)
        assert export(release, "flows", format="csv", out=tmp_path / "flows.csv").exists()


@pytest.mark.parametrize("format_", FORMATS)
def test_a_place_that_cannot_be_written_is_named(release, format_):
    with pytest.raises(UnwritableError, match="can't be written") as caught:
        export(release, "stocks", format=format_, out=Path("/proc") / f"x.{format_}")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("format_", FORMATS)
def test_a_write_that_fails_leaves_the_older_file(release, tmp_path, monkeypatch, format_):
    out = tmp_path / f"stocks.{format_}"
    out.write_bytes(b"older")

    def full(fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(exports.os, "fsync", full)
    with pytest.raises(DiskFullError, match="disk is full"):
        export(release, "stocks", format=format_, out=out)
    assert out.read_bytes() == b"older"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == [out.name]


def test_an_export_replaces_an_older_one(release, tmp_path):
    out = tmp_path / "Stocks.CSV"
    out.write_bytes(b"older")
    assert export(release, "stocks", format="csv", out=out) == out
    assert out.read_text(encoding="utf-8-sig").startswith("round_number,")


@pytest.mark.parametrize("format_", FORMATS)
def test_a_product_without_rows_is_a_whole_file(tmp_path, format_):
    release = build_release(tmp_path / "releases", rows={"finding": [], "flow": [], "passage_day": []})
    for product in ("findings", "flows"):
        out = export(release, product, format=format_, out=tmp_path / f"{product}.{format_}")
        assert out.stat().st_size > 0
    release.close()

from __future__ import annotations

import csv
import gzip

import pytest
import xlsxwriter

from dtm.engine import connect
from enumerations._header_rows import column_of_tag, find_header, is_tag_row
from enumerations.columns import PUBLISHED
from enumerations.errors import UnknownFormError
from enumerations.returns import stage_returns

NAMES = ("Operation", "ISO3", "Country", "ADM1_PCODE", "Province", "IDPs (individuals)", "Round no.", "Survey date")
TAGS = (
    "#operation+name", "#country+code", "#country+name", "#adm1+code", "#adm1+name", "#affected+idps+ind", "#round",
    "#date+survey",
)  # fmt: skip
ROWS = [
    ("Dzud", "MNG", "Mongolia", "MN62", "Ovorkhangai", "40", "3", "2024-02-01"),
    ("Dzud", "MNG", "Mongolia", "MN65", "Arkhangai", "25", "3", "2024-02-01"),
]


@pytest.fixture(scope="module")
def connection():
    return connect(spatial=False)


def canonical(connection, staged):
    """Return the sound records of a file by canonical column, and the others' faults."""
    columns = [column.name for column in PUBLISHED.columns]
    sources = ", ".join(f"nullif(trim({staged.source(name) or 'NULL::VARCHAR'}), '')" for name in columns)
    rows = connection.execute(f"SELECT fault, fault_value, {sources} FROM {staged.relation} ORDER BY record").fetchall()
    return [row[2:] for row in rows if row[0] is None], [row[:2] for row in rows if row[0] is not None]


def write_lines(path, lines):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
    return path


def write_sheet(path, lines):
    with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_numbers": True}) as book:
        sheet = book.add_worksheet("Data")
        for at, line in enumerate(lines):
            for place, text in enumerate(line):
                if text:
                    sheet.write(at, place, text)
    return path


WRITERS = {"csv": write_lines, "xlsx": write_sheet}


def stage(connection, tmp_path, lines, kind):
    (staged,) = stage_returns(connection, WRITERS[kind](tmp_path / f"a.{kind}", lines), "t")
    return canonical(connection, staged)


def short(rows):
    """Return operation, country, code and name of level 1, level, persons, day and round."""
    wanted = (
        "operation", "admin0Pcode", "admin1Pcode", "admin1Name", "adminLevel", "numPresentIdpInd", "reportingDate",
        "roundNumber",
    )  # fmt: skip
    places = [PUBLISHED.column_names.index(name) for name in wanted]
    return [tuple(row[place] for place in places) for row in rows]


EXPECTED = [
    ("Dzud", "MNG", "MN62", "Ovorkhangai", "1", "40", "2024-02-01", "3"),
    ("Dzud", "MNG", "MN65", "Arkhangai", "1", "25", "2024-02-01", "3"),
]


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(
    "lines",
    [
        [NAMES, *ROWS], [NAMES, TAGS, *ROWS], [TAGS, *ROWS], [TAGS, NAMES, *ROWS],
        [["Displacement in Mongolia"], [], ["Source: made up"], NAMES, TAGS, *ROWS],
        [NAMES, ROWS[0], TAGS, ROWS[1]], [[str(at) for at in range(8)], TAGS, *ROWS],
        [[f"Col {at}" for at in range(8)], TAGS, *ROWS],
    ],
    ids=["names", "names-tags", "tags", "tags-names", "titles", "tags-in-the-data", "numbers", "strange-names"],
)  # fmt: skip
def test_the_header_is_found_by_its_names_and_tags(connection, tmp_path, lines, kind):
    rows, faults = stage(connection, tmp_path, lines, kind)
    assert (short(rows), faults) == (EXPECTED, [])


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("tags_row", [1, 2, 13, 24, 25])
def test_tags_may_stand_anywhere_in_the_first_25_rows(connection, tmp_path, tags_row, kind):
    titles = [[f"Note {at}"] for at in range(tags_row - 2)]
    names = [[f"Col {at}" for at in range(8)]] if tags_row > 1 else []
    assert short(stage(connection, tmp_path, [*titles, *names, TAGS, *ROWS], kind)[0]) == EXPECTED


@pytest.mark.parametrize("kind", WRITERS)
def test_tags_below_row_25_are_not_looked_for(connection, tmp_path, kind):
    lines = [*([f"Note {at}"] for at in range(24)), [f"Col {at}" for at in range(8)], TAGS, *ROWS]
    with pytest.raises(UnknownFormError):
        stage(connection, tmp_path, lines, kind)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(
    ("sum_row", "value"),
    [
        (("Dzud", "MNG", "Mongolia", "", "Total", "65", "3", "2024-02-01"), "Total"),
        (("Dzud", "MNG", "Mongolia", "", "Mongolia Total", "65", "3", "2024-02-01"), "Mongolia Total"),
        (("Нийт дүн", "", "", "", "", "65", "", ""), "Нийт дүн"),
        (("GRAND TOTAL:", "MNG", "", "", "", "65", "", ""), "GRAND TOTAL:"),
        (("", "", "", "", "", "65", "", ""), "65"),
        (("Dzud", "", "", "", "", "65", "3", "2024-02-01"), "65"),
    ],
)
def test_sums_among_the_rows_are_set_aside_and_said(connection, tmp_path, sum_row, value, kind):
    lines = [NAMES, TAGS, *ROWS, sum_row, (*ROWS[0][:3], "MN67", "Totalia", *ROWS[0][5:])]
    rows, faults = stage(connection, tmp_path, lines, kind)
    assert faults == [("subtotal_row", value)]
    assert [row[2] for row in short(rows)] == ["MN62", "MN65", "MN67"]


def test_a_row_without_an_area_that_is_no_sum_is_left_to_the_checks(connection, tmp_path):
    rows, faults = stage(connection, tmp_path, [NAMES, *ROWS, ("Dzud", "", "", "", "", "64", "3", "2024-02-01")], "csv")
    assert (len(rows), faults) == (3, [])


@pytest.mark.parametrize("kind", WRITERS)
def test_rows_that_hdx_marked_as_wrong_are_set_aside(connection, tmp_path, kind):
    names = (
        "location_code", "admin1_code", "admin_level", "operation", "assessment_type", "population", "reporting_round",
        "reference_period_start", "reference_period_end", "warning", "error",
    )  # fmt: skip
    line = ("TCD", "TD07", "1", "Lac", "BA", "90", "4", "2024-02-01", "2024-02-01")
    lines = [names, (*line, "PCode length", ""), (*line, "", "Duplicate row")]
    rows, faults = stage(connection, tmp_path, lines, kind)
    assert faults == [("marked_wrong", "Duplicate row")]
    assert short(rows) == [("Lac", "TCD", "TD07", None, "1", "90", "2024-02-01", "4")]


@pytest.mark.parametrize(
    ("tag", "column"),
    [
        ("#affected+idps", "numPresentIdpInd"), ("#affected +ind +idps", "numPresentIdpInd"),
        ("#affected+idps+hh", None), ("#affected+f+idps", "numberFemales"), ("#affected+idps+m", "numberMales"),
        ("#affected+idps+m+children", None), ("#population", None), ("#population+idps", "numPresentIdpInd"),
        ("#adm1+origin+pcode", "idpOriginAdmin1Pcode"), ("#adm1+origin+name", "idpOriginAdmin1Name"),
        ("#adm2+origin+name", None), ("#adm2+pcode", "admin2Pcode"), ("#adm2", "admin2Name"),
        ("#country", "admin0Name"), ("#country+code+v_iso3", "admin0Pcode"), ("#adm1+dest", None),
        ("#date", "reportingDate"), ("#date+end", None), ("#date+year+reported", "yearReportingDate"),
        ("#meta+round", "roundNumber"), ("#round+code", "roundNumber"), ("#meta+url", None), ("#loc+name", None),
        ("#adm+level", "adminLevel"), ("#cause+type", "displacementReason"), ("#operation+status", "operationStatus"),
    ],
)  # fmt: skip
def test_columns_of_tags(tag, column):
    assert column_of_tag(tag) == column


@pytest.mark.parametrize(
    ("cells", "is_tags"),
    [
        (["#adm1+code", "", "#affected +idps"], True), (["#adm1"], False), (["#REF!", "#N/A"], False),
        (["#adm1", "Total"], False), (["# 1", "# 2"], False), ([], False),
    ],
)  # fmt: skip
def test_rows_of_tags(cells, is_tags):
    assert is_tag_row(cells) == is_tags


def test_a_file_without_rows_has_no_header():
    assert find_header([], None).names == []


@pytest.fixture(scope="module")
def published(connection, realdata):
    """Return the lines of IOM's file (names, tags, rows) and what is read from it."""
    path = realdata / "dtm-iom" / "global-iom-dtm-from-api-admin-0-to-2.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    (staged,) = stage_returns(connection, path, "real")
    return lines, canonical(connection, staged)


RENAMED = (
    "ID", "Operation name", "Country", "ISO3", "Province", "Province Pcode", "District name", "ADM2_PCODE",
    "Administrative level", "Total IDPs", "Date of assessment", "Jahr", "Monat", "DTM round", "Why", "Men", "Women",
    "From", "From code", "Kind", "State",
)  # fmt: skip


def as_published(lines, *, titles, names):
    """Return the lines as a country office sends them: titles, own names, and a sum below each operation's block."""
    made = [[f"Note {at}"] for at in range(titles)]
    made += [list(names), lines[1]] if titles >= 0 else [lines[1]]
    block = 0
    n_sums = 0
    for before, line in zip([lines[2], *lines[2:]], lines[2:], strict=False):
        if line[1:9] != before[1:9] and block:
            made.append([""] * 4 + (["Sub-total"] if n_sums % 2 else [""]) + [""] * 4 + [str(block)] + [""] * 11)
            n_sums += 1
            block = 0
        made.append(line)
        block += int(line[9])
    made.append(["Нийт дүн"] + [""] * 8 + [str(sum(int(line[9]) for line in lines[2:]))] + [""] * 11)
    return made, n_sums + 1


def comparable(rows):
    """Return records with days as days; a workbook may keep them as such."""
    day = PUBLISHED.column_names.index("reportingDate")
    return [(*row[:day], row[day][:10], *row[day + 1 :]) for row in rows]


@pytest.mark.realdata
def test_the_rows_of_iom_are_all_sound(published):
    lines, (rows, faults) = published
    assert (len(lines), len(rows), faults) == (13_369, 13_367, [])


@pytest.mark.realdata
@pytest.mark.parametrize(("tags_row", "kind"), [(1, "csv"), (2, "csv"), (25, "csv"), (4, "xlsx")])
def test_iom_rows_in_the_layout_of_a_country_office_read_equal(connection, published, tmp_path, tags_row, kind):
    lines, (expected, _) = published
    made, n_sums = as_published(lines, titles=tags_row - 2, names=RENAMED)
    rows, faults = stage(connection, tmp_path, made, kind)
    assert comparable(rows) == comparable(expected)
    assert [fault for fault, _ in faults] == ["subtotal_row"] * n_sums


@pytest.mark.realdata
@pytest.mark.parametrize("tags_row", range(1, 26))
def test_iom_rows_read_equal_wherever_the_tags_stand(connection, published, tmp_path, tags_row):
    lines, (expected, _) = published
    some = lines[:2] + lines[2:13_369:200]
    made, n_sums = as_published(some, titles=tags_row - 2, names=RENAMED)
    rows, faults = stage(connection, tmp_path, made, "xlsx")
    assert comparable(rows) == comparable(expected[::200])
    assert len(faults) == n_sums

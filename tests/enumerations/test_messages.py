from __future__ import annotations

import copy
import io
import pickle
import re
import zipfile
from contextlib import closing

import pytest

from dtm.engine import connect
from enumerations.errors import EnumerationsError, MissingColumnsError, UnknownFormError
from enumerations.messages import Message, in_language, joined, message, sheet_place
from enumerations.returns import stage_returns


def test_a_message_is_english_and_knows_its_mongolian():
    told = message("header_too_wide", place=sheet_place("a.xlsx", "Sheet1"), columns=20_000, most=16_384)
    assert told == "a.xlsx, sheet 'Sheet1': the header has 20,000 columns; 16,384 are the most. Delete all others."
    assert in_language(told, "mn") == (
        "a.xlsx, “Sheet1” хуудас: толгой мөрд 20,000 багана байна; дээд тал нь 16,384 байх ёстой. "
        "Илүү баганыг устгана уу."
    )


def test_what_a_sender_wrote_is_never_taken_for_a_place():
    told = message("columns_repeated", place="{columns}.csv", columns="{place}, %s")
    assert told.startswith("{columns}.csv: the header has these columns more than once: {place}, %s.")
    assert in_language(told, "mn").startswith(
        "{columns}.csv: толгой мөрд дараах багана нэгээс олон удаа орсон байна: {"
    )


def test_an_error_is_told_by_its_message():
    error = MissingColumnsError(message("nothing"))
    assert str(error) == in_language(error, "en") == "(nothing)"
    assert in_language(error, "mn") == "(юу ч алга)"
    assert in_language(UnknownFormError("plain"), "mn") == "plain"
    assert in_language(UnknownFormError(), "mn") == ""


def test_texts_are_joined_in_both_languages():
    told = joined(["persons", message("column_meant", column="unit", meant="Unit 1")])
    assert told == "persons, unit (is 'Unit 1' meant?)"
    assert told.mongolian == "persons, unit (“Unit 1” гэсэн үү?)"


def test_copies_keep_both_languages():
    told = Message("one", "нэг")
    for again in (copy.deepcopy(told), pickle.loads(pickle.dumps(told))):  # noqa: S301  our own text
        assert (again, again.mongolian) == ("one", "нэг")


def packed(name: str, content: bytes = b"") -> bytes:
    with io.BytesIO() as stream:
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(name, content)
        return stream.getvalue()


BAD_FILES = {
    "empty.csv": (b"", "файл хоосон байна. Дахин экспортлоно уу."),
    "photo.csv": (b"%PDF-1.7 ", "энэ нь мэдээ биш, PDF баримт байна. CSV, XLSX эсвэл JSON файлыг оруулна уу."),
    "old.xls": (b"\xd0\xcf\x11\xe0", "Excel файл нууц үгтэй эсвэл хуучин .xls хэлбэрээр хадгалагдсан байна."),
    "sheet.ods": (packed("content.xml", b"<a/>"), "энэ нь OpenDocument (.ods) хэлбэрийн файл байна."),
    "other.zip": (packed("a.txt"), "энэ нь Excel биш, ZIP файл байна (xl/workbook.xml алга)."),
    "cut.xlsx": (packed("xl/workbook.xml")[:60], "нээж чадсангүй. Гэмтсэн эсвэл дутуу байж болзошгүй;"),
    "other.csv": (b"a,b\n1,2\n", "толгой мөр аль ч маягтад тохирохгүй байна. Олдсон багана: a, b."),
    "short.csv": (
        b"checkpoint,direction,passedat,persons\nx,y,z,1\n",
        "хүснэгтэд заавал байх ёстой багана дутуу байна:",
    ),
    "twice.csv": (b"instance_id,origin,origin,persons,reason\n", "багана нэгээс олон удаа орсон байна: origin."),
    "cut.json": (b'{"results": [{"_uuid": "a"', "JSON файлыг 1-р мөрийн 27-р тэмдэгтээс цааш уншиж чадсангүй;"),
    "other.json": (b'{"a": 1}', "энэ JSON файл Kobo эсвэл ODK Central-аас ирээгүй байна;"),
    "none.json": (b'{"results": []}', "файлд нэг ч мэдээ алга."),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_in_mongolian(tmp_path, name):
    content, expected = BAD_FILES[name]
    path = tmp_path / name
    path.write_bytes(content)
    with closing(connect(spatial=False)) as connection, pytest.raises(EnumerationsError) as refused:
        stage_returns(connection, path, "staged")
    told = in_language(refused.value, "mn")
    assert told.startswith(f"{name}: ")
    assert expected in told
    assert not re.search(r"\b(the|this|is|file|it|not|has)\b", told)

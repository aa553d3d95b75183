from __future__ import annotations

import copy
import pickle

from enumerations.errors import MissingColumnsError, UnknownFormError
from enumerations.messages import Message, in_language, joined, message, sheet_place


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

"""Hold the P-codes, the list of places and the matching of names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata import pcodes
from geodata.errors import PcodeError


def test_levels_and_parents_follow_the_length():
    assert [pcodes.level_of(code) for code in ("MN", "MN11", "MN1107", "MN110701", "MN11070103")] == [0, 1, 2, 3, 4]
    assert pcodes.parent_of("MN11070103") == "MN110701"
    assert pcodes.parent_of("MN") is None
    assert pcodes.local_pcode("MN1107", 1) == "MN110701"
    assert pcodes.local_pcode("MN1107", 99) == "MN110799"


@pytest.mark.parametrize("bad", ["", "11", "MN1", "mn11", "MN1107010399", "MN11 "])
def test_a_text_that_is_no_pcode_is_refused(bad):
    with pytest.raises(PcodeError, match="P-code"):
        pcodes.level_of(bad)


@pytest.mark.parametrize("number", [0, 100, -1])
def test_a_number_outside_two_digits_is_refused(number):
    with pytest.raises(PcodeError, match="1 to 99"):
        pcodes.local_pcode("MN1107", number)


def test_nothing_is_numbered_below_the_kheseg():
    with pytest.raises(PcodeError, match="lowest level"):
        pcodes.local_pcode("MN11070103", 1)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("MN1119", "MN1119"),
        ("mn1119", "MN1119"),
        ("01119", "MN1119"),
        ("1119", "MN1119"),
        (1119.0, "MN1119"),
        ("45", "MN45"),
        ("011", "MN11"),
        ("MN", None),
        ("20-р хороо", None),
        ("", None),
        (None, None),
        ("123", None),
    ],
)
def test_the_ways_a_pcode_is_written(written, code):
    assert pcodes.as_pcode(written) == code


def test_the_list_is_whole_and_its_points_are_in_mongolia():
    places = pcodes.places()
    assert places.groupby("level").size().to_dict() == {1: 22, 2: 339}
    assert places["pcode"].is_unique
    assert (places["pcode"].str[:-2] == places["parent_pcode"]).all()
    pointed = places[places["lon"].notna()]
    assert len(pointed) == 22 + 9
    assert pointed["lon"].between(87, 120).all()
    assert pointed["lat"].between(41, 53).all()
    assert places["name_mn"].str.fullmatch(r"[А-ЯЁӨҮа-яёөү-]+").all()
    assert places["name_en"].str.fullmatch(r"[A-Za-z-]+").all()


def test_names_that_the_transliteration_alone_would_get_wrong():
    assert pcodes.place_name("MN1122") == ("Хан-Уул", "Khan-Uul")
    assert pcodes.place_name("MN1116") == ("Сонгинохайрхан", "Songinokhairkhan")
    assert pcodes.place_name("MN4416") == ("Замын-Үүд", "Zamyn-Uud")
    assert pcodes.place_name("MN4158") == ("Мөнгөнморьт", "Mungunmorit")
    assert pcodes.place_name("MN2131")[0] == "Хөлөнбуйр"
    assert pcodes.place_name("MN") == ("Монгол Улс", "Mongolia")
    with pytest.raises(PcodeError, match="MN9999"):
        pcodes.place_name("MN9999")


def test_every_listed_spelling_finds_its_place_inside_its_parent():
    for code, alias in pcodes._aliases():
        assert pcodes.match_name(alias, parent=pcodes.parent_of(code)) == code, alias


def test_sukhbaatar_is_three_things():
    assert pcodes.match_name("Сүхбаатар") is None
    assert pcodes.match_name("Sukhbaatar", level=1) == "MN22"
    assert pcodes.match_name("Сүхбаатар аймаг") == "MN22"
    assert pcodes.match_name("Сүхбаатар дүүрэг") == "MN1119"
    assert pcodes.match_name("Sukhbaatar district") == "MN1119"
    assert pcodes.match_name("Сүхбаатар", parent="MN43") == "MN4301"
    assert pcodes.match_name("Sühbaatar", parent="MN22") == "MN2222"
    assert pcodes.match_name("Сүхбаатар аймаг", level=2) is None


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("СХД", "MN1116"),
        ("ХАН УУЛ", "MN1122"),
        ("Xan-Uul", "MN1122"),
        ("khan-uul district", "MN1122"),
        ("Бaянзүрх дүүрэг", "MN1110"),
        ("Bayanzu'rx district", "MN1110"),
        ("Баянзvрх дvvрэг", "MN1110"),
        ("тeв", "MN41"),
        ("Töv", "MN41"),
        ("To'v", "MN41"),
        ("Tuv aimag", "MN41"),
        ("Umnugovi", None),
        ("Omnogovi aimag", "MN46"),
        ("Ömnögovi aimag", "MN46"),
        ("Dzavhan", "MN81"),
        ("Hövsgöl aimag", "MN67"),
        ("Улаанбаатар хот", "MN11"),
        ("УБ", "MN11"),
        ("", None),
        ("  ", None),
        ("Нью-Йорк", None),
        ("20", None),
    ],
)
def test_spellings_in_use(spelling, code):
    assert pcodes.match_name(spelling) == code


@given(st.text(max_size=40))
def test_matching_never_fails_and_only_answers_with_listed_codes(text):
    found = pcodes.match_name(text)
    assert found is None or pcodes.is_listed(found)


@given(st.sampled_from(pcodes.places()["pcode"].tolist()), st.sampled_from(["upper", "lower", "title"]))
def test_case_does_not_matter(code, case):
    name = getattr(pcodes.place_name(code)[0], case)()
    found = pcodes.match_name(name, parent=pcodes.parent_of(code))
    assert found in (code, None)
    assert found == pcodes.match_name(pcodes.place_name(code)[0], parent=pcodes.parent_of(code))


@pytest.mark.realdata
def test_the_list_is_ochas(realdata):
    import pandas as pd

    theirs = pd.read_csv(realdata / "mn-admin-cod" / "mng_pcodes_adm1_adm2.csv")
    ours = pcodes.places().set_index("pcode")
    assert set(theirs["P-Code"]) == set(ours.index)
    for row in theirs.to_dict("records"):
        parent = row["P-Code"][:-2]
        assert pcodes.match_name(row["Name"], parent=parent) == row["P-Code"]


def test_every_aimag_is_in_one_region():
    aimags = pcodes.places().query("level == 1")["pcode"]
    counts = aimags.map(lambda code: pcodes.region_of(code).code).value_counts().to_dict()
    assert counts == {"central": 7, "khangai": 6, "western": 5, "eastern": 3, "ulaanbaatar": 1}
    assert pcodes.region_of("MN11070103").name_mn == "Улаанбаатар"
    assert pcodes.region_of("MN8301") == pcodes.REGIONS["8"]


@pytest.mark.parametrize("code", ["MN", "MN99", "MN9901", "abroad"])
def test_what_is_in_no_aimag_is_in_no_region(code):
    with pytest.raises(PcodeError):
        pcodes.region_of(code)


@pytest.mark.realdata
def test_the_western_region_is_the_statistics_offices(realdata):
    import pandas as pd

    told = pd.read_csv(realdata / "mn-nso" / "nso_mid_year_population_partial_2010_2025.csv")["region"]
    names = sorted(set(told.str.strip()) - {"Total"})
    assert len(names) == 6  # the region and its five aimags: all that is kept of the table
    regions = [pcodes.region_of(code).name_en for name in names if (code := pcodes.match_name(name, level=1))]
    assert regions == ["Western region"] * 5
    assert "Western region" in names

from __future__ import annotations

from dtm.finding_words import check_words, in_words, table_words


def test_checks_and_tables_are_told_in_words():
    assert check_words("sex_sum", "mn") == "Эрэгтэй, эмэгтэйн нийлбэр … нь нийт хүний тоотой тэнцэхгүй байна"
    assert check_words("negative", "en") == "… is below zero"
    assert check_words("unknown_area", "mn") == "… нь энэ үе шатны газар зүйн нэгжид байхгүй байна"
    assert check_words("of_another_version", "mn") == "of_another_version"
    assert table_words("kheseg-baseline", "baseline", "mn") == "Хэсгийн ахлагчийн мэдээлэл"
    assert table_words("kheseg-baseline", "other", "mn") == "other"


def test_columns_of_a_message_are_told_by_their_meaning():
    told = in_words("lon, lat: цэг (lon) солигдсон; lonely", form="kheseg-baseline", field="lon, lat", language="mn")
    assert told == "GPS уртраг, GPS өргөрөг: цэг (GPS уртраг) солигдсон; lonely"
    assert (
        in_words("origin: хоосон", form="of another system", field="origin", language="mn") == "Хаанаас ирсэн: хоосон"
    )
    told = in_words("Тэнцэхгүй. actual_persons засна уу.", form=None, field="actual_persons", language="mn")
    assert told == "Тэнцэхгүй. Бодитоор амьдарч буй хүний тоо засна уу."
    assert in_words("odd: хоосон", form=None, field="odd", language="mn") == "Odd: хоосон"
    assert in_words("нэг ч мөр алга", form=None, field=None, language="mn") == "Нэг ч мөр алга"

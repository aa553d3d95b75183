"""List every finding on places: what is wrong, why it matters, what to do, in English and Mongolian."""

# ruff: noqa: E501  (one text is one line)
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """One kind of finding; the texts have placeholders in braces."""

    code: str
    severity: Literal["error", "warning"]
    what_en: str
    why_en: str
    cure_en: str
    what_mn: str
    why_mn: str
    cure_mn: str


def _catalogue(*checks: Check) -> dict[str, Check]:
    return {check.code: check for check in checks}


CATALOGUE: dict[str, Check] = _catalogue(
    # The file as a whole
    Check("file-empty", "error", "{file} is empty.", "There is nothing to load.", "Export the layer again and give that file.",
          "{file} файл хоосон байна.", "Оруулах зүйл алга.", "Давхаргаа дахин экспортлоод тэр файлаа өгнө үү."),
    Check("file-type", "error", "{file} is not a kind of file that can be read here ({reason}).", "Only its content is looked at, not its name.",
          "Give GeoJSON (also .gz), GeoPackage, a zipped Shapefile, KML or FlatGeobuf{more}.",
          "{file} файлын төрлийг унших боломжгүй ({reason}).", "Файлын нэрийг бус агуулгыг нь шалгасан.",
          "GeoJSON (.gz байж болно), GeoPackage, zip-лэсэн Shapefile, KML эсвэл FlatGeobuf{more} файл өгнө үү."),
    Check("file-damaged", "error", "{file} is damaged or cut off: {reason}.", "A part of the areas would be missing.", "Copy or export the file again.",
          "{file} файл гэмтсэн эсвэл дутуу байна: {reason}.", "Зарим нутаг дутах болно.", "Файлыг дахин хуулж эсвэл экспортлоно уу."),
    Check("file-no-features", "error", "{file} holds no features.", "There is nothing to load.", "Check that the right layer was exported.",
          "{file} файлд нэг ч объект алга.", "Оруулах зүйл алга.", "Зөв давхаргыг экспортолсон эсэхээ шалгана уу."),
    Check("file-layers", "error", "{file} holds several layers: {candidates}.", "Which one is meant can't be guessed.", "Export the one layer into a file of its own.",
          "{file} файлд хэд хэдэн давхарга байна: {candidates}.", "Алийг нь хэлснийг таамаглах боломжгүй.", "Хэрэгтэй нэг давхаргыг тусдаа файл болгон экспортлоно уу."),
    Check("file-driver", "warning", "Reading {file} brought up: {reason}.", "A detail of the file is not as the format asks.", "Look at the file in a GIS if the result seems wrong.",
          "{file} файлыг уншихад дараах анхааруулга гарлаа: {reason}.", "Файлын зарим зүйл форматын шаардлагад нийцэхгүй байна.", "Үр дүн буруу санагдвал файлыг GIS програмаар шалгана уу."),
    # Reference systems and coordinates
    Check("crs-missing", "error", "{file} does not say which reference system its coordinates are in.", "The areas can't be placed on the earth without it.",
          "Add the .prj file to the zip, or set the layer's reference system and export again.",
          "{file} файлд солбицлын тогтолцоо заагаагүй байна.", "Тэгэхгүйгээр нутгийг газрын зурагт байрлуулах боломжгүй.",
          "Zip файлд .prj файлыг нэмэх эсвэл давхаргын солбицлын тогтолцоог зааж дахин экспортлоно уу."),
    Check("crs-unknown", "error", "The reference system of {file} is not known: {reason}.", "The areas can't be placed on the earth.", "Export the layer in WGS 84 (EPSG:4326).",
          "{file} файлын солбицлын тогтолцоог таньсангүй: {reason}.", "Нутгийг газрын зурагт байрлуулах боломжгүй.", "Давхаргыг WGS 84 (EPSG:4326) тогтолцоонд экспортлоно уу."),
    Check("crs-metres", "error", "The coordinates of {file} (such as {x:.1f}, {y:.1f}) are metres, but the file says they are degrees.", "The areas would lie nowhere on the earth.",
          "State the true reference system (in Ulaanbaatar usually EPSG:32648) and export again.",
          "{file} файлын солбицол ({x:.1f}, {y:.1f} гэх мэт) метрээр байгаа боловч файлд градус гэж заажээ.", "Нутаг газрын зурагт байрлахгүй.",
          "Жинхэнэ солбицлын тогтолцоог (Улаанбаатарт ихэвчлэн EPSG:32648) зааж дахин экспортлоно уу."),
    Check("crs-swapped", "error", "Longitude and latitude are swapped in {file} (first point {x:.4f}, {y:.4f}).", "The areas would lie outside Mongolia.",
          "Write longitude first (about 87 to 120), latitude second (about 41 to 53).",
          "{file} файлд уртраг, өргөрөгийн байр солигдсон байна (эхний цэг {x:.4f}, {y:.4f}).", "Нутаг Монгол Улсаас гадна байрлах болно.",
          "Эхэнд уртраг (87-120 орчим), дараа нь өргөрөг (41-53 орчим) бичнэ үү."),
    Check("outside-mongolia", "error", "Feature {feature} ({name}) lies outside Mongolia, at {x:.4f}, {y:.4f}.", "It can't be an area of this country.",
          "Correct its coordinates or the file's reference system.",
          "{feature}-р объект ({name}) Монгол Улсаас гадна, {x:.4f}, {y:.4f} цэгт байна.", "Энэ улсын нутаг байх боломжгүй.",
          "Солбицлыг нь эсвэл файлын солбицлын тогтолцоог засна уу."),
    # Geometry
    Check("geometry-missing", "error", "Feature {feature} ({name}) has no geometry.", "Nothing can be located in it.", "Draw it or delete the row.",
          "{feature}-р объектод ({name}) геометр алга.", "Түүнд юу ч байршуулах боломжгүй.", "Хилийг нь зурах эсвэл мөрийг устгана уу."),
    Check("geometry-broken", "error", "The geometry of feature {feature} ({name}) can't be read: {reason}.", "It would be lost without a word.", "Export the layer again, or redraw this feature.",
          "{feature}-р объектын ({name}) геометрийг унших боломжгүй: {reason}.", "Анхааруулгагүй бол чимээгүй алга болно.", "Давхаргыг дахин экспортлох эсвэл энэ объектыг дахин зурна уу."),
    Check("geometry-nan", "error", "Feature {feature} ({name}) has a coordinate that is no number.", "Its place is not known.", "Redraw this feature.",
          "{feature}-р объектын ({name}) солбицолд тоо биш утга байна.", "Байршил нь тодорхойгүй.", "Энэ объектыг дахин зурна уу."),
    Check("geometry-type", "error", "Feature {feature} ({name}) is a {value}, but {wanted} is needed.", "This kind of layer can't hold it.", "Give a file with the right kind of geometry.",
          "{feature}-р объект ({name}) нь {value} байна, харин {wanted} хэрэгтэй.", "Ийм давхаргад энэ төрлийн геометр тохирохгүй.", "Зөв төрлийн геометртэй файл өгнө үү."),
    Check("geometry-invalid", "error", "The polygon of feature {feature} ({name}) is not valid: {reason}.", "Areas and points in it can't be computed exactly.",
          "Correct it at that place, or load with --repair.",
          "{feature}-р объектын ({name}) полигон алдаатай: {reason}.", "Талбай болон доторх цэгийг зөв тооцох боломжгүй.",
          "Тэр цэг дээр нь засах эсвэл --repair сонголттой оруулна уу."),
    Check("geometry-repaired", "warning", "The polygon of feature {feature} ({name}) was repaired ({reason}); its area changed by {change_km2:.6f} km2.",
          "It was drawn with an error.", "Compare it with the map.",
          "{feature}-р объектын ({name}) полигоныг засав ({reason}); талбай нь {change_km2:.6f} км2-аар өөрчлөгдлөө.", "Анхнаасаа алдаатай зурагдсан байсан.", "Газрын зурагтай тулгана уу."),
    Check("geometry-duplicate", "error", "Features {feature} ({name}) and {other} ({other_name}) have the same polygon.", "People in it would be counted in two places.", "Delete one of them.",
          "{feature}-р объект ({name}) болон {other}-р объект ({other_name}) ижил полигонтой байна.", "Тэнд байгаа хүмүүс хоёр газарт тоологдоно.", "Аль нэгийг нь устгана уу."),
    Check("overlap", "error", "Features {feature} ({name}) and {other} ({other_name}) overlap by {area_km2:.4f} km2 at {x:.5f}, {y:.5f}.",
          "A point there would lie in two areas (tolerance {tolerance_km2} km2 and {tolerance_pct} % of the smaller one).", "Move the shared border in a GIS.",
          "{feature}-р объект ({name}) болон {other}-р объект ({other_name}) {x:.5f}, {y:.5f} цэг орчимд {area_km2:.4f} км2-аар давхцаж байна.",
          "Тэнд байгаа цэг хоёр нутагт хамаарна (зөвшөөрөх хэмжээ {tolerance_km2} км2 ба бага талбайн {tolerance_pct} %).", "Хоорондын хилийг GIS програмд засна уу."),
    Check("overlap-sliver", "warning", "{count} pairs of areas overlap by slivers, {area_km2:.6f} km2 in all; the largest at {x:.5f}, {y:.5f}.",
          "Within the tolerance of {tolerance_km2} km2 a pair; a point there goes to the lowest P-code.", "Nothing needs to be done.",
          "{count} хос нутаг нарийн зурвасаар давхцаж байна, нийт {area_km2:.6f} км2; хамгийн том нь {x:.5f}, {y:.5f} цэгт.",
          "Нэг хосод зөвшөөрөх {tolerance_km2} км2-ын дотор; тэнд байгаа цэг хамгийн бага P-кодтой нутагт орно.", "Хийх зүйлгүй."),
    Check("gap", "warning", "There is a gap of {area_km2:.4f} km2, about {width_m:.0f} m wide, between the areas at {x:.5f}, {y:.5f}.",
          "A point there lies in no area (tolerance {tolerance_m} m); it may be an enclave of another area.", "Close it in a GIS unless it is meant.",
          "{x:.5f}, {y:.5f} цэг орчимд нутгуудын хооронд {area_km2:.4f} км2, {width_m:.0f} м орчим өргөн зай байна.",
          "Тэнд байгаа цэг аль ч нутагт хамаарахгүй (зөвшөөрөх хэмжээ {tolerance_m} м); өөр нутгийн тасархай байж болно.", "Зориуд орхиогүй бол GIS програмд нөхнө үү."),
    Check("gap-sliver", "warning", "{count} sliver gaps, {area_km2:.6f} km2 in all; the widest {width_m:.2f} m at {x:.5f}, {y:.5f}.",
          "Within the tolerance of {tolerance_m} m; a point there lies in no area.", "Nothing needs to be done.",
          "{count} нарийн зай байна, нийт {area_km2:.6f} км2; хамгийн өргөн нь {width_m:.2f} м, {x:.5f}, {y:.5f} цэгт.",
          "Зөвшөөрөх {tolerance_m} м-ийн дотор; тэнд байгаа цэг аль ч нутагт хамаарахгүй.", "Хийх зүйлгүй."),
    # Fields and codes
    Check("field-missing", "error", "{file} has no field {field}; it has {candidates}.", "The option names a field that isn't there.", "Give the name of a field of the file.",
          "{file} файлд {field} талбар алга; байгаа нь: {candidates}.", "Сонголтод заасан талбар байхгүй.", "Файлд байгаа талбарын нэрийг өгнө үү."),
    Check("field-not-found", "error", "No field of {file} holds {wanted}; it has {candidates}.", "The areas can't get P-codes without it.", "Name the field with {option}.",
          "{file} файлын аль ч талбарт {wanted} алга; байгаа нь: {candidates}.", "Үүнгүйгээр P-код өгөх боломжгүй.", "{option} сонголтоор талбарыг заана уу."),
    Check("field-ambiguous", "error", "Several fields of {file} could hold {wanted}, and they disagree: {candidates}.", "Which one is meant can't be guessed.", "Name the field with {option}.",
          "{file} файлын хэд хэдэн талбарт {wanted} байж болох ба тэдгээр нь зөрж байна: {candidates}.", "Алийг нь хэлснийг таамаглах боломжгүй.", "{option} сонголтоор талбарыг заана уу."),
    Check("pcode-missing", "error", "Feature {feature} has no P-code or name that can be matched.", "It can't be identified.", "Fill the field {field}.",
          "{feature}-р объектод P-код эсвэл танигдах нэр алга.", "Аль нутаг болохыг тогтоох боломжгүй.", "{field} талбарыг бөглөнө үү."),
    Check("pcode-unknown", "error", "Feature {feature}: '{value}' in {field} is no known P-code or name at level {level}.", "It can't be identified.",
          "Correct it, or write the P-code of OCHA's list.",
          "{feature}-р объект: {field} талбарын '{value}' нь {level}-р түвшний мэдэгдэж байгаа P-код, нэр биш.", "Аль нутаг болохыг тогтоох боломжгүй.",
          "Засах эсвэл OCHA-гийн жагсаалт дахь P-кодыг бичнэ үү."),
    Check("pcode-duplicate", "error", "Features {feature} and {other} both get the P-code {value}.", "Two areas can't share a code.", "Correct the number, the name or the parent of one of them.",
          "{feature} ба {other}-р объект хоёул {value} P-код авч байна.", "Хоёр нутаг нэг кодтой байж болохгүй.", "Аль нэгнийх нь дугаар, нэр эсвэл харьяаллыг засна уу."),
    Check("pcode-short", "warning", "{count} of the {expected} listed areas inside {parent} are not in {file}: {candidates}.", "Returns from there will have no polygon.", "Check whether the file is complete.",
          "{parent} дахь {expected} нутгаас {count} нь {file} файлд алга: {candidates}.", "Тэндээс ирэх мэдээлэл полигонгүй болно.", "Файл бүрэн эсэхийг шалгана уу."),
    Check("number-missing", "error", "Feature {feature} has no number in {field}.", "Its P-code is made of the parent's code and the number.", "Fill in the number.",
          "{feature}-р объектын {field} талбарт дугаар алга.", "P-код нь харьяалах нутгийн код болон дугаараас бүрдэнэ.", "Дугаарыг бөглөнө үү."),
    Check("number-text", "error", "Feature {feature}: '{value}' in {field} is not a number from 1 to 99.", "Its P-code is made of the parent's code and the number.", "Write the number in digits.",
          "{feature}-р объект: {field} талбарын '{value}' нь 1-99 хүртэлх тоо биш.", "P-код нь харьяалах нутгийн код болон дугаараас бүрдэнэ.", "Дугаарыг цифрээр бичнэ үү."),
    Check("number-gap", "warning", "Numbers are missing inside {parent}: {candidates}.", "Numbers of an area normally run from 1 without a gap.", "Check whether the file is complete.",
          "{parent} дотор дараах дугаар алга: {candidates}.", "Дугаар нь ердийн үед 1-ээс эхлэн тасралтгүй байдаг.", "Файл бүрэн эсэхийг шалгана уу."),
    Check("parent-unknown", "error", "Feature {feature}: '{value}' in {field} is no known area at level {level}.", "The area belongs to no parent.", "Correct the name or write its P-code.",
          "{feature}-р объект: {field} талбарын '{value}' нь {level}-р түвшний мэдэгдэж байгаа нутаг биш.", "Нутаг харьяалалгүй болно.", "Нэрийг засах эсвэл P-кодыг бичнэ үү."),
    Check("parent-missing", "error", "Feature {feature} ({name}) belongs to {value}, which is not in the parent set.", "Sums of the parent would be wrong.", "Load the parents first, or correct the field {field}.",
          "{feature}-р объект ({name}) {value}-д харьяалагдаж байгаа ч тэр нь дээд түвшний багцад алга.", "Дээд нутгийн нийлбэр буруу болно.", "Эхлээд дээд түвшний нутгийг оруулах эсвэл {field} талбарыг засна уу."),
    Check("parent-elsewhere", "error", "Feature {feature} ({name}) says it belongs to {value}, but {share_pct:.0f} % of it lies there; most lies in {other}.", "It would be counted in the wrong parent.",
          "Correct the parent or the polygon; leave --parent-set away if that set is only a rough drawing.",
          "{feature}-р объект ({name}) {value}-д харьяалагдана гэсэн боловч {share_pct:.0f} % нь л тэнд, ихэнх нь {other}-д байна.", "Буруу нутагт тоологдоно.", "Харьяалал эсвэл полигоныг засна уу; дээд түвшний багц нь бүдүүвч зураг бол --parent-set сонголтыг бүү өг."),
    Check("parent-by-polygon", "warning", "No field of {file} names the parent; it was taken from the polygons of the parent set.", "A khoroo on a border may get the wrong parent.", "Name the field with --parent-field if there is one.",
          "{file} файлд харьяаллын талбар байхгүй тул дээд түвшний полигоноор тогтоов.", "Хил дагуух нутгийн харьяалал буруу гарч болно.", "Ийм талбар байвал --parent-field сонголтоор заана уу."),
    Check("population-text", "error", "Feature {feature}: '{value}' in {field} is not a whole number of people.", "It can't be added up.", "Write the number in digits, or leave it empty.",
          "{feature}-р объект: {field} талбарын '{value}' нь хүн амын бүхэл тоо биш.", "Нэмж тооцох боломжгүй.", "Цифрээр бичих эсвэл хоосон орхино уу."),
    Check("population-negative", "error", "Feature {feature}: the population {value} in {field} is negative.", "There can't be fewer than no people.", "Correct it, or leave it empty.",
          "{feature}-р объект: {field} талбарын хүн ам {value} сөрөг байна.", "Хүн ам тэгээс бага байж болохгүй.", "Засах эсвэл хоосон орхино уу."),
    # Layers
    Check("columns-missing", "error", "{file} has no columns for longitude and latitude; it has {candidates}.", "The points can't be placed.", "Name the columns lon and lat.",
          "{file} файлд уртраг, өргөргийн багана алга; байгаа нь: {candidates}.", "Цэгүүдийг байршуулах боломжгүй.", "Баганыг lon, lat гэж нэрлэнэ үү."),
    Check("coordinate-text", "error", "Feature {feature}: '{value}' in {field} is not a coordinate.", "The point can't be placed.", "Write degrees with a decimal point, for example 106.9176.",
          "{feature}-р объект: {field} талбарын '{value}' нь солбицол биш.", "Цэгийг байршуулах боломжгүй.", "Градусыг аравтын бутархайгаар бичнэ үү, жишээ нь 106.9176."),
)  # fmt: skip
"""Every code, with its texts."""

"""Write XLSX workbooks part by part, as no honest program would."""

from __future__ import annotations

import zipfile

TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ROOT = (
    f'<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>'
)
INNER = (
    f'<Relationships xmlns="{RELATIONS}">'
    f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    f'<Relationship Id="rId3" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>'
)
HEADER = ("instance_id", "origin", "persons", "reason")


def book_xml(*, state="visible", date1904=False):
    return (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><workbookPr date1904="{int(date1904)}"/><sheets>'
        f'<sheet name="arrivals" sheetId="1" state="{state}" r:id="rId1"/></sheets></workbook>'
    )


def text(reference, value):
    return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'


def number(reference, value, extra=""):
    return f'<c r="{reference}"{extra}><v>{value}</v></c>'


def row(at, *cells, extra=""):
    return f'<row r="{at}"{extra}>{"".join(cells)}</row>'


def header_row(at=1, names=HEADER):
    return row(at, *(text(f"{chr(65 + place)}{at}", name) for place, name in enumerate(names)))


def move_row(at, key="a", persons=4):
    return row(at, text(f"A{at}", key), text(f"B{at}", "MN62"), number(f"C{at}", persons), text(f"D{at}", "work"))


def sheet_xml(*rows, before="", after=""):
    return f'<worksheet xmlns="{MAIN}">{before}<sheetData>{"".join(rows)}</sheetData>{after}</worksheet>'


def parts(sheet, **others):
    told = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": ROOT,
        "xl/workbook.xml": book_xml(),
        "xl/_rels/workbook.xml.rels": INNER,
        "xl/worksheets/sheet1.xml": sheet,
    }
    return {**told, **{name.replace("__", "/").replace("_xml", ".xml"): body for name, body in others.items()}}


def write_book(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, body in entries.items():
            file.writestr(name, body)
    return path

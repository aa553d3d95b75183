from __future__ import annotations

import gzip
import io
import json
import zipfile

import pytest

from geodata import _packed_files
from geodata._packed_files import PackedFileError, check_zip, inflate
from geodata._vector_files import read_vector

MEGABYTE = 1024**2
KML = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document></Document></kml>'


def packed(*entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in entries:
            archive.writestr(name, body)
    return file.getvalue()


def reasons(path, content):
    path.write_bytes(content)
    return [(one.code, one.severity) for one in read_vector(path).findings], " ".join(
        one.message_en for one in read_vector(path).findings
    )


def test_bombs_are_refused_before_they_are_inflated(tmp_path):
    for name, content in (
        ("a.zip", packed(("a.shp", bytes(40 * MEGABYTE)))),
        ("a.geojson.gz", gzip.compress(b'{"a": "' + b" " * 40 * MEGABYTE)),
    ):
        codes, words = reasons(tmp_path / name, content)
        assert codes == [("file-damaged", "error")]
        assert "bytes inflate to over 100 times as many" in words


def test_sizes_are_checked_at_their_limits(monkeypatch):
    monkeypatch.setattr(_packed_files, "INFLATED_BYTES_MAXIMUM", 10)
    assert inflate(gzip.compress(b"1234567890")) == b"1234567890"
    check_zip(packed(("a", b"12345"), ("b", b"12345")))
    with pytest.raises(PackedFileError, match="more than 10 bytes"):
        inflate(gzip.compress(b"12345678901"))
    with pytest.raises(PackedFileError, match="more than 10 bytes"):
        check_zip(packed(("a", b"12345"), ("b", b"123456")))


def test_too_many_encrypted_and_damaged_files_are_refused(monkeypatch):
    body = bytearray(packed(("a.shp", b"1")))
    body[body.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(PackedFileError, match="password"):
        check_zip(bytes(body))
    with pytest.raises(PackedFileError, match="not a zip file"):
        check_zip(bytes(body[:20]))
    with pytest.raises(PackedFileError):
        inflate(gzip.compress(b"1" * 1000)[:-10])
    monkeypatch.setattr(_packed_files, "ENTRIES_MAXIMUM", 1)
    with pytest.raises(PackedFileError, match="it holds 2 files"):
        check_zip(packed(("a", b""), ("b", b"")))


@pytest.mark.parametrize("doctype", ['<!DOCTYPE a [<!ENTITY b "c">]>', '<!DOCTYPE a SYSTEM "file:///etc/passwd">'])
def test_kml_with_entities_is_refused(tmp_path, doctype):
    codes, words = reasons(tmp_path / "a.kml", f'<?xml version="1.0"?>{doctype}{KML}'.encode())
    assert codes == [("file-damaged", "error")]
    assert "declares a document type or entities" in words


def test_sound_packed_files_are_read(tmp_path):
    square = {"type": "Polygon", "coordinates": [[[106, 47], [107, 47], [107, 48], [106, 47]]]}
    document = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": square}]}
    path = tmp_path / "a.geojson.gz"
    path.write_bytes(gzip.compress(json.dumps(document).encode()))
    assert len(read_vector(path).frame) == 1

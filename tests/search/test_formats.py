"""Which format a file has is told by what is in it."""

from __future__ import annotations

import gzip
import io

import pytest

from chalicelib.errors import InvalidRequest
from chalicelib.search.award_file import AwardFile
from chalicelib.search.formats import open_source
from chalicelib.search.releases import ReleaseDocument, ReleaseLines
from chalicelib.search.source import Source

RELEASE = b'{"ocid": "a", "awards": [{"value": {"amount": 1}, "suppliers": [{"name": "Ann"}]}]}'
CSV = b"contract_amount,awardee_name\n1,Ann\n"


def opened(content: bytes, size: int = 0) -> Source:
    return open_source(lambda byte: io.BytesIO(content[byte:]), size)


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (CSV, AwardFile),
        (b"", AwardFile),
        (b'"{awardee}",amount\n', AwardFile),
        (b"[Awards of 2015],\n" + CSV, AwardFile),
        (b"{ }", ReleaseDocument),
        (RELEASE, ReleaseDocument),
        (RELEASE + b"\n \n", ReleaseDocument),
        (b'{"releases": [' + RELEASE + b"]}", ReleaseDocument),
        (b'{\n  "releases": [\n' + RELEASE + b"\n]}", ReleaseDocument),
        (b'{"releases": [\n' + RELEASE + b"\n]}", ReleaseDocument),
        (b"{" + b"\n" * 5000 + b'"releases": []}', ReleaseDocument),
        (b" \n[" + RELEASE + b"]", ReleaseDocument),
        (b"[\n" + RELEASE + b"\n]", ReleaseDocument),
        (b"[]", ReleaseDocument),
        (RELEASE + b"\n" + RELEASE, ReleaseLines),
        (b"\n\n" + RELEASE + b"\r\n\r\n" + RELEASE + b"\n", ReleaseLines),
        (b'{"a": nope}\n' + RELEASE, ReleaseLines),
        (b'{"releases": [' + RELEASE + b"]}\n" * 2, ReleaseLines),
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["unpacked", "packed"])
def test_format_is_told_by_the_content(content: bytes, format_: type, mark: bytes, pack: type) -> None:
    assert type(opened(pack(mark + content))) is format_


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"PK\x03\x04\x14\x00", "an Excel workbook or a ZIP file: save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an Excel workbook: save the sheet as CSV"),
        (CSV.decode().encode("utf-16"), "UTF-16 text: save it as UTF-8"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"BZh91AY&SY", "a bzip2 file: pack it with gzip"),
        (b"<!DOCTYPE html>", "an HTML page"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["unpacked", "packed"])
def test_other_formats_are_refused_by_name(content: bytes, name: str, pack: type) -> None:
    with pytest.raises(InvalidRequest) as refused:
        opened(pack(content))
    assert refused.value.detail == f"/: must be CSV, or OCDS releases as JSON or JSON Lines, but this is {name}"


def test_file_that_was_packed_twice_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="but this is a gzip file in a gzip file"):
        opened(gzip.compress(gzip.compress(CSV)))


def test_gzip_file_that_is_damaged_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="must be a whole gzip file"):
        opened(gzip.compress(CSV)[:20])


@pytest.mark.parametrize(("content", "size"), [(CSV, len(CSV)), (gzip.compress(CSV), len(CSV))])
def test_size_is_that_of_what_is_read(content: bytes, size: int) -> None:
    assert opened(content, len(content)).size == size
    assert opened(content).size == 0

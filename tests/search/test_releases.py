"""Files of OCDS releases: in lines or as one document, read in one go or from any place on."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.contract_rows import rows
from chalicelib.errors import InvalidRequest
from chalicelib.search.awards import Award, Rejection
from chalicelib.search.formats import open_source
from chalicelib.search.releases import ReleaseDocument, ReleaseLines
from chalicelib.search.source import Open, Place, Source


def opening(content: bytes) -> Open:
    return lambda byte: io.BytesIO(content[byte:])


def read(source: Source) -> list[Award | Rejection]:
    return list(source.records(Place()))


def release(ocid: str, *amounts: float) -> dict[str, Any]:
    """A release of so many awards; of an amount of 0 one that is rejected."""
    awards = [{"value": {"amount": amount}, "suppliers": [{"name": "Ann"}]} for amount in amounts]
    return {"ocid": ocid, "awards": awards}


def lines(*values: object) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def told(records: list[Award | Rejection]) -> list[tuple[int, str]]:
    """Line and reason of what was rejected."""
    return [(record.line, record.reason) for record in records if isinstance(record, Rejection)]


RELEASES = [release("a", 1, 0, 2), release("b"), release("c", 3), {"releases": []}, release("d", 4, 5)]
PACKS: list[Callable[[bytes], bytes]] = [bytes, gzip.compress]
TOLD = [(1, "must be at least 0.01, got 0"), (2, "has no award")]
DOCUMENTS = {
    "package": json.dumps({"uri": "x", "releases": RELEASES, "license": None}).encode(),
    "indented": json.dumps({"publisher": {"releases": [1]}, "releases": RELEASES}, indent=2).encode(),
    "records": json.dumps(
        {"records": [{"ocid": "x", "releases": each.get("releases", [each])} for each in RELEASES]}
    ).encode(),
    "array": json.dumps(RELEASES).encode(),
}


@pytest.mark.parametrize("content", [lines(*RELEASES), *DOCUMENTS.values()], ids=["lines", *DOCUMENTS])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
def test_awards_are_those_of_all_releases(content: bytes, mark: bytes) -> None:
    records = read(open_source(opening(mark + content)))
    assert told(records) == TOLD
    amounts = [record.amount_centavos for record in records if isinstance(record, Award)]
    assert amounts == [100, 200, 300, 400, 500]


def test_lines_are_counted_as_an_editor_does() -> None:
    content = b"\n" + lines(release("a")) + b"\r\n" + b"{nope}\n" + lines(release("b", 1)) + b'{"ocid": "c"}'
    records = read(ReleaseLines(opening(content)))
    assert told(records) == [
        (2, "has no award"),
        (4, "must be an OCDS release: JSON is malformed: object keys must be strings (byte 1)"),
        (6, "has no award"),
    ]


def test_line_that_is_too_long_is_rejected_and_the_next_one_read() -> None:
    content = lines({"ocid": "a" * 5000}, release("b", 1)) + b'{"ocid": "' + b"c" * 300
    records = read(ReleaseLines(opening(content), item_bytes=200))
    assert told(records) == [
        (1, "must have at most 200 bytes, got 5013"),
        (3, "must have at most 200 bytes, got 310"),
    ]
    assert len(records) == 3


def test_release_of_a_document_that_is_too_long_fails_all_of_it() -> None:
    content = json.dumps([release("a", 1), {"ocid": "a" * 5000}]).encode()
    with pytest.raises(InvalidRequest, match="a value begins that has more than 200 bytes"):
        read(ReleaseDocument(opening(content), item_bytes=200))


def test_single_release_is_a_document_too() -> None:
    content = json.dumps(release("a", 1, 2), indent=1).encode()
    source = ReleaseDocument(opening(content))
    assert [type(record) for record in read(source)] == [Award, Award]
    assert list(source.records(source.place)) == []


@pytest.mark.parametrize(
    "content", [b'{"a": "' + b"x" * 100 + b'"}', b'{"a": "' + b"x" * 40 + b'", "b": "' + b"x" * 40 + b'"}']
)
def test_document_without_releases_is_read_only_if_it_can_be_one(content: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"more than 60 bytes|be one release of at most 60 bytes"):
        read(ReleaseDocument(opening(content), item_bytes=60))


def test_document_that_ends_early_fails_even_if_it_is_read_on_from_its_last_release() -> None:
    content = DOCUMENTS["package"][:-30]
    source = ReleaseDocument(opening(content))
    records = source.records(Place())
    with pytest.raises(InvalidRequest, match="the file ends within it"):
        list(records)
    with pytest.raises(InvalidRequest, match="the file ends within it"):
        list(ReleaseDocument(opening(content)).records(source.place))


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Releases in any number, each with awards in any number, in one of the ways to write them."""
    amounts = st.lists(st.integers(0, 2), max_size=3)
    made = [release(str(number), *each) for number, each in enumerate(draw(st.lists(amounts, min_size=1, max_size=6)))]
    items = draw(st.lists(st.sampled_from([*made, {"releases": made}, {"releases": []}]), min_size=1, max_size=6))
    write: Callable[[Any], bytes] = draw(
        st.sampled_from(
            [
                lambda each: lines(*each) + lines({"releases": []}),
                lambda each: json.dumps({"releases": each}, indent=draw(st.none() | st.just(1))).encode(),
                lambda each: json.dumps(each).encode(),
            ]
        )
    )
    return draw(st.sampled_from(PACKS))(write(items))


@given(files())
def test_reading_goes_on_from_every_place_that_was_told(content: bytes) -> None:
    source = open_source(opening(content))
    all_at_once = read(source)
    before = Place()
    for count, _ in enumerate(open_source(opening(content)).records(Place()), 1):
        # Read up to here by a reader of its own, whose place stays as it is.
        reader = open_source(opening(content))
        records = reader.records(Place())
        first = [next(records) for _ in range(count)]
        if reader.place != before:
            assert first + list(open_source(opening(content)).records(reader.place)) == all_at_once
        before = reader.place
    assert list(open_source(opening(content)).records(source.place)) == []


def as_release(number: int, row: dict[str, str]) -> dict[str, Any]:
    """A row of a CSV file as a portal would publish it."""
    award = {
        "id": row["contract_number"],
        "title": row["award_title"],
        "date": row["award_date"] and f"{row['award_date']}T00:00:00+08:00",
        "status": "active",
        "value": {"amount": float(row["contract_amount"]), "currency": "PHP"},
        "suppliers": [{"id": "S", "name": row["awardee_name"]}],
    }
    item = {
        "deliveryLocation": {"description": row["area_of_delivery"]},
        "additionalClassifications": [{"scheme": "PhilGEPS", "description": row["business_category"]}],
    }
    return {
        "ocid": f"ocds-x-{number}",
        "buyer": {"name": row["organization_name"]},
        "tender": {"title": row["notice_title"], "items": [item]},
        "awards": [award],
    }


@pytest.mark.parametrize("pack", PACKS, ids=["unpacked", "packed"])
@pytest.mark.parametrize(
    "write",
    [
        lambda releases: lines(*releases),
        lambda releases: json.dumps({"releases": releases}, ensure_ascii=False, indent=2).encode(),
    ],
    ids=["lines", "document"],
)
def test_releases_are_the_same_awards_as_rows(
    write: Callable[[list[dict[str, Any]]], bytes], pack: Callable[[bytes], bytes]
) -> None:
    made = list(rows(2_000, 6))
    file = io.StringIO()
    writer = csv.DictWriter(file, made[0])
    writer.writeheader()
    writer.writerows(made)
    expected = read(open_source(opening(pack(file.getvalue().encode()))))
    found = read(open_source(opening(pack(write([as_release(number, row) for number, row in enumerate(made)])))))
    assert [msgspec.structs.replace(record, mention=None) for record in found] == expected

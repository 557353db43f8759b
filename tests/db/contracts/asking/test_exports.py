"""Exported files, as looking at every row finds them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from contextlib import closing

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.db.connect import Database
from chalicelib.db.contracts.export import ContractExport
from chalicelib.errors import Gone
from chalicelib.search.export.columns import Row
from chalicelib.search.export.encoding import Format, encoder
from chalicelib.search.export.request import ExportRequest, layout_of
from chalicelib.search.filters import Filters
from chalicelib.search.paging import Dimension, GroupOrder, Order, Page
from tests.db.contracts import oracle
from tests.db.contracts.asking.conftest import Library
from tests.db.contracts.asking.wishes import dimensions, wishes

EVERY = Page(1, 1_000_000)
# What no reader can tell from nothing.
Plain = list[tuple[object, ...]]


def request_of(filters: Filters, format_: Format, dimension: Dimension | None) -> ExportRequest:
    said = {name: getattr(filters, name) for name in Filters.__struct_fields__}
    return ExportRequest(**said, format=format_, dimension=dimension, gzip=format_ == "jsonl")


def exported(export: ContractExport, version: int, request: ExportRequest) -> bytes:
    encoding = encoder(layout_of(request))
    content = encoding.begin()
    for batch in export.batches(version, request, 0):
        content += encoding.rows([row for _, row in batch])
    return content + encoding.end()


def read_back(request: ExportRequest, content: bytes) -> Plain:
    """The rows of a file, without its line of names; amounts as numbers, what is missing as None."""
    if request.format == "jsonl":
        return [tuple(json.loads(line).values()) for line in gzip.decompress(content).decode().split("\n") if line]
    if request.format == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
        rows = list(sheet.iter_rows(values_only=True))[1:]
        return [tuple(value.date().isoformat() if hasattr(value, "date") else value for value in row) for row in rows]
    text = content.decode("utf-8-sig")
    _, *records = csv.reader(io.StringIO(text, newline=""))
    numbers = (1, 2, 3) if request.dimension else (8,)
    return [
        tuple((float(value) if place in numbers else value or None) for place, value in enumerate(record))
        for record in records
    ]


def expected(awards: Sequence[oracle.Award], request: ExportRequest) -> Plain:
    if request.dimension is None:
        rows, _ = oracle.page(awards, request, EVERY, Order())
        return [
            (
                row.reference_id,
                row.contract_no,
                row.award_title,
                row.notice_title,
                row.awardee_name,
                row.organization_name,
                row.area_of_delivery,
                row.business_category,
                row.contract_amount,
                row.award_date and row.award_date.isoformat(),
                "active",
            )
            for row in rows
        ]
    dimension: Dimension = request.dimension  # type: ignore[assignment]  # no words of charts here
    groups, _ = oracle.table(awards, request, dimension, EVERY, GroupOrder())
    return [(group.label, group.total_value, group.count, group.avg_value) for group in groups]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_file_is_what_looking_at_every_row_finds(library: Library, data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    filters = data.draw(wishes(chosen.awards))
    # Workbooks cannot say each of the awkward characters, and are read slowly.
    formats: tuple[Format, ...] = ("csv", "jsonl")
    request = request_of(filters, data.draw(st.sampled_from(formats)), data.draw(st.none() | dimensions))
    export = ContractExport(library.database)
    rows = expected(chosen.awards, request)
    assert read_back(request, exported(export, chosen.version, request)) == rows
    assert export.count(chosen.version, request) == len(rows)


def test_workbook_is_what_looking_at_every_row_finds(library: Library) -> None:
    request = ExportRequest(business_categories=("construction",), format="xlsx")
    export = ContractExport(library.database)
    rows = expected(library.many.awards, request)
    assert len(rows) > 50
    assert read_back(request, exported(export, library.many.version, request)) == rows


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_rows_go_on_behind_any_of_them(library: Library, data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    request = request_of(data.draw(wishes(chosen.awards)), "csv", data.draw(st.none() | dimensions))
    export = ContractExport(library.database)
    rows = numbered(export, chosen.version, request, 0)
    place = data.draw(st.integers(0, len(rows)))
    after = rows[place - 1][0] if place else 0
    assert numbered(export, chosen.version, request, after) == rows[place:]


def numbered(export: ContractExport, version: int, request: ExportRequest, after: int) -> list[tuple[int, Row]]:
    return [row for batch in export.batches(version, request, after) for row in batch]


def test_version_that_was_dropped_is_gone(library: Library) -> None:
    with closing(Database(library.dsn)) as database:
        export = ContractExport(database)
        assert export.is_there(library.many.version)
        assert not export.is_there(99_999)
        with pytest.raises(Gone):
            export.count(99_999, ExportRequest(keywords=("road",)))

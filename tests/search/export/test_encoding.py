"""Tables as files, read back by libraries that know nothing of how they were written."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import JobFailed
from chalicelib.search.export.archive import Archive
from chalicelib.search.export.columns import SUMS, Column, Row, Value
from chalicelib.search.export.encoding import Encoder, Layout, encoder
from chalicelib.search.export.workbook import Workbook

COLUMNS = (
    Column("title", "text"),
    Column("amount", "money"),
    Column("day", "day"),
    Column("count", "count"),
    Column("mean", "mean"),
)
ROWS: list[Row] = [
    ('Road, "new"\nline', 100_050, date(2024, 2, 29), 3, 333.5),
    ('=HYPERLINK("http://evil.test")', 1, None, 0, 0.01),
    (None, 900_000_000_000_000, date(1899, 1, 1), 1, 9e12),
    ("Niño <b>&amp; _x0041_ \x01 \r", 5, date(1920, 1, 8), 2, 2.5),
]
# Of characters that Postgres keeps.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
rows_of_any_kind = st.lists(
    st.tuples(
        st.none() | texts,
        st.integers(1, 9 * 10**15),
        st.none() | st.dates(),
        st.integers(0, 2**31),
        st.floats(0.01, 1e13),
    ),
    max_size=30,
)


def written(encoding: Encoder, *batches: Sequence[Row]) -> bytes:
    return encoding.begin() + b"".join(encoding.rows(batch) for batch in batches) + encoding.end()


def layout(format_: str, **changes: object) -> Layout:
    return Layout(format=format_, columns=COLUMNS, **changes)  # type: ignore[arg-type]


def sheets(file: bytes) -> list[list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(file), read_only=True)
    return [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]


def test_csv_quotes_what_needs_it_and_amounts_have_two_decimals() -> None:
    assert written(encoder(layout("csv")), ROWS[:2]).decode() == (
        "title,amount,day,count,mean\r\n"
        '"Road, ""new""\nline",1000.50,2024-02-29,3,333.5\r\n'
        '"=HYPERLINK(""http://evil.test"")",0.01,,0,0.01\r\n'
    )


def test_csv_begins_with_the_mark_that_excel_knows_where_it_is_wanted() -> None:
    assert written(encoder(layout("csv", has_bom=True))) == b"\xef\xbb\xbftitle,amount,day,count,mean\r\n"


def test_json_lines_have_numbers_and_nulls() -> None:
    lines = written(encoder(layout("jsonl")), ROWS[:2]).decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"title": 'Road, "new"\nline', "amount": 1000.5, "day": "2024-02-29", "count": 3, "mean": 333.5},
        {"title": '=HYPERLINK("http://evil.test")', "amount": 0.01, "day": None, "count": 0, "mean": 0.01},
    ]
    assert written(encoder(layout("jsonl"))) == b""


@given(rows=rows_of_any_kind)
def test_csv_is_read_back_as_it_was(rows: list[Row]) -> None:
    text = written(encoder(layout("csv")), rows).decode()
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert [(title, day, int(count), float(mean)) for title, _, day, count, mean in read[1:]] == [
        (title or "", str(day or ""), count, mean) for title, _, day, count, mean in rows
    ]
    assert [int(amount.replace(".", "")) for _, amount, *_ in read[1:]] == [row[1] for row in rows]


def test_workbook_has_texts_numbers_and_days_and_no_formula() -> None:
    file = written(encoder(layout("xlsx")), ROWS)
    book = openpyxl.load_workbook(io.BytesIO(file))
    sheet = book.worksheets[0]
    read = list(sheet.iter_rows(values_only=True))
    assert read[:4] == [
        ("title", "amount", "day", "count", "mean"),
        ('Road, "new"\nline', 1000.5, datetime(2024, 2, 29), 3, 333.5),  # noqa: DTZ001 - Excel knows no zones
        ('=HYPERLINK("http://evil.test")', 0.01, None, 0, 0.01),
        # Excel has no day before 1900, and takes that year for a leap year.
        (None, 9_000_000_000_000, "1899-01-01", 1, 9_000_000_000_000),
    ]
    assert {cell.data_type for row in sheet.iter_rows(min_row=3, max_row=3) for cell in row} == {"s", "n"}
    assert sheet.cell(2, 3).number_format == "yyyy\\-mm\\-dd"
    assert sheet.freeze_panes == "A2"


def test_workbook_escapes_what_xml_cannot_say_as_excel_reads_it() -> None:
    file = written(encoder(layout("xlsx")), [ROWS[3]])
    text = zipfile.ZipFile(io.BytesIO(file)).read("xl/worksheets/sheet1.xml").decode()
    assert "Niño &lt;b&gt;&amp;amp; _x005F_x0041_ _x0001_ _x000D_</t>" in text


def test_workbook_begins_a_new_sheet_at_the_limit_of_rows() -> None:
    rows: list[Row] = [(str(number), number, None, number, 1.0) for number in range(1, 8)]
    book = sheets(written(Workbook(COLUMNS, sheet_rows=4), rows[:2], rows[2:]))
    names = tuple(column.name for column in COLUMNS)
    assert [[row[0] for row in sheet] for sheet in book] == [
        ["title", "1", "2", "3"],
        ["title", "4", "5", "6"],
        ["title", "7"],
    ]
    assert {sheet[0] for sheet in book} == {names}


def test_workbook_of_nothing_has_its_line_of_names() -> None:
    assert sheets(written(encoder(layout("xlsx")))) == [[("title", "amount", "day", "count", "mean")]]


def test_archive_is_sound(tmp_path: object) -> None:
    with zipfile.ZipFile(io.BytesIO(written(encoder(layout("xlsx")), ROWS))) as packed:
        assert packed.testzip() is None
        assert "[Content_Types].xml" in packed.namelist()


@pytest.mark.parametrize(
    ("content", "most_bytes"), [(b"x" * 1_000, 900), (bytes(range(256)), 340)], ids=["member", "archive"]
)
def test_archive_that_grows_too_large_is_refused(content: bytes, most_bytes: int) -> None:
    archive = Archive(most_bytes=most_bytes)
    archive.open("sheet")
    with pytest.raises(JobFailed, match="larger than 4 GiB; ask for csv"):
        archive.write(content) + archive.close() + archive.end()


def test_compressed_file_is_the_plain_one() -> None:
    for format_ in ("csv", "jsonl"):
        plain, packed = encoder(layout(format_)), encoder(layout(format_, is_compressed=True))
        assert gzip.decompress(written(packed, ROWS)) == written(plain, ROWS)
    assert gzip.decompress(written(encoder(layout("jsonl", is_compressed=True)))) == b""


@given(rows=rows_of_any_kind, cuts=st.lists(st.integers(0, 30), max_size=5), data=st.data())
def test_file_that_others_went_on_with_says_the_same(rows: list[Row], cuts: list[int], data: st.DataObject) -> None:
    chosen = data.draw(
        st.sampled_from(
            [layout("csv"), layout("csv", is_compressed=True), layout("jsonl", is_compressed=True), layout("xlsx")]
        )
    )
    whole = written(encoder(chosen), rows)
    encoding, pieces, before = encoder(chosen), [], 0
    pieces.append(encoding.begin())
    for cut in sorted(cuts):
        pieces.append(encoding.rows(rows[before:cut]))
        before = max(before, cut)
        rest, place = encoding.pause()
        pieces.append(rest)
        encoding = encoder(chosen, place)
    pieces += [encoding.rows(rows[before:]), encoding.end()]
    assert plain(chosen, b"".join(pieces)) == plain(chosen, whole)


def plain(chosen: Layout, file: bytes) -> object:
    if chosen.format == "xlsx":
        with zipfile.ZipFile(io.BytesIO(file)) as packed:
            assert packed.testzip() is None
            return {name: packed.read(name) for name in packed.namelist()}
    return gzip.decompress(file) if chosen.is_compressed else file


def test_sums_are_written_with_their_names() -> None:
    value: list[Value] = ["Acme", 400_050, 2, 2000.25]
    chosen = Layout(format="csv", columns=SUMS)
    assert written(encoder(chosen), [value]) == b"label,total_value,count,avg_value\r\nAcme,4000.50,2,2000.25\r\n"

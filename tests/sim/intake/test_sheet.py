"""Tables in text files: delimiters, headers, line numbers, and rows that are no rows."""

from __future__ import annotations

import pytest

from chalicelib.sim.intake.items import MAX_ROWS
from chalicelib.sim.intake.result import Rejected
from tests.sim.intake.intakes import refused, taken

WHOLE_ROW = None


def rejected(text: str) -> list[tuple[int, str | None, str]]:
    return [(row.line, row.column, row.reason) for row in taken(text).rejected]


@pytest.mark.parametrize(("delimiter", "told"), [(",", ","), (";", ";"), ("\t", "\t")])
def test_delimiter_is_told_from_the_first_rows(delimiter: str, told: str) -> None:
    found = taken("id,title,closed\n1,One,2026-01-05\n".replace(",", delimiter))
    assert (found.delimiter, found.headers, found.items_closed) == (told, ["id", "title", "closed"], 1)


def test_commas_in_texts_do_not_hide_the_semicolons() -> None:
    text = "Key;Summary, in short, as told;Resolved\nA-1;One, two, three, four;2026-01-05\nA-2;Five;2026-01-06\n"
    found = taken(text)
    assert (found.delimiter, found.items_closed) == (";", 2)


def test_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert taken("\ufeffid,closed\n1,2026-01-05\n").headers == ["id", "closed"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_system_count_as_one_line(end: str) -> None:
    assert rejected(end.join(["id,closed", "1,2026-01-05", "2,never", "3,2026-01-06", ""])) == [
        (3, "closed", "is no date that can be read")
    ]


def test_column_of_dates_needs_no_header() -> None:
    found = taken("2026-01-05\n2026-01-06\n2026-01-06\n")
    assert (found.delimiter, found.headers, found.columns.closed) == (None, ["column 1"], "column 1")
    assert (found.rows_read, found.items_closed) == (3, 3)
    assert "The file has no header: column 1 was taken as the date of closing." in found.warnings


def test_dates_with_a_comma_are_one_column() -> None:
    assert taken("Jan 5, 2026\nJan 6, 2026\n").items_closed == 2
    assert taken("closed\nJan 5, 2026\nJan 6, 2026\n").items_closed == 2


def test_two_columns_of_dates_without_a_header_are_start_and_end() -> None:
    found = taken("7,2026-01-05,2026-01-06\n8,2026-01-05,2026-01-09\n")
    assert (found.columns.started, found.columns.closed, found.lt_samples) == ("column 2", "column 3", [2, 5])


def test_three_columns_of_dates_need_a_header() -> None:
    error = refused("2026-01-05,2026-01-06,2026-01-07\n")
    assert (error.pointer, error.detail) == ("/content", "must have a header, as 3 columns hold dates")


def test_line_of_a_row_is_where_it_begins_in_the_file() -> None:
    text = 'id,title,closed\n1,"two\nlines",2026-01-05\n\n2,"three\n\nlines",never\n3,x,neither\n'
    assert [row.line for row in taken(text).rejected] == [5, 8]


def test_rows_without_any_value_are_no_rows() -> None:
    found = taken("id,closed\n\n1,2026-01-05\n,\n  ,  \n\n")
    assert (found.rows_read, found.rejected_count) == (1, 0)


def test_row_with_missing_or_surplus_fields_is_rejected() -> None:
    assert rejected("id,title,closed\n1,2026-01-05\n2,a,b,2026-01-05\n3,x,2026-01-05\n") == [
        (2, WHOLE_ROW, "has 2 fields, the first row has 3"),
        (3, WHOLE_ROW, "has 4 fields, the first row has 3"),
    ]


def test_surplus_fields_without_a_value_are_forgiven() -> None:
    assert taken("id,closed\n1,2026-01-05,,\n").items_closed == 1


def test_quote_that_is_never_closed_is_told_with_the_lines_that_it_hides() -> None:
    assert rejected('id,closed,title\n1,2026-01-05,One\n2,2026-01-06,"Two\n3,2026-01-07,Three\n') == [
        (3, WHOLE_ROW, "has a quote that is never closed; lines 3 to 4 could not be read")
    ]


def test_stray_quote_costs_its_row_only() -> None:
    found = taken('id,title,closed\n1,"One" more,2026-01-05\n2,Two,2026-01-06\n')
    assert (found.rows_read, found.items_closed, [row.line for row in found.rejected]) == (2, 1, [2])


def test_quote_closed_by_that_of_a_later_row_is_told_with_the_lines_between() -> None:
    assert rejected('id,title,closed\n0,Zero,2026-01-05\n1,"One,2026-01-05\n2,Two",x,2026-01-06\n') == [
        (3, WHOLE_ROW, "has 4 fields, the first row has 3; it takes up lines 3 to 4")
    ]


def test_field_of_any_length_is_a_rejected_row() -> None:
    (row,) = taken(f"id,title,closed\n1,{'x' * 200_000},2026-01-05\n2,Two,2026-01-06\n").rejected
    assert (row.line, row.column) == (2, WHOLE_ROW)
    assert "field larger than field limit" in row.reason


def test_value_is_shown_up_to_a_hundred_characters() -> None:
    (row,) = taken(f"closed\n2026-01-05\n{'x' * 5_000}\n").rejected
    assert row == Rejected(line=3, column="closed", value="x" * 100, reason="is no date that can be read")


def test_first_hundred_rejected_rows_are_shown_and_all_are_counted() -> None:
    found = taken("closed\n2026-01-05\n" + "never\n" * 150)
    assert (found.rejected_count, len(found.rejected), found.rejected[-1].line) == (150, 100, 102)


def test_nul_in_a_row_is_a_bad_value_and_reaches_no_answer() -> None:
    found = taken("id,closed\n1\0,2026-01-05\n2,2026\0-01-05\n")
    assert [(row.line, row.value) for row in found.rejected] == [(3, "2026\ufffd-01-05")]


@pytest.mark.parametrize("text", ["", "\n\n", " \r\n\t\n", "\ufeff", ",,,\n,,,\n"])
def test_empty_file_is_refused(text: str) -> None:
    assert refused(text).pointer == "/content"


def test_header_without_rows_is_refused() -> None:
    assert refused("id,closed\n").detail == "must have rows below the header, got none"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (
            "PK\x03\x04\x14\0\x06\0",
            "must be a text file, got a ZIP archive or an Excel workbook; save the sheet as CSV",
        ),
        ("\0\0\1\0\1\0  \0\0\n", "must be a text file, line 1 holds NUL characters"),
        ('"id,closed\n1,2026-01-05\n', "must be CSV, line 1 has a quote that is never closed; lines 1 to 2 could not"),
        ("%PDF-1.7\nobj\n", "must have a column of closing dates; the columns are '%PDF-1.7'"),
        (",".join(["x"] * 2_001), "must have at most 2000 columns, got 2001"),
    ],
    ids=["workbook", "image", "quote", "document", "wide"],
)
def test_file_that_is_no_table_is_refused(text: str, detail: str) -> None:
    assert refused(text).detail.startswith(detail)


def test_number_of_rows_is_limited() -> None:
    assert refused("closed\n2026-01-05\n" + "x\n" * MAX_ROWS).detail == "must have at most 500000 rows"


def test_file_of_an_upload_is_refused_at_the_upload() -> None:
    assert refused("", content=None, upload_id="u1").pointer == "/upload_id"

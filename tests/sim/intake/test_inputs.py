"""What a request to import a file may say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.sim.intake.inputs import ImportRequest, check


def faults(**fields: Any) -> list[tuple[str, str]]:
    request = msgspec.convert({"content": "closed\n2026-01-05\n", **fields}, ImportRequest)
    return [(error.pointer, error.detail) for error in check(request)]


def test_file_alone_is_enough() -> None:
    assert faults() == []


def test_all_fields_are_read_by_their_names_on_the_wire() -> None:
    body = (
        b'{"upload_id": "u1", "format": "jira", "startColumn": "Created", "endColumn": "Resolved", "dateOrder": "mdy", '
        b'"throughputCadenceDays": 14, "fromDate": "2026-01-01", "toDate": "31/1/2026", "asOf": "2026-02-01", '
        b'"itemTypes": ["Bug"]}'
    )
    assert msgspec.json.decode(body, type=ImportRequest) == ImportRequest(
        upload_id="u1",
        format="jira",
        start_column="Created",
        end_column="Resolved",
        date_order="mdy",
        cadence_days=14,
        from_date="2026-01-01",
        to_date="31/1/2026",
        as_of="2026-02-01",
        item_types=("Bug",),
    )


@pytest.mark.parametrize(("upload", "found"), [({"content": None}, "none"), ({"upload_id": "u1"}, "both")])
def test_file_is_either_in_the_request_or_sent_before(upload: dict[str, Any], found: str) -> None:
    assert faults(**upload) == [("/content", f"exactly one of content and upload_id must be given, got {found}")]


def test_unreadable_dates_are_told_by_their_fields() -> None:
    found = faults(fromDate="soon", toDate="2026-02-30", asOf="1/1/1800")
    assert [pointer for pointer, _ in found] == ["/fromDate", "/toDate", "/asOf"]
    assert found[0][1].endswith("got 'soon'")
    assert found[2][1] == "must be from 1970-01-01 to 2199-12-31, got 1800-01-01"


def test_window_does_not_end_before_it_begins() -> None:
    found = faults(fromDate="2026-02-01", toDate="2026-01-31", asOf="2026-01-15")
    assert found == [
        ("/fromDate", "must be at most toDate (2026-01-31), got 2026-02-01"),
        ("/fromDate", "must be at most asOf (2026-01-15), got 2026-02-01"),
    ]


def test_window_of_one_day_is_allowed() -> None:
    assert faults(fromDate="2026-01-31", toDate="2026-01-31", asOf="2026-01-31") == []


def test_start_and_end_are_different_columns() -> None:
    found = faults(startColumn="Done", endColumn="Done")
    assert found == [("/startColumn", "must be another column than endColumn, got 'Done' for both")]


@pytest.mark.parametrize("days", [0, 367])
def test_cadence_is_from_a_day_to_a_year(days: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        faults(throughputCadenceDays=days)


def test_file_named_by_an_upload_is_pointed_at_there() -> None:
    assert ImportRequest(content="x").source == "/content"
    assert ImportRequest(upload_id="u1").source == "/upload_id"

"""CSV files of events, and results that clients send back."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from chalicelib.api.event_watch_csv import CsvFile, safe_cell
from chalicelib.api.event_watch_posted import DateRange, FilterRequest, select_results
from chalicelib.api.http import Answer
from chalicelib.db.connect import Database
from chalicelib.db.events.apps import App, AppFields, Apps
from chalicelib.errors import TooLarge
from tests.api.calls import details, document
from tests.db.desks import Desk, desk, expect
from tests.db.events.watched import NOW_MS, event, result, store

HEADER = ["eventName", "key", "value", "expectedType", "receivedType", "validationStatus", "comment"]
DAY_MS = 86_400_000
every_prefix = pytest.mark.parametrize("prefix", ["/api/apps/shop", "/app/shop"])


@pytest.fixture
def ann(database: Database) -> Desk:
    return desk(database, "Ann")


@pytest.fixture
def shop(database: Database, ann: Desk) -> App:
    return Apps(database).add("shop", int(ann.account), AppFields(name="Shop"), b"s" * 32)


def table(answer: Answer) -> list[list[str]]:
    assert (answer.status, answer.content_type) == (200, "text/csv; charset=utf-8"), answer
    assert isinstance(answer.body, bytes)
    return list(csv.reader(io.StringIO(answer.body.decode(), newline="")))


def cells(found: dict[str, str]) -> list[str]:
    return [found[column] for column in HEADER]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd", "-x", "@SUM(A1)", "\t=1", "\rx", "\nx", " =1", "\u3000=1", "\uff1d1", "--1", "-1+1", "+", "-"],
)
def test_cell_that_would_be_computed_is_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a", "1", "-1", "+1.5", "-1.5e-7", "1=1", "a@b", "'=1", "a\tb", " a", "{}"])
def test_cell_that_is_harmless_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


def test_cells_are_quoted_where_they_need_it() -> None:
    file = CsvFile(["a", "b"], has_bom=False)
    file.add(['x,"y"\n', "=z"])
    assert file.answer("f.csv").body == b'a,b\r\n"x,""y""\n",\'=z\r\n'


def test_file_that_is_larger_than_an_answer_is_refused() -> None:
    file = CsvFile(["a"], has_bom=False)
    file.add(["x" * 2_000_000])
    with pytest.raises(TooLarge, match="at most 4000000 bytes"):
        # As JSON each character has six bytes.
        file.add(["é" * 400_000])


@every_prefix
def test_results_that_are_sent_along_become_a_file(shop: App, ann: Desk, prefix: str) -> None:
    sent: list[dict[str, Any]] = [
        {"eventName": "=a", "key": "k", "value": 5, "more": 1},
        {"value": None, "comment": True},
    ]
    answer = ann.call("POST", f"{prefix}/download-report", {"results": sent})
    assert table(answer) == [HEADER, ["'=a", "k", "5", "", "", "", ""], ["", "", "", "", "", "", "true"]]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="validation_results_shop.csv"'


@every_prefix
def test_file_of_results_is_of_the_newest_events(database: Database, shop: App, ann: Desk, prefix: str) -> None:
    old, new, other = result("a", "old"), result("a", "-new"), result("b", "50%", eventName="buy")
    store(database, event(shop.id, "1", old), event(shop.id, "2", new), event(shop.id, "3", other, name="Buy"))
    answer = ann.call("POST", f"{prefix}/download-all-results")
    assert table(answer) == [HEADER, cells(other), cells(new | {"value": "'-new"})]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="validation_results_all_shop.csv"'
    every = ann.call("POST", f"{prefix}/download-all-results", {"all_events": True})
    assert table(every) == [HEADER, cells(other), cells(new | {"value": "'-new"}), cells(old)]
    some = ann.call("POST", f"{prefix}/download-all-results", {"filters": {"value_search": "0%"}})
    assert table(some) == [HEADER, cells(other)]


def test_file_of_nothing_is_404(database: Database, shop: App, ann: Desk) -> None:
    store(database, event(shop.id, "1", result("a"), is_user=False))
    none = {"filters": {"field_names": ["b"]}}
    answers = [
        ann.call("POST", "/app/shop/download-all-results", none),
        ann.call("POST", "/app/shop/download-valid-events"),
    ]
    assert [(answer.status, document(answer)["error"]) for answer in answers] == [
        (404, "no results fit the filters"),
        (404, "no event of a user was stored in the last 24 hours"),
    ]


@every_prefix
def test_summary_has_each_event_once_with_its_body(database: Database, shop: App, ann: Desk, prefix: str) -> None:
    store(
        database,
        event(shop.id, "1", result("a", "x"), result("b", "=y", "Invalid/Wrong datatype/value"), name="see"),
        event(shop.id, "2", name="Buy", status="invalid", body={"eventName": "Buy"}),
        event(shop.id, "3", name="old", accepted_ms=NOW_MS - DAY_MS - 1),
        event(shop.id, "4", result(), name="system", is_user=False),
    )
    answer = ann.call("POST", f"{prefix}/download-valid-events")
    at = "2025-06-15 15:06:40"
    assert table(answer) == [
        [
            "Event Name", "Latest Timestamp", "Field Name", "Value", "Expected Type", "Received Type",
            "Validation Status", "Latest Log Payload",
        ],
        ["Buy", at, "", "", "", "", "invalid", '{"eventName": "Buy"}'],
        ["see", at, "a", "x", "text", "text", "Valid", '{"eventName": "login"}'],
        ["", "", "b", "'=y", "text", "text", "Invalid/Wrong datatype/value", ""],
    ]  # fmt: skip
    assert answer.headers["Content-Disposition"] == 'attachment; filename="validation_summary_shop.csv"'


@pytest.mark.parametrize("file", ["download-report", "download-all-results", "download-valid-events"])
def test_file_begins_with_the_mark_of_utf_8_where_it_is_wanted(
    database: Database, shop: App, ann: Desk, file: str
) -> None:
    store(database, event(shop.id, "1", result("a", "é")))
    bodies = [ann.call("POST", f"/app/shop/{file}", {"bom": bom}).body for bom in (True, False)]
    assert [isinstance(body, bytes) and body.startswith(b"\xef\xbb\xbf") for body in bodies] == [True, False]


def test_file_that_would_be_too_large_is_413(database: Database, shop: App, ann: Desk) -> None:
    results = [result("a", "x" * 1_000) for _ in range(900)]
    store(database, *(event(shop.id, str(number), *results, name=f"e{number}") for number in range(5)))
    answer = ann.call("POST", "/app/shop/download-all-results")
    assert (answer.status, "ask for less by from and to, event_names" in document(answer)["error"]) == (413, True)
    some = ann.call("POST", "/app/shop/download-all-results", {"filters": {"event_names": ["e1"]}})
    assert len(table(some)) == 901


SENT: list[dict[str, Any]] = [
    {"eventName": "Login", "key": "b", "value": "2026-01-02T00:00:00", "n": 1},
    {"eventName": "buy", "key": "A", "value": "2026-01-01T00:00:00Z", "n": True},
    {"eventName": "login", "key": "c", "value": 7},
]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (FilterRequest(), [0, 1, 2]),
        (FilterRequest(filters={"eventName": ["LOGIN"], "key": []}), [0, 2]),
        (FilterRequest(filters={"eventName": "login", "key": ["c", "b"]}), [0, 2]),
        (FilterRequest(filters={"n": [True]}), [1]),
        (FilterRequest(filters={"search_term": "x"}), [0, 1, 2]),
        (FilterRequest(search_term="UY"), [1]),
        (FilterRequest(search_term="7"), [2]),
        (FilterRequest(date_range=DateRange(start="2026-01-02", end="2026-01-02")), [0]),
        (FilterRequest(date_range=DateRange(end="2026-01-01T01:00:00+01:00")), [1]),
        (FilterRequest(date_range=DateRange()), [0, 1, 2]),
        (FilterRequest(sort_by="key"), [1, 0, 2]),
        (FilterRequest(sort_by="key", sort_order="desc"), [2, 0, 1]),
        (FilterRequest(sort_by="none"), [0, 1, 2]),
    ],
)
def test_results_that_are_sent_along_are_filtered(request_: FilterRequest, expected: list[int]) -> None:
    request = FilterRequest(
        **{name: getattr(request_, name) for name in request_.__struct_fields__} | {"results": tuple(SENT)}
    )
    assert select_results(request) == [SENT[place] for place in expected]


@every_prefix
def test_filter_route_answers_the_rows_that_it_was_sent(shop: App, ann: Desk, prefix: str) -> None:
    answer = ann.call("POST", f"{prefix}/filter", {"results": SENT, "filters": {"key": ["c"]}})
    assert expect(answer, 200) == [SENT[2]]


def test_range_that_is_none_is_refused(shop: App, ann: Desk) -> None:
    answer = ann.call("POST", "/app/shop/filter", {"results": SENT, "date_range": {"start": "x"}})
    detail = "must be a time such as 2026-01-31T12:00:00Z, got 'x'"
    assert (answer.status, details(answer)) == (400, [("/date_range/start", detail)])

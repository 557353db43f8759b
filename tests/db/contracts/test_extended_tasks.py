"""The extended syntax as clients use it: it goes along with every question, and what cannot be read is refused."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.db.connect import Database
from tests.api.calls import document
from tests.db import desks
from tests.db.contracts.desk import Desk

EXTENDED = {"keywords": ['"repair" && -"the road"'], "syntax": "extended"}
CONTRACTS = "/api/v1/contracts"
SAVED = "/api/v1/contracts/saved-searches"
DETAIL = "must look for something besides what it leaves out, got '-road'"


def answered(desk: Desk, name: str, body: object) -> Any:  # a JSON object
    """What a task answers."""
    queued = desk.ask(name, body)
    desk.work("searches")
    status, read = desk.get(f"result?cache_key={queued['cache_key']}")
    assert status == 200
    return read["data"]


def test_search_finds_what_is_said_and_marks_it(desk: Desk) -> None:
    found = answered(desk, "search", {"filters": EXTENDED | {"highlight": True}})
    assert [(row["contract_no"], row["matches"]) for row in found["data"]] == [("A-1", {"award_title": [[0, 6]]})]


def test_texts_are_plain_where_nothing_else_is_said(desk: Desk) -> None:
    plain = desk.ask("search", {"filters": {"keywords": EXTENDED["keywords"]}})
    extended = desk.ask("search", {"filters": EXTENDED})
    assert plain["warnings"] == extended["warnings"] == []
    assert plain["cache_key"] != extended["cache_key"]
    assert answered(desk, "search", {"filters": {"keywords": EXTENDED["keywords"]}})["data"] == []


def test_same_question_in_other_words_is_answered_from_the_cache(desk: Desk) -> None:
    answered(desk, "search", {"filters": EXTENDED})
    other = {"keywords": ['-"THE road" &&  "Repair" || ""'], "syntax": "extended"}
    assert desk.ask("search", {"filters": other})["status"] == "cached"


def test_charts_and_tables_are_of_what_is_said(desk: Desk) -> None:
    charts = answered(desk, "analytics", {"filters": EXTENDED})
    assert charts["data"]["summary"] == [{"count": 1, "total_value": 1000.5, "avg_value": 1000.5}]
    table = answered(desk, "analytics-paginated", {"filters": EXTENDED, "entity_type": "area"})
    assert [(group["label"], group["count"]) for group in table["data"]] == [("Manila", 1)]


def test_export_is_of_what_is_said(desk: Desk) -> None:
    written = desk.api.call("POST", f"{CONTRACTS}/chip-export", EXTENDED)
    assert written.status == 200
    assert [line for line in ("A-1", "A-2", "A-3") if line in str(written.body)] == ["A-1"]
    queued = desk.ask("export", {"filters": EXTENDED})
    desk.work("batch")
    assert desk.get(f"status?task_id={queued['task_id']}")[1]["result"]["row_count"] == 1


def test_facets_and_harvest_are_of_what_is_said(desk: Desk) -> None:
    facets = document(desk.api.call("POST", f"{CONTRACTS}/facets", EXTENDED))
    assert [(each["value"], each["count"]) for each in facets["data"]["areas"]] == [("Manila", 1)]
    page = document(desk.api.call("POST", f"{CONTRACTS}/harvest", EXTENDED))
    assert [row["contract_no"] for row in page["data"]] == ["A-1"]


def test_what_was_to_be_found_has_suggestions_and_what_was_left_out_has_none(desk: Desk) -> None:
    asked = {"keywords": ['"bridqe" && -papr'], "contractors": ["acne builders || -zzz && acme"], "syntax": "extended"}
    found = document(desk.api.call("POST", f"{CONTRACTS}/chip-search", asked))
    assert [(each["field"], each["text"], each["instead"]) for each in found["did_you_mean"]] == [
        ("keywords", "bridqe", ["bridge"]),
        ("contractors", "acne builders", ["Acme Builders"]),
    ]


@pytest.mark.parametrize(
    ("filters", "instead"),
    [
        ({"keywords": ['"bridg" || "the"']}, ["bridge"]),
        ({"contractors": ['"acm"']}, ["Acme Builders"]),
        ({"contractors": ['"acme" && -"builders"']}, []),
        ({"keywords": ['"of the" && -repair']}, []),
    ],
)
def test_phrase_that_stands_only_within_words_has_suggestions(
    desk: Desk, filters: dict[str, object], instead: list[str]
) -> None:
    asked = {**filters, "syntax": "extended", "value_range": {"max": 0}}
    found = document(desk.api.call("POST", f"{CONTRACTS}/chip-search", asked))
    assert [name for each in found["did_you_mean"] for name in each["instead"]] == instead


def test_saved_search_keeps_its_syntax(database: Database) -> None:
    ann = desks.desk(database, "Ann")
    saved = desks.expect(ann.call("POST", SAVED, {"name": "Bridges", "filters": EXTENDED}), 201)
    assert saved["filters"] == EXTENDED
    assert ann.get(f"{SAVED}/{saved['id']}")["filters"] == EXTENDED
    refused = document(
        ann.call("POST", SAVED, {"name": "Roads", "filters": {"areas": ["-road"], "syntax": "extended"}})
    )
    assert [(error["pointer"], error["detail"]) for error in refused["errors"]] == [("/filters/areas/0", DETAIL)]


@pytest.mark.parametrize(
    ("path", "within"),
    [
        *((f"/api/v1/data-processing/tasks/{name}", "filters") for name in ("search", "analytics", "export")),
        ("/api/v1/data-processing/tasks/analytics-paginated", "filters"),
        *((f"{CONTRACTS}/{name}", "") for name in ("chip-search", "chip-aggregates", "chip-export", "facets")),
        (f"{CONTRACTS}/harvest", ""),
        ("/api/v1/data-processing/benfords-law", ""),
        ("/api/v1/data-processing/supplier-concentration", ""),
    ],
)
def test_item_that_only_leaves_out_is_refused_where_it_stands(desk: Desk, path: str, within: str) -> None:
    filters = {"areas": ["cebu", "-road"], "syntax": "extended"}
    answer = desk.api.call("POST", path, {within: filters} if within else filters)
    errors = [(error["pointer"], error["detail"]) for error in document(answer)["errors"]]
    assert (answer.status, errors) == (400, [(f"{'/' if within else ''}{within}/areas/1", DETAIL)])


def test_syntax_that_there_is_not_is_refused(desk: Desk) -> None:
    refused = desk.ask("search", {"filters": {"keywords": ["a"], "syntax": "regex"}})
    assert (refused["status"], [error["pointer"] for error in refused["errors"]]) == (400, ["/filters/syntax"])

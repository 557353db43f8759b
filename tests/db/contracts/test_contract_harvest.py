"""A harvest over HTTP: it stays with its data set, and takes no cursor but its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.search.filters import Filters
from chalicelib.search.harvest import Cursor, fingerprint, write_cursor
from tests.api.calls import details, document
from tests.db.contracts.desk import THREE, Desk
from tests.db.contracts.loading import begin

HARVEST = "/api/v1/contracts/harvest"


@pytest.fixture(scope="module")
def desk(module_dsn: str) -> Iterator[Desk]:
    """A portal whose contracts tests only read."""
    desk = Desk(module_dsn)
    assert desk.import_text(THREE)["state"] == "SUCCESS"
    yield desk
    desk.api.runtime.database.close()


def post(desk: Desk, body: object) -> Any:  # a JSON object
    answer = desk.api.call("POST", HARVEST, body)
    assert answer.status == 200, document(answer)
    return document(answer)


def test_harvest_stays_with_the_data_set_that_it_began_with_while_that_is_kept(dsn: str) -> None:
    desk = Desk(dsn)
    desk.import_text(THREE)
    question = {"keywords": ["repair"], "page_size": 1}
    first = post(desk, question)
    assert (first["total_count"], first["dataset_version"]) == (2, 1)
    desk.import_text(THREE.replace("Repair", "Building"))
    # The cursor of the second page goes on as if nothing had happened, though the filters now fit no award.
    second = post(desk, {**question, "keywords": [" REPAIR "], "cursor": first["next_cursor"]})
    assert [each["contract_no"] for page in (first, second) for each in page["data"]] == ["A-1", "A-3"]
    assert (second["total_count"], second["dataset_version"], second["next_cursor"]) == (2, 1, None)
    assert post(desk, question)["data"] == []
    desk.import_text(THREE)
    gone = desk.api.call("POST", HARVEST, {**question, "cursor": first["next_cursor"]})
    assert (gone.status, document(gone)["detail"]) == (410, "data set 1 is not there: begin again, without a cursor")
    desk.api.runtime.database.close()


def test_cursor_of_a_data_set_that_is_being_loaded_is_gone(dsn: str) -> None:
    desk = Desk(dsn)
    desk.import_text(THREE)
    forged = write_cursor(Cursor(begin(dsn), 0, 3, fingerprint(Filters())))
    assert desk.api.call("POST", HARVEST, {"cursor": forged}).status == 410
    desk.api.runtime.database.close()


@pytest.mark.parametrize(
    ("cursor", "detail"),
    [
        ("WzFd", "must be the next_cursor of a page, got 'WzFd'"),
        ("", "must have at least 1 characters, got 0"),
        (7, "must be a text, got 7"),
    ],
)
def test_wrong_cursor_is_refused_where_it_stands(desk: Desk, cursor: object, detail: str) -> None:
    answer = desk.api.call("POST", HARVEST, {"cursor": cursor})
    assert (answer.status, details(answer)) == (400, [("/cursor", detail)])


def test_cursor_of_other_filters_is_refused_where_it_stands(desk: Desk) -> None:
    cursor = post(desk, {"page_size": 1})["next_cursor"]
    answer = desk.api.call("POST", HARVEST, {"areas": ["cebu"], "cursor": cursor})
    detail = "belongs to other filters: send it with those of the first page"
    assert (answer.status, details(answer)) == (400, [("/cursor", detail)])

"""Questions about contracts as the portal's clients ask them: submit, look, read; on a real Postgres."""

from __future__ import annotations

import msgspec
import pytest

from tests.api.calls import document
from tests.api.test_tasks import bearer
from tests.db.contracts.desk import TASKS, THREE, Desk
from tests.doubles import FIRST_ID

REPAIRS = {"filters": {"keywords": ["repair"]}}


def test_search_is_queued_looked_at_and_read(desk: Desk) -> None:
    queued = desk.ask("search", REPAIRS)
    assert (queued["status"], queued["warnings"]) == ("queued", [])
    status, task = desk.get(f"status?task_id={queued['task_id']}")
    assert (status, task["state"], task["ready"], task["successful"]) == (200, "PENDING", False, None)
    assert desk.get(f"result?cache_key={queued['cache_key']}")[0] == 202
    desk.work("searches")
    status, task = desk.get(f"status?task_id={queued['task_id']}")
    assert (task["state"], task["progress"], task["error"]) == ("SUCCESS", 100, None)
    assert task["cache_key"] == task["meta"]["cache_key"] == queued["cache_key"]
    assert task["meta"]["progress"] == 100
    assert task["result"] == {
        "status": "completed",
        "cache_key": queued["cache_key"],
        "record_count": 2,
        "total_count": 2,
    }
    status, read = desk.get(f"result?cache_key={task['cache_key']}")
    assert (status, read["status"]) == (200, "success")
    assert read["data"]["success"] is True
    assert read["data"]["results"] == read["data"]["data"]
    assert read["data"]["data"][0] == {
        "id": 2,
        "reference_id": "A-1",
        "contract_no": "A-1",
        "award_title": "Repair of the bridge",
        "notice_title": None,
        "award_date": "2024-03-01",
        "awardee_name": "Acme Builders",
        "organization_name": "City of Manila",
        "area_of_delivery": "Manila",
        "business_category": "Construction",
        "contract_amount": 1000.5,
        "award_amount": 1000.5,
        "award_status": "active",
        "created_at": "2023-01-01",
    }
    assert read["data"]["pagination"] == {
        "page": 1,
        "page_size": 20,
        "total_count": 2,
        "total_pages": 1,
        "has_next": False,
        "has_previous": False,
    }


def test_same_question_in_other_words_is_answered_from_the_cache_until_the_next_import(desk: Desk) -> None:
    first = desk.ask("search", REPAIRS)
    desk.work("searches")
    again = desk.ask("search", {"filters": {"keywords": [" REPAIR ", "repair"], "areas": [], "page": 1}})
    assert (again["status"], again["cache_key"]) == ("cached", first["cache_key"])
    assert again["data"]["pagination"]["total_count"] == 2
    desk.import_text(THREE.replace("Repair", "Building"))
    newest = desk.ask("search", REPAIRS)
    assert newest["status"] == "queued"
    assert newest["cache_key"] != first["cache_key"]
    desk.work("searches")
    assert desk.get(f"result?cache_key={newest['cache_key']}")[1]["data"]["data"] == []


def test_answer_too_large_for_one_is_linked_to_for_whoever_may_ask(desk: Desk) -> None:
    queued = desk.ask("search", REPAIRS, authorization=bearer("7"))
    lifecycle = desk.api.runtime.engine.lifecycle
    lifecycle.succeed(lifecycle.claim(queued["task_id"]), b"x" * (4 * 2**20 + 1))
    answer = desk.api.call("GET", f"{TASKS}/result?cache_key={queued['cache_key']}")
    name = f"contract_search-{queued['task_id']}.json"
    assert (answer.status, answer.headers["Location"]) == (303, f"memory:{queued['task_id']}/{name}")


@pytest.mark.parametrize("name", ["analytics", "aggregates"])
def test_charts_are_of_the_awards_that_fit(desk: Desk, name: str) -> None:
    queued = desk.ask(name, REPAIRS)
    desk.work("searches")
    data = desk.get(f"result?cache_key={queued['cache_key']}")[1]["data"]["data"]
    assert data["summary"] == [{"count": 2, "total_value": 4000.5, "avg_value": 2000.25}]
    assert data["by_year"] == [
        {"year": 2023, "total_value": 3000.0, "count": 1},
        {"year": 2024, "total_value": 1000.5, "count": 1},
    ]
    assert data["by_contractor"] == [{"label": "Acme Builders", "total_value": 4000.5, "count": 2}]
    result = desk.get(f"status?task_id={queued['task_id']}")[1]["result"]
    assert (result["top_contractors_count"], result["top_organizations_count"]) == (1, 2)


def test_table_is_of_what_the_body_names(desk: Desk) -> None:
    body = {"filters": {}, "entity_type": "organization", "page": 2, "page_size": 1}
    queued = desk.ask("analytics-paginated", body)
    desk.work("searches")
    read = desk.get(f"result?cache_key={queued['cache_key']}")[1]["data"]
    assert read["data"] == [{"label": "City of Manila", "total_value": 1200.5, "count": 2, "avg_value": 600.25}]
    assert read["pagination"] == {
        "current_page": 2,
        "page_size": 1,
        "total_count": 2,
        "total_pages": 2,
        "has_next": False,
        "has_previous": True,
    }
    assert desk.get(f"status?task_id={queued['task_id']}")[1]["result"]["entity_count"] == 1


def test_body_as_a_browser_sends_it_is_read(desk: Desk) -> None:
    body = msgspec.json.encode(REPAIRS)
    answer = desk.api.call("POST", f"{TASKS}/search", body, content_type="text/plain;charset=UTF-8")
    assert answer.status == 202


@pytest.mark.parametrize(
    ("filters", "pointer"),
    [
        ({"page_size": 1001}, "/filters/page_size"),
        ({"sort_by": "1; DROP TABLE fact"}, "/filters/sort_by"),
        ({"time_ranges": [{"type": "yearly"}]}, "/filters/time_ranges/0/year"),
        ({"value_range": {"min": 2, "max": 1}}, "/filters/value_range/max"),
        ({"value_range": {"min": "1 OR 1=1"}}, "/filters/value_range/min"),
    ],
)
def test_bad_filter_is_refused_where_it_stands(desk: Desk, filters: object, pointer: str) -> None:
    refused = desk.ask("search", {"filters": filters})
    assert (refused["status"], [error["pointer"] for error in refused["errors"]]) == (400, [pointer])


@pytest.mark.parametrize("path", ["status?task_id=nothing", "result?cache_key=contract_search:00"])
def test_what_is_not_there_is_not_found(desk: Desk, path: str) -> None:
    assert desk.get(path)[0] == 404


@pytest.mark.parametrize(("path", "name"), [("status", "task_id"), ("result", "cache_key")])
def test_name_that_is_missing_is_asked_for(desk: Desk, path: str, name: str) -> None:
    status, refused = desk.get(path)
    assert (status, refused["errors"][0]["detail"]) == (400, f"{name} is required, as in ?{name}=...")


def test_task_of_an_account_is_its_own_and_its_answer_everybodys(desk: Desk) -> None:
    queued = desk.ask("search", REPAIRS, authorization=bearer("7"))
    path = f"status?task_id={queued['task_id']}"
    assert [desk.get(path, authorization=bearer("7"))[0], desk.get(path, authorization=bearer("8"))[0]] == [200, 404]
    refused = desk.api.call("POST", f"{TASKS}/cancel", {"task_id": queued["task_id"]}, authorization=bearer("8"))
    assert refused.status == 404
    desk.work("searches")
    assert desk.get(f"result?cache_key={queued['cache_key']}")[0] == 200


def test_cancelled_search_is_not_run(desk: Desk) -> None:
    queued = desk.ask("search", REPAIRS)
    answer = desk.api.call("POST", f"{TASKS}/cancel", {"task_id": queued["task_id"]})
    assert (answer.status, document(answer)["status"]) == (200, "cancelled")
    desk.work("searches")
    assert desk.get(f"status?task_id={queued['task_id']}")[1]["state"] == "REVOKED"


def test_others_still_get_the_answer_of_a_cancelled_search(desk: Desk) -> None:
    first, second = desk.ask("search", REPAIRS), desk.ask("search", REPAIRS)
    desk.api.call("POST", f"{TASKS}/cancel", {"task_id": first["task_id"]})
    desk.work("searches")
    states = [desk.get(f"status?task_id={task['task_id']}")[1]["state"] for task in (first, second)]
    assert states == ["REVOKED", "SUCCESS"]
    status, read = desk.get(f"result?cache_key={second['cache_key']}")
    assert (status, read["data"]["pagination"]["total_count"]) == (200, 2)


def test_own_tasks_that_have_not_ended_are_listed(desk: Desk) -> None:
    mine = bearer("7")
    queued = desk.ask("search", REPAIRS, authorization=mine)
    desk.ask("search", {"filters": {"areas": ["cebu"]}})
    _, listed = desk.get("active", authorization=mine)
    assert [task["task_id"] for task in listed["reserved"]["sluice"]] == [queued["task_id"]]
    assert (listed["total_active"], listed["total_scheduled"], listed["total_reserved"]) == (0, 0, 1)
    assert desk.get("active")[1]["total_reserved"] == 0
    desk.work("searches")
    assert desk.get("active", authorization=mine)[1]["total_reserved"] == 0


def test_search_in_line_answers_with_the_page(desk: Desk) -> None:
    body = {"keywords": ["repair"], "sortBy": "contract_amount", "sortDirection": "asc", "page_size": 1}
    answer = desk.api.call("POST", "/api/v1/contracts/chip-search", body)
    found = document(answer)
    assert answer.status == 200
    assert [row["contract_no"] for row in found["data"]] == ["A-1"]
    assert (found["pagination"]["total_count"], found["pagination"]["total_pages"]) == (2, 2)


def test_search_in_line_is_answered_from_the_cache_of_the_tasks_until_the_next_import(desk: Desk) -> None:
    def ask() -> tuple[str, int]:
        answer = desk.api.call("POST", "/api/v1/contracts/chip-search", {"keywords": ["repair"]})
        return answer.headers["X-Cache-Status"], document(answer)["pagination"]["total_count"]

    assert ask() == ("MISS", 2)
    desk.ask("search", REPAIRS)
    desk.work("searches")
    assert ask() == ("HIT", 2)
    desk.import_text(THREE.replace("Repair", "Building"))
    assert ask() == ("MISS", 0)


def test_page_behind_the_last_one_has_the_true_total(desk: Desk) -> None:
    answer = desk.api.call("POST", "/api/v1/contracts/chip-search", {"page": 9})
    found = document(answer)
    assert (found["data"], found["pagination"]["total_count"]) == ([], 3)


def test_table_in_line_takes_the_words_of_the_charts(desk: Desk) -> None:
    body = {"dimension": "by_area", "sort_by": "count", "sort_direction": "asc"}
    answer = desk.api.call("POST", "/api/v1/contracts/chip-aggregates-paginated", body)
    assert [row["label"] for row in document(answer)["data"]] == ["Cebu", "Manila"]


def test_charts_in_line_have_as_many_names_as_are_wanted(desk: Desk) -> None:
    answer = desk.api.call("POST", "/api/v1/contracts/chip-aggregates", {"topN": 1})
    assert [row["label"] for row in document(answer)["data"]["by_area"]] == ["Cebu"]


def test_amounts_are_spread_over_bins(desk: Desk) -> None:
    answer = desk.api.call("POST", "/api/v1/contracts/value-distribution", {"keywords": ["repair"], "num_bins": 10})
    spread = document(answer)
    assert (spread["min_value"], spread["max_value"], spread["num_bins"]) == (1000.5, 3000.0, 10)
    assert {number: each["count"] for number, each in spread["bins"].items()} == {"1": 1, "10": 1}


def test_first_digits_and_rounding_are_of_the_awards_that_fit(desk: Desk) -> None:
    digits = document(desk.api.call("POST", "/api/v1/data-processing/benfords-law", {"keywords": ["repair"]}))
    assert {each["digit"]: each["count"] for each in digits["analysis"] if each["count"]} == {1: 1, 3: 1}
    rounding = document(desk.api.call("POST", "/api/v1/data-processing/rounding-patterns", {"keywords": ["repair"]}))
    assert {each["bucket"]: each["count"] for each in rounding["rounding_buckets"] if each["count"]} == {
        "1K": 1,
        "No rounding": 1,
    }


def test_places_of_what_was_looked_for_are_told_where_that_is_asked_for(desk: Desk) -> None:
    body = {"keywords": ["repair && ROAD"], "areas": ["cebu"], "highlight": True}
    answer = document(desk.api.call("POST", "/api/v1/contracts/chip-search", body))
    assert [row["matches"] for row in answer["data"]] == [
        {"award_title": [[0, 6], [14, 18]], "area_of_delivery": [[0, 4]]}
    ]
    plain = document(desk.api.call("POST", "/api/v1/contracts/chip-search", body | {"highlight": False}))
    assert ["matches" in row for row in plain["data"]] == [False]


def test_releases_are_read_package_by_package_until_there_is_no_next_one(desk: Desk) -> None:
    titles, path = [], "/api/v1/ocds/releases?page_size=2"
    for _ in range(2):
        answer = desk.api.call("GET", path)
        assert answer.status == 200
        package = document(answer)
        titles += [release["awards"][0]["title"] for release in package["releases"]]
        path = package["links"].get("next", "")
    assert (titles, path) == (["Supply of paper", "Repair of the bridge", "Repair of the road"], "")


def test_releases_behind_a_wrong_cursor_are_refused(desk: Desk) -> None:
    answer = desk.api.call("GET", "/api/v1/ocds/releases?cursor=nonsense")
    assert (answer.status, "cursor" in document(answer)["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("filters", "suggestions"),
    [
        ({"keywords": ["repiar && the"]}, [{"field": "keywords", "text": "repiar", "instead": ["repair"]}]),
        ({"keywords": ["Bridgge of"]}, [{"field": "keywords", "text": "bridgge of", "instead": ["bridge of"]}]),
        (
            {"contractors": ["acme bilders"]},
            [{"field": "contractors", "text": "acme bilders", "instead": ["Acme Builders"]}],
        ),
        # What fits by itself, though not together with the rest, needs no other text.
        ({"contractors": ["acme"], "keywords": ["paper"]}, []),
        ({"areas": ["qqqq"]}, []),
        ({"keywords": ["%_\\"]}, []),
    ],
)
def test_text_that_fits_nothing_is_answered_with_what_is_like_it(
    desk: Desk, filters: object, suggestions: object
) -> None:
    answer = document(desk.api.call("POST", "/api/v1/contracts/chip-search", filters))
    assert (answer["pagination"]["total_count"], answer["did_you_mean"]) == (0, suggestions)


def test_search_that_finds_something_suggests_nothing(desk: Desk) -> None:
    answer = document(desk.api.call("POST", "/api/v1/contracts/chip-search", {"keywords": ["repair", "repiar"]}))
    assert (answer["pagination"]["total_count"], answer["did_you_mean"]) == (2, [])


def test_suppliers_are_told_by_what_they_got(desk: Desk) -> None:
    answer = desk.api.call("POST", "/api/v1/data-processing/supplier-concentration", {"organizations": ["manila"]})
    found = document(answer)
    # 1000.50 and 200 of 1200.50: 83.34 % and 16.66 %.
    assert (found["supplier_count"], found["largest_share"], found["band"]) == (2, 83.34, "high")
    assert found["hhi"] == pytest.approx(100**2 * (1000.5**2 + 200**2) / 1200.5**2, abs=0.05)
    assert [each["label"] for each in found["suppliers"]] == ["Acme Builders", "Paper & Co"]


def test_awards_near_thresholds_are_told(desk: Desk) -> None:
    body = {"thresholds": [1050, 3000], "window": 5}
    found = document(desk.api.call("POST", "/api/v1/data-processing/threshold-bunching", body))
    # 1000.50 lies within 5 % of 1050, which are 52.50.
    assert [(each["below"], each["at"], each["above"]) for each in found["thresholds"]] == [(1, 0, 0), (0, 1, 0)]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("contracts/value-distribution", {"num_bins": 9}, "/num_bins"),
        ("data-processing/benfords-law", {"time_ranges": [{"type": "yearly"}]}, "/time_ranges/0/year"),
        ("data-processing/rounding-patterns", {"areas": "manila"}, "/areas"),
        ("data-processing/supplier-concentration", {"top": 0}, "/top"),
        ("data-processing/threshold-bunching", {"thresholds": []}, "/thresholds"),
        ("data-processing/threshold-bunching", {"thresholds": [5, 0.5]}, "/thresholds/1"),
    ],
)
def test_bad_question_about_amounts_is_refused_where_it_stands(
    desk: Desk, path: str, body: object, pointer: str
) -> None:
    answer = desk.api.call("POST", f"/api/v1/{path}", body)
    assert (answer.status, [error["pointer"] for error in document(answer)["errors"]]) == (400, [pointer])


def test_search_needs_an_account_unless_the_stage_is_open(dsn: str) -> None:
    closed = Desk(dsn, public_search=False)
    assert closed.ask("search", REPAIRS)["status"] == 401
    assert closed.get("result?cache_key=contract_search:00")[0] == 401
    assert closed.ask("search", REPAIRS, authorization=bearer("7"))["status"] == "queued"


def test_question_before_the_first_import_fails_with_what_to_do(dsn: str) -> None:
    empty = Desk(dsn)
    empty.ask("search", REPAIRS)
    empty.work("searches")
    task = empty.get(f"status?task_id={FIRST_ID}")[1]
    assert (task["state"], task["error"]) == (
        "FAILURE",
        "no contracts have been imported yet: POST /api/v1/contracts/imports does",
    )
    assert task["meta"]["error"] == task["error"]

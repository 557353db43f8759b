"""Lists, drill-downs, facets and harvests over HTTP, answered in line from a real Postgres."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from localstack.run import LocalStack
from tests.api.calls import details, document
from tests.api.published import broken, component, published
from tests.api.test_tasks import bearer
from tests.db.conftest import new_database
from tests.db.contracts.desk import THREE, Desk

CONTRACTS, PROCESSING, ENTITIES = "/api/v1/contracts", "/api/v1/data-processing", "/api/v1/entities"
ACME = hashlib.md5(b"Acme Builders").hexdigest()
NOT_YET = "no contracts have been imported yet: POST /api/v1/contracts/imports does"
MANILA = {
    "entity": "City of Manila",
    "contract_count": 2,
    "total_contract_value": 1200.5,
    "average_contract_value": 600.25,
    "first_contract_date": "2024-03-01",
    "last_contract_date": "2024-05-01",
}
KINDS = '"areas", "business_categories", "contractors", "organizations"'
DIMENSIONS = '"area", "category", "contractor", "organization"'
# One call of each route.
CALLS: list[tuple[str, str, str, object]] = [
    ("GET", f"{CONTRACTS}/filter-options", "", None),
    ("GET", f"{CONTRACTS}/contractors", "", None),
    ("GET", f"{CONTRACTS}/organizations", "", None),
    ("GET", f"{CONTRACTS}/business-categories", "", None),
    ("GET", f"{CONTRACTS}/areas-of-delivery", "", None),
    ("POST", f"{CONTRACTS}/facets", "", {}),
    ("POST", f"{CONTRACTS}/harvest", "", {}),
    ("GET", f"{PROCESSING}/query-entities", "?entity_type=area", None),
    (
        "GET",
        f"{PROCESSING}/query-related-entities",
        "?source_dim=area&source_value=Cebu&target_dim=category",
        None,
    ),
    ("POST", f"{PROCESSING}/query-contracts-by-entity", "", {"filters": []}),
    ("GET", f"{PROCESSING}/available-time-ranges", "", None),
    ("GET", f"{ENTITIES}/contractor/{ACME}", "", None),
]


@pytest.fixture(scope="module")
def desk(module_dsn: str) -> Iterator[Desk]:
    """A portal whose contracts tests only read."""
    desk = Desk(module_dsn)
    assert desk.import_text(THREE)["state"] == "SUCCESS"
    yield desk
    desk.api.runtime.database.close()


@pytest.fixture(scope="module")
def empty_dsn(stack: LocalStack) -> Iterator[str]:
    with new_database(stack) as dsn:
        yield dsn


def get(desk: Desk, path: str) -> Any:  # a JSON value
    answer = desk.api.call("GET", path)
    assert answer.status == 200, document(answer)
    return document(answer)


def post(desk: Desk, path: str, body: object) -> Any:  # a JSON value
    answer = desk.api.call("POST", path, body)
    assert answer.status == 200, document(answer)
    return document(answer)


@pytest.mark.parametrize(("method", "path", "query", "body"), CALLS)
def test_answer_is_as_published(desk: Desk, method: str, path: str, query: str, body: object) -> None:
    openapi = published(desk.api)
    described = f"{ENTITIES}/{{kind}}/{{entity_id}}" if path.startswith(ENTITIES) else path
    reply = openapi["paths"][described][method.lower()]["responses"]["200"]
    answer = desk.api.call(method, path + query, body)
    found = document(answer)
    if isinstance(found, list):
        assert reply["content"]["application/json"]["schema"]["type"] == "array"
        assert [broken(openapi, "EntityRow", row) for row in found] == [[]] * len(found)
    else:
        assert broken(openapi, component(openapi, reply)[0], found) == []


@pytest.mark.parametrize(("method", "path", "query", "body"), CALLS)
def test_question_needs_an_account_unless_the_stage_is_open(
    desk: Desk, module_dsn: str, method: str, path: str, query: str, body: object
) -> None:
    closed = Desk(module_dsn, public_search=False)
    assert closed.api.call(method, path + query, body).status == 401
    assert closed.api.call(method, path + query, body, authorization=bearer("7")).status == 200
    closed.api.runtime.database.close()


@pytest.mark.parametrize(("method", "path", "query", "body"), CALLS)
def test_question_before_the_first_import_says_what_to_do(
    empty_dsn: str, method: str, path: str, query: str, body: object
) -> None:
    empty = Desk(empty_dsn)
    answer = empty.api.call(method, path + query, body)
    assert (answer.status, document(answer)["detail"]) == (404, NOT_YET)
    empty.api.runtime.database.close()


def test_filter_options_are_names_with_counts_and_years(desk: Desk) -> None:
    options = get(desk, f"{CONTRACTS}/filter-options")
    assert options["contractors"] == [
        {"id": ACME, "value": "Acme Builders", "count": 2, "total_value": 4000.5},
        {
            "id": hashlib.md5(b"Paper & Co").hexdigest(),
            "value": "Paper & Co",
            "count": 1,
            "total_value": 200.0,
        },
    ]
    assert [each["value"] for each in options["organizations"]] == ["City of Manila", "Cebu"]
    assert [each["value"] for each in options["areas"]] == ["Manila", "Cebu"]
    assert [each["value"] for each in options["business_categories"]] == ["Construction", "Office"]
    assert options["years"] == [{"year": 2023, "count": 1}, {"year": 2024, "count": 2}]
    assert options["pagination"]["areas"] == {
        "page": 1,
        "page_size": 100,
        "total_count": 2,
        "total_pages": 1,
        "has_next": False,
        "has_previous": False,
    }


def test_filter_options_of_a_kind_are_found_by_text_and_sorted_by_name(desk: Desk) -> None:
    options = get(desk, f"{CONTRACTS}/filter-options?kind=organizations&search=C&sort_by=name&page=2&page_size=1")
    assert [each["value"] for each in options["organizations"]] == ["City of Manila"]
    assert (options["contractors"], list(options["pagination"])) == ([], ["organizations"])
    assert options["pagination"]["organizations"]["total_count"] == 2


def test_list_of_names_leads_from_page_to_page(desk: Desk) -> None:
    first = get(desk, f"{CONTRACTS}/contractors?page_size=1&search=E")
    assert (first["count"], first["previous"]) == (2, None)
    path, _, query = first["next"].partition("?")
    assert (path, dict(parse_qsl(query))) == (
        f"{CONTRACTS}/contractors",
        {"page_size": "1", "search": "E", "page": "2"},
    )
    second = get(desk, first["next"])
    assert (second["next"], second["previous"]) == (None, f"{CONTRACTS}/contractors?page_size=1&search=E&page=1")
    assert [each["name"] for page in (first, second) for each in page["results"]] == ["Acme Builders", "Paper & Co"]
    behind = get(desk, f"{CONTRACTS}/contractors?page_size=1&page=9")
    assert (behind["count"], behind["results"], behind["next"]) == (2, [], None)
    assert behind["previous"] == f"{CONTRACTS}/contractors?page_size=1&page=2"


def test_list_of_names_is_found_by_whole_word(desk: Desk) -> None:
    assert [each["name"] for each in get(desk, f"{CONTRACTS}/organizations?word=of")["results"]] == ["City of Manila"]
    assert get(desk, f"{CONTRACTS}/organizations?word=manil")["results"] == []
    assert [each["name"] for each in get(desk, f"{CONTRACTS}/areas-of-delivery?search=ANI")["results"]] == ["Manila"]
    assert [each["name"] for each in get(desk, f"{CONTRACTS}/business-categories")["results"]] == [
        "Construction",
        "Office",
    ]


def test_entities_are_rows_of_six_fields_in_an_envelope(desk: Desk) -> None:
    page = get(desk, f"{PROCESSING}/query-entities?entity_type=organizations&sort_by=contract_count&page_size=1")
    assert page == {"rows": [MANILA], "totalCount": 2, "pageIndex": 0, "pageSize": 1, "totalPages": 2}
    behind = get(desk, f"{PROCESSING}/query-entities?entity_type=organization&page_index=7")
    assert behind == {"rows": [], "totalCount": 2, "pageIndex": 7, "pageSize": 10, "totalPages": 1}


@pytest.mark.parametrize(
    ("time", "names"),
    [
        ("all_time", ["Cebu", "City of Manila"]),
        ("yearly&year=2024", ["City of Manila"]),
        ("quarterly&year=2024&quarter=2", ["City of Manila"]),
        ("quarterly&year=2024&quarter=3", []),
        ("custom&start_date=2023-01-01&end_date=2023-12-31", ["Cebu"]),
    ],
)
def test_entities_are_those_of_the_time(desk: Desk, time: str, names: list[str]) -> None:
    page = get(desk, f"{PROCESSING}/query-entities?entity_type=organization&time_range={time}")
    assert [row["entity"] for row in page["rows"]] == names


def test_related_entities_are_a_bare_list(desk: Desk) -> None:
    query = "source_dim=category&source_value=Construction&target_dim=organization"
    found = get(desk, f"{PROCESSING}/query-related-entities?{query}")
    assert [(row["entity"], row["contract_count"], row["total_contract_value"]) for row in found] == [
        ("Cebu", 1, 3000.0),
        ("City of Manila", 1, 1000.5),
    ]
    assert get(desk, f"{PROCESSING}/query-related-entities?{query}&limit=1") == found[:1]
    assert get(desk, f"{PROCESSING}/query-related-entities?{query}&time_range=yearly&year=2024") == found[1:]
    assert get(desk, f"{PROCESSING}/query-related-entities?{query.replace('C', 'c')}") == []


def test_contracts_by_entity_are_asked_for_by_an_object_or_by_the_filters_alone(desk: Desk) -> None:
    path, filters = f"{PROCESSING}/query-contracts-by-entity", [{"dim": "contractor", "value": "Acme Builders"}]
    page = post(desk, path, filters)
    assert page["rows"][0] == {
        "award_date": "2024-03-01",
        "contractor_name": "Acme Builders",
        "business_category": "Construction",
        "organization_name": "City of Manila",
        "area_of_delivery": "Manila",
        "contract_value": 1000.5,
        "award_title": "Repair of the bridge",
        "notice_title": None,
        "contract_no": "A-1",
    }
    assert {name: page[name] for name in page if name != "rows"} == {
        "totalCount": 2,
        "pageIndex": 0,
        "pageSize": 20,
        "totalPages": 1,
    }
    second = {"filters": filters, "page_index": 1, "page_size": 1, "order_by": "contract_value DESC"}
    assert [row["contract_no"] for row in post(desk, path, second)["rows"]] == ["A-1"]
    year = {"filters": filters, "time_range": "yearly", "year": 2023}
    assert [row["contract_no"] for row in post(desk, path, year)["rows"]] == ["A-3"]


def test_available_times_are_years_and_quarters(desk: Desk) -> None:
    assert get(desk, f"{PROCESSING}/available-time-ranges") == {
        "all_time": True,
        "yearly": True,
        "quarterly": True,
        "years": [2023, 2024],
        "quarters": ["year_2023_q1", "year_2024_q1", "year_2024_q2"],
    }


def test_facets_show_what_a_second_item_would_add(desk: Desk) -> None:
    found = post(desk, f"{CONTRACTS}/facets", {"contractors": ["acme"], "size": 3})["data"]
    contractors = [(each["value"], each["count"], each["selected"]) for each in found["contractors"]]
    assert contractors == [("Acme Builders", 2, True), ("Paper & Co", 1, False)]
    assert [(each["value"], each["count"]) for each in found["business_categories"]] == [("Construction", 2)]
    assert found["years"] == [
        {"value": 2023, "count": 1, "total_value": 3000.0, "selected": False},
        {"value": 2024, "count": 1, "total_value": 1000.5, "selected": False},
    ]


def test_entity_is_described_with_its_partners_and_what_reads_alike(dsn: str) -> None:
    desk = Desk(dsn)
    desk.import_text(f"{THREE}A-4,,Fence,50,ACME  BUILDERS INC.,Cebu,,\n")
    entity = get(desk, f"{ENTITIES}/contractor/{ACME}")
    warning = entity.pop("warning")
    assert warning.startswith("For review, not a finding: names that differ in case, accents,")
    assert entity == {
        "kind": "contractor",
        "id": ACME,
        "name": "Acme Builders",
        "count": 2,
        "total_value": 4000.5,
        "avg_value": 2000.25,
        "first_date": "2023-01-01",
        "last_date": "2024-03-01",
        "by_year": [
            {"year": 2023, "count": 1, "total_value": 3000.0},
            {"year": 2024, "count": 1, "total_value": 1000.5},
        ],
        "partners": {
            "organization": {
                "count": 2,
                "largest": [row("Cebu", 1, 3000.0), row("City of Manila", 1, 1000.5)],
            },
            "area": {"count": 2, "largest": [row("Cebu", 1, 3000.0), row("Manila", 1, 1000.5)]},
            "category": {"count": 1, "largest": [row("Construction", 2, 4000.5)]},
        },
        "variant_count": 1,
        "variants": [row("ACME  BUILDERS INC.", 1, 50.0) | {"first_date": None, "last_date": None}],
        "dataset_version": 1,
    }
    # The id outlives the data set.
    desk.import_text(THREE.replace("A-3", "A-9"))
    again = get(desk, f"{ENTITIES}/contractor/{ACME}")
    assert (again["name"], again["dataset_version"], again["variants"], again["warning"]) == (
        "Acme Builders",
        2,
        [],
        None,
    )
    desk.api.runtime.database.close()


def row(name: str, count: int, total: float) -> dict[str, object]:
    return {"id": hashlib.md5(name.encode()).hexdigest(), "name": name, "count": count, "total_value": total}


@pytest.mark.parametrize("kind", ["contractors", "x"])
def test_kind_of_entity_that_there_is_not_is_not_found(desk: Desk, kind: str) -> None:
    answer = desk.api.call("GET", f"{ENTITIES}/{kind}/{ACME}")
    assert (answer.status, document(answer)["detail"]) == (
        404,
        f"there are no entities of the kind '{kind}'; the kinds are contractor, organization, area, category",
    )


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (
            f"{CONTRACTS}/filter-options?page=0&page_size=1001",
            ["page must be at least 1, got 0", "page_size must be at most 1000, got 1001"],
        ),
        (f"{CONTRACTS}/filter-options?kind=roads", [f'kind must be one of {KINDS}, got "roads"']),
        (f"{CONTRACTS}/contractors?page=two", ['page must be a whole number, got "two"']),
        (f"{CONTRACTS}/contractors?word=a\0", ["word must not contain U+0000 or half of a surrogate pair"]),
        (f"{CONTRACTS}/contractors?serach=x&strict=1", ['serach is not known; did you mean "search"?']),
        (f"{PROCESSING}/query-entities", ["entity_type is required"]),
        (f"{PROCESSING}/query-entities?entity_type=", ["entity_type is required"]),
        (f"{PROCESSING}/query-entities?entity_type=area&time_range=yearly", ["year is required for yearly"]),
        (
            f"{PROCESSING}/query-entities?entity_type=area&sort_dir=up",
            ['sort_dir must be one of "ASC", "DESC", "asc", "desc", got "up"'],
        ),
        (
            f"{PROCESSING}/query-entities?entity_type=area&include_flood_control=maybe",
            ['include_flood_control must be true or false, got "maybe"'],
        ),
        (
            f"{PROCESSING}/query-related-entities?source_dim=area",
            ["source_value is required", "target_dim is required"],
        ),
    ],
)
def test_wrong_parameter_is_named_with_its_bound(desk: Desk, path: str, wrong: list[str]) -> None:
    answer = desk.api.call("GET", path)
    assert (answer.status, details(answer)) == (400, [("", detail) for detail in wrong])


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ([{"dim": "area", "value": ""}], [("/0/value", "must have at least 1 characters, got 0")]),
        (
            {"filters": [{"dim": "area", "value": "x"}], "page_index": -1},
            [("/page_index", "must be at least 0, got -1")],
        ),
        ({"filters": [], "time_range": "quarterly", "year": 2024}, [("/quarter", "is required for quarterly")]),
        ({}, [("/filters", "is required")]),
        (
            [{"dim": "award_date) OR 1=1 --", "value": "x"}],
            [("/0/dim", f'must be one of {DIMENSIONS}, got "award_date) OR 1=1 --"')],
        ),
    ],
)
def test_wrong_question_for_contracts_is_refused_where_it_stands(
    desk: Desk, body: object, wrong: list[tuple[str, str]]
) -> None:
    answer = desk.api.call("POST", f"{PROCESSING}/query-contracts-by-entity", body)
    assert (answer.status, details(answer)) == (400, wrong)


def test_facets_have_a_bound(desk: Desk) -> None:
    answer = desk.api.call("POST", f"{CONTRACTS}/facets", {"size": 201})
    assert (answer.status, details(answer)) == (400, [("/size", "must be at most 200, got 201")])

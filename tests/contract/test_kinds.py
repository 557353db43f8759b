"""What every kind keeps, on every stage: read from the registry, so that a new kind is tested without an edit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from chalicelib import kinds
from chalicelib.accounts.tokens import issue_token
from chalicelib.api.http import Answer
from chalicelib.api.submission import saves
from chalicelib.errors import RequestError
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.submit import Asker
from chalicelib.jobs.submit import submit as submit_job
from chalicelib.jobs.worker import Worker
from chalicelib.model import Caller
from tests.api.calls import Api, details, document
from tests.api.published import broken, component, published
from tests.contract.bounds import Bound, bounds
from tests.doubles import SECRET, registry

STAGES = ("local", "prod")
NOW = 1_750_000_000


class Case(NamedTuple):
    """One kind as one stage offers it."""

    stage: str
    kind: AnyKind

    def __str__(self) -> str:
        return f"{self.stage}-{self.kind.name}"


ALL = [Case(stage, kind) for stage in STAGES for kind in kinds.registry(stage)]
# What can be asked of a kind over HTTP; kinds without a route have a test of their own below.
CASES = [case for case in ALL if case.kind.path]
every_kind = pytest.mark.parametrize("case", CASES, ids=str)
# Kinds that are nothing without a database and a file, and where they are run with both.
RUN_ELSEWHERE = {
    "migrate_sqlite": Path("tests/db/test_migrate_job.py"),
    "contracts_import": Path("tests/db/contracts/test_import_job.py"),
    "contract_search": Path("tests/db/contracts/test_contract_tasks.py"),
    "contract_analytics": Path("tests/db/contracts/test_contract_tasks.py"),
    "contract_table": Path("tests/db/contracts/test_contract_tasks.py"),
    "contract_export": Path("tests/db/contracts/test_export_job.py"),
    "events_upkeep": Path("tests/db/events/test_upkeep.py"),
    "event_statistics": Path("tests/db/events/test_spikes.py"),
    "event_batch": Path("tests/db/events/test_ingest.py"),
    "event_replay": Path("tests/db/events/test_replays.py"),
    "contracts_alerts": Path("tests/db/contracts/test_alerts_job.py"),
}
every_runnable_kind = pytest.mark.parametrize(
    "case", [case for case in CASES if case.kind.name not in RUN_ELSEWHERE], ids=str
)


def open_api(case: Case) -> Api:
    return Api(*kinds.registry(case.stage), stage=case.stage, mail_from="alerts@example.org")


@cache
def described(stage: str) -> Any:  # the OpenAPI document
    return published(Api(*kinds.registry(stage), stage=stage))


def operation(case: Case) -> Any:  # an OpenAPI operation
    return described(case.stage)["paths"][case.kind.path]["post"]


def example(case: Case) -> Any:  # the body that the document shows
    return operation(case)["requestBody"]["content"]["application/json"]["example"]


def call(api: Api, method: str, path: str, body: object = None) -> Answer:
    """With an account that may do everything, because some kinds need one."""
    return call_as("admin", api, method, path, body)


def call_as(role: str, api: Api, method: str, path: str, body: object = None) -> Answer:
    token = issue_token(Caller("7", role), secret=SECRET, now_s=NOW, ttl_s=60)
    return api.call(method, path, body, authorization=f"Bearer {token}")


def submit(api: Api, case: Case, body: object) -> str:
    """The path of the task of an accepted body."""
    answer = call(api, "POST", case.kind.path, body)
    assert answer.status == 202, document(answer)
    return answer.headers["Location"]


def work(api: Api, case: Case) -> None:
    """Settles what stands in the kind's queue."""
    worker = Worker(api.parts.serving(api.runtime), registry(case.kind), case.kind.queue)
    sent = api.parts.queues.sent[case.kind.queue]
    while sent:
        body = msgspec.json.encode(sent.popleft()).decode()
        worker.settle([Delivery(message_id="message-1", body=body, receipt="receipt-1")])


def test_kinds_that_are_run_elsewhere_are() -> None:
    assert {path for path in RUN_ELSEWHERE.values() if not path.exists()} == set()
    assert {case.kind.name for case in ALL} >= set(RUN_ELSEWHERE)


@every_kind
def test_kind_is_for_every_account_unless_it_declares_a_scope(case: Case) -> None:
    answer = call_as("student", open_api(case), "POST", case.kind.path, example(case))
    assert answer.status == (403 if case.kind.scope else 202), document(answer)


@pytest.mark.parametrize(
    "case", [case for case in ALL if not case.kind.path and case.kind.name not in RUN_ELSEWHERE], ids=str
)
def test_kind_without_a_route_is_submitted_by_nobody_and_run_all_the_same(case: Case) -> None:
    api, kind = open_api(case), case.kind
    names = {operation["operationId"] for methods in described(case.stage)["paths"].values() for operation in methods.values()}  # fmt: skip  # noqa: E501
    assert names & {f"submit_{kind.name}", f"run_{kind.name}"} == set()
    assert kind.request.__name__ not in described(case.stage)["components"]["schemas"]
    job = submit_job(api.runtime.engine, kind, kind.example, Asker(owner="7")).job
    work(api, case)
    task = document(call(api, "GET", f"/api/tasks/{job.id}"))
    assert task["state"] == "SUCCESS", task
    assert set(task["result"]) == set(kind.result.__struct_fields__) | {"task_id", "completed_at"}


@every_runnable_kind
def test_example_is_accepted_run_and_answered_with_the_published_result(case: Case) -> None:
    api, openapi = open_api(case), described(case.stage)
    accepted = call(api, "POST", case.kind.path, example(case))
    assert (accepted.status, broken(openapi, "Accepted", document(accepted))) == (202, [])
    path = accepted.headers["Location"]
    work(api, case)
    task = document(call(api, "GET", path))
    assert task["state"] == "SUCCESS", task
    assert broken(openapi, "Task", task) == []
    added = {name: task["result"].pop(name) for name in ("task_id", "completed_at")}
    assert added == {"task_id": task["task_id"], "completed_at": task["updated_at"]}
    assert broken(openapi, result_of(case), task["result"]) == []


def result_of(case: Case) -> str:
    """The name of the component with the kind's result, found by its fields."""
    names: list[str] = [one["$ref"].rpartition("/")[2] for one in task_schema(case)["properties"]["result"]["anyOf"]]
    fields = {field.encode_name for field in msgspec.structs.fields(case.kind.result)}
    schemas = described(case.stage)["components"]["schemas"]
    return next(name for name in names if set(schemas[name]["properties"]) == fields)


def task_schema(case: Case) -> Any:  # a JSON Schema
    return described(case.stage)["components"]["schemas"]["Task"]


@every_kind
def test_example_is_as_published(case: Case) -> None:
    name, _ = component(described(case.stage), operation(case)["requestBody"])
    assert broken(described(case.stage), name, example(case)) == []


@every_kind
def test_example_says_what_the_declaration_says(case: Case) -> None:
    assert msgspec.convert(example(case), case.kind.request) == case.kind.example


class BoundCase(NamedTuple):
    """One bound of one kind."""

    case: Case
    bound: Bound

    def __str__(self) -> str:
        return f"{self.case}-{self.bound.pointer}-{self.bound.keyword}"


def every_bound() -> Iterator[BoundCase]:
    for case in CASES:
        openapi = described(case.stage)
        _, schema = component(openapi, operation(case)["requestBody"])
        for bound in bounds(schema, openapi["components"]["schemas"], example(case)):
            yield BoundCase(case, bound)


# Sorted, because the tests of one run must come in one order before they are shuffled.
BOUNDS = sorted(every_bound(), key=str)


@pytest.mark.parametrize("one", BOUNDS, ids=str)
def test_value_just_outside_a_bound_is_refused_where_it_stands(one: BoundCase) -> None:
    answer = call(open_api(one.case), "POST", one.case.kind.path, one.bound.outside)
    assert answer.status == 400
    assert [pointer for pointer, _ in details(answer)] == [one.bound.pointer]


@pytest.mark.parametrize("one", BOUNDS, ids=str)
def test_value_at_a_bound_is_accepted_unless_a_rule_beyond_the_schema_excludes_it(one: BoundCase) -> None:
    answer = call(open_api(one.case), "POST", one.case.kind.path, one.bound.within)
    assert answer.status == expected_status(one.case.kind, one.bound.within), document(answer)


def expected_status(kind: AnyKind, body: object) -> int:
    """What the kind's own rules make of a body that its schema allows."""
    request = msgspec.convert(body, kind.request)
    if kind.check(request):
        return 400
    try:
        if kind.weigh is not None:
            kind.weigh(request, False)
    except RequestError as refused:
        return refused.status
    return 202


@every_kind
def test_unknown_field_is_refused_if_strict(case: Case) -> None:
    answer = call(open_api(case), "POST", f"{case.kind.path}?strict=1", {**example(case), "zzqq": 1})
    assert (answer.status, details(answer)) == (400, [("/zzqq", "is not known")])


@every_kind
def test_unknown_field_is_warned_of_or_refused_as_the_kind_declares(case: Case) -> None:
    answer = call(open_api(case), "POST", case.kind.path, {**example(case), "zzqq": 1})
    if case.kind.lenient:
        assert (answer.status, document(answer)["warnings"]) == (202, ["/zzqq is not known and was ignored"])
    else:
        assert (answer.status, details(answer)) == (400, [("/zzqq", "is not known")])


@every_kind
def test_job_cancelled_before_it_starts_is_revoked_and_not_run(case: Case) -> None:
    api, openapi = open_api(case), described(case.stage)
    path = submit(api, case, example(case))
    cancelled = call(api, "DELETE", path)
    assert (cancelled.status, broken(openapi, "CancelAnswer", document(cancelled))) == (200, [])
    work(api, case)
    task = document(call(api, "GET", path))
    assert (task["state"], task["attempt"], broken(openapi, "Task", task)) == ("REVOKED", 0, [])


@every_runnable_kind
def test_same_request_of_one_account_is_run_once_if_shared_and_twice_if_not(case: Case) -> None:
    api, cache = open_api(case), case.kind.cache
    is_shared = cache is not None and cache.canonical(case.kind.example) is not None
    paths = [submit(api, case, example(case)) for _ in range(2)]
    assert len(api.parts.queues.sent[case.kind.queue]) == (1 if is_shared else 2)
    work(api, case)
    first, second = (document(call(api, "GET", path)) for path in paths)
    assert (first["state"], second["state"]) == ("SUCCESS", "SUCCESS")
    assert first["task_id"] != second["task_id"]
    assert (first["cache_key"] is not None) == is_shared
    assert first["cache_key"] == second["cache_key"]


@every_kind
def test_routes_are_published_and_on_the_docs_page(case: Case) -> None:
    page = open_api(case).call("GET", "/docs").body
    assert isinstance(page, bytes)
    paths = described(case.stage)["paths"]
    for path, name in ((case.kind.path, f"submit_{case.kind.name}"), (case.kind.sync_path, f"run_{case.kind.name}")):
        if path:
            assert paths[path]["post"]["operationId"] == name
            assert f'<section id="{name}">' in page.decode()


@every_kind
def test_submit_publishes_its_answer_and_its_refusals(case: Case) -> None:
    responses = operation(case)["responses"]
    assert set(responses["202"]["headers"]) >= {"Location", "Retry-After"}
    assert component(described(case.stage), responses["202"])[0] == "Accepted"
    assert set(responses) >= {"202", "400", "401", "413", "415", "503"}


@pytest.mark.parametrize("case", [case for case in CASES if case.kind.sync_path], ids=str)
def test_route_in_line_publishes_the_result(case: Case) -> None:
    responses = described(case.stage)["paths"][case.kind.sync_path]["post"]["responses"]
    assert component(described(case.stage), responses["200"])[0] == result_of(case)


@pytest.mark.parametrize("case", [case for case in CASES if saves(case.kind)], ids=str)
def test_kind_that_saves_publishes_it_and_does_it_for_accounts_in_the_background_alone(case: Case) -> None:
    assert "save" in {param["name"] for param in operation(case)["parameters"]}
    fields = described(case.stage)["components"]["schemas"][result_of(case)]["properties"]
    assert {"forecast_id", "save_error"} <= set(fields)
    saved = f"{case.kind.path}?save=true"
    assert call(open_api(case), "POST", saved, example(case)).status == 202
    assert open_api(case).call("POST", saved, example(case)).status == 401
    if case.kind.sync_path:
        assert call(open_api(case), "POST", f"{case.kind.sync_path}?save=true", example(case)).status == 400


def test_every_stage_has_kinds_and_bounds_to_test() -> None:
    assert "alert_delivery" in {case.kind.name for case in ALL} - {case.kind.name for case in CASES}
    assert {case.stage for case in CASES} == set(STAGES)
    assert {one.case.stage for one in BOUNDS} == set(STAGES)

"""Limits by caller: what is counted for whom, what a client is told, and what is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib import kinds
from chalicelib.accounts.keys import ApiKey
from chalicelib.accounts.tokens import issue_token
from chalicelib.api.http import Answer
from chalicelib.api.route import Access
from chalicelib.api.routes import routes
from chalicelib.aws.memory_keys import MemoryKeys
from chalicelib.model import Caller
from chalicelib.settings import Settings, read_settings
from tests.api.calls import Api, document
from tests.api.published import broken, published
from tests.doubles import SECRET

NOW = 1_750_000_000
ECHO, BODY = "/api/async/echo", {"text": "hello"}
TASKS = "/api/tasks"


def bearer(user_id: str) -> str:
    return f"Bearer {issue_token(Caller(user_id, 'student'), secret=SECRET, now_s=NOW, ttl_s=3600)}"


def limited(**rates: int) -> Api:
    return Api(**{"rate_submit": 4, "rate_submit_anonymous": 2, "rate_read": 3} | rates)


def submit(api: Api, **headers: str) -> Answer:
    return api.call("POST", ECHO, BODY, **headers)


def told(answer: Answer) -> tuple[int, str | None, str | None]:
    return answer.status, answer.headers.get("RateLimit-Policy"), answer.headers.get("RateLimit")


def test_each_answer_says_what_the_limit_is_and_what_is_left_of_it() -> None:
    api = limited()
    policy = '"submit-anonymous";q=2;w=60'
    # Two a minute: the next one is there in 30 s.
    assert told(submit(api)) == (202, policy, '"submit-anonymous";r=1;t=30')
    assert told(submit(api)) == (202, policy, '"submit-anonymous";r=0;t=30')


def test_request_beyond_the_limit_is_429_and_does_nothing() -> None:
    api = limited()
    submit(api), submit(api)
    answer = submit(api)
    assert told(answer) == (429, '"submit-anonymous";q=2;w=60', '"submit-anonymous";r=0;t=30')
    assert (answer.content_type, answer.headers["Retry-After"]) == ("application/problem+json", "30")
    problem = document(answer)
    assert problem.pop("error") == problem["detail"]
    assert problem == {
        "type": "urn:sluice:problem:too-many-requests",
        "title": "Too many requests",
        "status": 429,
        "detail": "the limit submit-anonymous is 2 requests in 60 s from one network without credentials; "
        "try again in 30 s",
        "request_id": "request-1",
        "violated-policies": ["submit-anonymous"],
    }
    assert broken(published(api), "Problem", document(answer)) == []
    assert len(api.parts.queues.sent["simulations"]) == 2


def test_after_the_time_that_was_told_it_is_taken() -> None:
    api = limited()
    submit(api), submit(api)
    api.parts.clock.advance(int(submit(api).headers["Retry-After"]) - 1)
    assert submit(api).status == 429
    api.parts.clock.advance(int(submit(api).headers["Retry-After"]))
    assert submit(api).status == 202


def test_accounts_and_keys_and_networks_are_counted_apart() -> None:
    api = limited(rate_submit=2)
    key = document(api.call("POST", "/api/keys", {"name": "a", "scopes": ["jobs:write"]}, authorization=bearer("7")))
    callers = [{"authorization": bearer("7")}, {"authorization": bearer("8")}, {"x_api_key": key["key"]}, {}]
    # Making the key was one request of account 7.
    left = [submit(api, **caller).headers["RateLimit"].partition(";t=")[0] for caller in callers]
    assert left == ['"submit";r=0', '"submit";r=1', '"submit";r=1', '"submit-anonymous";r=1']
    api.client = "203.0.113.9"
    assert submit(api).headers["RateLimit"].startswith('"submit-anonymous";r=1;')


def test_addresses_of_one_ipv6_network_are_one_caller() -> None:
    api = limited()
    statuses = []
    for last in range(3):
        api.client = f"2001:db8:1:2::{last}"
        statuses.append(submit(api).status)
    api.client = "2001:db8:1:3::1"
    assert [*statuses, submit(api).status] == [202, 202, 429, 202]


def test_wrong_credentials_count_for_the_network_whatever_they_are() -> None:
    api = limited()
    answers = [submit(api, authorization=f"Bearer sk_{number}") for number in range(3)]
    assert [answer.status for answer in answers] == [401, 401, 429]
    assert answers[0].headers["RateLimit"].startswith('"submit-anonymous";r=1;')


def test_reads_have_a_limit_of_their_own_and_refusals_count() -> None:
    api = limited()
    answers = [api.call("GET", f"{TASKS}/nothing") for _ in range(4)]
    assert [answer.status for answer in answers] == [404, 404, 404, 429]
    assert told(answers[0])[1:] == ('"read";q=3;w=60', '"read";r=2;t=20')
    assert "RateLimit" in submit(api).headers


def test_credential_is_looked_up_once_though_the_limit_and_the_route_both_ask() -> None:
    class CountedKeys(MemoryKeys):
        asked = 0

        def find(self, key_id: str) -> ApiKey | None:
            self.asked += 1
            return super().find(key_id)

    api, keys = limited(), CountedKeys()
    api.runtime.__dict__["keys"] = keys
    made = document(api.call("POST", "/api/keys", {"name": "a", "scopes": ["jobs:read"]}, authorization=bearer("7")))
    keys.asked = 0
    assert api.call("GET", TASKS, x_api_key=made["key"]).status == 200
    assert keys.asked == 1


def test_zero_is_no_limit_and_says_nothing() -> None:
    api = limited(rate_submit_anonymous=0)
    answers = [submit(api) for _ in range(50)]
    assert {told(answer) for answer in answers} == {(202, None, None)}
    assert told(submit(api, authorization=bearer("7")))[1] == '"submit";q=4;w=60'


def test_routes_with_a_pace_of_their_own_or_for_everybody_have_no_limit() -> None:
    api = limited(rate_read=1)
    answers = [api.call("GET", "/api/health") for _ in range(5)]
    assert {told(answer) for answer in answers} == {(200, None, None)}


@pytest.mark.parametrize("stage", ["local", "prod"])
def test_every_route_that_knows_its_callers_is_limited_and_published_as_such(stage: str) -> None:
    docs = {f"{route.method} {route.path}": route.doc() for route in routes(kinds.registry(stage)) if route.doc}
    free = {name for name, doc in docs.items() if not doc.is_limited and doc.access is not Access.OPEN}
    # The first answers who is logged in, the second and the page of figures are seldom asked for.
    expected = {"GET /api/auth/session", "POST /api/auth/logout-everywhere"}
    assert free == expected | ({"GET /dev/metrics"} if stage == "local" else set())
    assert {name for name, doc in docs.items() if doc.is_limited and doc.access is Access.OPEN} == set()
    paths = published(Api(*kinds.registry(stage), stage=stage))["paths"]
    wrong = [
        name
        for name, doc in docs.items()
        for responses in [paths[name.partition(" ")[2]][name.partition(" ")[0].lower()]["responses"]]
        if doc.is_limited
        and not (
            responses["429"] == {"$ref": "#/components/responses/TooManyRequests"}
            and all("RateLimit" in said["headers"] for said in responses.values() if "$ref" not in said)
        )
    ]
    assert wrong == []


def test_headers_are_published_once_for_all_answers() -> None:
    components = published(Api())["components"]
    assert list(components["headers"]) == ["RateLimit-Policy", "RateLimit"]
    told = components["responses"]["TooManyRequests"]["headers"]
    assert told["RateLimit"] == {"$ref": "#/components/headers/RateLimit"}
    assert "Retry-After" in told


def test_production_has_limits_and_the_local_stage_has_none() -> None:
    stages = json.loads(Path(".chalice/config.json").read_text("utf-8"))["stages"]
    rates = {
        stage: (read.rate_submit, read.rate_submit_anonymous, read.rate_read)
        for stage, read in ((name, read_settings(stages[name]["environment_variables"])) for name in stages)
    }
    default = Settings(stage="any")
    assert (
        rates["prod"] == (default.rate_submit, default.rate_submit_anonymous, default.rate_read) == (1_200, 600, 6_000)
    )
    assert rates["local"] == (0, 0, 0)

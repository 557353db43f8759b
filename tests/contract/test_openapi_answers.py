"""The whole OpenAPI document against the real local stage: no failure of the service and no answer that is not in it.

Each operation is asked what its schema allows and what it forbids, each request by nobody, by a user and by an admin.
The queues stand still meanwhile: what is judged is what the API says, and thousands of jobs would outlast the tests.
What tasks end with is held against the document in test_kinds.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.config._checks import NegativeDataRejectionConfig
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chalicelib import kinds
from chalicelib.api.openapi import document
from chalicelib.api.routes import routes
from chalicelib.settings import QUEUES
from localstack.demo import ADMIN, ADMIN_PASSWORD, APP, EMAIL, PASSWORD
from localstack.run import LocalStack, local_stack
from localstack.settings import Settings, named_postgres
from tests.conftest import ROOT
from tests.e2e.client import Client

# Not asked for, each for a reason:
# positive_data_acceptance: rules between fields (two histories of one length) are in no schema and are answered 400.
# unsupported_method: API Gateway looks a path and its method up together and cannot tell 405; test_http_edges.py.
# missing_required_header: no route requires a header.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
]
pytestmark = pytest.mark.hypothesis  # for `make fuzz`, which cannot see the one inside `ask`
# Requests of each sort for each operation, each sent three times.
EXAMPLES = 40 if "FUZZ" in os.environ else 2
# The 503 of a queue that stands still is in the document.
UNHEALTHY = "get_queue_health"
# Ends the tokens that the others go on with.
LAST_WORD = "logout_everywhere"
SORTS = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


class Stage(msgspec.Struct, frozen=True):
    """A stage of the tests' own, with what can be asked for by name."""

    stack: LocalStack
    credentials: Mapping[str, Mapping[str, str]]
    known: Mapping[str, str]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """With a thing of the user's for every id that a path may ask for; admins may do to it what they like."""
    state = tmp_path_factory.mktemp("answers")
    # Those who are counted out tell nothing more.
    unlimited = dict.fromkeys(("RATE_READ", "RATE_SUBMIT", "RATE_SUBMIT_ANONYMOUS"), "0")
    ours = Settings(root=ROOT, state=state, postgres=named_postgres(), keep_data=False, environment=unlimited)
    with local_stack(ours) as stack:
        anybody = Client(stack.url)
        user, admin = anybody.login(EMAIL, PASSWORD), anybody.login(ADMIN, ADMIN_PASSWORD)
        bearers = {
            "user": {"Authorization": f"Bearer {user.token}"},
            "admin": {"Authorization": f"Bearer {admin.token}"},
        }
        done = user.submit("/api/async/simulate", {"tpSamples": [3, 4, 5], "numberOfTasks": 10})
        assert user.wait(done)["state"] == "SUCCESS"
        for queue in QUEUES:
            assert admin.call("POST", f"/api/admin/queues/{queue}/pause").status == 200
        yield Stage(stack, {"nobody": {}, **bearers}, {**_made(user), "task_id": done})


def _made(user: Client) -> dict[str, str]:
    project = user.call("POST", "/api/projects", {"name": "Harbour"}).body["id"]
    search = user.call("POST", "/api/v1/contracts/saved-searches", {"name": "Roads", "filters": {}}).body
    return {"app_id": APP, "queue": "emails", "file": "index.html", "kind": "contractor", "project_id": str(project),
            "search_id": str(search.get("id", "")), "entity_id": "1", "rule_id": "1"}  # fmt: skip


def described() -> Any:  # an OpenAPI document
    return document(routes(kinds.registry("local")), server="http://127.0.0.1")


def operations() -> Iterator[schemathesis.APIOperation[Any, Any, Any, Any]]:
    for each in SCHEMA.get_all_operations():
        assert isinstance(each, Ok), each
        yield each.ok()


SCHEMA = schemathesis.openapi.from_dict(described())
SCHEMA.config.checks.negative_data_rejection = NegativeDataRejectionConfig(
    # 422 of an event that breaks rules, 444 of an unknown app: the bodies that come with them may be anything.
    expected_statuses=[*NegativeDataRejectionConfig().expected_statuses, "444"]
)
OPERATIONS = {each.definition.raw["operationId"]: each for each in operations()}


def test_document_is_the_one_that_the_stage_publishes(stage: Stage) -> None:
    published = Client(stage.stack.url).call("GET", "/api/openapi.json").body
    assert published["paths"] == described()["paths"]


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {LAST_WORD}))
def test_answers_are_as_published(stage: Stage, name: str) -> None:
    for sort in SORTS:
        # What takes any text has nothing to forbid.
        with suppress(Unsatisfiable):
            ask(stage, name, sort)


def test_answers_to_the_last_word_are_as_published_too(stage: Stage) -> None:
    case = OPERATIONS[LAST_WORD].Case()
    user = Client(stage.stack.url).login(EMAIL, PASSWORD)
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {user.token}"}):
        case.call_and_validate(base_url=stage.stack.url, headers=headers, checks=CHECKS)


def ask(stage: Stage, name: str, sort: schemathesis.GenerationMode) -> None:
    cases = OPERATIONS[name].as_strategy(generation_mode=sort)

    @settings(max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate], deadline=None,
              suppress_health_check=list(HealthCheck), database=None)  # fmt: skip
    @given(case=cases, is_known=st.booleans())
    def each(case: schemathesis.Case[Any], is_known: bool) -> None:
        # What is empty is as good as missing, which no schema says.
        assume(all(str(value).strip() for value in case.query.values()))
        if is_known and sort is schemathesis.GenerationMode.POSITIVE:
            case.path_parameters |= {each: stage.known[each] for each in case.path_parameters if each in stage.known}
        for header in [each for each in case.headers if each.lower() == "prefer"]:
            del case.headers[header]  # nobody works here, so that each wait would be a whole one
        for headers in stage.credentials.values():
            case.call_and_validate(
                base_url=stage.stack.url, headers=dict(headers), timeout=60, checks=CHECKS,
                excluded_checks=[not_a_server_error] if name == UNHEALTHY else [],
            )  # fmt: skip

    each()

"""Asking for a result to be saved: who may, how it is said, and where it is refused."""

from __future__ import annotations

import msgspec
import pytest

from chalicelib import kinds
from chalicelib.api.http import Answer
from chalicelib.jobs.kind import AnyKind
from tests.api.calls import Api, details, document
from tests.api.published import published
from tests.api.test_tasks import bearer
from tests.doubles import FIRST_ID, echo_kind

PATH = "/api/async/keep"
MINE = bearer("7")
SIMULATE = kinds.registry("prod").kinds["simulate"]


class KeepRequest(msgspec.Struct, frozen=True):
    text: str
    save: bool = False


def keep_kind() -> AnyKind:
    """A kind whose results can be saved: all that it takes is the field."""
    return echo_kind(name="keep", path=PATH, sync_path="/api/keep", request=KeepRequest, example=KeepRequest("a"))


def sent_to_the_worker(api: Api) -> object:
    return msgspec.json.decode(api.parts.store.request_of(FIRST_ID) or b"null")


@pytest.mark.parametrize(
    ("query", "field", "saved"),
    [
        ("", {}, False),
        ("", {"save": True}, True),
        ("?save=true", {}, True),
        ("?save=1", {}, True),
        ("?save=True", {}, True),
        ("?save=", {"save": True}, True),
        ("?save=false", {}, False),
        ("?save=0", {"save": True}, False),
        ("?save=true", {"save": False}, True),
    ],
)
def test_saving_is_asked_for_in_the_query_or_in_the_body(query: str, field: dict[str, bool], saved: bool) -> None:
    api = Api(keep_kind())
    answer = api.call("POST", PATH + query, {"text": "a"} | field, authorization=MINE)
    assert answer.status == 202, document(answer)
    assert sent_to_the_worker(api) == {"text": "a", "save": saved}


@pytest.mark.parametrize("path", [PATH, "/api/keep"])
def test_answer_that_is_neither_yes_nor_no_is_refused_with_its_value(path: str) -> None:
    answer = Api(keep_kind()).call("POST", f"{path}?save=maybe", {"text": "a"}, authorization=MINE)
    assert (answer.status, details(answer)) == (400, [("", "save must be true or false, got 'maybe'")])
    in_body = Api(keep_kind()).call("POST", path, {"text": "a", "save": "maybe"}, authorization=MINE)
    assert (in_body.status, details(in_body)) == (400, [("/save", 'must be true or false, got "maybe"')])


@pytest.mark.parametrize(("query", "field"), [("?save=true", {}), ("", {"save": True})])
def test_saving_without_an_account_is_401_also_where_forecasts_are_open_to_all(
    query: str, field: dict[str, bool]
) -> None:
    api = Api(keep_kind(), public_forecasts=True)
    answer = api.call("POST", PATH + query, {"text": "a"} | field)
    assert (answer.status, document(answer)["detail"]) == (
        401,
        "saving needs an account: log in at POST /api/auth/login, or leave out save",
    )
    assert sent_to_the_worker(api) is None
    assert api.call("POST", f"{PATH}?save=false", {"text": "a"}).status == 202


def in_line(query: str, field: dict[str, bool]) -> Answer:
    return Api(keep_kind()).call("POST", f"/api/keep{query}", {"text": "a"} | field, authorization=MINE)


@pytest.mark.parametrize(("query", "field"), [("?save=true", {}), ("", {"save": True})])
def test_saving_in_line_is_refused_with_the_way_to_go(query: str, field: dict[str, bool]) -> None:
    answer = in_line(query, field)
    assert answer.status == 400
    assert details(answer) == [("", f"save is for the background only: send the request to {PATH}")]


def test_in_line_without_saving_is_answered() -> None:
    assert (in_line("", {}).status, in_line("?save=false", {"save": True}).status) == (200, 200)


def test_kind_whose_results_are_not_kept_says_so() -> None:
    for path in ("/api/async/echo", "/api/echo"):
        answer = Api().call("POST", f"{path}?save=true", {"text": "a"}, authorization=MINE)
        assert (answer.status, details(answer)) == (
            400,
            [("", "save is not for the kind echo, whose results are not kept")],
        )


def test_saving_is_published_where_it_is_offered_alone() -> None:
    paths = published(Api(SIMULATE, echo_kind()))["paths"]
    offering = {path for path, item in paths.items() for param in item.get("post", {}).get("parameters", []) if param["name"] == "save"}  # fmt: skip  # noqa: E501
    assert offering == {"/api/async/simulate"}
    assert "belongs to `/api/async/simulate` and is refused here" in paths["/api/simulate"]["post"]["description"]
    schemas = published(Api(SIMULATE))["components"]["schemas"]
    assert {"forecast_id", "save_error"} <= set(schemas["SimulateResult"]["properties"])
    assert set(schemas["SimulateResult"]["required"]) & {"forecast_id", "save_error"} == set()

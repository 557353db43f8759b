"""The service's own routes, and the outer edge."""

from __future__ import annotations

from chalicelib.api.http import Call, respond
from chalicelib.errors import Unavailable
from tests.api.calls import Api, document
from tests.doubles import MemoryRuntime


def test_health_answers_without_asking_anything_behind_it() -> None:
    assert document(Api().call("GET", "/api/health")) == {
        "status": "ok",
        "version": "0.1.0",
        "stage": "test",
        "time": "2025-06-15T15:06:40.000Z",
    }


def test_crashed_view_is_500_without_its_inside() -> None:
    def crash(call: Call) -> None:
        raise KeyError("secret")

    answer = respond(crash, Call(runtime=MemoryRuntime(), method="GET", path="/", request_id="r"))  # type: ignore[arg-type]
    assert (answer.status, document(answer)["detail"]) == (500, "an internal error occurred")


def test_outage_is_503_with_retry_after() -> None:
    def away(call: Call) -> None:
        raise Unavailable("the job store cannot be reached", retry_after_s=5)

    answer = respond(away, Call(runtime=MemoryRuntime(), method="GET", path="/", request_id="r"))  # type: ignore[arg-type]
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")

"""The metrics of the local stage: counted by kind, for admins."""

from __future__ import annotations

import pytest

from chalicelib.accounts.tokens import issue_token
from chalicelib.aws.kept_metrics import Sample
from chalicelib.model import Caller
from tests.api.calls import Api, document
from tests.api.published import broken, published
from tests.doubles import SECRET

NOW = 1_750_000_000


class Kept:
    """What the functions would have written."""

    def __init__(self, *samples: Sample) -> None:
        self.samples = list(samples)
        self.asked: list[int] = []

    def since(self, start_ms: int) -> list[Sample]:
        self.asked.append(start_ms)
        return self.samples


def bearer(role: str) -> str:
    return f"Bearer {issue_token(Caller('7', role), secret=SECRET, now_s=NOW, ttl_s=60)}"


def asked(kept: Kept, role: str = "admin") -> tuple[Api, int, object]:
    api = Api(stage="local")
    api.runtime.__dict__["kept_metrics"] = kept
    answer = api.call("GET", "/dev/metrics", authorization=bearer(role))
    return api, answer.status, document(answer)


def test_metrics_are_counted_by_kind_and_for_the_stage() -> None:
    runs = [Sample("RunTime", "echo", 100.0 * each) for each in range(20, 0, -1)]
    kept = Kept(
        *runs,
        Sample("Submitted", "ping", 1.0),
        Sample("Submitted", "echo", 1.0),
        Sample("Submitted", "echo", 1.0),
        Sample("Failed", "echo", 1.0),
        Sample("Failed", "echo", 0.0),
        Sample("Succeeded", "echo", 1.0),
        Sample("QueueLag", "echo", 7.0),
        Sample("EventsTaken", "", 3.0),
        Sample("EventsTaken", "", 4.0),
        Sample("EventLag", "", 900.0),
    )
    api, status, body = asked(kept)
    nothing = {"succeeded": 0, "failed": 0, "revoked": 0, "retried": 0}
    unmeasured = dict.fromkeys(("lag_p50_ms", "lag_p95_ms", "run_p50_ms", "run_p95_ms"))
    assert (status, body) == (
        200,
        {
            "since": "2025-06-15T12:06:40.000Z",
            "kinds": [
                {
                    "kind": "echo", "submitted": 2, "succeeded": 1, "failed": 1, "revoked": 0, "retried": 0,
                    "lag_p50_ms": 7, "lag_p95_ms": 7, "run_p50_ms": 1000, "run_p95_ms": 1900,
                },
                {"kind": "ping", "submitted": 1, **nothing, **unmeasured},
            ],
            "counts": {"EventsTaken": 7},
        },
    )  # fmt: skip
    assert broken(published(api), "StageMetrics", body) == []
    assert kept.asked == [(NOW - 3 * 3600) * 1000]


@pytest.mark.parametrize("role", ["student", "instructor"])
def test_metrics_are_for_admins(role: str) -> None:
    assert asked(Kept(), role)[1] == 403

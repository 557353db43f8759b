"""The service's log and its metrics: JSON lines on standard output, which Lambda carries to CloudWatch.

Log lines have constant text and data as keys, one per state change or request. Metric lines are in CloudWatch's
embedded metric format: they need no call and no permission, and each is written at once, so that a function that is
killed loses none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

log = Logger(service="sluice")

NAMESPACE = "Sluice"


class Metric(StrEnum):
    """Every metric. A test holds them against the dashboard in infra/stack.yaml: each has a row there."""

    # By kind and for all kinds.
    SUBMITTED = "Submitted"
    REPLAYED = "Replayed"
    SHARED = "Shared"
    QUEUE_LAG = "QueueLag"
    RUN_TIME = "RunTime"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    REVOKED = "Revoked"
    RETRIED = "Retried"
    REQUEUED = "Requeued"
    RESENT = "Resent"
    GIVEN_UP = "GivenUp"
    # Of events, for the stage alone.
    EVENTS_TAKEN = "EventsTaken"
    EVENTS_INVALID = "EventsInvalid"
    EVENTS_DROPPED = "EventsDropped"
    EVENTS_STORED = "EventsStored"
    EVENTS_REPEATED = "EventsRepeated"
    EVENTS_GIVEN_UP = "EventsGivenUp"
    EVENT_LAG = "EventLag"
    # For the stage alone.
    PUSHED = "Pushed"
    GONE = "Gone"

    @property
    def unit(self) -> str:
        return "Milliseconds" if self in (Metric.QUEUE_LAG, Metric.RUN_TIME, Metric.EVENT_LAG) else "Count"


@dataclass(frozen=True)
class Meter:
    """Writes metrics of one stage."""

    stage: str

    def record(self, values: Mapping[Metric, int], *, kind: str = "") -> None:
        """Writes the values as one line: for the stage, and with a kind for that kind as well.

        Alarms need the stage's own numbers: they cannot search for kinds as the dashboard does.
        """
        # Made for each line: Powertools' other one is shared by a whole process and keeps what was not written yet.
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        metrics.add_dimension("stage", self.stage)
        if kind:
            metrics.add_dimensions(stage=self.stage, kind=kind)
        for metric, value in values.items():
            metrics.add_metric(metric.value, metric.unit, value)
        metrics.flush_metrics()


def name_request(event: Any, respond: Callable[[Any], Any]) -> Any:  # Chalice's events have no common type
    """Chalice middleware: puts the invocation's `request_id` on each of its log lines, and on none of the next one's.

    Not Powertools' decorator: that one wants more of Lambda's context than the emulator and Chalice's test client give.
    The key is the logger's and not the thread's, for the heartbeat's thread logs too; Lambda runs one invocation at a
    time in a process, and every thread of an invocation is joined before it ends.
    """
    request_id = _request_id(event)
    if not request_id:
        return respond(event)
    log.append_keys(request_id=request_id)
    try:
        return respond(event)
    finally:
        log.remove_keys(["request_id"])


def _request_id(event: Any) -> str:
    """API Gateway's id of an HTTP request, which its client is told; Lambda's id of any other invocation."""
    context = getattr(event, "context", None)
    found = context.get("requestId") if isinstance(context, Mapping) else getattr(context, "aws_request_id", None)
    return str(found or "")

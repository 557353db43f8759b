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
    """Every metric. A test holds them against the dashboard in infra/watch.yaml: each has a row there."""

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
    DATABASE_BYTES = "DatabaseBytes"
    # By table.
    TABLE_BYTES = "TableBytes"

    @property
    def unit(self) -> str:
        if self in (Metric.QUEUE_LAG, Metric.RUN_TIME, Metric.EVENT_LAG):
            return "Milliseconds"
        return "Bytes" if self in (Metric.DATABASE_BYTES, Metric.TABLE_BYTES) else "Count"


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

    def record_table(self, table: str, size: int) -> None:
        """Writes the size of one table."""
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        metrics.add_dimension("stage", self.stage)
        metrics.add_dimension("table", table)
        metrics.add_metric(Metric.TABLE_BYTES.value, Metric.TABLE_BYTES.unit, size)
        metrics.flush_metrics()


def name_request(event: Any, respond: Callable[[Any], Any]) -> Any:  # Chalice's events have no common type
    """Chalice middleware: puts `request_id` and `invocation_id` on each line of an invocation, and on no later one.

    `invocation_id` is Lambda's, which its own lines (START, REPORT) have too. `request_id` is the id of the request
    that the work is done for: of an HTTP request the one that its client is told, of any other invocation its own,
    until `act_for` says better.

    Not Powertools' decorator: that one wants more of Lambda's context than the emulator and Chalice's test client give.
    The keys are the logger's and not the thread's, for the heartbeat's thread logs too; Lambda runs one invocation at a
    time in a process, and every thread of an invocation is joined before it ends.
    """
    context = getattr(event, "context", None)
    of_gateway = context.get("requestId") if isinstance(context, Mapping) else None
    own = getattr(getattr(event, "lambda_context", context), "aws_request_id", None)
    named = {"request_id": of_gateway or own, "invocation_id": own}
    log.append_keys(**{name: str(value) for name, value in named.items() if value})
    try:
        return respond(event)
    finally:
        log.remove_keys(list(named))


def request_id() -> str:
    """The id of the request that work is done for at the moment; empty where nobody has said."""
    return str(log.get_current_keys().get("request_id", ""))


def act_for(request_id: str) -> None:
    """Has the lines from here on carry the id of this request: a job's, which was made for it; empty: for none."""
    if request_id:
        log.append_keys(request_id=request_id)
    else:
        log.remove_keys(["request_id"])

"""The metrics in the functions' logs, which the emulator keeps and does not count as CloudWatch would.

For the local stage alone: no route leads here on another one, and no policy lets a function read logs there.
"""

from __future__ import annotations

import contextlib
from functools import cached_property
from typing import Any

import msgspec

from chalicelib.jobs.clients import PATIENT_S, client, outages

_GROUPS = "/aws/lambda/"
# What every line of the embedded metric format has in it.
_PATTERN = '"CloudWatchMetrics"'
# Answers that are asked of one group, each from the last moment of the one before on.
_MOST_PAGES = 10


class Sample(msgspec.Struct, frozen=True):
    """One value of a metric; `kind` is empty for those of the stage alone."""

    metric: str
    kind: str
    value: float


class _Written(msgspec.Struct):
    name: str = msgspec.field(name="Name")


class _Directive(msgspec.Struct):
    metrics: list[_Written] = msgspec.field(name="Metrics")


class _Head(msgspec.Struct):
    directives: list[_Directive] = msgspec.field(name="CloudWatchMetrics")


class _Line(msgspec.Struct):
    head: _Head = msgspec.field(name="_aws")
    stage: str
    kind: str = ""


class KeptMetrics:
    """Reads the logs of all functions for the metrics of one stage; `page` is how many lines are asked for at once."""

    def __init__(self, stage: str, *, page: int = 10_000) -> None:
        self._stage = stage
        self._page = page

    def since(self, start_ms: int) -> list[Sample]:
        """Every value that was written since then; raises Unavailable."""
        with outages("the emulator's log"):
            groups = self._logs.describe_log_groups(logGroupNamePrefix=_GROUPS)["logGroups"]
            lines = [line for group in groups for line in self._lines(group["logGroupName"], start_ms)]
        return [sample for line in lines for sample in _read(line, self._stage)]

    def _lines(self, group: str, start_ms: int) -> list[str]:
        found: list[str] = []
        for _ in range(_MOST_PAGES):
            events = self._logs.filter_log_events(
                logGroupName=group, startTime=start_ms, filterPattern=_PATTERN, limit=self._page
            )["events"]
            if len(events) < self._page:
                return found + [event["message"] for event in events]
            # The last moment's lines may be in part, and are asked for again: the emulator's have no id to be known by.
            start_ms = events[-1]["timestamp"]
            found += [event["message"] for event in events if event["timestamp"] < start_ms]
        return found

    @cached_property
    def _logs(self) -> Any:  # the only user of this service: its types are not installed
        return client("logs", read_timeout_s=PATIENT_S)


def _read(text: str, stage: str) -> list[Sample]:
    with contextlib.suppress(msgspec.MsgspecError):
        values = msgspec.json.decode(text)
        line = msgspec.convert(values, _Line)
        if line.stage == stage:
            names = [metric.name for directive in line.head.directives for metric in directive.metrics]
            return [Sample(name, line.kind, float(value)) for name in names for value in values[name]]
    return []

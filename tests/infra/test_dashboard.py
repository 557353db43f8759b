"""The dashboard and the alarms of infra/stack.yaml, held against what the code measures."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from chalicelib.settings import QUEUES
from chalicelib.telemetry import NAMESPACE, Metric
from tests.infra.template import resource, resources

STACK = Path("infra/stack.yaml")
WIDTH = 24
# How a widget asks for a metric of all kinds, of those that are not thought of yet as well.
SEARCH = re.compile(
    r"""SEARCH\('\{(?P<schema>[\w,]+)\} MetricName="(?P<metric>\w+)" stage="\$\{Stage\}"', '(?P<stat>\w+)', 60\)"""
)


def widgets() -> list[dict[str, Any]]:
    body = resource(STACK, "Dashboard")["Properties"]["DashboardBody"]["Fn::Sub"]
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    return found


def searches() -> list[re.Match[str]]:
    """Every expression of the dashboard; one of another form fails."""
    rows = [row for widget in widgets() for row in widget["properties"]["metrics"]]
    matches = [SEARCH.fullmatch(row[0]["expression"]) for row in rows if isinstance(row[0], dict)]
    assert None not in matches
    return [match for match in matches if match]


def plain() -> set[tuple[str, ...]]:
    """Namespace, metric and dimensions that are named outright, with CloudWatch's "." for "as above" resolved."""
    found = set()
    for widget in widgets():
        above: list[str] = []
        for row in widget["properties"]["metrics"]:
            if isinstance(row[0], str) and row[0] != "...":
                above = [old if new == "." else new for new, old in zip(row, above or row, strict=True)]
                found.add(tuple(above))
    return found


def job_alarms() -> dict[str, dict[str, Any]]:
    """The alarms on our own metrics, by metric."""
    alarms = [alarm["Properties"] for alarm in resources(STACK, "AWS::CloudWatch::Alarm").values()]
    return {alarm["MetricName"]: alarm for alarm in alarms if alarm["Namespace"] == NAMESPACE}


def test_dashboard_has_the_jobs_first_then_a_row_for_each_queue_then_the_sockets_and_events() -> None:
    of_queues = [f"{queue}: {what}" for queue in QUEUES for what in ("waiting", "oldest message (s)", "given up")]
    assert [widget["properties"]["title"] for widget in widgets()] == [
        "jobs: submitted",
        "jobs: ended",
        "jobs: moved on by a retry or the sweeper",
        "jobs: wait before the first run (ms)",
        "jobs: run (ms)",
        "sockets: messages sent, connections gone",
        *of_queues,
        "sockets: behind (ms)",
        "sockets: failed runs",
        "events: taken, invalid, dropped",
        "events: stored, repeated, given up",
        "events: from request to row (ms)",
        "live rows: waiting",
        "live rows: oldest message (s)",
        "live rows: failed runs",
    ]


def test_widgets_stand_side_by_side_and_never_on_each_other() -> None:
    cells = Counter(
        (x, y)
        for widget in widgets()
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    )
    assert set(cells.values()) == {1}
    assert max(x for x, _ in cells) < WIDTH


def test_every_metric_of_the_code_is_on_the_dashboard_and_no_other() -> None:
    shown = [search["metric"] for search in searches()]
    shown += [name for namespace, name, *_ in plain() if namespace == NAMESPACE]
    assert set(shown) == {metric.value for metric in Metric}


def test_metrics_of_kinds_are_searched_for_so_that_a_new_kind_shows_by_itself() -> None:
    assert {search["schema"] for search in searches()} == {"Sluice,stage,kind"}
    named = {row for row in plain() if row[0] == NAMESPACE}
    of_events = {metric.value for metric in Metric if metric.name.startswith("EVENT")}
    assert named == {("Sluice", name, "stage", "${Stage}") for name in ("Pushed", "Gone", *of_events)}


def test_times_are_shown_as_percentiles_and_counts_as_sums() -> None:
    statistics: dict[str, set[str]] = {}
    for search in searches():
        statistics.setdefault(search["metric"], set()).add(search["stat"])
    times = {metric.value for metric in Metric if metric.unit == "Milliseconds"}
    assert times == {"QueueLag", "RunTime", "EventLag"}
    assert statistics == {name: {"p50", "p95"} if name in times else {"Sum"} for name in statistics}


def test_jobs_that_fail_wait_or_are_given_up_raise_an_alarm_for_the_whole_stage() -> None:
    alarms = job_alarms()
    watched = {
        name: (alarm.get("Statistic") or alarm["ExtendedStatistic"], alarm["Threshold"])
        for name, alarm in alarms.items()
    }
    assert watched == {"Failed": ("Average", 0.1), "QueueLag": ("p50", 60_000), "GivenUp": ("Sum", 0)}
    # An alarm cannot search, so it watches what `Meter` writes without the kind.
    assert all(alarm["Dimensions"] == [{"Name": "stage", "Value": {"Ref": "Stage"}}] for alarm in alarms.values())

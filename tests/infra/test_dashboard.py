"""The dashboard of infra/watch.yaml, held against what the code measures and what the stacks have."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from chalicelib.settings import LIVE_QUEUE, QUEUES
from chalicelib.telemetry import NAMESPACE, Metric
from infra.functions import deployed_name
from tests.infra.template import resource, resources

STACK, WATCH = Path("infra/stack.yaml"), Path("infra/watch.yaml")
CONFIG = json.loads(Path(".chalice/config.json").read_text("utf-8"))
FUNCTIONS: dict[str, dict[str, Any]] = CONFIG["lambda_functions"]
WIDTH = 24
# How a widget asks for what has no fixed list: kinds, tables of the database, operations of DynamoDB's.
SEARCH = re.compile(
    r"SEARCH\('\{(?P<schema>[\w,/]+)\} MetricName=\"(?P<metric>\w+)\" (?P<by>\w+)=\"(?P<value>[^\"]+)\"', "
    r"'(?P<stat>\w+)', (?P<period>60|3600)\)"
)
GB_SECONDS = re.compile(r"SUM\(METRICS\('(?P<prefix>[a-z])'\)\) / 1000 \* (?P<memory>\d+) / 1024")
# What AWS's documentation of each service calls its metrics, and by which dimensions it has them.
KNOWN: dict[str, dict[tuple[str, ...], set[str]]] = {
    "AWS/SQS": {
        ("QueueName",): {
            "ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible",
            "ApproximateAgeOfOldestMessage", "NumberOfMessagesSent", "NumberOfEmptyReceives",
        },
    },
    "AWS/Lambda": {
        (): {"Throttles", "ConcurrentExecutions"},
        ("FunctionName",): {
            "Invocations", "Errors", "Throttles", "ConcurrentExecutions", "Duration", "IteratorAge",
        },
    },
    "AWS/ApiGateway": {
        ("ApiName", "Stage"): {"Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"},
        ("ApiId",): {"ConnectCount", "MessageCount", "ClientError", "ExecutionError", "IntegrationError"},
    },
    "AWS/DynamoDB": {
        ("TableName",): {
            "ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents",
        },
        ("TableName", "GlobalSecondaryIndexName"): {
            "ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "WriteThrottleEvents",
        },
        ("Operation", "TableName"): {"SystemErrors"},
    },
    "AWS/RDS": {
        ("DBInstanceIdentifier",): {
            "DatabaseConnections", "CPUUtilization", "CPUCreditBalance", "FreeableMemory", "ReadLatency",
            "WriteLatency", "DiskQueueDepth", "FreeStorageSpace",
        },
    },
    "AWS/Logs": {("LogGroupName",): {"IncomingBytes"}},
    "AWS/S3": {("BucketName", "StorageType"): {"BucketSizeBytes"}},
}  # fmt: skip


def widgets(kind: str = "metric") -> list[dict[str, Any]]:
    """The widgets of one type, as CloudWatch reads them but for the names."""
    body, names = resource(WATCH, "Dashboard")["Properties"]["DashboardBody"]["Fn::Sub"]
    assert names["Name"] == {"Fn::Sub": "sluice-${Stage}"}
    found: list[dict[str, Any]] = json.loads(
        body.replace("${Name}", "sluice-${Stage}").replace("${MostConnections}", "1")
    )["widgets"]
    return [widget for widget in found if widget["type"] == kind]


def resolved(widget: dict[str, Any]) -> list[tuple[str, ...]]:
    """Namespace, metric and dimensions of each row, with CloudWatch's short forms "." and "..." written out."""
    found: list[tuple[str, ...]] = []
    for row in widget["properties"]["metrics"]:
        names = [each for each in row if isinstance(each, str)]
        if not names:
            continue
        above = list(found[-1]) if found else []
        if names[0] == "...":
            names = above[: len(above) - len(names) + 1] + names[1:]
        found.append(tuple(above[at] if name == "." else name for at, name in enumerate(names)))
    return found


def plain() -> set[tuple[str, ...]]:
    return {row for widget in widgets() for row in resolved(widget)}


def expressions() -> list[str]:
    rows = [row for widget in widgets() for row in widget["properties"]["metrics"]]
    return [row[0]["expression"] for row in rows if isinstance(row[0], dict)]


def searches() -> list[re.Match[str]]:
    return [match for match in map(SEARCH.fullmatch, expressions()) if match]


def titled(title: str) -> dict[str, Any]:
    (found,) = [widget for widget in widgets() if widget["properties"]["title"] == title]
    return found


def names_of(title: str, metric: str) -> list[str]:
    """What the last dimension of each row of one metric is called in the code."""
    return [called(row[-1]) for row in resolved(titled(title)) if row[1] == metric]


def called(name: str) -> str:
    """The name in the code of a function, its log group, a queue or a table, by its own on AWS."""
    deployed = {deployed_name("${Stage}", function): function for function in FUNCTIONS}
    own = name.removeprefix("/aws/lambda/")
    return deployed.get(own, own.removeprefix("sluice-${Stage}-"))


def test_dashboard_has_the_alarms_first_then_each_part_on_the_way_of_a_job_and_what_it_costs() -> None:
    of_queues = [
        f"{queue}: {what}" for queue in QUEUES for what in ("waiting, in flight", "oldest message (s)", "given up")
    ]
    assert [each["properties"]["title"] for each in widgets("alarm")] == ["alarms"]
    assert [widget["properties"]["title"] for widget in widgets()] == [
        "jobs: submitted",
        "jobs: ended",
        "jobs: moved on by a retry or the sweeper",
        "jobs: wait before the first run (ms)",
        "jobs: run (ms)",
        *of_queues,
        "live rows: waiting, in flight",
        "live rows: oldest message (s)",
        "events: taken, invalid, dropped",
        "events: stored, repeated, given up",
        "events: from request to row (ms)",
        "sockets: messages sent, connections gone",
        "sockets: behind (ms)",
        "sockets: connects, messages, errors",
        "requests: all, 4xx, 5xx",
        "requests: latency (ms)",
        "requests: latency of the function alone (ms)",
        "functions: runs",
        "functions: failed runs",
        "functions: turned away, of the whole account and of the API",
        "functions: at once, of the whole account and of those with most work",
        "functions: duration p95 (ms)",
        "tables: read units",
        "tables: write units",
        "tables: throttled",
        "tables: errors of DynamoDB's",
        "database: connections",
        "database: processor (%), credits",
        "database: free memory (bytes)",
        "database: reads, writes (s)",
        "database: operations waiting for the disk",
        "database: free storage (bytes)",
        "database: size (bytes, hourly)",
        "database: largest tables (bytes, hourly)",
        "cost: GB-seconds",
        "cost: requests",
        "cost: messages sent, empty receives",
        "cost: log bytes",
        "cost: bucket (bytes, daily)",
    ]


def test_widgets_stand_side_by_side_and_never_on_each_other() -> None:
    cells = Counter(
        (x, y)
        for widget in [*widgets("text"), *widgets("alarm"), *widgets()]
        for x in range(widget["x"], widget["x"] + widget["width"])
        # Where none is said, CloudWatch's own.
        for y in range(widget["y"], widget["y"] + widget.get("height", 6))
    )
    assert set(cells.values()) == {1}
    assert max(x for x, _ in cells) < WIDTH
    # Nothing stands beside a hole.
    assert len(cells) == WIDTH * (1 + max(y for _, y in cells))


def test_dashboard_is_within_what_cloudwatch_takes() -> None:
    counts = [len(widget["properties"]["metrics"]) for widget in widgets()]
    assert len(widgets("text")) + len(widgets("alarm")) + len(counts) <= 500
    assert (max(counts) <= 500, sum(counts) <= 2_500) == (True, True)
    assert {widget["properties"]["region"] for widget in widgets()} == {"${AWS::Region}"}


def test_every_row_is_a_metric_that_its_service_has_by_these_dimensions() -> None:
    rows = {row for row in plain() if row[0] != NAMESPACE}
    schemas = [(search["schema"].split(","), search["metric"]) for search in searches()]
    rows |= {
        (namespace, metric, *(part for name in names for part in (name, "")))
        for (namespace, *names), metric in schemas
        if namespace != NAMESPACE
    }
    unknown = [row for row in rows if row[1] not in KNOWN.get(row[0], {}).get(row[2::2], set())]
    assert unknown == []


def test_every_expression_is_a_search_or_a_sum_of_gb_seconds() -> None:
    found = expressions()
    assert [each for each in found if not SEARCH.fullmatch(each) and not GB_SECONDS.fullmatch(each)] == []
    assert {(search["by"], search["value"]) for search in searches()} == {
        ("stage", "${Stage}"),
        *(("TableName", f"sluice-${{Stage}}-{table}") for table in ("jobs", "keys", "sockets")),
    }


def test_every_metric_of_the_code_is_on_the_dashboard_and_no_other() -> None:
    shown = [search["metric"] for search in searches() if search["schema"].startswith(f"{NAMESPACE},")]
    shown += [name for namespace, name, *_ in plain() if namespace == NAMESPACE]
    assert set(shown) == {metric.value for metric in Metric}


def test_metrics_of_kinds_and_tables_are_searched_for_so_that_a_new_one_shows_by_itself() -> None:
    of_ours = {search["metric"]: search["schema"] for search in searches() if search["by"] == "stage"}
    assert {name for name, schema in of_ours.items() if schema == "Sluice,stage,table"} == {"TableBytes"}
    assert {schema for name, schema in of_ours.items() if name != "TableBytes"} == {"Sluice,stage,kind"}
    named = {row for row in plain() if row[0] == NAMESPACE}
    of_events = {metric.value for metric in Metric if metric.name.startswith("EVENT")}
    assert named == {("Sluice", name, "stage", "${Stage}") for name in ("Pushed", "Gone", "DatabaseBytes", *of_events)}


def test_times_are_shown_as_percentiles_sizes_as_they_are_and_counts_as_sums() -> None:
    statistics: dict[str, set[str]] = {}
    for search in searches():
        if search["by"] == "stage":
            statistics.setdefault(search["metric"], set()).add(search["stat"])
    times = {metric.value for metric in Metric if metric.unit == "Milliseconds"}
    assert times == {"QueueLag", "RunTime", "EventLag"}
    expected = {name: {"p50", "p95", "p99"} if name in times else {"Sum"} for name in statistics}
    assert statistics == expected | {"TableBytes": {"Maximum"}}


@pytest.mark.parametrize(
    ("title", "metric"),
    [
        ("functions: runs", "Invocations"),
        ("functions: failed runs", "Errors"),
        ("functions: duration p95 (ms)", "Duration"),
        ("cost: GB-seconds", "Duration"),
        ("cost: log bytes", "IncomingBytes"),
    ],
)
def test_every_function_has_its_line(title: str, metric: str) -> None:
    assert sorted(names_of(title, metric)) == sorted(FUNCTIONS)


def test_gb_seconds_are_reckoned_with_the_memory_that_each_function_is_given() -> None:
    rows = titled("cost: GB-seconds")["properties"]["metrics"]
    matches = [GB_SECONDS.fullmatch(row[0]["expression"]) for row in rows if isinstance(row[0], dict)]
    memory = {match["prefix"]: int(match["memory"]) for match in matches if match}
    ids = [row[-1]["id"] for row in rows if isinstance(row[0], str)]
    reckoned = dict(zip(names_of("cost: GB-seconds", "Duration"), (memory[each[0]] for each in ids), strict=True))
    default = CONFIG["lambda_memory_size"]
    assert reckoned == {name: given.get("lambda_memory_size", default) for name, given in FUNCTIONS.items()}


def test_every_queue_has_its_depth_age_dead_letters_and_what_is_sent() -> None:
    visible = {row[-1] for row in plain() if row[1] == "ApproximateNumberOfMessagesVisible"}
    named = {each["Properties"]["QueueName"]["Fn::Sub"] for each in resources(STACK, "AWS::SQS::Queue").values()}
    assert visible == named
    age = {row[-1] for row in plain() if row[1] == "ApproximateAgeOfOldestMessage"}
    assert age == {name for name in named if not name.endswith("-dlq")}
    assert sorted(names_of("cost: messages sent, empty receives", "NumberOfMessagesSent")) == sorted(
        [*QUEUES, LIVE_QUEUE]
    )


@pytest.mark.parametrize("metric", ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "WriteThrottleEvents"])
def test_every_table_and_index_has_its_line(metric: str) -> None:
    expected = set[tuple[str, ...]]()
    for table in resources(STACK, "AWS::DynamoDB::Table").values():
        name = table["Properties"]["TableName"]["Fn::Sub"]
        expected.add(("AWS/DynamoDB", metric, "TableName", name))
        for index in table["Properties"].get("GlobalSecondaryIndexes", []):
            expected.add(("AWS/DynamoDB", metric, "TableName", name, "GlobalSecondaryIndexName", index["IndexName"]))
    assert {row for row in plain() if row[1] == metric} == expected


def test_every_alarm_of_both_stacks_is_on_the_dashboard() -> None:
    (widget,) = widgets("alarm")
    shown = [name.removeprefix("${Alarm}") for name in widget["properties"]["alarms"]]
    alarms = [
        *resources(STACK, "AWS::CloudWatch::Alarm").values(),
        *resources(WATCH, "AWS::CloudWatch::Alarm").values(),
    ]
    names = [alarm["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("sluice-${Stage}-") for alarm in alarms]
    assert sorted(shown) == sorted(names)
    # Of one widget (CloudWatch, "Dashboard body structure and syntax").
    assert len(shown) <= 100

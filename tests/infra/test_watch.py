"""The alarms of both stacks, and the saved queries of infra/watch.yaml, held against the lines that the code writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib.api.http import Answer, Call, respond
from chalicelib.errors import JobFailed, Unavailable
from chalicelib.events.taken import EventMessage, TakenEvent
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.state import MOVES
from chalicelib.jobs.worker import ComeAgain
from chalicelib.storing import EventWorker
from chalicelib.telemetry import NAMESPACE
from infra.stacks import MOST_BYTES, read_template
from infra.stage_config import connections_of
from tests.doubles import MemoryRuntime, echo_kind, registry
from tests.infra.template import load, resources
from tests.infra.test_dashboard import FUNCTIONS, STACK, WATCH, called, plain, searches
from tests.lines import Line, Reader
from tests.test_one_request import RefusingWriter, Site, failing_first

ALARMS = {
    **{
        alarm["Properties"]["AlarmName"]["Fn::Sub"]: alarm["Properties"]
        for alarm in resources(STACK, "AWS::CloudWatch::Alarm").values()
    },
    **{
        alarm["Properties"]["AlarmName"]["Fn::Sub"]: alarm["Properties"]
        for alarm in resources(WATCH, "AWS::CloudWatch::Alarm").values()
    },
}
QUERIES = {
    query["Properties"]["Name"]["Fn::Sub"].removeprefix("sluice-${Stage}/"): query["Properties"]
    for query in resources(WATCH, "AWS::Logs::QueryDefinition").values()
}
# Functions that may fail without an alarm of that name, and why.
WATCHED_OTHERWISE = {
    "push_changes": "push-age: a stream that is not read grows old",
    "greet_connections": "greet-age, likewise",
    "push_events": "live-age: so does the queue of rows",
    "migrate": "the deploy that calls it reports",
    "websocket_disconnect": "what it leaves is removed by the next push, or by its time to live",
}


def test_each_alarm_says_what_it_means_and_links_to_its_own_section_of_the_runbook() -> None:
    for name, alarm in ALARMS.items():
        anchor = name.removeprefix("sluice-${Stage}-")
        text = alarm["AlarmDescription"]["Fn::Sub"]
        said, _, link = text.rpartition(". Runbook: ")
        assert link == f"${{RunbookUrl}}#{anchor}"
        assert len(said) >= 40, name
        # CloudWatch takes 1,024.
        assert len(text) <= 900, name


def test_each_alarm_tells_the_topic_when_it_begins_and_when_it_ends() -> None:
    told = {str(alarm["AlarmActions"]) for alarm in ALARMS.values()}
    assert told == {"[{'Ref': 'Alarms'}]", "[{'Ref': 'AlarmTopicArn'}]"}
    assert [name for name, alarm in ALARMS.items() if alarm["OKActions"] != alarm["AlarmActions"]] == []
    assert "Default" not in load(WATCH)["Parameters"]["AlarmTopicArn"]


def dimensions(alarm: dict[str, Any]) -> tuple[str, ...]:
    """As on the dashboard; what names a resource of the stack gives its name."""
    found: list[str] = []
    for each in alarm.get("Dimensions", []):
        value = each["Value"]
        if isinstance(value, dict) and "Fn::GetAtt" in value:
            queue = resources(STACK, "AWS::SQS::Queue")[value["Fn::GetAtt"].partition(".")[0]]
            value = queue["Properties"]["QueueName"]
        found += [each["Name"], value if isinstance(value, str) else value.get("Fn::Sub") or f"${{{value['Ref']}}}"]
    return tuple(found)


def test_what_an_alarm_watches_is_drawn_on_the_dashboard() -> None:
    by_kind = {search["metric"] for search in searches()}
    unseen = [
        name
        for name, alarm in ALARMS.items()
        if (alarm["Namespace"], alarm["MetricName"], *dimensions(alarm)) not in plain()
        and not (alarm["Namespace"] == NAMESPACE and alarm["MetricName"] in by_kind)
    ]
    assert unseen == []


def test_jobs_that_fail_wait_or_are_given_up_raise_an_alarm_for_the_whole_stage() -> None:
    alarms = {alarm["MetricName"]: alarm for alarm in ALARMS.values() if alarm["Namespace"] == NAMESPACE}
    watched = {
        name: (alarm.get("Statistic") or alarm["ExtendedStatistic"], alarm["Threshold"])
        for name, alarm in alarms.items()
    }
    assert watched == {"Failed": ("Average", 0.1), "QueueLag": ("p50", 60_000), "GivenUp": ("Sum", 0)}
    # An alarm cannot search, so it watches what `Meter` writes without the kind.
    assert all(alarm["Dimensions"] == [{"Name": "stage", "Value": {"Ref": "Stage"}}] for alarm in alarms.values())


def test_each_function_has_an_alarm_when_most_of_its_runs_fail_or_another_one_that_says_as_much() -> None:
    failing = {name: alarm for name, alarm in ALARMS.items() if name.endswith("-failing")}
    of_functions = {name.removeprefix("sluice-${Stage}-").removesuffix("-failing") for name in failing}
    assert of_functions == set(FUNCTIONS) - set(WATCHED_OTHERWISE)
    for name, alarm in failing.items():
        _, function = dimensions(alarm)
        assert called(function) == name.removeprefix("sluice-${Stage}-").removesuffix("-failing")
        assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("Errors", "Average", 0.5)


def test_silence_is_an_alarm_where_there_is_always_something_to_hear() -> None:
    loud = {name for name, alarm in ALARMS.items() if alarm["TreatMissingData"] == "breaching"}
    assert loud == {"sluice-${Stage}-sweep-stopped", "sluice-${Stage}-database-away"}


def test_connections_are_too_many_at_four_fifths_of_what_the_default_instance_takes() -> None:
    # A db.t4g.medium has 4 GiB.
    assert load(STACK)["Parameters"]["DatabaseClass"]["Default"] == "db.t4g.medium"
    assert load(WATCH)["Parameters"]["MostConnections"]["Default"] == int(0.8 * connections_of("db.t4g.medium"))


def test_template_is_small_enough_to_be_sent_as_it_is() -> None:
    assert len(read_template(WATCH.read_text("utf-8"))) <= MOST_BYTES


# Of Logs Insights: commands, operators and functions, and the fields that it finds in every line or in Lambda's own.
LANGUAGE = {
    "fields", "filter", "stats", "sort", "limit", "parse", "by", "as", "and", "or", "in", "like", "asc", "desc",
    "count", "pct", "max", "sum", "latest", "ispresent", "coalesce",
}  # fmt: skip
BUILT_IN = {
    "@timestamp", "@message", "@log", "@type", "@requestId", "@initDuration", "@duration", "@billedDuration",
    "@maxMemoryUsed", "@memorySize",
}  # fmt: skip


def fields_of(text: str) -> set[str]:
    """The fields that a query reads, without those that it makes."""
    made = set(re.findall(r" as (\w+)", text)) | set(re.findall(r"\(\?<(\w+)>", text))
    bare = re.sub(r'"[^"]*"|(?<=@message )/[^\n]*/|(?<=like )/[^\n]*/', " ", text)
    return set(re.findall(r"@?[A-Za-z_]\w*", bare)) - made - LANGUAGE - BUILT_IN


def quoted(text: str, field: str) -> Iterator[str]:
    """The values that a query compares a field with."""
    for one, several in re.findall(rf'\b{field} (?:= "([^"]*)"|in \[([^\]]*)\])', text):
        yield from [one] if one else re.findall(r'"([^"]*)"', several)


def crash(call: Call) -> Answer:
    raise KeyError("broken")


@pytest.fixture
def lines(written: Reader) -> list[Line]:
    """What the code writes of jobs that succeed, fail, crash and are tried again, of requests and of events."""
    site = Site(echo_kind(failing_first(JobFailed("broken"), KeyError("broken"), Unavailable("away"))))
    for number in range(4):
        site.post(f"request-{number}")
    with pytest.raises(ComeAgain):
        site.work("worker-1")
    limited = MemoryRuntime(rate_submit_anonymous=1)
    narrow = Site(echo_kind(), runtime=limited)
    assert [narrow.post("request-5"), narrow.post("request-6")] == [202, 429]
    respond(crash, Call(runtime=site.runtime, method="GET", path="/", request_id="request-6"))
    site.runtime.__dict__["event_writer"] = RefusingWriter()
    event = TakenEvent("m-1", "login", "valid", True, 1, msgspec.Raw(b"{}"), msgspec.Raw(b"[]"))
    body = msgspec.json.encode(EventMessage(1, 1_750_000_000_000, (event,), request_id="request-7")).decode()
    EventWorker(site.runtime, registry()).settle([Delivery("message-1", body, "receipt"), Delivery("m-2", "[", "r")])
    return [line for line in written() if "message" in line]


def test_fields_are_read_from_a_query() -> None:
    text = "fields a, @log\n| parse @message /b: (?<c>[0-9.]+) ms/\n"
    text += '| filter d = "e f" and c > 1\n| stats count(*) as g by h'
    assert fields_of(text) == {"a", "d", "h"}
    assert list(quoted('message = "x" or message in ["y", "z z"]', "message")) == ["x", "y", "z z"]


@pytest.mark.parametrize("name", QUERIES)
def test_saved_query_reads_fields_that_the_code_writes(name: str, lines: list[Line]) -> None:
    written = {key for line in lines for key in line}
    assert fields_of(QUERIES[name]["QueryString"]) <= written


@pytest.mark.parametrize("name", QUERIES)
def test_saved_query_asks_for_messages_and_moves_that_there_are(name: str) -> None:
    text = QUERIES[name]["QueryString"]
    source = "".join(path.read_text("utf-8") for path in Path("chalicelib").rglob("*.py"))
    assert [said for said in quoted(text, "message") if f'"{said}"' not in source] == []
    assert set(quoted(text, "move")) <= {move.name for move in MOVES}


@pytest.mark.parametrize("name", QUERIES)
def test_saved_query_looks_where_its_lines_are_written(name: str) -> None:
    groups = [group["Fn::Sub"] for group in QUERIES[name]["LogGroupNames"]]
    functions = {called(group) for group in groups}
    assert functions <= set(FUNCTIONS) or groups == ["/aws/rds/instance/sluice-${Stage}/postgresql"]
    # Of one query (CloudWatch Logs, PutQueryDefinition).
    assert (len(groups) <= 50, len(QUERIES[name]["QueryString"]) <= 10_000) == (True, True)


def test_life_of_a_task_and_of_a_request_are_looked_for_wherever_a_job_can_be() -> None:
    jobs = {name for name in FUNCTIONS if name.startswith("work_")} | {"api_handler", "sweep"}
    for name in ("task", "request"):
        groups = [group["Fn::Sub"] for group in QUERIES[name]["LogGroupNames"]]
        assert jobs <= {called(group) for group in groups}

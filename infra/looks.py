"""What `make ops` asks of a stage's functions: their log, whether they start, the database that they alone reach."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3

from chalicelib.accounts.keys import read_key
from chalicelib.errors import NotFound, SluiceError
from chalicelib.runtime import Runtime

# Lines of the log that one command shows, and how far back it looks.
LINES = 50
BACK_S = 3600
# Workers that are handed no message have nothing to do, and say so only if they can start.
NOTHING = {"Records": list[object]()}
# Our own lines of these levels, and what Lambda says of a function that was ended or could not begin; a pattern of
# CloudWatch's is for lines of JSON or for others.
TROUBLE = ('{ $.level = "ERROR" || $.level = "WARNING" }', '"[ERROR]"', '"Task timed out"', '"Runtime exited"')
_IS_TROUBLE = re.compile(r'"level":"(ERROR|WARNING)"|^\[ERROR\]|Task timed out|Runtime exited')


class Function(NamedTuple):
    """A function of the stage: its name in app.py, and on AWS."""

    name: str
    full_name: str
    arn: str


class LogLine(NamedTuple):
    """A line and the function that wrote it."""

    at_ms: int
    function: str
    text: str


class Failing(SluiceError):
    """A function ended with an error."""

    slug, title = "failing", "Function failing"


def functions(stage: str) -> list[Function]:
    """The functions of the stage. The local one is an account's only stage, where CloudFormation makes up names."""
    pages = boto3.client("lambda").get_paginator("list_functions").paginate()
    found = []
    for each in (function for page in pages for function in page["Functions"]):
        _, _, name = each["Handler"].partition("app.")
        is_ours = each["FunctionName"].startswith("sluice-app-" if stage == "local" else f"sluice-{stage}-")
        if name and is_ours:
            name = "api_handler" if name == "app" else name
            found.append(Function(name, each["FunctionName"], each["FunctionArn"]))
    return sorted(found)


def log_lines(stage: str, needle: str) -> list[dict[str, object]]:
    """The newest LINES lines of the last hour: those that have the text, or warnings and errors."""
    since_ms = int((time.time() - BACK_S) * 1000)
    patterns = (f'"{needle}"',) if needle else TROUBLE
    found = {
        line for function in functions(stage) for pattern in patterns for line in _lines(function, since_ms, pattern)
        # The emulator's patterns are coarser.
        if (needle in line.text if needle else _IS_TROUBLE.search(line.text))
    }  # fmt: skip
    return [{"function": line.function, "line": _readable(line.text)} for line in sorted(found)[-LINES:]]


def start_all(stage: str) -> dict[str, object]:
    """'starts' or what was wrong, by function; and whether the sweeper is called."""
    client, answers = boto3.client("lambda"), dict[str, object]()
    for function in functions(stage):
        # `sweep` and the others work on whatever they are called with.
        if function.name.startswith("work_"):
            answer = client.invoke(FunctionName=function.full_name, Payload=json.dumps(NOTHING))
            answers[function.name] = _error_of(answer) or "starts"
    return {"functions": answers, "sweep_schedule": _states(rules_of_sweep(stage))}


def rules_of_sweep(stage: str) -> list[str]:
    """The schedules that call the sweeper: one, unless somebody was here."""
    arns = [function.arn for function in functions(stage) if function.name == "sweep"]
    events = boto3.client("events")
    return [name for arn in arns for name in events.list_rule_names_by_target(TargetArn=arn)["RuleNames"]]


def ask_inside(stage: str, event: dict[str, object]) -> Any:  # any JSON value
    """Asks the function `migrate`, which is in the database's network; raises Failing with what it says."""
    named = [function.full_name for function in functions(stage) if function.name == "migrate"]
    if not named:
        raise NotFound(f"stage {stage} has no function migrate")
    answer = boto3.client("lambda").invoke(FunctionName=named[0], Payload=json.dumps(event))
    if answer.get("FunctionError"):
        raise Failing(f"migrate: {_error_of(answer)}")
    return json.load(answer["Payload"])


def revoke_key(runtime: Runtime, text: str) -> dict[str, object]:
    """Revokes a key by its text or its id, whoever owns it; raises NotFound."""
    parts = read_key(text)
    key = runtime.keys.find(parts[0] if parts else text)
    if key is None:
        # Not the text: it may be a key that opens another stage.
        raise NotFound("there is no such key here")
    runtime.keys.revoke(key.id, owner=key.owner, at_s=int(runtime.clock.now()))
    return {"key": key.id, "name": key.name, "account": key.owner, "last_used_s": key.last_used_s, "revoked": True}


def _lines(function: Function, since_ms: int, pattern: str) -> Iterator[LogLine]:
    client, group = boto3.client("logs"), f"/aws/lambda/{function.full_name}"
    pages = client.get_paginator("filter_log_events")
    try:
        for page in pages.paginate(logGroupName=group, startTime=since_ms, filterPattern=pattern):
            for event in page["events"]:
                yield LogLine(event["timestamp"], function.name, event["message"].strip())
    except client.exceptions.ResourceNotFoundException:
        return  # it has never run


def _readable(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _error_of(answer: Any) -> str:  # botocore's
    if not answer.get("FunctionError"):
        return ""
    said = json.load(answer["Payload"])
    return f"{said.get('errorType')}: {said.get('errorMessage')}"


def _states(rules: list[str]) -> str:
    events = boto3.client("events")
    return ", ".join(str(events.describe_rule(Name=rule)["State"]) for rule in rules) or "MISSING"

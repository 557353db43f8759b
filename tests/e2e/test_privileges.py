"""What the functions have asked of AWS in the tests before, held against their policies; run after all of them.

A function is not hindered here, but what it asks for is written down (localstack/recording.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from chalicelib.settings import QUEUES
from localstack.run import LocalStack
from tests.infra.policies import FUNCTIONS, Call, Statement, calls_of, policy, refused

WORKERS = frozenset(f"work_{queue}" for queue in QUEUES)
STREAM = "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams"
POLL = "sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage"
SEND = "sqs:GetQueueUrl sqs:SendMessage"


class Unheard(NamedTuple):
    """Actions of a statement that need not be heard of in a run."""

    functions: frozenset[str]
    sid: str
    actions: str
    why: str


def of(*functions: str) -> frozenset[str]:
    return frozenset(functions)


# What the emulator does by itself or not at all, and Lambda by the function's role: heard of, it would be no longer so.
BY_LAMBDA = (
    Unheard(frozenset(FUNCTIONS), "Logs", "logs:CreateLogStream logs:PutLogEvents", "Lambda writes the logs"),
    Unheard(frozenset(FUNCTIONS), "Trace", "xray:PutTelemetryRecords xray:PutTraceSegments", "there is no X-Ray here"),
    Unheard(
        frozenset(name for name in FUNCTIONS if any(each.sid == "Network" for each in policy(name))),
        "Network",
        "ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface "
        "ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:UnassignPrivateIpAddresses",
        "there is no network here",
    ),
    Unheard(of("push_changes"), "Changes", STREAM, "Lambda reads the stream"),
    Unheard(of("greet_connections"), "NewConnections", STREAM, "Lambda reads the stream"),
    Unheard(of("push_events"), "Rows", POLL, "Lambda reads the queue"),
    Unheard(
        frozenset(name for name in FUNCTIONS if any(each.sid == "Secrets" for each in policy(name))),
        "Secrets",
        "secretsmanager:GetSecretValue",
        "the local stage is told its secrets in plain text",
    ),
)
# What a run brings about by chance, if at all: failures, of which tests/faults make many, and sizes.
SELDOM = (
    Unheard(WORKERS, "Settle", POLL, "Lambda reads the queue; the worker deletes by hand beside a failed delivery"),
    Unheard(WORKERS, "Settle", "sqs:ChangeMessageVisibility sqs:GetQueueUrl", "deliveries that come again later"),
    Unheard(WORKERS | {"sweep"}, "Bury", SEND, "messages that cannot be worked on"),
    Unheard(WORKERS, "Jobs", "dynamodb:Query", "a claim that is refused, as another worker has the job"),
    Unheard(WORKERS, "Requests", "s3:GetObject", "requests above 300 KB"),
    Unheard(of("work_batch"), "SubmitRequests", "s3:PutObject", "mails above 300 KB"),
    Unheard(of("work_searches", "work_batch"), "Results", "s3:PutObject", "results above 32 KB"),
    Unheard(
        of("push_changes", "greet_connections", "websocket_message", "sweep"),
        "Results",
        "s3:GetObject",
        "a job that is over and has a result above 32 KB is read with it",
    ),
    Unheard(of("api_handler", "sweep"), "Jobs", "dynamodb:DeleteItem", "a job whose queue is away is taken back"),
    Unheard(of("work_batch"), "WithdrawDeliveries", "dynamodb:DeleteItem", "a mail whose queue is away is taken back"),
    Unheard(of("api_handler"), "Redrive", "sqs:DeleteMessage sqs:ReceiveMessage", "dead letters, of which are none"),
    Unheard(of("work_batch"), "Files", "s3:AbortMultipartUpload s3:DeleteObject", "an export that is given up"),
    Unheard(of("work_batch", "work_simulations"), "MissingUploads", "s3:ListBucket", "an upload that was never sent"),
    Unheard(of("work_events"), "GivenUp", "dynamodb:PutItem", "an event that Postgres refuses"),
    Unheard(
        of("greet_connections"), "Sockets", "dynamodb:DeleteItem", "a connection that is gone before it is greeted"
    ),
    Unheard(of("websocket_connect"), "Keys", "dynamodb:UpdateItem", "an API key that was not used for a while"),
    Unheard(of("sweep"), "Jobs", "dynamodb:Query dynamodb:UpdateItem", "a job that nobody moves"),
    Unheard(of("sweep"), "Send", "sqs:GetQueueAttributes", "a job that nobody moves, whose queue may be paused"),
    Unheard(of("sweep"), "FindMappings", "lambda:ListEventSourceMappings", "the same"),
)


@pytest.fixture
def calls(stack: LocalStack) -> list[Call]:
    """What was asked for so far; opening the stack alone has the API make some calls."""
    found = calls_of(stack.state)
    assert "api_handler" in {call.function for call in found}
    return found


def test_each_function_may_do_what_it_did(calls: list[Call]) -> None:
    assert refused(calls) == []


def test_no_function_may_do_what_it_did_not_but_for_what_is_told(calls: list[Call], is_whole: bool) -> None:
    if not is_whole:
        pytest.skip("a part of the tests makes a part of the calls")
    unheard = {grant for function in FUNCTIONS for grant in _grants(function) if not _is_heard(calls, *grant)}
    told = {(function, each.sid, action) for each in BY_LAMBDA + SELDOM for function, action in _pairs(each)}
    assert sorted(unheard - told) == []


def test_what_is_told_is_allowed_at_all_and_by_nobody_but_lambda_where_it_says_so(calls: list[Call]) -> None:
    granted = {grant for function in FUNCTIONS for grant in _grants(function)}
    told = {(function, each.sid, action) for each in BY_LAMBDA + SELDOM for function, action in _pairs(each)}
    assert sorted(told - granted) == []
    by_lambda = {(function, each.sid, action) for each in BY_LAMBDA for function, action in _pairs(each)}
    assert sorted(grant for grant in by_lambda if _is_heard(calls, *grant)) == []


def _grants(function: str) -> Iterator[tuple[str, str, str]]:
    for each in policy(function):
        if each.effect == "Allow":
            yield from ((function, each.sid, action) for action in each.actions)


def _is_heard(calls: list[Call], function: str, sid: str, action: str) -> bool:
    """Whether the function did this on one of the statement's resources."""
    (found,) = [each for each in policy(function) if each.sid == sid]
    grant = Statement(sid, "Allow", (action,), found.resources)
    return any(call.function == function and grant.covers(call.action, call.resource) for call in calls)


def _pairs(told: Unheard) -> Iterator[tuple[str, str]]:
    return ((function, action) for function in told.functions for action in told.actions.split())

"""The functions' policies: named actions on our own resources, and no more than a function is there for.

What each one really asks for is compared with them in tests/e2e/test_privileges.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib import kinds
from chalicelib.jobs.kind import AnyKind
from chalicelib.settings import LIVE_QUEUE, QUEUES
from infra.functions import PLACES
from tests.infra.policies import CONFIG, FUNCTIONS, Statement, allowed, allows, policy
from tests.infra.template import load, resources

STACK = Path("infra/stack.yaml")
# Statements on everything, and why.
ON_ALL = {
    "Trace": "AWS knows no resource for X-Ray",
    "Network": "nor for looking at networks; the interfaces are Lambda's own, with ids of its choosing",
    "NetworkByLambdaOnly": "it takes away",
    "FindMappings": "AWS knows no resource for lambda:ListEventSourceMappings",
}
# Statements whose resource cannot have our name in it, and why.
NOT_BY_NAME = {
    "Answer": "an API has an id of API Gateway's choosing",
    "SendMail": "an identity is named for its domain or address",
    "SwitchMappings": "a mapping has an id of Lambda's choosing; its condition names our functions",
}
# What a role's policies may have together, without white space (IAM, "IAM and AWS STS character limits").
MOST_CHARACTERS = 10_240
ACCOUNT = "arn:aws:{}:eu-central-1:123456789012:{}"


def statement(action: str, resource: str, *, effect: str = "Allow", condition: object = None) -> Statement:
    return Statement("Sid", effect, (action,), (resource,), condition)


@pytest.mark.parametrize(
    ("pattern", "resource", "is_allowed"),
    [
        ("arn:*:sqs:*:*:sluice-*-work", "sluice-prod-work", True),
        ("arn:*:sqs:*:*:sluice-*-work", "sluice-a-b-work", True),
        ("arn:*:sqs:*:*:sluice-*-work", "sluice-prod-work-dlq", False),
        ("arn:*:sqs:*:*:sluice-*-work", "other-prod-work", False),
        ("arn:*:sqs:*:*:sluice-prod-wor?", "sluice-prod-work", True),
        ("arn:*:sqs:*:*:sluice-prod-work?", "sluice-prod-work", False),
        ("arn:*:sqs:*:*:sluice.prod.work", "sluice-prod-work", False),
        ("arn:*:sqs:us-east-1:*:sluice-prod-work", "sluice-prod-work", False),
        ("arn:*:sqs:*:sluice-prod-work", "sluice-prod-work", False),
        ("arn:*:s3:*:*:sluice-prod-work", "sluice-prod-work", False),
        ("*", "sluice-prod-work", True),
    ],
)
def test_resource_is_allowed_where_each_part_of_its_name_is(pattern: str, resource: str, is_allowed: bool) -> None:
    granted = [statement("sqs:SendMessage", pattern)]
    assert allows(granted, "sqs:SendMessage", ACCOUNT.format("sqs", resource)) is is_allowed


def test_action_is_allowed_by_its_name_in_any_case_and_not_by_another_of_the_service() -> None:
    granted = [statement("sqs:sendmessage", "*"), statement("s3:Get*", "*")]
    asked = ("sqs:SendMessage", "sqs:SendMessageBatch", "s3:GetObject", "s3:PutObject")
    assert [allows(granted, action, "arn:aws:s3:::x") for action in asked] == [True, False, True, False]


def test_what_is_denied_is_not_allowed_unless_on_a_condition() -> None:
    granted = statement("sqs:SendMessage", "*", condition={"StringLike": {"aws:PrincipalTag/a": "b"}})
    denied = statement("sqs:*", "*", effect="Deny")
    queue = ACCOUNT.format("sqs", "q")
    assert allows([granted], "sqs:SendMessage", queue)
    assert not allows([granted, denied], "sqs:SendMessage", queue)
    assert allows([granted, denied._replace(condition={"Bool": {}})], "sqs:SendMessage", queue)
    assert not allows([denied._replace(condition={"Bool": {}})], "sqs:SendMessage", queue)


def test_each_function_has_a_policy_file_of_its_own_and_no_file_is_left_over() -> None:
    files = {name: function["iam_policy_file"] for name, function in FUNCTIONS.items()}
    assert files == {name: f"policy-{name}.json" for name in FUNCTIONS}
    assert {path.name for path in Path(".chalice").glob("policy-*.json")} == set(files.values())
    assert CONFIG["autogen_policy"] is False


@pytest.mark.parametrize("function", FUNCTIONS)
def test_policy_fits_into_a_role_and_names_each_statement_once(function: str) -> None:
    document = json.loads(Path(f".chalice/policy-{function}.json").read_text("utf-8"))
    assert len(json.dumps(document, separators=(",", ":"))) < MOST_CHARACTERS
    names = [each.sid for each in policy(function)]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_policy_allows_named_actions_on_our_own_resources_only(function: str) -> None:
    for each in policy(function):
        assert not [action for action in each.actions if "*" in action or "?" in action]
        for resource in each.resources:
            if each.sid in ON_ALL:
                assert resource == "*"
            else:
                assert each.sid in NOT_BY_NAME or re.search(r"[:/]sluice-\*", resource), resource


@pytest.mark.parametrize("function", FUNCTIONS)
def test_policy_names_nothing_that_the_stack_does_not_make(function: str) -> None:
    named = {
        resource
        for each in policy(function)
        for resource in each.resources
        if resource.split(":")[2:3] in (["sqs"], ["dynamodb"], ["s3"], ["secretsmanager"])
    }
    assert {resource for resource in named if not re.fullmatch(made(), resource)} == set()


def made() -> str:
    """A pattern of the ARNs of the stack's own resources, as a policy writes them."""
    queues = [name(each["QueueName"]) for each in properties("AWS::SQS::Queue")]
    tables = []
    for table in properties("AWS::DynamoDB::Table"):
        indexes = [index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])]
        below = [*(f"index/{index}" for index in indexes), *(["stream/*"] if "StreamSpecification" in table else [])]
        tables += [name(table["TableName"]), *(f"{name(table['TableName'])}/{each}" for each in below)]
    secrets = [name(each["Name"]) for each in properties("AWS::SecretsManager::Secret")]
    bucket = name(load(STACK)["Resources"]["ResultBucket"]["Properties"]["BucketName"])
    whole = [
        *(re.escape(f"arn:*:sqs:*:*:{queue}") for queue in queues),
        *(re.escape(f"arn:*:dynamodb:*:*:table/{table}") for table in tables),
        *(re.escape(f"arn:*:secretsmanager:*:*:secret:{secret}-*") for secret in secrets),
        # Folders are the code's own.
        re.escape(f"arn:*:s3:::{bucket}") + r"(/(requests|results|files|uploads)/\*)?",
    ]
    return "|".join(whole)


def properties(kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in resources(STACK, kind).values()]


def name(given: dict[str, str]) -> str:
    """A resource's name with a wildcard for what the stage and the account are."""
    return given["Fn::Sub"].replace("${Stage}", "*").replace("${AWS::AccountId}", "*")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_writes_its_own_log_and_its_traces(function: str) -> None:
    # Chalice names the function of the REST API for the app and the stage alone.
    group = "sluice-*" if function == "api_handler" else f"sluice-*-{function}"
    own = f"arn:*:logs:*:*:log-group:/aws/lambda/{group}:*"
    written = {action: allowed(function, action) for action in ("logs:CreateLogStream", "logs:PutLogEvents")}
    assert written == {"logs:CreateLogStream": [own], "logs:PutLogEvents": [own]}
    assert not allows(policy(function), "logs:CreateLogGroup", own)
    assert allowed(function, "xray:PutTraceSegments") == allowed(function, "xray:PutTelemetryRecords") == ["*"]


def test_network_interfaces_are_of_functions_inside_the_network_and_made_by_lambda_alone() -> None:
    # Chalice adds these to the policies that it writes itself only. They are those of AWSLambdaVPCAccessExecutionRole,
    # taken from the function's own code as AWS advises: the key is there in calls of that code and in no others.
    actions = (
        "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
    )  # fmt: skip
    own = {"ArnLike": {"lambda:SourceFunctionArn": "arn:*:lambda:*:*:function:sluice-*"}}
    inside = [
        Statement("Network", "Allow", actions, ("*",)),
        Statement("NetworkByLambdaOnly", "Deny", actions, ("*",), own),
    ]
    of_network = {name: [each for each in policy(name) if each.actions[0].startswith("ec2:")] for name in FUNCTIONS}
    assert of_network == {name: inside if PLACES[name].database else [] for name in FUNCTIONS}


def test_each_function_reads_the_secrets_of_its_place_and_a_migration_those_of_the_roles_that_it_makes() -> None:
    read = {name: allowed(name, "secretsmanager:GetSecretValue") for name in FUNCTIONS}
    needed = {
        name: [*(["token"] if place.token else []), *([f"database-{place.database}"] if place.database else [])]
        for name, place in PLACES.items()
    }
    needed["migrate"] = ["database-owner", "database-api", "database-worker"]
    assert read == {
        name: [f"arn:*:secretsmanager:*:*:secret:sluice-*-{secret}-*" for secret in secrets]
        for name, secrets in needed.items()
    }


def queue(name: str) -> str:
    return f"arn:*:sqs:*:*:sluice-*-{name}"


def senders(name: str) -> list[str]:
    return sorted(function for function in FUNCTIONS if queue(name) in allowed(function, "sqs:SendMessage"))


def test_each_queue_is_sent_to_by_those_that_make_work_for_it_and_by_the_sweeper() -> None:
    assert {name: senders(name) for name in (*QUEUES, LIVE_QUEUE)} == {
        "simulations": ["api_handler", "sweep"],
        "searches": ["api_handler", "sweep"],
        "events": ["api_handler", "sweep"],
        "emails": ["api_handler", "sweep", "work_batch"],
        "batch": ["api_handler", "sweep", "work_batch"],
        "live": ["api_handler", "work_events"],
    }


def test_each_queue_is_read_by_its_own_function() -> None:
    readers = {name: [f for f in FUNCTIONS if queue(name) in allowed(f, "sqs:ReceiveMessage")] for name in QUEUES}
    assert readers == {name: [f"work_{name}"] for name in QUEUES}
    assert [f for f in FUNCTIONS if queue(LIVE_QUEUE) in allowed(f, "sqs:ReceiveMessage")] == ["push_events"]


@pytest.mark.parametrize("name", QUEUES)
def test_dead_letters_are_put_there_by_the_worker_and_the_sweeper_and_taken_out_by_the_api(name: str) -> None:
    dead = f"{name}-dlq"
    assert senders(dead) == ["sweep", f"work_{name}"]
    takers = [function for function in FUNCTIONS if queue(dead) in allowed(function, "sqs:DeleteMessage")]
    assert takers == ["api_handler"]


@pytest.mark.parametrize(
    "action", ["sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:PurgeQueue", "sqs:ReceiveMessage", "sqs:DeleteMessage"]
)
def test_operators_have_each_queue_counted_purged_and_its_dead_letters_redriven(action: str) -> None:
    own, dead = {queue(name) for name in QUEUES}, {queue(f"{name}-dlq") for name in QUEUES}
    expected = {
        "sqs:GetQueueUrl": own | dead | {queue(LIVE_QUEUE)},
        "sqs:GetQueueAttributes": own | dead,
        "sqs:PurgeQueue": own,
        "sqs:ReceiveMessage": dead,
        "sqs:DeleteMessage": dead,
    }
    assert set(allowed("api_handler", action)) == expected[action]


def test_mappings_of_our_own_workers_only_may_be_switched() -> None:
    (switch,) = [each for each in policy("api_handler") if each.sid == "SwitchMappings"]
    assert switch.condition == {"ArnLike": {"lambda:FunctionArn": "arn:*:lambda:*:*:function:sluice-*-work_*"}}
    assert [name for name in FUNCTIONS if allowed(name, "lambda:UpdateEventSourceMapping")] == ["api_handler"]


@pytest.mark.parametrize(
    "kind", [kind for kind in kinds.registry("prod") if kind.max_hops], ids=lambda kind: str(kind.name)
)
def test_worker_of_a_kind_of_several_steps_may_send_itself_the_next_one(kind: AnyKind) -> None:
    assert f"work_{kind.queue}" in senders(kind.queue)


def test_mail_is_sent_by_the_worker_of_deliveries_and_by_nobody_else() -> None:
    assert [function for function in FUNCTIONS if allowed(function, "ses:SendEmail")] == ["work_emails"]


def test_sockets_are_written_to_by_functions_outside_the_network_only() -> None:
    writers = [function for function in FUNCTIONS if allowed(function, "execute-api:ManageConnections")]
    assert writers == ["push_changes", "greet_connections", "push_events", "websocket_message"]
    assert [function for function in writers if PLACES[function].database] == []
    assert "arn:*:dynamodb:*:*:table/sluice-*-sockets" in allowed("work_events", "dynamodb:Query")

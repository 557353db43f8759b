"""infra/stack.yaml: the network, the database, its secrets, and what the functions are told of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib.migration import API_CONNECTIONS, WORKER_CONNECTIONS
from chalicelib.settings import read_settings
from infra import functions, gateway, stack_parts, stacks, stage_config
from tests.infra.template import load, resource, resources

STACK = Path("infra/stack.yaml")
# Of services that a function's own process does not call: Lambda writes the log and sends the traces from outside.
NOT_FROM_WITHIN = {"logs", "xray", "ec2"}


def text() -> str:
    return STACK.read_text("utf-8")


def parameter(name: str) -> dict[str, Any]:
    found: dict[str, Any] = load(STACK)["Parameters"][name]
    return found


def services(function: str) -> set[str]:
    """AWS services that a function's policy lets it call."""
    policy = json.loads(Path(f".chalice/policy-{function}.json").read_text("utf-8"))
    return {action.partition(":")[0] for statement in policy["Statement"] for action in statement["Action"]}


def test_network_has_no_way_to_the_internet_and_none_from_it() -> None:
    kinds = {found["Type"] for found in load(STACK)["Resources"].values()}
    ways = ("InternetGateway", "NatGateway", "EgressOnlyInternetGateway", "EIP", "TransitGateway", "Route")
    assert kinds & {f"AWS::EC2::{way}" for way in ways} == set()
    for subnet in resources(STACK, "AWS::EC2::Subnet").values():
        assert "MapPublicIpOnLaunch" not in subnet["Properties"]


def test_every_service_that_a_function_within_calls_has_an_endpoint_and_no_other_has() -> None:
    named = {
        endpoint["Properties"]["ServiceName"]["Fn::Sub"].rpartition(".")[2]: endpoint["Properties"]["VpcEndpointType"]
        for endpoint in resources(STACK, "AWS::EC2::VPCEndpoint").values()
    }
    within = [name for name, place in functions.PLACES.items() if place.database]
    called = set().union(*(services(name) for name in within)) - NOT_FROM_WITHIN
    assert set(named) == called
    kinds = {"s3": "Gateway", "dynamodb": "Gateway"}
    assert named == kinds | dict.fromkeys(("sqs", "secretsmanager", "lambda"), "Interface")


def test_what_calls_the_internet_or_the_sockets_stands_outside() -> None:
    for name, place in functions.PLACES.items():
        if services(name) & {"ses", "execute-api"}:
            assert not place.database, name


def test_every_function_has_a_place_and_a_log_that_ends() -> None:
    assert set(functions.PLACES) == set(functions.read_config()["lambda_functions"])
    groups = resources(STACK, "AWS::Logs::LogGroup").values()
    assert {group["Properties"]["LogGroupName"]["Fn::Sub"] for group in groups} == {
        "/aws/lambda/" + functions.deployed_name("${Stage}", name) for name in functions.PLACES
    }
    assert all(group["Properties"]["RetentionInDays"] == {"Ref": "LogDays"} for group in groups)


@pytest.mark.parametrize("group", ["DatabaseGroup", "EndpointGroup"])
def test_only_the_functions_and_the_proxy_come_in(group: str) -> None:
    rules = resource(STACK, group)["Properties"]["SecurityGroupIngress"]
    sources = [rule["Fn::If"][1] if "Fn::If" in rule else rule for rule in rules]
    assert [rule["SourceSecurityGroupId"]["Ref"] for rule in sources] == ["FunctionGroup", "ProxyGroup"]
    assert "SecurityGroupIngress" not in resource(STACK, "FunctionGroup")["Properties"]


def test_database_is_private_encrypted_backed_up_and_not_deleted_by_mistake() -> None:
    database = resource(STACK, "Database")
    properties = database["Properties"]
    assert (database["DeletionPolicy"], database["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")
    wanted = {"PubliclyAccessible": False, "StorageEncrypted": True, "DeletionProtection": True}
    assert {name: properties[name] for name in wanted} == wanted
    assert properties["BackupRetentionPeriod"] == {"Ref": "BackupDays"}
    assert parameter("BackupDays")["MinValue"] >= 1
    assert resource(STACK, "DatabaseSettings")["Properties"]["Parameters"]["rds.force_ssl"] == "1"
    major = properties["EngineVersion"].partition(".")[0]
    assert resource(STACK, "DatabaseSettings")["Properties"]["Family"] == f"postgres{major}"


def test_no_secret_is_typed_anywhere() -> None:
    properties = resource(STACK, "Database")["Properties"]
    for name in ("MasterUsername", "MasterUserPassword"):
        assert properties[name]["Fn::Sub"].startswith("{{resolve:secretsmanager:${DatabaseOwnerSecret}:")
    secrets = resources(STACK, "AWS::SecretsManager::Secret")
    assert all("SecretString" not in secret["Properties"] for secret in secrets.values())
    assert all(secret["DeletionPolicy"] == "Retain" for secret in secrets.values())
    assert not [name for name in load(STACK)["Parameters"] if "password" in name.lower() or "secret" in name.lower()]


def test_each_function_may_read_the_secrets_that_it_is_told_of_and_no_other() -> None:
    outputs = dict.fromkeys(load(STACK)["Outputs"], "?") | {
        name: secret["Properties"]["Name"]["Fn::Sub"].replace("${Stage}", "*")
        for name, secret in ((f"{logical}Arn", found) for logical, found in
                             resources(STACK, "AWS::SecretsManager::Secret").items())
    }  # fmt: skip
    for name in functions.PLACES:
        told = stage_config.function_settings(name, outputs, {})["environment_variables"]
        secrets = {value for value in told.values() if value.startswith("sluice-*-")}
        policy = json.loads(Path(f".chalice/policy-{name}.json").read_text("utf-8"))
        readable = set()
        for statement in policy["Statement"]:
            if "secretsmanager:GetSecretValue" in statement["Action"]:
                found = statement["Resource"]
                readable |= {found} if isinstance(found, str) else set(found)
        assert readable == {f"arn:*:secretsmanager:*:*:secret:{secret}-*" for secret in secrets}, name


@pytest.mark.parametrize("bucket", ["ResultBucket", "DeployBucket"])
def test_bucket_is_private_encrypted_and_tls_only(bucket: str) -> None:
    properties = resource(STACK, bucket)["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in properties
    assert properties["LifecycleConfiguration"]["Rules"]
    (statement,) = resource(STACK, f"{bucket}Policy")["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


@pytest.mark.parametrize("size", parameter("DatabaseClass")["AllowedValues"])
def test_database_of_any_size_takes_all_the_connections_that_may_be_opened(size: str) -> None:
    most = stage_config.connections_of(size)
    limits = functions.mapped()
    # A worker may hold one for its job and one for its rows; three are kept for the superuser, some for people.
    workers = sum(2 * count for name, count in limits.items() if functions.PLACES[name].database == "worker")
    owners = 2 * (limits["work_batch"] + 1)
    assert workers <= WORKER_CONNECTIONS
    assert API_CONNECTIONS + WORKER_CONNECTIONS + owners + 3 + 10 <= most


def test_processors_and_memory_are_known_for_every_size() -> None:
    classes = parameter("DatabaseClass")["AllowedValues"]
    assert {size.rpartition(".")[2] for size in classes} == set(stage_config.PROCESSORS)
    assert classes == list(stage_config.MEMORY_GIB)
    # As RDS's pages have it for a db.t4g.medium and a db.r7g.2xlarge.
    assert [stage_config.connections_of(size) for size in ("db.t4g.medium", "db.r7g.2xlarge")] == [450, 5_000]


def test_what_functions_are_told_is_what_the_settings_read() -> None:
    outputs = dict.fromkeys(load(STACK)["Outputs"], "x")
    told = set(stage_config.variables_of(outputs, database_class="db.t4g.medium"))
    for name in functions.PLACES:
        told |= set(stage_config.function_settings(name, outputs, {})["environment_variables"])
    read = set(re.findall(r'environ(?:\.get\(|, )"([A-Z_]+)"', Path("chalicelib/settings.py").read_text("utf-8")))
    assert told <= read
    read_settings(dict.fromkeys(told, "1"))


def test_proxy_is_off_by_default_and_for_the_api_alone() -> None:
    assert parameter("DatabaseProxy")["Default"] == "false"
    outputs = dict.fromkeys(load(STACK)["Outputs"], "x") | {"DatabaseAddress": "instance", "ProxyAddress": "proxy"}
    by_proxy = [
        name
        for name in functions.PLACES
        if stage_config.function_settings(name, outputs, {})["environment_variables"].get("DATABASE_ADDRESS") == "proxy"
    ]
    assert by_proxy == ["api_handler"]
    del outputs["ProxyAddress"]
    assert stage_config.function_settings("api_handler", outputs, {})["environment_variables"]["DATABASE_ADDRESS"] == (
        "instance"
    )


@pytest.mark.parametrize("part", ["stack", "edge", "watch"])
def test_template_fits_into_a_call_to_cloudformation(part: str) -> None:
    body = stacks.read_template(Path(f"infra/{part}.yaml").read_text("utf-8"))
    assert len(body.encode()) <= stacks.MOST_BYTES
    assert set(json.loads(body)["Resources"]) == set(load(Path(f"infra/{part}.yaml"))["Resources"])


def test_template_without_a_type_names_nothing_of_it() -> None:
    body = stacks.read_template(text())
    left = json.loads(stack_parts.without(body, frozenset({"AWS::RDS::DBProxy", "AWS::Budgets::Budget"})))
    assert {"Proxy", "Budget"} & set(left["Resources"]) == set()
    assert "ProxyAddress" not in left["Outputs"]
    assert stack_parts.without(body, frozenset()) == body


def test_alarms_and_the_budget_reach_people_by_mail_and_by_webhook_where_they_are_set() -> None:
    subscriptions = resources(STACK, "AWS::SNS::Subscription")
    assert {(found["Condition"], found["Properties"]["Protocol"]) for found in subscriptions.values()} == {
        ("HasAlarmEmail", "email"),
        ("HasAlarmWebhook", "https"),
    }
    budget = resource(STACK, "Budget")["Properties"]["NotificationsWithSubscribers"]
    told = {(each["Notification"]["NotificationType"], each["Subscribers"][0]["Address"]["Ref"]) for each in budget}
    assert told == {("ACTUAL", "Alarms"), ("FORECASTED", "Alarms")}


@pytest.mark.parametrize("name", gateway.RESPONSES)
def test_answer_of_the_gateway_is_a_problem_document(name: str) -> None:
    wanted = gateway.wanted_response(gateway.RESPONSES[name])
    # API Gateway fills in the id as it stands; what is left has to be JSON whatever it is.
    document = json.loads(wanted["responseTemplates"]["application/json"].replace("$context.requestId", "an id"))
    assert set(document) == {"type", "title", "status", "detail", "error", "request_id"}
    assert str(document["status"]) == wanted["statusCode"]
    headers = wanted["responseParameters"]
    assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    waits = document["status"] in (429, 503, 504) or name == "DEFAULT_5XX"
    assert ("gatewayresponse.header.Retry-After" in headers) is waits


def test_unknown_path_is_404_and_too_much_is_429_as_from_us() -> None:
    by_name = {name: gateway.wanted_response(found)["statusCode"] for name, found in gateway.RESPONSES.items()}
    assert by_name["MISSING_AUTHENTICATION_TOKEN"] == "404"
    assert by_name["THROTTLED"] == "429"
    assert by_name["REQUEST_TOO_LARGE"] == "413"
    assert by_name["INTEGRATION_TIMEOUT"] == "504"

"""`make deploy`, `make drift` and `make destroy`, as they are run, against the emulator: from nothing, again, and back.

A copy of the project is deployed, since a deploy writes into .chalice/. What runs is Chalice itself, the templates
whole, and the smoke test over HTTP.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from infra.functions import PLACES, deployed_name
from localstack.emulator import clean_environment
from tests.infra.account import Account, new_account

ROOT = Path(__file__).parents[2]
STAGE = "demo"
PARTS = ("app.py", "chalicelib", "infra", "localstack", ".chalice", "requirements.txt", "requirements-dev.txt")


class Site(NamedTuple):
    """A copy of the project, and the account that it is deployed to."""

    tree: Path
    account: Account
    # What the first deploy said.
    said: str

    def make(self, command: str, *words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        return run(self.tree, self.account, command, *words, answer=answer)

    def client(self, service: str) -> Any:
        return self.account.client(service)

    def deployed(self) -> dict[str, Any]:
        """What Chalice noted, by name."""
        noted = json.loads((self.tree / f".chalice/deployed/{STAGE}.json").read_text())
        return {each["name"]: each for each in noted["resources"]}


def run(tree: Path, account: Account, command: str, *words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    environ = {**clean_environment(), "AWS_ENDPOINT_URL": account.endpoint, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "infra.stage", command, "--stage", STAGE, *words],
        cwd=tree, env=environ, input=answer, capture_output=True, text=True, timeout=600,
    )  # fmt: skip


def copy_of_project(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    shutil.rmtree(folder / ".chalice/deployed", ignore_errors=True)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    tree = copy_of_project(tmp_path_factory.mktemp("project"))
    with new_account(tmp_path_factory.mktemp("account")) as account:
        done = run(tree, account, "deploy", "--set", f"DATABASE_URL={account.database_url}")
        assert done.returncode == 0, done.stdout + done.stderr
        yield Site(tree, account, done.stdout)


@pytest.fixture
def packaged(site: Site, tmp_path: Path) -> dict[str, Any]:
    """The stage, as it is set now, as `chalice package` writes it for CloudFormation; its functions by name."""
    out = tmp_path / "packaged"
    order = [sys.executable, "-m", "localstack.bundle", str(site.tree), str(out), STAGE]
    subprocess.run(order, cwd=site.tree, env=clean_environment(), check=True)
    resources = json.loads((out / "sam.json").read_text())["Resources"]
    functions = {}
    for resource in resources.values():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = resource["Properties"]
            name = properties["Handler"].removeprefix("app.")
            role = resources[properties["Role"]["Fn::GetAtt"][0]]["Properties"]
            functions["api_handler" if name == "app" else name] = {**properties, "RolePolicies": role["Policies"]}
    return functions


def test_deploy_from_nothing_ends_with_a_job_through_the_queue_and_a_forecast(site: Site) -> None:
    lines = site.said.splitlines()
    assert [line for line in lines if line.endswith("/api/health answers: ok")]
    assert f"sluice: a job went through the queue to {deployed_name(STAGE, 'work_simulations')}" in lines
    assert [line for line in lines if line.startswith("sluice: a forecast of 20 tasks took ")]
    assert lines[-1].startswith("sluice: stage demo is up at https://")


def test_deployed_functions_are_those_of_the_package(site: Site, packaged: dict[str, Any]) -> None:
    assert set(packaged) == set(PLACES)
    functions = site.client("lambda")
    for name, wanted in packaged.items():
        found = functions.get_function_configuration(FunctionName=deployed_name(STAGE, name))
        variables = wanted["Environment"]["Variables"]
        # In the package CloudFormation looks it up; `chalice deploy` gives it to the WebSocket functions alike.
        assert found["Environment"]["Variables"] == variables, name
        assert (found["MemorySize"], found["Timeout"]) == (wanted["MemorySize"], wanted["Timeout"]), name
        assert (found["Handler"], found["Runtime"]) == (wanted["Handler"], wanted["Runtime"]), name
        within = wanted.get("VpcConfig", {"SubnetIds": [], "SecurityGroupIds": []})
        network = found.get("VpcConfig") or {}
        assert network.get("SubnetIds", []) == within["SubnetIds"], name
        assert network.get("SecurityGroupIds", []) == within["SecurityGroupIds"], name
        assert bool(within["SubnetIds"]) is bool(PLACES[name].database), name


def test_deployed_roles_are_those_of_the_package(site: Site, packaged: dict[str, Any]) -> None:
    roles = site.client("iam")
    for name, wanted in packaged.items():
        (policy,) = wanted["RolePolicies"]
        role = f"sluice-{STAGE}-{name}"
        (attached,) = roles.list_role_policies(RoleName=role)["PolicyNames"]
        found = roles.get_role_policy(RoleName=role, PolicyName=attached)["PolicyDocument"]
        assert found["Statement"] == policy["PolicyDocument"]["Statement"], name


def test_deployed_mappings_and_schedules_are_those_of_the_package(site: Site, packaged: dict[str, Any]) -> None:
    functions, rules = site.client("lambda"), site.client("events").list_rules()["Rules"]
    scheduled = []
    for name, wanted in packaged.items():
        found = functions.list_event_source_mappings(FunctionName=deployed_name(STAGE, name))["EventSourceMappings"]
        events = {event["Type"]: event["Properties"] for event in wanted.get("Events", {}).values()}
        mapped = [event for kind, event in events.items() if kind in ("SQS", "DynamoDB")]
        assert len(found) == len(mapped), name
        for mapping, event in zip(found, mapped, strict=True):
            assert mapping["BatchSize"] == event["BatchSize"], name
            assert mapping.get("ScalingConfig", {}) == event.get("ScalingConfig", {}), name
        scheduled += [event["Schedule"] for kind, event in events.items() if kind == "Schedule"]
    assert [rule["ScheduleExpression"] for rule in rules] == scheduled == ["rate(1 minute)"]


def test_what_is_no_route_is_answered_with_a_problem_document(site: Site) -> None:
    api = site.deployed()["rest_api"]["rest_api_id"]
    request = urllib.request.Request(f"{site.account.endpoint}/_aws/execute-api/{api}/api/api/nothing/here")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    document = json.loads(caught.value.read())
    assert (caught.value.code, document["status"]) == (404, 404)
    assert document["type"] == "urn:sluice:problem:not-found"
    assert caught.value.headers["Content-Type"] == "application/problem+json"


def test_what_was_changed_by_hand_is_named_and_mended_by_the_next_deploy(site: Site) -> None:
    assert site.make("drift").returncode == 0
    apis = site.deployed()
    site.client("apigateway").delete_gateway_response(
        restApiId=apis["rest_api"]["rest_api_id"], responseType="THROTTLED"
    )
    functions = site.client("lambda")
    batch = deployed_name(STAGE, "work_batch")
    functions.put_function_recursion_config(FunctionName=batch, RecursiveLoop="Terminate")
    drifted = site.make("drift")
    assert drifted.returncode == 1
    assert [
        line.partition(":")[2].partition(":")[0] for line in drifted.stdout.splitlines() if "should be" in line
    ] == [
        " gateway response THROTTLED",
        " recursion of work_batch",
    ]
    # An update with changes of both kinds, and an hour later one from another machine, which has no notes.
    shutil.rmtree(site.tree / ".chalice/deployed")
    again = site.make("deploy", "--stack", "LogDays=14", "--set", "PUBLIC_SEARCH=true")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "sluice: applied: none; all were before" in again.stdout.splitlines()
    assert site.make("drift").returncode == 0
    # No second API was made, which would have been another host.
    assert site.deployed()["rest_api"]["rest_api_id"] == apis["rest_api"]["rest_api_id"]
    assert len(site.client("apigateway").get_rest_apis()["items"]) == 1
    variables = functions.get_function_configuration(FunctionName=batch)["Environment"]["Variables"]
    assert (variables["PUBLIC_SEARCH"], variables["PUBLIC_FORECASTS"]) == ("true", "false")
    groups = site.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/sluice-{STAGE}-sweep")
    assert [group["retentionInDays"] for group in groups["logGroups"]] == [14]


def test_deploy_that_fails_says_what_next_and_what_it_made_can_be_destroyed(tmp_path: Path) -> None:
    tree = copy_of_project(tmp_path / "project")
    (tmp_path / "account").mkdir()
    with new_account(tmp_path / "account") as account:
        gone = account.database_url.replace("/socket", "/no-socket")
        failed = run(tree, account, "deploy", "--set", f"DATABASE_URL={gone}")
        assert failed.returncode == 1
        assert "deploy: stopped: migrations: migrate failed: " in failed.stderr
        assert "the database cannot be reached\n" in failed.stderr
        assert "next: see docs/runbook.md#migration-failed; the new code runs" in failed.stderr

        refused = run(tree, account, "destroy", answer="prod\n")
        assert (refused.returncode, "nothing was deleted" in refused.stdout) == (1, True)
        assert len(account.client("lambda").list_functions()["Functions"]) == len(PLACES)

        # As a stage that was used: a bucket with something in it is not deleted by CloudFormation.
        (bucket,) = [
            each["Name"] for each in account.client("s3").list_buckets()["Buckets"] if "results" in each["Name"]
        ]
        account.client("s3").put_object(Bucket=bucket, Key="results/one", Body=b"1")
        gone_for_good = run(tree, account, "destroy", "--kept", "delete", answer=f"{STAGE}\n")
        assert gone_for_good.returncode == 0, gone_for_good.stdout + gone_for_good.stderr
        assert left(account) == {}


def left(account: Account) -> dict[str, object]:
    """What there still is."""
    client = account.client
    found = {
        "functions": client("lambda").list_functions()["Functions"],
        "mappings": client("lambda").list_event_source_mappings()["EventSourceMappings"],
        "REST APIs": client("apigateway").get_rest_apis()["items"],
        "WebSocket APIs": client("apigatewayv2").get_apis()["Items"],
        "queues": client("sqs").list_queues().get("QueueUrls", []),
        "tables": client("dynamodb").list_tables()["TableNames"],
        "buckets": client("s3").list_buckets()["Buckets"],
        "secrets": client("secretsmanager").list_secrets()["SecretList"],
        "roles": client("iam").list_roles()["Roles"],
        "rules": client("events").list_rules()["Rules"],
        "databases": client("rds").describe_db_instances()["DBInstances"],
        "logs": client("logs").describe_log_groups()["logGroups"],
        "distributions": client("cloudfront").list_distributions()["DistributionList"].get("Items", []),
        "alarms": client("cloudwatch").describe_alarms()["MetricAlarms"],
        "stacks": [
            stack
            for stack in client("cloudformation").list_stacks()["StackSummaries"]
            if stack["StackStatus"] != "DELETE_COMPLETE"
        ],
    }
    return {name: value for name, value in found.items() if value}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--stage", "local"], "STAGE must be 2 to 16 lower-case letters and digits, and not local, got 'local'"),
        (["--stage", "Prod-1"], "got 'Prod-1'"),
        (["--stage", "prod", "--set", "PUBLIC_SEARCH"], "SET must be NAME=value NAME=value, got 'PUBLIC_SEARCH'"),
        (["--stage", "prod", "--stack", "MultiAZ=true"], "STACK has no parameter MultiAZ; there are AlarmEmail"),
    ],
)
def test_what_cannot_be_deployed_is_refused_before_anything_is_done(words: list[str], complaint: str) -> None:
    environ = {**clean_environment(), "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    order = [sys.executable, "-m", "infra.stage", "deploy", *words]
    done = subprocess.run(order, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert complaint in done.stderr

"""The service on LocalStack 4.14 without Docker: its queues, mappings, functions and REST API carry real jobs.

Skipped where `make localstack` has not made LocalStack's own virtual environment.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from infra.ops import find_local
from localstack import community
from localstack.emulator import aws_session
from localstack.run import LocalStack, local_stack
from localstack.settings import Settings
from tests.e2e.client import Client
from tests.localstack.tiny_project import launcher_environment, wait_for

pytestmark = pytest.mark.skipif(
    not community.is_installed(),
    reason=community.missing_python() or "LocalStack is not set up here: make localstack",
)

ROOT = Path(__file__).parents[2]
# One task a week: as many weeks as tasks.
FORECAST = {"tpSamples": [1], "numberOfTasks": 7}
SIMULATIONS = "sluice-local-simulations"
# It is some times slower than the embedded emulator, and shares the machine with other tests.
PATIENCE_S = 120.0


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended and whose end nobody has asked for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    settings = Settings(
        root=ROOT, state=tmp_path_factory.mktemp("localstack"), keep_data=False, backend="localstack-host"
    )
    with local_stack(settings) as running:
        yield running
        processes = started(running)
    assert [process for process in processes if is_alive(process)] == []


@pytest.fixture
def client(stack: LocalStack) -> Client:
    return Client(stack.url)


def started(stack: LocalStack) -> list[psutil.Process]:
    """The processes of the environment and all below them, this one left out."""
    parents = [psutil.Process(pid) for pid in stack.pids if pid != os.getpid()]
    return [process for parent in parents for process in (parent, *parent.children(recursive=True))]


def localstack(stack: LocalStack, service: str) -> Any:  # a client, each service has its type
    session: Any = aws_session()
    return session.client(service, endpoint_url=stack.endpoint)


def embedded(stack: LocalStack, service: str) -> Any:
    session: Any = aws_session()
    return session.client(service, endpoint_url=stack.services["AWS_ENDPOINT_URL_DYNAMODB"])


def test_both_stacks_are_on_both_emulators(stack: LocalStack) -> None:
    for emulator in (localstack, embedded):
        stacks = emulator(stack, "cloudformation").describe_stacks()["Stacks"]
        assert {each["StackName"]: each["StackStatus"] for each in stacks} == {
            "sluice-infra": "CREATE_COMPLETE",
            "sluice-app": "CREATE_COMPLETE",
        }


def test_functions_are_shared_between_the_emulators(stack: LocalStack) -> None:
    def handlers(emulator: Any) -> set[str]:
        return {each["Handler"] for each in emulator(stack, "lambda").list_functions()["Functions"]}

    sockets = {"app.websocket_connect", "app.websocket_message", "app.websocket_disconnect"}
    assert handlers(embedded) == sockets | {"app.push_changes", "app.greet_connections"}
    assert {"app.app", "app.work_simulations", "app.work_events", "app.sweep", "app.push_events"} <= handlers(
        localstack
    )
    assert handlers(localstack) & handlers(embedded) == set()


def test_forecast_goes_through_its_rest_api_and_its_mapping_of_the_queue(client: Client, stack: LocalStack) -> None:
    (mapping,) = (
        each
        for each in localstack(stack, "lambda").list_event_source_mappings()["EventSourceMappings"]
        if each["EventSourceArn"].endswith(f":{SIMULATIONS}")
    )
    assert (mapping["State"], mapping["ScalingConfig"]) == ("Enabled", {"MaximumConcurrency": 10})
    accepted = client.call("POST", "/api/async/simulate", FORECAST)
    assert (accepted.status, accepted.headers["Location"]) == (202, accepted.body["poll_url"])
    task = client.wait(accepted.body["task_id"], timeout_s=PATIENCE_S)
    assert (task["state"], task["attempt"], task["result"]["percentiles"]["p50"]) == ("SUCCESS", 1, 7)


def test_twenty_forecasts_each_get_their_own_result(client: Client) -> None:
    ids = {n: client.submit("/api/async/simulate", FORECAST | {"numberOfTasks": n}, tries=5) for n in range(1, 21)}
    ended = {n: client.wait(task_id, timeout_s=PATIENCE_S) for n, task_id in ids.items()}
    assert {n: (task["state"], task["result"]["percentiles"]["p50"]) for n, task in ended.items()} == {
        n: ("SUCCESS", n) for n in range(1, 21)
    }


def test_queue_has_the_attributes_of_the_template(stack: LocalStack) -> None:
    sqs = localstack(stack, "sqs")
    found = sqs.get_queue_attributes(
        QueueUrl=sqs.get_queue_url(QueueName=SIMULATIONS)["QueueUrl"], AttributeNames=["All"]
    )
    attributes = found["Attributes"]
    assert {
        name: attributes[name] for name in ("VisibilityTimeout", "MessageRetentionPeriod", "SqsManagedSseEnabled")
    } == {
        "VisibilityTimeout": "30",  # of the local stage
        "MessageRetentionPeriod": "1209600",
        "SqsManagedSseEnabled": "true",
    }
    assert json.loads(attributes["RedrivePolicy"]) == {
        "deadLetterTargetArn": f"arn:aws:sqs:us-east-1:000000000000:{SIMULATIONS}-dlq",
        "maxReceiveCount": 1000,
    }


def test_message_that_cannot_be_read_ends_in_the_dead_letter_queue_with_its_reason(stack: LocalStack) -> None:
    sqs = localstack(stack, "sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=SIMULATIONS)["QueueUrl"], MessageBody="no json")
    dead = sqs.get_queue_url(QueueName=f"{SIMULATIONS}-dlq")["QueueUrl"]
    found: list[Any] = []

    def is_dead() -> bool:
        answer = sqs.receive_message(QueueUrl=dead, MessageAttributeNames=["All"], WaitTimeSeconds=1)
        found.extend(answer.get("Messages", []))
        return bool(found)

    wait_for(is_dead, "a dead letter", timeout_s=PATIENCE_S)
    assert [message["Body"] for message in found] == ["no json"]
    assert found[0]["MessageAttributes"]["reason"]["StringValue"]
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=found[0]["ReceiptHandle"])


def test_dead_letter_sets_off_its_alarm_which_tells_the_topic(stack: LocalStack) -> None:
    sqs = localstack(stack, "sqs")
    inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    topic, arn = stack.outputs["AlarmTopicArn"], "arn:aws:sqs:us-east-1:000000000000:inbox"
    localstack(stack, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    dead = sqs.get_queue_url(QueueName="sluice-local-emails-dlq")["QueueUrl"]
    sqs.send_message(QueueUrl=dead, MessageBody="given up")
    alarms: dict[str, str] = {}

    def is_told() -> bool:
        for message in sqs.receive_message(QueueUrl=inbox, WaitTimeSeconds=1).get("Messages", []):
            sqs.delete_message(QueueUrl=inbox, ReceiptHandle=message["ReceiptHandle"])
            told = json.loads(json.loads(message["Body"])["Message"])
            if told["NewStateValue"] == "ALARM":
                alarms[told["AlarmName"]] = told["AlarmDescription"]
        return "sluice-local-emails-dlq" in alarms

    # the queue's metrics are written once a minute, and looked at as often
    wait_for(is_told, "an alarm", timeout_s=3 * PATIENCE_S)
    assert "Runbook: docs/runbook.md#emails-dlq" in alarms["sluice-local-emails-dlq"]
    sqs.purge_queue(QueueUrl=dead)


def test_secrets_of_the_template_are_there(stack: LocalStack) -> None:
    secret = localstack(stack, "secretsmanager").get_secret_value(SecretId=stack.outputs["TokenSecretArn"])
    assert len(secret["SecretString"]) == 64


def test_subscriber_on_the_embedded_emulator_is_told_of_a_job_that_ran_on_localstack(
    client: Client, stack: LocalStack
) -> None:
    async def watch() -> list[str]:
        states = []
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{stack.url}/ws/tasks/status/?task_id={task_id}") as line,
        ):
            while "SUCCESS" not in states:
                message = await line.receive_json(timeout=PATIENCE_S)
                states.append(message.get("state") or message.get("data", {}).get("state", ""))
        return states

    task_id = client.submit("/api/async/slow", {"seconds": 3}, tries=5)
    assert asyncio.run(watch())[-1] == "SUCCESS"


def test_file_is_sent_to_a_presigned_link_of_the_bucket(client: Client, stack: LocalStack) -> None:
    bucket = stack.outputs["ResultBucketName"]
    s3 = localstack(stack, "s3")
    s3.put_object(Bucket=bucket, Key="files/one", Body=b"content")
    link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "files/one"})
    with urllib.request.urlopen(link, timeout=PATIENCE_S) as answer:
        assert answer.read() == b"content"


def code(handler: str) -> bytes:
    """A function's package with this text in it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as bundle:
        bundle.writestr("function.py", handler)
    return packed.getvalue()


def test_function_that_hangs_dies_or_does_not_load_fails_with_the_reason_and_runs_again(stack: LocalStack) -> None:
    functions = localstack(stack, "lambda")

    def create(name: str, handler: str) -> None:
        functions.create_function(
            FunctionName=name, Runtime="python3.11", Handler="function.run", Timeout=2,
            Role="arn:aws:iam::000000000000:role/any", Code={"ZipFile": code(handler)},
        )  # fmt: skip
        functions.get_waiter("function_active_v2").wait(FunctionName=name)

    def invoke(name: str, event: str) -> tuple[bool, Any]:
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
        return "FunctionError" in answer, json.load(answer["Payload"])

    create(
        "moody",
        "import os, time\ndef run(event, _):\n    return {'hang': time.sleep, 'die': os._exit, 'go': str}[event](9)",
    )
    for event, reason in (("hang", "Task timed out after 2.00 seconds"), ("die", "Runtime exited")):
        failed, said = invoke("moody", event)
        assert (failed, reason in said["errorMessage"]) == (True, True), said
        assert invoke("moody", "go") == (False, "9")
    create("broken", "import nowhere")
    failed, said = invoke("broken", "go")
    assert (failed, "No module named 'nowhere'" in said["errorMessage"]) == (True, True), said


def test_door_answers_the_console_and_unknown_paths(client: Client, stack: LocalStack) -> None:
    asked = urllib.request.Request(f"{stack.url}/", headers={"Accept": "text/html"})
    with urllib.request.urlopen(asked, timeout=PATIENCE_S) as page:
        assert page.headers["Content-Type"].startswith("text/html")
    unknown = client.call("GET", "/api/nowhere")
    assert (unknown.status, unknown.headers["Content-Type"]) == (404, "application/problem+json")


def test_page_of_the_door_may_log_in(stack: LocalStack) -> None:
    """LocalStack refuses calls from pages that it has not been told of."""
    body = {"email": "demo@sluice.test", "password": "demo-password"}
    assert Client(stack.url).call("POST", "/api/auth/login", body, Origin=stack.url).status == 200


def test_queue_is_paused_and_resumed_from_the_command_line(client: Client, stack: LocalStack) -> None:
    def order(command: str) -> Any:
        environment = launcher_environment(**find_local({}, stack.state / "run.json"))
        told = subprocess.run(
            [sys.executable, "-m", "infra.ops", command, "--queue", "simulations"],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(told.stdout)

    assert order("pause")["is_paused"] is True
    task_id = client.submit("/api/async/simulate", FORECAST, tries=5)
    assert client.call("GET", f"/api/tasks/{task_id}").body["state"] == "PENDING"
    assert order("resume")["is_paused"] is False
    assert client.wait(task_id, timeout_s=PATIENCE_S)["state"] == "SUCCESS"


def test_everything_listens_on_the_loopback_address_only(stack: LocalStack) -> None:
    processes = started(stack)
    assert any("executor.py" in part for process in processes for part in process.cmdline())
    addresses = {
        connection.laddr.ip
        for process in (psutil.Process(), *processes)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
    }
    assert addresses == {"127.0.0.1"}

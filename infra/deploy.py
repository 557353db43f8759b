"""A stage on AWS, from nothing or from an earlier version: `make deploy STAGE=prod`.

Each step may be done again: what is as it should be is left alone. The first one that fails ends it, and says what to
do; then the same command goes on from there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.api.client import proof_of_host
from chalicelib.runtime import Runtime
from chalicelib.settings import read_settings
from infra import after_deploy, smoke, stack_parts, stacks, stage_config
from infra.functions import deployed_name, mapped, read_config

DEPLOYED = Path(".chalice/deployed")
PACKAGED = Path("dist/deployment.zip")
PACKAGE_PYTHON = Path(".venv-package/bin/python")
PARTS = ("stack", "edge", "watch")
# Parameters that a deploy finds out; the others are an operator's to set.
FOUND_OUT = frozenset(
    [
        "Stage",
        "RestApiId",
        "RestStage",
        "WebSocketApiId",
        "WebSocketStage",
        "OriginProof",
        "AlarmTopicArn",
        "RestApiName",
        "RestApiStage",
    ]
)


class Plan(NamedTuple):
    """What is deployed, and where to."""

    stage: str
    session: Any  # boto3's
    # Of the templates.
    parameters: Mapping[str, str] = {}
    # Settings of every function, beyond what the stack gives.
    variables: Mapping[str, str] = {}
    # Of an emulator: its address, a zip of the code alone, and the types of resources that it does not know.
    endpoint: str = ""
    bundle: str = ""
    left_out: frozenset[str] = frozenset()

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint or None)

    def function(self, name: str) -> str:
        return deployed_name(self.stage, name)

    def named(self, what: str) -> str:
        """Of a stack, table, bucket or secret."""
        return f"sluice-{self.stage}-{what}"


class Stopped(Exception):
    """A step failed; the message says what, and what to do next."""


def deploy(plan: Plan) -> str:
    """Does all of it and answers the public address; raises Stopped."""
    with step("infra/stack.yaml", "mend what is named, and deploy again"):
        outputs = apply(plan, "stack", of_template(plan, "stack", plan.parameters))
    known = stage_config.variables_of(outputs, database_class=_database_class(plan))
    recall(plan, outputs["DeployBucketName"])
    stage_config.write(plan.stage, outputs, known | _addresses(plan) | dict(plan.variables))
    with step("the package", "mend what is named, and deploy again; nothing was changed"):
        bundle = plan.bundle or _package(plan.stage)
    with step("migrations that the running code survives", "see docs/runbook.md#migration-failed; the old code runs"):
        _migrate_first(plan, bundle)
    apis = _deploy_app(plan, outputs)
    with step("infra/edge.yaml", "mend what is named, and deploy again; the new code runs"):
        public = apply(plan, "edge", {**of_template(plan, "edge", plan.parameters), **_edge_of(plan, outputs, apis)})
    # At its first deploy a stage has them only now, and is told in a second round.
    if stage_config.write(plan.stage, outputs, known | _addresses(plan) | dict(plan.variables)):
        apis = _deploy_app(plan, outputs)
    with step("infra/watch.yaml", "mend what is named, and deploy again; the new code runs"):
        apply(plan, "watch", of_template(plan, "watch", _watch_of(plan, outputs, apis)))
    with step("migrations", "see docs/runbook.md#migration-failed; the new code runs"):
        say(f"applied: {', '.join(migrate(plan, ['pre', 'post'])) or 'none; all were before'}")
    with step("the smoke test", "see docs/runbook.md#bad-deploy; the new code runs"):
        url = _address(plan, apis["rest_api"]) if plan.endpoint else public["PublicUrl"]
        for line in smoke.run(_runtime(plan, outputs), url):
            say(line)
    return public["PublicUrl"]


def settings_beyond_chalice(plan: Plan, apis: Mapping[str, str]) -> list[after_deploy.Item]:
    """What a deploy brings about and a drift check looks at."""
    rest_stage = read_config()["api_gateway_stage"]
    stage = after_deploy.Stage(plan.stage, apis["rest_api"], rest_stage, apis["websocket_api"], plan.client)
    return list(after_deploy.items(stage, mapped()))


def deployed_apis(plan: Plan) -> dict[str, str]:
    """Ids of the REST and the WebSocket API, as Chalice noted them; raises Stopped where there are none."""
    path = DEPLOYED / f"{plan.stage}.json"
    if not path.exists():
        raise Stopped(f"{path} is not there: stage {plan.stage} was not deployed from here, or its bucket is gone")
    found = {each["name"]: each for each in json.loads(path.read_text("utf-8"))["resources"]}
    return {"rest_api": found["rest_api"]["rest_api_id"], "websocket_api": found["websocket_api"]["websocket_api_id"]}


def apply(plan: Plan, part: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Brings one of the stacks about and answers its outputs."""
    body = stack_parts.without(stacks.read_template(_text(part)), plan.left_out)
    return stacks.apply(plan.client("cloudformation"), plan.named(part), body, parameters)


def settable() -> set[str]:
    """The parameters that an operator may set, of all templates."""
    return set().union(*(_declared(part) for part in PARTS)) - FOUND_OUT


def of_template(plan: Plan, part: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Those of the parameters that the template has, and the stage."""
    declared = _declared(part)
    return {name: value for name, value in {"Stage": plan.stage, **parameters}.items() if name in declared}


def migrate(plan: Plan, phases: list[str]) -> list[str]:
    """Runs the function `migrate`; answers the names applied."""
    payload = json.dumps({"phases": phases}).encode()
    answer = plan.client("lambda").invoke(FunctionName=plan.function("migrate"), Payload=payload)
    said = json.load(answer["Payload"])
    if answer.get("FunctionError"):
        raise RuntimeError(f"migrate failed: {said.get('errorType')}: {said.get('errorMessage')}")
    applied: list[str] = said["applied"]
    return applied


@contextmanager
def step(name: str, advice: str) -> Iterator[None]:
    """Says what is done and how long it took; what fails in it is told with advice."""
    say(f"{name} ...")
    began_s = time.monotonic()
    try:
        yield
    except (stacks.StackFailed, smoke.SmokeFailed, BotoCoreError, ClientError, OSError, RuntimeError) as error:
        raise Stopped(f"{name}: {error}\n  next: {advice}") from error
    except subprocess.CalledProcessError as error:
        raise Stopped(f"{name}: it ended with code {error.returncode}, see above\n  next: {advice}") from error
    say(f"{name}: done in {time.monotonic() - began_s:.0f} s")


def say(text: str) -> None:
    print(f"sluice: {text}", flush=True)


def _text(part: str) -> str:
    return Path(f"infra/{part}.yaml").read_text("utf-8")


def _declared(part: str) -> dict[str, Any]:
    """The parameters of a template."""
    found: dict[str, Any] = json.loads(stacks.read_template(_text(part)))["Parameters"]
    return found


def _database_class(plan: Plan) -> str:
    found = stacks.find(plan.client("cloudformation"), plan.named("stack")) or {}
    given = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
    return str(given.get("DatabaseClass", _declared("stack")["DatabaseClass"]["Default"]))


def _package(stage: str) -> str:
    """Packages the app with a Python that Lambda has, and tries it, before anything runs on it."""
    subprocess.run([sys.executable, "infra/package.py"], env={**os.environ, "STAGE": stage}, check=True)
    return str(PACKAGED)


def _migrate_first(plan: Plan, bundle: str) -> None:
    """Has the new `migrate` alone apply what goes in before the new code; at a first deploy there is none yet."""
    functions = plan.client("lambda")
    try:
        functions.update_function_code(FunctionName=plan.function("migrate"), ZipFile=Path(bundle).read_bytes())
    except functions.exceptions.ResourceNotFoundException:
        say("there is no function yet: after the app, then")
        return
    functions.get_waiter("function_updated_v2").wait(FunctionName=plan.function("migrate"))
    say(f"applied: {', '.join(migrate(plan, ['pre'])) or 'none; all were before'}")


def _deploy_app(plan: Plan, outputs: Mapping[str, str]) -> dict[str, str]:
    with step("chalice deploy", "deploy again: Chalice goes on from where it stopped"):
        python = sys.executable if plan.bundle else str(PACKAGE_PYTHON)
        order = [python, "-m", "infra.chalice_stage", plan.stage, "deploy", *([plan.bundle] if plan.bundle else [])]
        try:
            subprocess.run(order, env={**os.environ, **aws_environment(plan)}, check=True)
        finally:
            _remember(plan, outputs["DeployBucketName"])
    apis = deployed_apis(plan)
    with step("what Chalice cannot set", "deploy again; the new code runs without it"):
        changed = after_deploy.bring_about(settings_beyond_chalice(plan, apis))
        if any(name.startswith("gateway response") for name in changed):
            # They hold from the next deployment of the API on.
            rest_stage = read_config()["api_gateway_stage"]
            plan.client("apigateway").create_deployment(restApiId=apis["rest_api"], stageName=rest_stage)
        say(f"set: {', '.join(changed) or 'nothing; all was as it should be'}")
    return apis


def aws_environment(plan: Plan) -> dict[str, str]:
    region = {"AWS_DEFAULT_REGION": plan.session.region_name}
    return region | ({"AWS_ENDPOINT_URL": plan.endpoint} if plan.endpoint else {})


def recall(plan: Plan, bucket: str) -> None:
    """What Chalice noted at the last deploy, wherever that was run."""
    s3 = plan.client("s3")
    try:
        noted = s3.get_object(Bucket=bucket, Key=f"{plan.stage}.json")["Body"].read()
    except s3.exceptions.NoSuchKey:
        return
    DEPLOYED.mkdir(exist_ok=True)
    (DEPLOYED / f"{plan.stage}.json").write_bytes(noted)


def _remember(plan: Plan, bucket: str) -> None:
    path = DEPLOYED / f"{plan.stage}.json"
    if path.exists():
        plan.client("s3").put_object(Bucket=bucket, Key=path.name, Body=path.read_bytes())


def _edge_of(plan: Plan, outputs: Mapping[str, str], apis: Mapping[str, str]) -> dict[str, str]:
    stage = read_config()["api_gateway_stage"]
    secret = plan.client("secretsmanager").get_secret_value(SecretId=outputs["TokenSecretArn"])["SecretString"]
    return {
        "RestApiId": apis["rest_api"], "RestStage": stage,
        "WebSocketApiId": apis["websocket_api"], "WebSocketStage": stage, "OriginProof": proof_of_host(secret),
    }  # fmt: skip


def _addresses(plan: Plan) -> dict[str, str]:
    """What the functions are told of where they are reached, as far as it is known."""
    edge = stacks.find(plan.client("cloudformation"), plan.named("edge"))
    if edge is None or not (DEPLOYED / f"{plan.stage}.json").exists():
        return {}
    management = _address(plan, deployed_apis(plan)["websocket_api"])
    return {"PUBLIC_URL": stacks.outputs_of(edge)["PublicUrl"], "WS_MANAGEMENT_ENDPOINT": management}


def _watch_of(plan: Plan, outputs: Mapping[str, str], apis: Mapping[str, str]) -> dict[str, str]:
    most = 0.8 * stage_config.connections_of(_database_class(plan))
    return {
        "AlarmTopicArn": outputs["AlarmTopicArn"], "RestApiName": f"sluice-{plan.stage}",
        "WebSocketApiId": apis["websocket_api"], "MostConnections": f"{most:.0f}", **plan.parameters,
    }  # fmt: skip


def _address(plan: Plan, api_id: str) -> str:
    """Of one of the APIs itself, without the public host before it."""
    stage = read_config()["api_gateway_stage"]
    if plan.endpoint:
        return f"{plan.endpoint}/_aws/execute-api/{api_id}/{stage}"
    return f"https://{api_id}.execute-api.{plan.session.region_name}.amazonaws.com/{stage}"


def _runtime(plan: Plan, outputs: Mapping[str, str]) -> Runtime:
    """The parts of this stage, for a process that is none of its functions."""
    os.environ.update(aws_environment(plan))
    runtime = Runtime()
    runtime.__dict__["settings"] = read_settings({"STAGE": plan.stage, "RESULT_BUCKET": outputs["ResultBucketName"]})
    return runtime

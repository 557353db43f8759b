"""The two CloudFormation stacks, deployed into the emulator: `infra/stack.yaml`, then the packaged app."""

import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec
from samtranslator.yaml_helper import yaml_parse

from infra.stack_parts import left_of
from localstack.backends import Cloud, Template
from localstack.bundle import CODE, TEMPLATE
from localstack.emulator import Emulator, aws_session
from localstack.errors import LocalStackError
from localstack.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef

# ministack 1.5 refuses a whole template that has one of these
UNSUPPORTED = frozenset({"AWS::ApiGatewayV2::Deployment", "AWS::RDS::DBProxy", "AWS::RDS::DBProxyTargetGroup"})
_BUCKET = "sluice-deploy"
_DEADLINE_S = 240.0


class App(msgspec.Struct, frozen=True, kw_only=True):
    """The deployed app."""

    rest_api_id: str
    websocket_api_id: str | None  # None: the app has no WebSocket route
    outputs: Mapping[str, str]  # of infra/stack.yaml


def deploy_infrastructure(settings: Settings, cloud: Cloud) -> dict[str, str]:
    """Deploy `infra/stack.yaml` and give its outputs."""
    template = cast(Template, yaml_parse((settings.root / "infra" / "stack.yaml").read_text()))
    declared = template.get("Parameters", {})
    parameters = {name: value for name, value in settings.parameters.items() if name in declared}
    outputs: dict[str, str] = {}
    for emulator, share in cloud.shares(left_of(template, UNSUPPORTED)):
        outputs |= _deploy(emulator, "infra", share, parameters=parameters)
    return outputs


def deploy_app(
    settings: Settings,
    cloud: Cloud,
    *,
    bundle: Path,
    environment: Mapping[str, str],
    own: Mapping[str, Mapping[str, str]],
) -> dict[str, str]:
    """Deploy the packaged app and give the stack's outputs; `environment` is for all functions, `own` by function."""
    template = left_of(json.loads((bundle / TEMPLATE).read_text()), UNSUPPORTED)
    outputs: dict[str, str] = {}
    for emulator, share in cloud.shares(template):
        variables: dict[str, object] = {**environment, **cloud.variables(inside=True)}
        management = f"{cloud.embedded.inside}/_aws/execute-api/{{}}/api"
        if "WebsocketAPI" in share["Resources"]:
            variables["WS_MANAGEMENT_ENDPOINT"] = {"Fn::Sub": management.format("${WebsocketAPI}")}
        elif "WebsocketAPIId" in outputs:  # on the other emulator, which had its share before
            variables["WS_MANAGEMENT_ENDPOINT"] = management.format(outputs["WebsocketAPIId"])
        _complete(share, {**variables, **settings.environment}, own)
        _published(emulator, CODE, (bundle / CODE).read_bytes())
        outputs |= _deploy(emulator, "app", share, parameters={})
    return outputs


def wake_sweeper(emulator: Emulator) -> None:
    """Has the sweeper run now and not in up to a minute: what the emulator forgot of kept data is published again."""
    event: dict[str, object] = dict.fromkeys(
        ("version", "id", "detail-type", "source", "account", "time", "region"), ""
    )
    client = aws_session().client("lambda", endpoint_url=emulator.endpoint)
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if function.get("Handler") == "app.sweep":
                payload = json.dumps(event | {"resources": [], "detail": {}})
                client.invoke(FunctionName=function["FunctionName"], InvocationType="Event", Payload=payload)


def token_secret(state: Path) -> str:
    """The secret that signs this environment's tokens; made once, so that logins outlive a restart."""
    path = state / "token-secret"
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32))
        draft.rename(path)
    return path.read_text()


def _complete(template: Template, variables: Mapping[str, object], own: Mapping[str, Mapping[str, str]]) -> None:
    """Adds what the package leaves to the deploy: where the code is, and the variables of this environment."""
    resources = template["Resources"]
    if "WebsocketAPIStage" in resources:
        stage = resources["WebsocketAPIStage"]["Properties"]
        stage.pop("DeploymentId", None)
        stage["AutoDeploy"] = True
    for resource in resources.values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{_BUCKET}/{CODE}"
            name = resource["Properties"]["Handler"].removeprefix("app.")
            told = {**variables, **own.get("api_handler" if name == "app" else name, {})}
            resource["Properties"].setdefault("Environment", {}).setdefault("Variables", {}).update(told)


def _deploy(emulator: Emulator, name: str, template: Template, *, parameters: Mapping[str, str]) -> dict[str, str]:
    cloudformation = aws_session().client("cloudformation", endpoint_url=emulator.endpoint)
    stack = f"sluice-{name}"
    # by its address: in line CloudFormation takes 51,200 bytes, from S3 a megabyte
    url = _published(emulator, f"{stack}.json", json.dumps(template, default=str).encode())
    given: list[ParameterTypeDef] = [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()]
    try:
        cloudformation.create_stack(
            StackName=stack, TemplateURL=url, Parameters=given,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )  # fmt: skip
    except cloudformation.exceptions.ClientError as e:
        # A refusal may quote the whole template; what is wrong with it stands at the end.
        raise LocalStackError(f"the stack {stack} is refused: {' '.join(str(e).split())[-500:]}") from e
    return _outputs(cloudformation, stack)


def _published(emulator: Emulator, key: str, content: bytes) -> str:
    """The content's address in S3, as the emulator itself can read it."""
    s3 = aws_session().client("s3", endpoint_url=emulator.endpoint)
    s3.create_bucket(Bucket=_BUCKET)
    s3.put_object(Bucket=_BUCKET, Key=key, Body=content)
    return f"{emulator.endpoint}/{_BUCKET}/{key}"


def _outputs(cloudformation: "CloudFormationClient", stack: str) -> dict[str, str]:
    deadline_s, pause_s = time.monotonic() + _DEADLINE_S, 0.05
    while True:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if found["StackStatus"] == "CREATE_COMPLETE":
            return {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}
        if not found["StackStatus"].endswith("IN_PROGRESS"):
            raise LocalStackError(f"the stack {stack} failed: {_reason(cloudformation, stack)}")
        if time.monotonic() > deadline_s:
            raise LocalStackError(f"the stack {stack} is not up after {_DEADLINE_S:.0f} s: {found['StackStatus']}")
        time.sleep(pause_s)
        pause_s = min(1.2 * pause_s, 1.0)  # LocalStack creates nothing while it answers


def _reason(cloudformation: "CloudFormationClient", stack: str) -> str:
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [e for e in events if e.get("ResourceStatus", "").endswith("_FAILED")]
    if not failed:
        return "no resource is reported as failed, see emulator.log"
    first = failed[-1]  # events are newest first; later failures are cancellations
    reason = " ".join(first.get("ResourceStatusReason", "no reason given").split())
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {reason}"

"""What Chalice cannot set, set: `make deploy` runs this, and `make drift` only looks whether it is still so.

Each item knows what is there, what there should be and how to get from one to the other, so that a second run
changes nothing, and a change by hand is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, cast

from botocore.exceptions import ClientError

from chalicelib import kinds
from infra import gateway
from infra.functions import PLACES, deployed_name

# A hint that is late is worth nothing, and a record that cannot be pushed must not hold up those behind it.
STREAMS = {"MaximumRecordAgeInSeconds": 60, "MaximumRetryAttempts": 2, "BisectBatchOnFunctionError": True}
# The next sweep comes in a minute anyway.
SWEEPS = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
# What the stack sets, said here too: a group that was made by hand has none.
LOG_DAYS = 30


class Stage(NamedTuple):
    """A deployed stage, as the items need it."""

    name: str
    rest_api_id: str
    rest_stage: str
    websocket_api_id: str
    client: Callable[[str], Any]  # boto3's of a service

    def function(self, name: str) -> str:
        return deployed_name(self.name, name)


class Item(NamedTuple):
    """One thing that is set beyond Chalice."""

    name: str
    read: Callable[[], object]
    wanted: object
    apply: Callable[[], None]


def items(stage: Stage, mapped: Mapping[str, int]) -> Iterator[Item]:
    """Everything, in the order in which it is applied; `mapped` is each queue worker's MaximumConcurrency."""
    yield from _gateway_items(stage)
    yield from _socket_items(stage)
    yield from _function_items(stage)
    yield from _mapping_items(stage, mapped)


def drifted(found: list[Item]) -> list[str]:
    """What is not as wanted, a line each."""
    return [
        f"{item.name}: is {now!r}, should be {item.wanted!r}" for item in found if (now := item.read()) != item.wanted
    ]


def bring_about(found: list[Item]) -> list[str]:
    """Sets what is not as wanted and answers the names; raises RuntimeError where a setting does not take."""
    changed = []
    for item in found:
        if item.read() != item.wanted:
            item.apply()
            if (now := item.read()) != item.wanted:
                raise RuntimeError(f"{item.name} was set to {item.wanted!r} and is {now!r}")
            changed.append(item.name)
    return changed


def _gateway_items(stage: Stage) -> Iterator[Item]:
    api = stage.client("apigateway")
    # Chalice names it for the app, in every stage of an account alike, and its metrics go by its name.
    name = f"sluice-{stage.name}"
    yield Item(
        "name of the REST API",
        lambda: api.get_rest_api(restApiId=stage.rest_api_id)["name"],
        name,
        partial(
            api.update_rest_api,
            restApiId=stage.rest_api_id,
            patchOperations=[{"op": "replace", "path": "/name", "value": name}],
        ),
    )
    for name, response in gateway.RESPONSES.items():
        wanted = gateway.wanted_response(response)
        yield Item(
            f"gateway response {name}",
            partial(_response, api, stage, name),
            wanted,
            partial(api.put_gateway_response, restApiId=stage.rest_api_id, responseType=name, **wanted),
        )
    traced = {"op": "replace", "path": "/tracingEnabled", "value": "true"}
    yield Item(
        "tracing of the REST API",
        lambda: api.get_stage(restApiId=stage.rest_api_id, stageName=stage.rest_stage).get("tracingEnabled"),
        True,
        partial(api.update_stage, restApiId=stage.rest_api_id, stageName=stage.rest_stage, patchOperations=[traced]),
    )
    for method, (rate, burst) in gateway.wanted_throttle().items():
        yield Item(
            f"throttling of {method}",
            partial(_throttle, api, stage, method),
            (rate, burst),
            partial(_set_throttle, api, stage, method, rate, burst),
        )


def _response(api: Any, stage: Stage, name: str) -> object:
    found = api.get_gateway_response(restApiId=stage.rest_api_id, responseType=name)
    return {key: found.get(key) for key in ("statusCode", "responseParameters", "responseTemplates")}


def _throttle(api: Any, stage: Stage, method: str) -> tuple[float, int] | None:
    settings = api.get_stage(restApiId=stage.rest_api_id, stageName=stage.rest_stage).get("methodSettings", {})
    found = {_plain(key): each for key, each in settings.items()}.get(_plain(method))
    return (found["throttlingRateLimit"], found["throttlingBurstLimit"]) if found else None


def _plain(method: str) -> str:
    """A path and a method, of which a patch has the slashes written otherwise than the answer."""
    return method.replace("~1", "/").lstrip("/")


def _set_throttle(api: Any, stage: Stage, method: str, rate: float, burst: int) -> None:
    limits = {"rateLimit": rate, "burstLimit": burst}
    patches = [
        {"op": "replace", "path": f"/{method}/throttling/{limit}", "value": str(value)}
        for limit, value in limits.items()
    ]
    api.update_stage(restApiId=stage.rest_api_id, stageName=stage.rest_stage, patchOperations=patches)


def _socket_items(stage: Stage) -> Iterator[Item]:
    api = stage.client("apigatewayv2")
    settings = {"ThrottlingRateLimit": gateway.SOCKET_RATE, "ThrottlingBurstLimit": gateway.SOCKET_BURST}

    def read() -> object:
        found = api.get_stage(ApiId=stage.websocket_api_id, StageName=stage.rest_stage)
        return {key: found.get("DefaultRouteSettings", {}).get(key) for key in settings}

    def apply() -> None:
        api.update_stage(ApiId=stage.websocket_api_id, StageName=stage.rest_stage, DefaultRouteSettings=settings)

    yield Item("throttling of the WebSocket API", read, settings, apply)


def _function_items(stage: Stage) -> Iterator[Item]:
    functions, logs = stage.client("lambda"), stage.client("logs")
    chained = {f"work_{kind.queue}" for kind in kinds.registry(stage.name) if kind.max_hops}
    for name in PLACES:
        function = stage.function(name)
        # AWS stops a function that sends itself messages after some 16 of them; ours count their own hops.
        loop = "Allow" if name in chained else "Terminate"
        yield Item(
            f"recursion of {name}",
            partial(_recursion, functions, function),
            loop,
            partial(functions.put_function_recursion_config, FunctionName=function, RecursiveLoop=loop),
        )
        group = f"/aws/lambda/{function}"
        yield Item(
            f"log group of {name}",
            partial(_has_retention, logs, group),
            True,
            partial(_keep_logs, logs, group),
        )
    function = stage.function("sweep")
    yield Item(
        "retries of sweep",
        partial(_invocations, functions, function),
        SWEEPS,
        partial(functions.put_function_event_invoke_config, FunctionName=function, **SWEEPS),
    )


def _recursion(functions: Any, function: str) -> str:
    return cast(str, functions.get_function_recursion_config(FunctionName=function)["RecursiveLoop"])


def _invocations(functions: Any, function: str) -> object:
    try:
        found = functions.get_function_event_invoke_config(FunctionName=function)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None
    return {key: found.get(key) for key in SWEEPS}


def _has_retention(logs: Any, group: str) -> bool:
    found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    return any(each["logGroupName"] == group and each.get("retentionInDays") for each in found)


def _keep_logs(logs: Any, group: str) -> None:
    try:
        logs.create_log_group(logGroupName=group)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
    logs.put_retention_policy(logGroupName=group, retentionInDays=LOG_DAYS)


def _mapping_items(stage: Stage, mapped: Mapping[str, int]) -> Iterator[Item]:
    functions = stage.client("lambda")
    for name, most in mapped.items():
        read = partial(_mapping, functions, stage.function(name), ("ScalingConfig",))
        wanted = {"ScalingConfig": {"MaximumConcurrency": most}}
        yield Item(
            f"concurrency of {name}", read, wanted, partial(_set_mapping, functions, stage.function(name), wanted)
        )
    for name in ("push_changes", "greet_connections"):
        read = partial(_mapping, functions, stage.function(name), tuple(STREAMS))
        yield Item(f"stream of {name}", read, STREAMS, partial(_set_mapping, functions, stage.function(name), STREAMS))


def _mapping(functions: Any, function: str, keys: tuple[str, ...]) -> object:
    (found,) = functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    return {key: found.get(key) for key in keys}


def _set_mapping(functions: Any, function: str, wanted: Mapping[str, object]) -> None:
    (found,) = functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=found["UUID"], **wanted)

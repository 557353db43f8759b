"""A stage's part of .chalice/config.json: what infra/stack.yaml made, so that `chalice deploy` finds it.

What an operator has written there stays, but for the names that this module writes. The file holds addresses and
ARNs, and no secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from infra.functions import CONFIG, PLACES, read_config

# vCPUs of the classes that infra/stack.yaml allows: so many searches at a time are a gain.
PROCESSORS = {"small": 2, "medium": 2, "large": 2, "xlarge": 4, "2xlarge": 8}
# GiB of memory of each, of which RDS makes its connections: LEAST(memory / 9531392, 5000).
MEMORY_GIB = {
    "db.t4g.small": 2, "db.t4g.medium": 4, "db.t4g.large": 8, "db.m7g.large": 8, "db.m7g.xlarge": 16,
    "db.r7g.large": 16, "db.r7g.xlarge": 32, "db.r7g.2xlarge": 64,
}  # fmt: skip
_SECRETS = {"owner": "DatabaseOwnerSecretArn", "api": "DatabaseApiSecretArn", "worker": "DatabaseWorkerSecretArn"}


def write(stage: str, outputs: Mapping[str, str], variables: Mapping[str, str]) -> bool:
    """Writes the stage; answers whether that changed the file. `variables` go to every function."""
    config = read_config()
    before = json.dumps(config)
    stages = config["stages"]
    # A new stage begins as prod does: nothing without an account.
    own = stages.setdefault(stage, json.loads(json.dumps({"environment_variables": _asked_for(stages["prod"])})))
    own["environment_variables"] = {**own.get("environment_variables", {}), "STAGE": stage, **variables}
    functions = own.setdefault("lambda_functions", {})
    for name in PLACES:
        functions[name] = {**functions.get(name, {}), **function_settings(name, outputs, functions.get(name, {}))}
    if json.dumps(config) == before:
        return False
    CONFIG.write_text(json.dumps(config, indent=2) + "\n")
    return True


def connections_of(database_class: str) -> int:
    """How many connections a database of this class takes."""
    return min(MEMORY_GIB[database_class] * 1024**3 // 9_531_392, 5_000)


def variables_of(outputs: Mapping[str, str], *, database_class: str) -> dict[str, str]:
    """What every function is told."""
    return {
        "RESULT_BUCKET": outputs["ResultBucketName"],
        "DATABASE_PROCESSORS": str(PROCESSORS[database_class.rsplit(".", 1)[-1]]),
        "JOB_STREAM": outputs["JobTableStreamArn"],
        "SOCKET_STREAM": outputs["SocketTableStreamArn"],
    }


def _asked_for(prod: Mapping[str, Any]) -> dict[str, str]:
    variables = prod["environment_variables"]
    return {name: variables[name] for name in ("PUBLIC_FORECASTS", "PUBLIC_SEARCH")}


def function_settings(name: str, outputs: Mapping[str, str], own: Mapping[str, Any]) -> dict[str, Any]:
    """What one function alone is told, and where it stands."""
    place = PLACES[name]
    variables = dict(own.get("environment_variables", {}))
    if place.token:
        variables["TOKEN_SECRET_ARN"] = outputs["TokenSecretArn"]
    if not place.database:
        return {"environment_variables": variables}
    by_proxy = name == "api_handler" and "ProxyAddress" in outputs
    variables["DATABASE_SECRET"] = outputs[_SECRETS[place.database]]
    variables["DATABASE_ADDRESS"] = outputs["ProxyAddress" if by_proxy else "DatabaseAddress"]
    if name == "migrate":
        variables["DATABASE_API_SECRET"] = outputs["DatabaseApiSecretArn"]
        variables["DATABASE_WORKER_SECRET"] = outputs["DatabaseWorkerSecretArn"]
    return {
        "environment_variables": variables,
        "subnet_ids": outputs["SubnetIds"].split(","),
        "security_group_ids": [outputs["FunctionGroupId"]],
    }

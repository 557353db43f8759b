"""The functions' IAM policies, and what they allow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

CONFIG = json.loads(Path(".chalice/config.json").read_text("utf-8"))
FUNCTIONS: dict[str, Any] = CONFIG["lambda_functions"]


class Call(NamedTuple):
    """One action of a function on one resource, as localstack/recording.py writes it down."""

    function: str
    action: str
    resource: str


class Statement(NamedTuple):
    """One statement of a policy; a condition is what AWS would look at besides."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Any = None

    def covers(self, action: str, resource: str) -> bool:
        """Whether it speaks of the action on the resource, its condition left out."""
        return any(_is_like(action.lower(), one.lower()) for one in self.actions) and any(
            _is_arn_like(resource, one) for one in self.resources
        )


@cache
def policy(function: str) -> tuple[Statement, ...]:
    """The statements of a function's policy file."""
    document = json.loads(Path(f".chalice/policy-{function}.json").read_text("utf-8"))
    return tuple(_read(statement) for statement in document["Statement"])


def allows(statements: Iterable[Statement], action: str, resource: str) -> bool:
    """Whether a policy allows it where each condition of an Allow is met, and that of no Deny is."""
    found = [statement for statement in statements if statement.covers(action, resource)]
    denied = any(statement.effect == "Deny" and not statement.condition for statement in found)
    return not denied and any(statement.effect == "Allow" for statement in found)


def calls_of(state: Path) -> list[Call]:
    """What the functions of a local environment have asked for so far."""
    return [Call(*json.loads(line)) for line in (state / "calls.jsonl").read_text("utf-8").splitlines()]


def refused(calls: Iterable[Call]) -> list[Call]:
    """Those that AWS would refuse."""
    return [call for call in calls if not allows(policy(call.function), call.action, call.resource)]


def allowed(function: str, action: str) -> list[str]:
    """The resources on which a function may do something, as its policy names them."""
    return [
        resource
        for statement in policy(function)
        if statement.effect == "Allow" and action in statement.actions
        for resource in statement.resources
    ]


def _read(statement: dict[str, Any]) -> Statement:
    resources = statement["Resource"]
    return Statement(
        statement["Sid"],
        statement["Effect"],
        tuple(statement["Action"]),
        tuple(resources if isinstance(resources, list) else [resources]),
        statement.get("Condition"),
    )


def _is_arn_like(arn: str, pattern: str) -> bool:
    """The six parts of an ARN are compared one by one: no wildcard reaches over a colon but in the last one."""
    if pattern == "*":
        return True
    parts, patterns = arn.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(map(_is_like, parts, patterns))


def _is_like(text: str, pattern: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None

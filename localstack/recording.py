"""What each function asks of AWS, written down where the emulator hears it: the IAM action, and on which resource.

Policies are compared with this. A function is known by its credentials, as on AWS: its access key has its name in it,
so that a presigned link counts as its signer's, whoever follows it. What is done by the emulator itself for a function,
such as reading its queue, is no call and not heard.
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import ministack.app
from ministack.core import iam_actions, lambda_runtime
from ministack.core.arn import execute_api_arn
from ministack.core.responses import get_account_id
from ministack.core.router import detect_service, extract_access_key_id, extract_region
from ministack.services import lambda_svc, sts

_CONNECTION = re.compile(r"/_aws/execute-api/([^/]+)/([^/]+)(/@connections/.+)")
_KEY = "FUNCTION-"
_NOT_FOUND = 404

Message = dict[str, Any]  # ASGI's own, as are scopes
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]


def record_calls(path: Path) -> None:
    """Has the emulator of this process write each distinct call to `path`, a line of JSON for each."""
    given = lambda_runtime.execution_credentials

    def named(function: Message) -> dict[str, str]:
        key, credentials = _KEY + _name(function["Handler"]), given(function)
        secret, role = credentials["AWS_SECRET_ACCESS_KEY"], f"arn:aws:sts::{get_account_id()}:assumed-role/{key}/{key}"
        sts.register_session(key, {"Arn": role, "UserId": key, "SecretAccessKey": secret, "SessionToken": None})
        return {**credentials, "AWS_ACCESS_KEY_ID": key}

    # The emulator knows some of its routes by itself, botocore all.
    iam_actions._BOTOCORE_SERVICE_MAP["lambda"] = ["lambda"]
    for module in (lambda_runtime, lambda_svc):
        module.execution_credentials = named
    path.unlink(missing_ok=True)
    ministack.app.app = _recorded(ministack.app.app, path)


def _name(handler: str) -> str:
    """A function's name in `.chalice/config.json`."""
    name = handler.rpartition(".")[2]
    return "api_handler" if name == "app" else name


def _recorded(inner: Asgi, path: Path) -> Asgi:
    known: set[tuple[str, str, str]] = set()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        function = _caller(scope)
        if not function:
            await inner(scope, receive, send)
            return
        body, statuses = bytearray(), [0]

        async def hear() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def tell(message: Message) -> None:
            statuses.append(message.get("status", statuses[-1]))
            await send(message)

        await inner(scope, hear, tell)
        new = {(function, *need) for need in _needs(scope, bytes(body), statuses[-1])} - known
        if new:
            known.update(new)
            with path.open("a") as file:
                file.writelines(json.dumps(call) + "\n" for call in sorted(new))

    return app


def _caller(scope: Message) -> str:
    """The function that made, or signed, a request; empty for everybody else."""
    if scope["type"] != "http":
        return ""
    key: str = extract_access_key_id(_headers(scope), _query(scope))
    return key.removeprefix(_KEY) if key.startswith(_KEY) else ""


def _needs(scope: Message, body: bytes, status: int) -> Iterator[tuple[str, str]]:
    """Each action that AWS would look for in the caller's policy, with its resource."""
    method, path, headers, query = scope["method"], scope["path"], _headers(scope), _query(scope)
    region, account = extract_region(headers, query), get_account_id()
    if connection := _CONNECTION.fullmatch(path):
        api, stage, rest = connection.groups()
        yield "execute-api:ManageConnections", execute_api_arn(region, account, api, stage, method, rest)
        return
    service = "ses" if path.startswith("/v2/email/") else detect_service(method, path, headers, query)
    action = iam_actions.extract_iam_action(service, method, path, headers, body, query)
    if action is None:  # No policy allows what has no name, so that it is noticed there.
        action = f"{service}:{method} {path}"
    if service == "dynamodb":
        tables = iam_actions.dynamodb_resource_arns(body, region, account)
        yield from iam_actions.dynamodb_transaction_checks(action, body, region, account) or (
            (action, table) for table in tables
        )
    elif action == "ses:SendEmail":
        yield action, f"arn:aws:ses:{region}:{account}:identity/{json.loads(body)['FromEmailAddress']}"
    else:
        yield action, iam_actions.extract_resource_arn(service, method, path, headers, body, query, region, account)
    if service == "s3":
        yield from iam_actions.s3_additional_checks(method, path, headers, body, query)
        # Whoever may not list the bucket is answered 403 instead, which is as good to those who follow a link.
        if action == "s3:GetObject" and status == _NOT_FOUND and "authorization" in headers:
            yield "s3:ListBucket", f"arn:aws:s3:::{path.split('/')[1]}"


def _headers(scope: Message) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _query(scope: Message) -> dict[str, list[str]]:
    return parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)

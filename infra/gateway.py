"""What the two APIs are set to beyond what Chalice knows: answers of their own, and how much they take.

API Gateway answers by itself where no function is reached: an unknown path, a body that is too large, a function that
takes too long. Clients read problem documents, so those are problem documents too.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from chalicelib import errors
from chalicelib.settings import Settings

# Requests a second of the whole stage, and what it takes at once: beyond, API Gateway answers 429 by itself.
RATE = 500.0
BURST = 1_000
# Of those for which a password is hashed, an expense of 50 ms of a processor: path and method, rate, burst.
SLOW_ROUTES = {"~1api~1auth~1login/POST": (20.0, 40), "~1api~1auth~1register/POST": (5.0, 10)}
# Of the WebSocket API: connects and messages.
SOCKET_RATE = 500.0
SOCKET_BURST = 1_000


class Response(NamedTuple):
    """One answer of API Gateway's own, of the same kind as ours."""

    error: type[errors.SluiceError]
    detail: str
    # Where none of our errors has it.
    status: int = 0
    retry_after_s: int = 0


RESPONSES = {
    # An unknown path, or a method that the path does not have: AWS says 403.
    "MISSING_AUTHENTICATION_TOKEN": Response(errors.NotFound, "there is nothing at this path and method"),
    "RESOURCE_NOT_FOUND": Response(errors.NotFound, "there is nothing at this path"),
    "REQUEST_TOO_LARGE": Response(errors.TooLarge, f"the body must have at most {Settings(stage='').body_limit} bytes"),
    "UNSUPPORTED_MEDIA_TYPE": Response(errors.UnsupportedMedia, "send application/json"),
    "BAD_REQUEST_BODY": Response(errors.InvalidRequest, "the body cannot be read"),
    "BAD_REQUEST_PARAMETERS": Response(errors.InvalidRequest, "the parameters cannot be read"),
    "ACCESS_DENIED": Response(errors.Forbidden, "this caller may not ask for this"),
    "EXPIRED_TOKEN": Response(errors.Forbidden, "the signature of the request has expired"),
    "INVALID_API_KEY": Response(errors.Forbidden, "the API key is not known here"),
    "INVALID_SIGNATURE": Response(errors.Forbidden, "the signature of the request is wrong"),
    "WAF_FILTERED": Response(errors.Forbidden, "the request is refused"),
    "UNAUTHORIZED": Response(errors.Unauthenticated, "a bearer token or an API key is needed"),
    "THROTTLED": Response(errors.TooManyRequests, "the service takes no more just now", retry_after_s=1),
    "QUOTA_EXCEEDED": Response(errors.TooManyRequests, "the quota is used up", retry_after_s=3600),
    "INTEGRATION_FAILURE": Response(errors.Unavailable, "the service has failed; ask again", retry_after_s=1),
    "INTEGRATION_TIMEOUT": Response(
        errors.Unavailable, "no answer within 29 s; long work is a task", status=504, retry_after_s=5
    ),
    "DEFAULT_4XX": Response(errors.InvalidRequest, "the request is refused"),
    "DEFAULT_5XX": Response(errors.SluiceError, "an internal error occurred", retry_after_s=1),
}


def wanted_response(response: Response) -> dict[str, Any]:
    """The response as PutGatewayResponse takes it and GetGatewayResponses gives it."""
    status = response.status or response.error.status
    document = {
        "type": f"urn:sluice:problem:{response.error.slug}",
        "title": response.error.title,
        "status": status,
        "detail": response.detail,
        "error": response.detail,
        # Filled in by API Gateway, with which it is also found in the logs.
        "request_id": "$context.requestId",
    }
    headers = {
        "Content-Type": "application/problem+json",
        "Cache-Control": "no-store",
        "Access-Control-Allow-Origin": "*",
    }
    if response.retry_after_s:
        headers["Retry-After"] = str(response.retry_after_s)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="sluice"'
    return {
        "statusCode": str(status),
        "responseParameters": {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()},
        "responseTemplates": {"application/json": json.dumps(document)},
    }


def wanted_throttle() -> dict[str, tuple[float, int]]:
    """Rate and burst by the method settings of the REST API's stage."""
    return {"*/*": (RATE, BURST), **SLOW_ROUTES}

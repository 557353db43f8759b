"""The OpenAPI 3.1 document, read from the routes and their types; loaded when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from chalicelib.api.answers import Problem, Task
from chalicelib.api.auth import COOKIE
from chalicelib.api.http import JSON, PROBLEM, problem
from chalicelib.api.route import Access, Doc, Param, Reply, Route
from chalicelib.api.service import VERSION
from chalicelib.errors import FieldError, InvalidRequest, SluiceError, TooManyRequests, Unauthenticated, Unavailable
from chalicelib.jobs.state import State

Json = dict[str, Any]  # a JSON object, in OpenAPI's shape

_ABOUT = (
    "Heavy work is asked for over HTTPS, answered 202 at once and finished in the background. "
    "Send a request to one of the routes below, then poll the address in the answer's Location header until the "
    "task's state is final. All bodies are JSON in UTF-8.\n\n"
    "Requests are limited by the minute and caller: `read` counts each GET; `submit`, or `submit-anonymous` without "
    "credentials, every other one. Each answer of such a route, a refusal too, has `RateLimit-Policy` and `RateLimit` "
    "(draft-ietf-httpapi-ratelimit-headers-11) unless the deployment has switched the limit off; beyond the limit it "
    "is 429 with `Retry-After`. Each process of the service counts by itself, so more may be taken than is told."
)

# What the states mean to a client; what the engine does with them stands beside the states.
_STATES = {
    State.PENDING: "Waiting for a worker.",
    State.STARTED: "A worker has begun.",
    State.PROGRESS: "Running; `progress` and `stage` say how far it is.",
    State.RETRY: "Waiting to be tried again, because something that it needs was away.",
    State.SUCCESS: "Finished; `result` is there. Final.",
    State.FAILURE: "Ended without a result; `error` says why. Final.",
    State.REVOKED: "Cancelled. Final.",
}

_SCHEMES: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a login, as `Authorization: Bearer <token>`.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "Set by a login, for browsers; methods that change something are then accepted from the "
        "service's own pages only.",
    },
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A key of `POST /api/keys`, within its scopes; also accepted as `Authorization: Bearer <key>`.",
    },
}

_LIMIT_HEADERS = {
    "RateLimit-Policy": 'The limit: its name, `q` requests in `w` seconds, as `"read";q=6000;w=60`.',
    "RateLimit": 'What is left of it: `r` requests at least in the next `t` seconds, as `"read";r=5999;t=1`.',
}

_REFUSAL_HEADERS = {
    Unauthenticated: {"WWW-Authenticate": "How to authenticate."},
    Unavailable: {"Retry-After": "Seconds after which to try again, where that is known."},
    TooManyRequests: {"Retry-After": "Seconds after which to try again."},
}


_LIMIT_REFS = {name: {"$ref": f"#/components/headers/{name}"} for name in _LIMIT_HEADERS}


def document(routes: Iterable[Route], *, server: str) -> Json:
    """The description of all routes that have one; `server` is the address that the paths start from."""
    described = [(route, route.doc()) for route in routes if route.doc is not None]
    docs = [doc for _, doc in described]
    schemas = _Schemas(docs)
    paths: dict[str, Json] = {}
    for route, doc in described:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(doc, schemas)
    refusals = {refusal.__name__: _refusal(refusal, schemas) for doc in docs for refusal in doc.refusals}
    description = {
        "openapi": "3.1.0",
        "info": {"title": "Sluice", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": server}],
        "tags": [{"name": group} for group in dict.fromkeys(doc.group for doc in docs)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "headers": _headers(_LIMIT_HEADERS),
            "responses": dict(sorted(refusals.items())),
            "securitySchemes": _SCHEMES,
        },
    }
    # Through JSON, so that who reads it here meets no tuples and enumerations.
    plain: Json = msgspec.json.decode(msgspec.json.encode(description))
    return plain


class _Schemas:
    """The schemas of every type that a route speaks of, and the reference to each."""

    def __init__(self, docs: list[Doc]) -> None:
        results = list(dict.fromkeys(doc.result for doc in docs if doc.result))
        bodies = (body for doc in docs for body in _bodies(doc))
        types: list[type] = list(dict.fromkeys([Problem, Task, *results, *bodies]))
        references, self.components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
        self._references: dict[type, Json] = dict(zip(types, references, strict=True))
        # Not oneOf: results of two kinds may look the same, and then both fit.
        if results:
            self._of(Task)["properties"]["result"]["anyOf"] = [self.ref(result) for result in results]
        self._of(Problem)["examples"] = [_example_problem()]
        for doc in docs:
            if doc.request and doc.takes_any:
                self._of(doc.request).pop("type")
        self.components["State"]["x-enumDescriptions"] = {state: _STATES[state] for state in State}

    def ref(self, type_: type) -> Json:
        return dict(self._references[type_])

    def any_of(self, body: type | tuple[type, ...]) -> Json:
        return {"anyOf": [self.ref(each) for each in body]} if isinstance(body, tuple) else self.ref(body)

    def _of(self, type_: type) -> Json:
        schema: Json = self.components[self._references[type_]["$ref"].rpartition("/")[2]]
        return schema


def _bodies(doc: Doc) -> Iterator[type]:
    for body in (doc.request, *(reply.body for reply in doc.replies.values())):
        yield from body if isinstance(body, tuple) else filter(None, (body,))


def _example_problem() -> Json:
    broken = InvalidRequest([FieldError("/numberOfTasks", "must be at most 9999, got 12000")])
    example: Json = msgspec.to_builtins(problem(broken, "6f0c1f2e-8a4b-4f0e-9d35-0d4f4b1c2a77").body)
    return example


def _operation(doc: Doc, schemas: _Schemas) -> Json:
    operation: Json = {"operationId": doc.name, "tags": [doc.group], "summary": doc.summary}
    if doc.details:
        operation["description"] = doc.details
    if doc.params:
        operation["parameters"] = [_parameter(param) for param in doc.params]
    if doc.request is not None:
        content: Json = {"schema": schemas.ref(doc.request)}
        if doc.example is not None:
            content["example"] = example_of(doc.example)
        operation["requestBody"] = {"required": True, "content": {JSON: content}}
    limits = _LIMIT_REFS if doc.is_limited else {}
    responses = {str(status): _response(reply, schemas, limits) for status, reply in doc.replies.items()} | {
        str(refusal.status): {"$ref": f"#/components/responses/{refusal.__name__}"} for refusal in doc.refusals
    }
    operation["responses"] = dict(sorted(responses.items()))
    operation["security"] = _security(doc.access)
    return operation


def example_of(value: msgspec.Struct) -> Json:
    """The example as a client would write it: what has its default is left out."""
    wire: Json = msgspec.to_builtins(value)
    return {
        field.encode_name: wire[field.encode_name]
        for field in msgspec.structs.fields(value)
        if field.required or getattr(value, field.name) != _default(field)
    }


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _parameter(param: Param) -> Json:
    schema: Json = {"type": "string"}
    if param.values:
        schema["enum"] = list(param.values)
    required = {"required": True} if param.where == "path" else {}
    return {"name": param.name, "in": param.where, "description": param.summary, "schema": schema} | required


def _response(reply: Reply, schemas: _Schemas, limits: Json) -> Json:
    response: Json = {"description": reply.summary}
    if reply.headers or limits:
        response["headers"] = _headers(reply.headers) | limits
    content: Json = {}
    if reply.body is not None:
        content[reply.media or JSON] = {"schema": schemas.any_of(reply.body)}
    elif reply.media:
        content[reply.media] = {"schema": {} if reply.media.endswith("json") else {"type": "string"}}
    content |= {media: {"schema": {"type": "string"}} for media in reply.also}
    return response | ({"content": content} if content else {})


def _refusal(refusal: type[SluiceError], schemas: _Schemas) -> Json:
    response: Json = {
        "description": f"{refusal.title} (`urn:sluice:problem:{refusal.slug}`)",
        "content": {PROBLEM: {"schema": schemas.ref(Problem)}},
    }
    if refusal in _REFUSAL_HEADERS:
        response["headers"] = _headers(_REFUSAL_HEADERS[refusal])
    if refusal is TooManyRequests:
        response["headers"] |= _LIMIT_REFS
    return response


def _headers(named: Mapping[str, str]) -> Json:
    return {name: {"description": summary, "schema": {"type": "string"}} for name, summary in named.items()}


def _security(access: Access) -> list[dict[str, list[str]]]:
    """Any one of the listed ways will do; the empty one is no credentials at all."""
    nothing: dict[str, list[str]] = {}
    if access is Access.OPEN:
        return []
    usable = [name for name in _SCHEMES if name != "api_key" or access is not Access.LOGIN]
    ways: list[dict[str, list[str]]] = [{name: []} for name in usable]
    return [*ways, nothing] if access is Access.OPTIONAL else ways

"""The API's description of itself: the OpenAPI document and the docs page, built when first asked for and then kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

import msgspec

from chalicelib.api.http import Answer, Call, View
from chalicelib.api.route import Route

Routes = Callable[[], Iterable[Route]]


def openapi(routes: Routes) -> View:
    """The view of GET /api/openapi.json."""

    def make(call: Call) -> Answer:
        from chalicelib.api.openapi import document

        return Answer(body=msgspec.json.encode(document(routes(), server=_server(call))))

    return _kept(make)


def docs(routes: Routes) -> View:
    """The view of GET /docs: the same document as a page."""

    def make(call: Call) -> Answer:
        from chalicelib.api.docs import POLICY, page
        from chalicelib.api.openapi import document

        headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
        body = page(document(routes(), server=_server(call))).encode()
        return Answer(body=body, headers=headers, content_type="text/html; charset=utf-8")

    return _kept(make)


def _server(call: Call) -> str:
    return call.runtime.settings.public_url or "/"


def _kept(make: Callable[[Call], Answer]) -> View:
    """The answer that `make` gives to the first call, for all calls; 304 to a client that has it."""
    kept: list[tuple[Answer, Mapping[str, str]]] = []

    def describe(call: Call) -> Answer:
        if not kept:
            made = make(call)
            assert isinstance(made.body, bytes)
            tag = hashlib.sha256(made.body).hexdigest()[:32]
            kept.append((made, {**made.headers, "ETag": f'"{tag}"', "Cache-Control": "no-cache"}))
        made, headers = kept[0]
        # A proxy that compresses marks the tag as weak.
        known = {tag.strip().removeprefix("W/") for tag in call.headers.get("if-none-match", "").split(",")}
        if headers["ETag"] in known:
            return Answer(status=304, headers=headers)
        return Answer(body=made.body, headers=headers, content_type=made.content_type)

    return describe

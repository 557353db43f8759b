"""The API's description of itself: the OpenAPI document and the docs page, built when first asked for and then kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from chalicelib.api.http import Answer, Call, View
from chalicelib.api.route import Route
from chalicelib.api.tags import kept_answer

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
    kept: list[Answer] = []

    def describe(call: Call) -> Answer:
        if not kept:
            kept.append(make(call))
        (made,) = kept
        assert isinstance(made.body, bytes)
        return kept_answer(call, made.body, made.content_type, made.headers)

    return describe

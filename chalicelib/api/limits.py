"""How many requests one caller may make: counted by each process by itself, and told to the client in each answer.

A caller is an API key, an account, or the network of a client without credentials, or with wrong ones. The headers are
those of draft-ietf-httpapi-ratelimit-headers-11. Each process counts by itself: n of them take up to n times as much.
Hard limits, for a route or for all callers together, are API Gateway's (infra/after_deploy.py).
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

import msgspec

from chalicelib.accounts.addresses import network_of
from chalicelib.api.auth import identified
from chalicelib.api.http import Answer, Call, View, problem, respond
from chalicelib.api.route import Doc, Route
from chalicelib.buckets import Bucket, Buckets
from chalicelib.errors import TooManyRequests
from chalicelib.model import Caller
from chalicelib.settings import Settings
from chalicelib.telemetry import log

WINDOW_S = 60
# Callers that a process remembers, of each limit.
MOST_CALLERS = 5_000


class Limit(NamedTuple):
    """One limit: its name on the wire, how many requests it takes in WINDOW_S, and of whom."""

    name: str
    quota: int
    whose: str


def limit_of(method: str, caller: Caller, settings: Settings) -> Limit:
    """What a request counts towards; a quota of 0 is no limit."""
    if method == "GET":
        return Limit("read", settings.rate_read, "caller")
    if caller.is_anonymous:
        return Limit("submit-anonymous", settings.rate_submit_anonymous, "network without credentials")
    return Limit("submit", settings.rate_submit, "API key or account")


class Limiter:
    """The limits of one process."""

    def __init__(self) -> None:
        self._buckets: dict[Limit, Buckets] = {}

    def on(self, route: Route) -> Route:
        """The route, within the limits and so described."""
        doc = route.doc
        return route._replace(view=self._paced(route.method, route.view), doc=doc and (lambda: _told(doc())))

    def _paced(self, method: str, view: View) -> View:
        def paced(call: Call) -> Answer:
            settings = call.runtime.settings
            if not (settings.rate_read if method == "GET" else settings.rate_submit or settings.rate_submit_anonymous):
                return view(call)
            call, caller = identified(call)
            limit = limit_of(method, caller, settings)
            if not limit.quota:
                return view(call)
            bucket = self._bucket(limit, _key(caller, call.client))
            if bucket.take(1, now_s=call.runtime.clock.now()):
                answer = _refuse(call, limit, bucket)
            else:
                answer = respond(view, call)
            return msgspec.structs.replace(answer, headers={**answer.headers, **_headers(limit, bucket)})

        paced.__name__ = view.__name__
        return paced

    def _bucket(self, limit: Limit, key: str) -> Bucket:
        buckets = self._buckets.get(limit)
        if buckets is None:
            buckets = self._buckets[limit] = Buckets(limit.quota / WINDOW_S, limit.quota, most=MOST_CALLERS)
        return buckets.of(key)


def _key(caller: Caller, client: str) -> str:
    if caller.key_id:
        return f"key {caller.key_id}"
    return f"account {caller.user_id}" if caller.user_id else f"network {network_of(client)}"


def _refuse(call: Call, limit: Limit, bucket: Bucket) -> Answer:
    wait_s = _wait_s(bucket)
    log.warning("request refused", limit=limit.name, path=call.path)
    error = TooManyRequests(
        f"the limit {limit.name} is {limit.quota} requests in {WINDOW_S} s from one {limit.whose}; "
        f"try again in {wait_s} s",
        retry_after_s=wait_s,
    )
    error.members = {"violated-policies": [limit.name]}
    return problem(error, call.request_id)


def _headers(limit: Limit, bucket: Bucket) -> dict[str, str]:
    return {
        "RateLimit-Policy": f'"{limit.name}";q={limit.quota};w={WINDOW_S}',
        "RateLimit": f'"{limit.name}";r={bucket.left};t={_wait_s(bucket)}',
    }


def _wait_s(bucket: Bucket) -> int:
    """The seconds in which no more than `r` can be relied on: the draft's effective window, and Retry-After at r=0."""
    return max(1, ceil(bucket.more_s))


def _told(doc: Doc) -> Doc:
    """The description with the limit in it."""
    refusals = doc.refusals if TooManyRequests in doc.refusals else (*doc.refusals, TooManyRequests)
    return msgspec.structs.replace(doc, refusals=refusals, is_limited=True)

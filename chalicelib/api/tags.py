"""Answers that stay the same for long: with an ETag, and 304 to a client that has them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache

from chalicelib.api.http import Answer, Call


def kept_answer(call: Call, body: bytes, content_type: str, headers: Mapping[str, str]) -> Answer:
    """The body, or 304 where the client has it; it asks each time, so that a deploy is seen at once."""
    told = {**headers, "ETag": _tag(body), "Cache-Control": "no-cache"}
    # A proxy that compresses marks the tag as weak.
    known = {tag.strip().removeprefix("W/") for tag in call.headers.get("if-none-match", "").split(",")}
    if told["ETag"] in known:
        return Answer(status=304, headers=told)
    return Answer(body=body, headers=told, content_type=content_type)


@lru_cache(maxsize=64)
def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'

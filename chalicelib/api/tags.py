"""ETags: an answer is named by what is in it, and not sent again to a client that has it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache

from chalicelib.api.http import Answer, Call


def kept_answer(call: Call, body: bytes, content_type: str, headers: Mapping[str, str]) -> Answer:
    """The body, or 304 where the client has it; it asks each time, so that a deploy is seen at once."""
    told = {**headers, "ETag": _kept_tag(body), "Cache-Control": "no-cache"}
    if is_known(call, told["ETag"]):
        return Answer(status=304, headers=told)
    return Answer(body=body, headers=told, content_type=content_type)


def tag_of(body: bytes) -> str:
    """The ETag of a body."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def is_known(call: Call, tag: str) -> bool:
    """Whether the client has the answer with this ETag."""
    # A proxy that compresses marks the tag as weak.
    return tag in {part.strip().removeprefix("W/") for part in call.headers.get("if-none-match", "").split(",")}


_kept_tag = lru_cache(maxsize=64)(tag_of)

"""Personal data in events: hashed with the app's salt or left out before anything is stored or logged.

Results of judging do not show it either: see `is_hidden` of a place in the rules.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

from chalicelib.events.judge import CompiledSheet
from chalicelib.events.paths import fold_key
from chalicelib.events.tree import Node

# Where an event's fields are in its body, unless they are beside its name.
_PAYLOAD = "payload"


class _Dropped:
    """What stands for a value of which nothing is kept."""


_DROPPED = _Dropped()


def redact(compiled: CompiledSheet, event_name: str, body: Mapping[str, Any], salt: bytes) -> Mapping[str, Any]:
    """The body of an event without personal data, in its payload and beside it; the body itself if there is none.

    Values become `sha256:` and the HMAC-SHA256, by the salt, of their JSON with sorted names and without blanks; equal
    values have equal hashes. Null says nothing and stays. What stands in the place of an object or array that personal
    data would be in is left out, for it may be that. What is left out of an array leaves null in its place.

    Raises ValueError for an empty salt.
    """
    tree = compiled.tree_of(event_name)
    if tree is None or not tree.has_pii:
        return body
    if not salt:
        raise ValueError("salt must have at least 1 byte, got 0")
    kept = _redact_object(tree, body, salt)
    return {
        name: _redact_object(tree, value, salt) if fold_key(name) == _PAYLOAD and isinstance(value, dict) else value
        for name, value in kept.items()
    }


def _redact(node: Node, value: Any, salt: bytes) -> Any:  # any JSON value
    if value is None or not node.has_pii:
        return value
    if node.pii is not None:
        return _hide(value, salt, is_hashed=node.pii == "hash")
    if node.children and isinstance(value, dict):
        return _redact_object(node, value, salt)
    if node.element and isinstance(value, list):
        redacted = (_redact(node.element, each, salt) for each in value)
        # Results name elements by their numbers, so those that are left keep theirs.
        return [None if each is _DROPPED else each for each in redacted]
    return _DROPPED


def _redact_object(node: Node, value: Mapping[str, Any], salt: bytes) -> dict[str, Any]:
    redacted = {}
    for name, each in value.items():
        child = node.children.get(fold_key(name))
        redacted[name] = each if child is None else _redact(child, each, salt)
    return {name: each for name, each in redacted.items() if each is not _DROPPED}


def _hide(value: Any, salt: bytes, *, is_hashed: bool) -> Any:
    if not is_hashed:
        return _DROPPED
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    except (RecursionError, ValueError):
        # Nested deeper than Python writes, or a number of more than 4,300 digits.
        return _DROPPED
    return f"sha256:{hmac.digest(salt, text.encode(), 'sha256').hex()}"

"""Patterns of texts, in RE2's syntax: matched in time linear in the text, so no pattern of a user can hold a worker up.

A pattern is found anywhere in a text, as in JSON Schema; `^` and `$` bind it to the ends. RE2 has no look-around and no
back-references.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MOST_CHARACTERS = 500


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """Whether a text has the pattern in it; raises ValueError, with RE2's reason, for what is no pattern."""
    compiled = _compiled(pattern)

    def is_found(text: str) -> bool:
        # Bytes, because re2 counts characters for spans that nobody asks for.
        return compiled.search(text.encode(errors="replace")) is not None

    return is_found


def fault_of(pattern: str) -> str | None:
    """Why a text is no pattern."""
    if len(pattern) > MOST_CHARACTERS:
        return f"must have at most {MOST_CHARACTERS} characters, got {len(pattern)}"
    try:
        _compiled(pattern)
    except ValueError as error:
        return f"must be an RE2 pattern ({error}), got {pattern!r}"
    return None


def _compiled(pattern: str) -> Any:  # re2 has no types
    # Here, because a sheet without patterns needs no re2, and requests wait for imports.
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(pattern.encode(), options)
    except re2.error as error:
        raise ValueError(error.args[0].decode(errors="replace")) from None

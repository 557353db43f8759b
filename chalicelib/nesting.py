"""How deep JSON is nested."""

from __future__ import annotations

# Deeper than any request of ours, and any tracking plan; the decoder's own limit is the interpreter's stack.
MAX_DEPTH = 32


def is_too_deep(value: object) -> bool:
    """Whether lists and objects are nested deeper than MAX_DEPTH, found level by level so that no depth can exhaust
    the stack.
    """
    level, depth = [value], 0
    while depth <= MAX_DEPTH:
        nested = [each for each in level if isinstance(each, dict | list)]
        if not nested:
            return False
        level = [child for each in nested for child in (each.values() if isinstance(each, dict) else each)]
        depth += 1
    return True

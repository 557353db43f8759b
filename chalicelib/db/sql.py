"""Named statements from `queries/*.sql`: a `-- name:` header, one line of purpose, the statement."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_HEADER = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def statements(family: str) -> dict[str, str]:
    """The statements of `queries/<family>.sql` by name; a name that is there twice is an error."""
    text = (Path(__file__).parent / "queries" / f"{family}.sql").read_text("utf-8")
    _, *parts = _HEADER.split(text)
    names = parts[0::2]
    if len(set(names)) != len(names):
        raise ValueError(f"a name occurs twice in queries/{family}.sql")
    return dict(zip(names, (part.strip() for part in parts[1::2]), strict=True))

"""The one source of identifiers."""

from __future__ import annotations

import uuid


class Ids:
    """Random identifiers: 122 bits, so that holding a task id is a capability."""

    def job(self) -> str:
        return str(uuid.uuid4())


class CountingIds(Ids):
    """Predictable identifiers for tests: 00000000-0000-4000-8000-000000000001, ...2, ..."""

    def __init__(self) -> None:
        self._count = 0

    def job(self) -> str:
        self._count += 1
        return f"00000000-0000-4000-8000-{self._count:012d}"

"""The data set that a question is answered from: the current one at the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from chalicelib.db.contracts.versions import Versions
from chalicelib.errors import Gone, NotFound

if TYPE_CHECKING:
    from chalicelib.db.connect import Database

Answer = TypeVar("Answer")


class CurrentVersion:
    """Asks questions of the current version; raises Unavailable, and NotFound before the first import."""

    def __init__(self, database: Database) -> None:
        self._versions = Versions(database)

    def ask(self, ask: Callable[[int], Answer]) -> Answer:
        """What `ask` answers for that version."""
        try:
            return ask(self._number())
        except Gone:
            # Two imports ended since the version was looked up: the newest one stays for at least another one.
            return ask(self._number())

    def _number(self) -> int:
        version = self._versions.current()
        if version is None:
            raise NotFound("no contracts have been imported yet: POST /api/v1/contracts/imports does")
        return version

"""What is wanted of stored events: of the event itself, and of the results of its fields."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct

from chalicelib.events.paths import fold_event


class Filters(Struct, frozen=True, kw_only=True):
    """Filters of different kinds must all hold, of the items of one kind any; what is empty asks for nothing.

    An event fits if it and at least one of its results do: the same result for all that is asked of results.
    """

    # Of events, in any case.
    event_names: tuple[str, ...] = ()
    status: str | None = None
    is_user: bool | None = None
    accepted_from: datetime | None = None
    # This moment is not included.
    accepted_before: datetime | None = None
    # Of each name only the newest event.
    latest_only: bool = False
    # Of results, in the case as they are.
    field_names: tuple[str, ...] = ()
    validation_statuses: tuple[str, ...] = ()
    expected_types: tuple[str, ...] = ()
    received_types: tuple[str, ...] = ()
    # Stands anywhere in the value, in any case; every character stands for itself.
    value_search: str = ""

    @property
    def is_by_result(self) -> bool:
        """Whether anything is asked of results."""
        return bool(
            self.field_names
            or self.validation_statuses
            or self.expected_types
            or self.received_types
            or self.value_search
        )

    def values(self) -> dict[str, Any]:  # the parameters of a statement
        """What the queries call it; names of events and which are newest have to be looked up."""
        return {
            "status": self.status,
            "is_user": self.is_user,
            "accepted_from": self.accepted_from,
            "accepted_before": self.accepted_before,
            "is_by_result": self.is_by_result,
            "field_names": list(self.field_names) or None,
            "validation_statuses": list(self.validation_statuses) or None,
            "expected_types": list(self.expected_types) or None,
            "received_types": list(self.received_types) or None,
            "value_search": self.value_search or None,
        }


class Latest(Struct, frozen=True):
    """The newest event of a name."""

    event_name: str
    id: int
    accepted_at: datetime
    status: str
    is_user: bool


def by_name(rows: Iterable[Latest]) -> dict[str, Latest]:
    """The newest event of each folded name, of rows that are newest first."""
    newest: dict[str, Latest] = {}
    for row in rows:
        newest.setdefault(fold_event(row.event_name), row)
    return newest

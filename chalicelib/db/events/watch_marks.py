"""Places in the stream of stored events: where a list goes on, and what a client that polls has seen.

Ids are given when an event is written and seen when its transaction ends, so a later id may be seen first. Who only
remembered the greatest id would miss the events of a writer that took longer; a mark remembers transactions.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

# Ids that are given while a statement of the writer runs, which has 10 s: 5,000 events a second.
_MOST_WHILE_RUNNING = 50_000
# Ids that are given between the look at the transactions and that at the last id.
_MOST_BETWEEN = 5_000
_CURSOR = re.compile(r"(\d{1,18})(?:-(\d{1,9}))?", re.ASCII)
_MARK = re.compile(r"(\d{1,18})-(\d{1,18})((?:\.\d{1,18}){0,500})", re.ASCII)


class Cursor(Struct, frozen=True):
    """The last event that was shown, and of its results the last one where not all were."""

    id: int
    place: int | None = None

    def __str__(self) -> str:
        """As a client hands it back."""
        return str(self.id) if self.place is None else f"{self.id}-{self.place}"


class Mark(Struct, frozen=True):
    """What had been stored at a moment: all transactions below `next` but those that were running."""

    # The last id that had been given.
    tip: int
    next: int
    running: tuple[int, ...] = ()

    @property
    def floor(self) -> int:
        """An id that is less than that of any event which was not seen: a writer has its number before its ids."""
        return self.tip - (_MOST_WHILE_RUNNING if self.running else _MOST_BETWEEN)

    def __str__(self) -> str:
        """As a client hands it back."""
        return f"{self.tip}-{self.next}" + "".join(f".{number}" for number in self.running)


def read_cursor(text: str) -> Cursor | None:
    """The cursor that a text stands for; None if it is none of ours."""
    found = _CURSOR.fullmatch(text)
    return Cursor(int(found[1]), int(found[2]) if found[2] else None) if found else None


def read_mark(text: str) -> Mark | None:
    """The mark that a text stands for; None if it is none of ours."""
    found = _MARK.fullmatch(text)
    if found is None:
        return None
    return Mark(int(found[1]), int(found[2]), tuple(int(number) for number in found[3].split(".")[1:]))


def read_snapshot(snapshot: str, tip: int) -> Mark:
    """The mark of a transaction, from what Postgres says that it sees: `oldest:next:running,running`."""
    _, following, running = snapshot.split(":")
    return Mark(tip, int(following), tuple(int(number) for number in running.split(",") if number))


def seen_values(seen: Mark | None, now: Mark) -> dict[str, Any]:  # the parameters of a statement
    """What the queries call what was seen, and what is seen now."""
    return {
        "seen_floor": seen.floor if seen else None,
        "seen_next": seen.next if seen else None,
        "seen_running": list(seen.running) if seen else None,
        "next": now.next,
    }

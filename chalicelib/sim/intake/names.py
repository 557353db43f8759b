"""Columns of a table as a guess sees them: the words of their names, what they hold, and the names that are known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from chalicelib.errors import InvalidRequest
from chalicelib.sim.intake.dates import is_date
from chalicelib.sim.intake.sheet import refusal

# Each list in order of preference, in small letters, without the words in _FILLERS unless they are written here.
CLOSED = (
    *("closed", "close", "done", "completed", "complete", "completion", "resolved", "resolution date"),
    *("finished", "finish", "merged", "delivered", "released", "deployed", "ended", "end", "date"),
)
STARTED = (
    *("actual start", "started", "work started", "work start", "start", "first in progress", "in progress"),
    *("activated", "active", "doing", "begun", "begin", "in development", "development"),
)
CREATED = ("created", "creation", "opened", "reported", "added", "new")
ID = (
    *("issue key", "id", "key", "item id", "work item id", "issue id", "ticket id", "card id", "story id", "task id"),
    *("ticket", "issue number", "number", "pull request"),
)
TITLE = ("summary", "title", "name", "subject", "item name", "description")
TYPE = ("issue type", "type", "work item type", "item type", "issuetype")
STATUS = ("status", "state")

_FILLERS = frozenset({"date", "at", "on", "time", "datetime", "timestamp", "day", "utc"})
# A column with one of these words tells of a plan or of the record, not of the work.
_OTHER = frozenset({"due", "target", "planned", "expected", "estimated", "deadline", "updated", "modified", "viewed"})
_CUSTOM_FIELD = re.compile(r"\s*custom field \((.*)\)\s*", re.IGNORECASE)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[^\W_]+")
_MOST_LISTED = 50


class Columns:
    """The columns of one file, by index. samples: by column, stripped values that are not empty."""

    def __init__(self, headers: Sequence[str], samples: Sequence[Sequence[str]]) -> None:
        self.headers, self.samples = headers, samples
        self.names = [plain(header) for header in headers]
        self._dates = [sum(map(is_date, values)) for values in samples]

    def named(self, wanted: Iterable[str]) -> list[int]:
        """The columns with one of the names, most wanted first."""
        return [index for name in wanted for index, names in enumerate(self.names) if name in names]

    def first(self, wanted: Iterable[str]) -> int | None:
        """The column with the most wanted name, whatever it holds."""
        return next(iter(self.named(wanted)), None)

    def dated(self, wanted: Iterable[str], besides: int | None = None) -> int | None:
        """The column with the most wanted name that holds a date, other than `besides`."""
        return next((index for index in self.named(wanted) if self._dates[index] and index != besides), None)

    def is_empty(self, index: int) -> bool:
        return not self.samples[index]

    def is_dates(self, index: int) -> bool:
        """At least half of the values are dates, so that a few bad ones do not hide the column; none of a plan."""
        is_other = not _OTHER.isdisjoint(self.names[index][0].split())
        return not is_other and 0 < len(self.samples[index]) <= 2 * self._dates[index]

    def called(self, name: str, field: str) -> int:
        """The column with this very name, else with the same words; raises InvalidRequest at the pointer `field`."""
        wanted, words = name.strip(), plain(name)[0]
        if wanted in self.headers:
            return self.headers.index(wanted)
        alike = [index for index, names in enumerate(self.names) if words and names[0] == words]
        if not alike:
            raise refusal(field, f"must be one of the columns {self.listed()}, got {name!r}")
        return alike[0]

    def listed(self) -> str:
        """The names for a message, the first _MOST_LISTED of them."""
        shown = ", ".join(repr(header[:60]) for header in self.headers[:_MOST_LISTED])
        return shown + (f" and {len(self.headers) - _MOST_LISTED} more" if len(self.headers) > _MOST_LISTED else "")

    def no_closing(self, pointer: str) -> InvalidRequest:
        """The error for a file in which no column tells when items were closed."""
        detail = f"must have a column of closing dates; the columns are {self.listed()}"
        for index in self.named(CLOSED)[:1]:
            detail += f", and {self.headers[index]!r} holds {self.samples[index][0][:40]!r}, which is no date"
        return refusal(pointer, f"{detail}; endColumn can name one")


def plain(header: str) -> tuple[str, str]:
    """The words of a name in small letters, all of them and without fillers: "closedAt" is ("closed at", "closed")."""
    custom = _CUSTOM_FIELD.fullmatch(header)
    words = _WORD.findall(_HUMP.sub(" ", custom[1] if custom else header).lower())
    return " ".join(words), " ".join(word for word in words if word not in _FILLERS)

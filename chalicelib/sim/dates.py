"""Calendar days: the ways in which a client may write one."""

from __future__ import annotations

from datetime import date, datetime

ACCEPTED = "d/m/yy, d/m/yyyy, yyyy-m-d, d-m-yy, d-m-yyyy, yyyy/m/d or d.m.yyyy"

# Tried in this order, which is the old service's: 05-06-07 is 5 June 2007.
_FORMATS = ("%d/%m/%y", "%d/%m/%Y", "%Y-%m-%d", "%d-%m-%y", "%d-%m-%Y", "%Y/%m/%d", "%d.%m.%Y")


def read_date(text: str) -> date | None:
    """The day that `text` names in one of the accepted formats, or None. A time after a `T` is dropped."""
    day = text.strip().partition("T")[0]
    for pattern in _FORMATS:
        try:
            return datetime.strptime(day, pattern).date()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            continue
    return None

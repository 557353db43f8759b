"""What came of a forecast, measured against what it promised. Errors are actual - forecast: positive is later."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.sim.calendar import DAYS_PER_WEEK

# What a forecast without a share of the scope promises, in %.
_ALL = 100.0


class Promise(Struct, frozen=True, kw_only=True):
    """What a saved forecast promised; None where a figure is not known."""

    start_date: date | None = None
    backlog: int | None = None
    projected_weeks_p85: float | None = None
    scope_completion_pct: float | None = None


class Measured(Struct, frozen=True, kw_only=True):
    """The figures that follow from an outcome; None where something that they need is not known."""

    actual_weeks_taken: float | None
    weeks_error: float | None
    # In % of the P85.
    weeks_error_pct: float | None
    # Share of the backlog that was done less the share that was promised, in percentage points.
    scope_error_pct: float | None


def measure(promise: Promise, *, weeks: float | None, completed: date | None, items: int | None) -> Measured:
    """The figures of an outcome: weeks as given, else from the forecast's first day to the day of completion.

    Raises InvalidRequest where the weeks are needed and the completion is before the start.
    """
    taken = _weeks_between(promise.start_date, completed) if weeks is None else weeks
    p85 = promise.projected_weeks_p85
    error = None if taken is None or p85 is None else taken - p85
    return Measured(
        actual_weeks_taken=taken,
        weeks_error=error,
        weeks_error_pct=100 * error / p85 if error is not None and p85 else None,
        scope_error_pct=_scope_error(promise, items),
    )


def _weeks_between(start: date | None, completed: date | None) -> float | None:
    if start is None or completed is None:
        return None
    if completed < start:
        raise InvalidRequest(
            [FieldError("/actual_completion_date", f"must not be before the forecast's start {start}, got {completed}")]
        )
    return (completed - start).days / DAYS_PER_WEEK


def _scope_error(promise: Promise, items: int | None) -> float | None:
    if items is None or not promise.backlog or promise.backlog < 0:
        return None
    promised = _ALL if promise.scope_completion_pct is None else promise.scope_completion_pct
    return 100 * items / promise.backlog - promised

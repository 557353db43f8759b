"""What came of a forecast against what it promised."""

from __future__ import annotations

from datetime import date

import pytest

from chalicelib.errors import InvalidRequest
from chalicelib.sim.accuracy.outcome import Measured, Promise, measure

PROMISE = Promise(start_date=date(2026, 1, 5), backlog=50, projected_weeks_p85=8, scope_completion_pct=90)


def test_weeks_are_counted_from_the_start_to_the_completion_and_later_is_positive() -> None:
    # 5 January to 16 March: 70 days.
    assert measure(PROMISE, weeks=None, completed=date(2026, 3, 16), items=40) == Measured(
        actual_weeks_taken=10, weeks_error=2, weeks_error_pct=25, scope_error_pct=-10
    )


def test_weeks_that_are_given_go_before_the_days() -> None:
    measured = measure(PROMISE, weeks=6, completed=date(2026, 3, 16), items=None)
    assert measured == Measured(actual_weeks_taken=6, weeks_error=-2, weeks_error_pct=-25, scope_error_pct=None)


def test_forecast_without_a_share_of_the_scope_promised_all_of_it() -> None:
    promise = Promise(backlog=50, scope_completion_pct=None)
    assert measure(promise, weeks=None, completed=None, items=55).scope_error_pct == pytest.approx(10)
    assert measure(Promise(backlog=50, scope_completion_pct=0), weeks=1, completed=None, items=5).scope_error_pct == 10


@pytest.mark.parametrize(
    ("promise", "weeks", "completed", "expected"),
    [
        (Promise(), None, date(2026, 3, 16), (None, None, None)),
        (Promise(), 5, None, (5, None, None)),
        (Promise(projected_weeks_p85=0), 5, None, (5, 5, None)),
        (PROMISE, None, None, (None, None, None)),
        (PROMISE, None, date(2026, 1, 5), (0, -8, -100)),
    ],
)
def test_what_is_unknown_stays_unknown(
    promise: Promise, weeks: float | None, completed: date | None, expected: tuple[float | None, ...]
) -> None:
    found = measure(promise, weeks=weeks, completed=completed, items=None)
    assert (found.actual_weeks_taken, found.weeks_error, found.weeks_error_pct) == expected


@pytest.mark.parametrize("backlog", [None, 0, -3])
def test_scope_without_a_backlog_is_unknown(backlog: int | None) -> None:
    assert measure(Promise(backlog=backlog), weeks=1, completed=None, items=5).scope_error_pct is None


def test_completion_before_the_start_is_refused_with_both_days() -> None:
    with pytest.raises(InvalidRequest) as refused:
        measure(PROMISE, weeks=None, completed=date(2026, 1, 4), items=None)
    assert [(error.pointer, error.detail) for error in refused.value.errors] == [
        ("/actual_completion_date", "must not be before the forecast's start 2026-01-05, got 2026-01-04")
    ]

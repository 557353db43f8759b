"""Periods of work as days: cadence, blackout days and months of less capacity, checked by counting days one by one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.sim.calendar import BlackoutPeriod, CalendarFields, WorkCalendar, check_calendar, read_calendar

MONDAY = date(2026, 1, 5)
HALF_JULY = (1000, 1000, 1000, 1000, 1000, 1000, 500, 1000, 1000, 1000, 1000, 1000)


@pytest.mark.parametrize(
    ("cadence", "day"), [(7, "2026-01-26"), (14, "2026-02-16"), (10, "2026-02-04"), (1, "2026-01-08")]
)
def test_three_periods_of_any_cadence_are_three_times_its_days(cadence: int, day: str) -> None:
    assert WorkCalendar(start=MONDAY, cadence_days=cadence).day_after(3) == day


def test_each_blackout_day_before_the_end_moves_it_by_a_day() -> None:
    calendar = WorkCalendar(start=MONDAY, blackouts=(date(2026, 1, 6), date(2026, 1, 12), date(2026, 3, 1)))
    # A week from Monday ends on Tuesday the 13th: the 6th is lost, and so is the 12th, which it then runs into.
    assert calendar.day_after(1) == "2026-01-14"
    assert calendar.day_after(0) == "2026-01-05"


def test_shutdown_over_the_last_period_delays_by_its_length() -> None:
    fields = CalendarFields(blackout_periods=(BlackoutPeriod(start="2026-12-24", end="06.01.2027"),))
    calendar = read_calendar(fields, date(2026, 12, 21))
    assert calendar.day_after(1) == "2027-01-11"


def test_month_of_half_capacity_takes_twice_as_long() -> None:
    calendar = WorkCalendar(start=date(2026, 7, 1), capacity=HALF_JULY)
    assert calendar.day_after(2) == "2026-07-29"
    # 15.5 of 21 days in July, then 5.5 days in August, of which the last is begun.
    assert calendar.day_after(3) == "2026-08-07"
    assert calendar.periods_until(date(2026, 7, 29)) == 2.0


def test_periods_until_a_day_leave_out_what_is_not_worked() -> None:
    calendar = WorkCalendar(start=MONDAY, blackouts=(date(2026, 1, 8),))
    assert calendar.periods_until(date(2026, 1, 13)) == 1.0
    assert calendar.periods_until(MONDAY) == 0.0
    assert calendar.periods_until(date(2025, 12, 29)) == -1.0


def test_periods_count_in_calendar_weeks_with_what_is_not_worked() -> None:
    assert WorkCalendar(cadence_days=14).elapsed_weeks(3) == 6.0
    assert WorkCalendar(start=MONDAY, blackouts=(date(2026, 1, 8),)).elapsed_weeks(1) == 8 / 7
    assert WorkCalendar(blackouts=(date(2026, 1, 8),)).elapsed_weeks(1) == 1.0


def test_no_day_without_a_start_or_past_the_last_year() -> None:
    assert WorkCalendar().day_after(3) is None
    assert WorkCalendar(start=MONDAY).day_after(500_000) is None
    assert WorkCalendar(start=MONDAY, blackouts=(MONDAY,)).day_after(500_000) is None


def test_last_day_that_there_is_can_be_a_deadline() -> None:
    calendar = WorkCalendar(start=date(9999, 12, 17), blackouts=(date(9999, 12, 20),))
    assert calendar.periods_until(date.max) == 13 / 7
    assert calendar.day_after(1) == "9999-12-25"
    assert calendar.day_after(2) is None


def by_counting(calendar: WorkCalendar, periods: int) -> date:
    """The same day by walking day after day."""
    assert calendar.start
    day, left = calendar.start, periods * calendar.cadence_days * 1000
    while left > 0:
        left -= 0 if day in calendar.blackouts else calendar.capacity[day.month - 1]
        day += timedelta(days=1)
    return day


days = st.dates(date(2026, 1, 1), date(2027, 6, 30))
calendars = st.builds(
    lambda start, cadence, blackouts, capacity: WorkCalendar(
        start=start, cadence_days=cadence, blackouts=tuple(sorted(blackouts)), capacity=tuple(capacity)
    ),
    days,
    st.integers(1, 31),
    st.sets(days, max_size=60),
    st.lists(st.sampled_from([0, 250, 500, 1000, 1500]), min_size=11, max_size=11).map(lambda few: [*few, 1000]),
)


@given(calendars, st.integers(0, 40))
def test_day_is_that_of_counting_days_one_by_one(calendar: WorkCalendar, periods: int) -> None:
    assert calendar.date_after(periods) == by_counting(calendar, periods)


@given(calendars, st.integers(0, 40), days)
def test_work_is_done_by_a_day_if_and_only_if_its_periods_fit(calendar: WorkCalendar, periods: int, day: date) -> None:
    done = calendar.date_after(periods)
    assert done
    assert calendar.start
    if day >= calendar.start:
        assert (done <= day) == (periods <= calendar.periods_until(day))


def test_broken_calendars_are_refused_by_name() -> None:
    fields = CalendarFields(
        blackout_dates=("2026-12-24", "Christmas"),
        blackout_periods=(
            BlackoutPeriod(start="2026-12-24", end="2026-12-23"),
            BlackoutPeriod(start="now", end="2026-12-23"),
            BlackoutPeriod(start="2020-01-01", end="2026-12-23"),
        ),
        monthly_capacity=(1, 1),
    )
    broken = list(check_calendar(fields))
    assert [pointer for pointer, _ in broken] == [
        "/blackoutDates/1",
        "/blackoutPeriods/0/end",
        "/blackoutPeriods/1/start",
        "/blackoutPeriods/2/end",
        "/monthlyCapacity",
    ]
    assert broken[1][1] == "must not be before start (2026-12-24), got 2026-12-23"
    assert broken[4][1] == "must have 12 numbers, January to December, got 2"


def test_year_without_any_capacity_is_refused() -> None:
    assert [pointer for pointer, _ in check_calendar(CalendarFields(monthly_capacity=(0,) * 12))] == [
        "/monthlyCapacity"
    ]
    assert list(check_calendar(CalendarFields(monthly_capacity=(0,) * 11 + (0.5,)))) == []

"""Dates as exports write them, and the order of day and month that a column's values decide."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.sim.intake.dates import NO_DAY, UNREADABLE, is_date, read_columns, read_day

JANUARY_5 = date(2026, 1, 5).toordinal()


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05",
        "2026-1-5",
        "2026/01/05",
        "2026-01-05T23:59:59Z",
        "2026-01-05T23:59:59.123456+00:00",
        "2026-01-05T10:11:12.000+0000",
        "2026-01-05 10:11",
        "2026-01-05 10:11:12 UTC",
        "2026-01-05 10:11:12 -0300",
        "05/Jan/26 3:15 PM",
        "05/Jan/26 3:15\u202fPM",
        "5/jan/2026",
        "05-Jan-2026",
        "5 January 2026",
        "5/1/2026",
        "05/01/26",
        "5.1.2026",
        "05.01.2026 14:30",
        "5-1-2026",
        "5/1/2026, 3:15:00 p.m.",
        "Jan 5, 2026",
        "January 5 2026",
        "Jan 05, 2026 3:15 PM",
        "Jan. 5, 2026",
    ],
)
def test_day_is_read_as_written(text: str) -> None:
    assert read_day(text) == JANUARY_5


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30",
        "2026-13-01",
        "0000-00-00",
        "31/4/2026",
        "1/13/2026",
        "05/Foo/26",
        "Done",
        "64",
        "45678",
        "2026",
        "2026-01-05x",
        "2026-01-05 25",
        "2026-01-05 10:75",
        "1/2-2026",
        "1969-12-31",
        "2200-01-01",
        "2026-01-0\u0665",
        "2026-01-05 10:00" + " " * 100_000,
        "\ufffd",
    ],
)
def test_text_that_is_no_day_is_unreadable(text: str) -> None:
    assert read_day(text) == UNREADABLE


def test_empty_text_is_no_day_and_no_fault() -> None:
    assert read_day("") == NO_DAY
    assert not is_date("")


def test_two_digits_of_a_year_lie_within_the_century_of_posix() -> None:
    assert read_day("1/1/68") == date(2068, 1, 1).toordinal()
    assert read_day("1/1/70") == date(1970, 1, 1).toordinal()


def test_number_above_twelve_in_the_first_place_makes_the_column_day_first() -> None:
    (column,) = read_columns([["03/04/2026", "13/04/2026"]], "auto")
    assert column.order == "dmy"
    assert not column.is_assumed
    assert column.days["03/04/2026"] == date(2026, 4, 3).toordinal()


def test_number_above_twelve_in_the_second_place_makes_the_column_month_first() -> None:
    (column,) = read_columns([["03/04/2026", "04/13/2026"]], "auto")
    assert column.order == "mdy"
    assert column.days["03/04/2026"] == date(2026, 3, 4).toordinal()


def test_undecided_column_is_day_first_and_says_that_it_was_assumed() -> None:
    (column,) = read_columns([["03/04/2026"]], "auto")
    assert (column.order, column.is_assumed) == ("dmy", True)
    assert column.days["03/04/2026"] == date(2026, 4, 3).toordinal()


def test_undecided_column_takes_the_order_of_another() -> None:
    first, second = read_columns([["03/04/2026"], ["04/13/2026"]], "auto")
    assert (first.order, first.is_assumed, second.order) == ("mdy", False, "mdy")


def test_columns_that_decide_differently_keep_their_orders() -> None:
    first, second = read_columns([["13/04/2026"], ["04/13/2026"]], "auto")
    assert (first.order, second.order) == ("dmy", "mdy")


def test_order_of_most_decisive_dates_wins_in_a_mixed_column() -> None:
    (column,) = read_columns([["13/04/2026", "04/14/2026", "04/15/2026"]], "auto")
    assert (column.order, column.is_mixed) == ("mdy", True)
    assert column.days["13/04/2026"] == UNREADABLE


def test_wish_goes_before_the_values() -> None:
    (column,) = read_columns([["13/04/2026", "03/04/2026"]], "mdy")
    assert (column.order, column.is_assumed) == ("mdy", False)
    assert column.days == {"13/04/2026": UNREADABLE, "03/04/2026": date(2026, 3, 4).toordinal()}


@pytest.mark.parametrize("texts", [[], ["2026-04-03"], ["03.04.2026"], ["5/Jan/26"], ["4/4/2026"], [""]])
def test_column_that_depends_on_no_order_has_none(texts: list[str]) -> None:
    (column,) = read_columns([texts], "auto")
    assert (column.order, column.is_assumed, column.is_mixed) == (None, False, False)


days = st.dates(date(1970, 1, 1), date(2199, 12, 31))


@given(days, st.sampled_from(["%d/%m/%Y", "%Y-%m-%d", "%d %B %Y", "%d/%b/%Y %I:%M %p", "%b %d, %Y", "%d.%m.%Y"]))
def test_every_day_is_read_back_from_each_form(day: date, form: str) -> None:
    assert read_day(day.strftime(form), "dmy") == day.toordinal()


@given(st.lists(days, min_size=1))
def test_whole_history_is_read_in_the_order_in_which_it_was_written(history: list[date]) -> None:
    # The 13th of a month can be written in one way only.
    written = [f"{day.month}/{day.day}/{day.year}" for day in [*history, history[0].replace(day=13)]]
    (column,) = read_columns([set(written)], "auto")
    assert [column.days[text] for text in written[:-1]] == [day.toordinal() for day in history]


@given(st.text(max_size=45))
def test_any_text_is_read_or_refused(text: str) -> None:
    found = read_day(text)
    assert found in (NO_DAY, UNREADABLE) or date.fromordinal(found) - date(1970, 1, 1) >= timedelta(0)

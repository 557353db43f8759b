"""Cycle times, what can be promised from them, and how old the open items are."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from chalicelib.sim.intake.result import CycleTime
from tests.sim.intake.intakes import taken

FIRST = date(2026, 1, 1)


def history(cycle_times: list[int], ages: list[int]) -> str:
    """Items closed after so many days, and open ones that are so old, as of the day that is a hundred days later."""
    as_of = FIRST + timedelta(days=100)
    closed = [f"{as_of - timedelta(days=days - 1)},{as_of}" for days in cycle_times]
    waiting = [f"{as_of - timedelta(days=age - 1)}," for age in ages]
    return "id,started,closed\n" + "".join(f"{number},{dates}\n" for number, dates in enumerate([*closed, *waiting], 1))


def test_item_closed_on_its_first_day_took_one_day() -> None:
    assert taken("started,closed\n2026-01-05,2026-01-05\n2026-01-05,2026-01-06\n").lt_samples == [1, 2]


def test_times_of_day_do_not_count() -> None:
    assert taken("started,closed\n2026-01-05T23:59:00Z,2026-01-06T00:01:00Z\n").lt_samples == [2]


def test_percentile_is_the_fewest_days_that_so_many_items_kept() -> None:
    # Of twenty items in 1 .. 20 days: 10, 14, 17 and 19 are 50, 70, 85 and 95 %.
    found = taken(history(list(range(1, 21)), []))
    assert found.cycle_time == CycleTime(count=20, mean=10.5, p50=10, p70=14, p85=17, p95=19, min=1, max=20)


def test_promise_is_in_words() -> None:
    found = taken(history([1] * 17 + [9, 30, 30], []))
    assert [level.text for level in found.sle] == [
        "50 % of the items were finished within 1 day",
        "70 % of the items were finished within 1 day",
        "85 % of the items were finished within 1 day",
        "95 % of the items were finished within 30 days",
    ]


@pytest.mark.parametrize(
    ("age", "share", "level"),
    [
        (1, 0.0, "below p50"),
        (10, 0.45, "below p50"),
        (11, 0.5, "p50 to p70"),
        (14, 0.65, "p50 to p70"),
        (15, 0.7, "p70 to p85"),
        (18, 0.85, "p85 to p95"),
        (20, 0.95, "above p95"),
        (50, 1.0, "above p95"),
    ],
)
def test_age_is_told_against_the_closed_items(age: int, share: float, level: str) -> None:
    (item,) = taken(history(list(range(1, 21)), [age])).ageing
    assert (item.age_days, item.share_faster, item.level) == (age, share, level)


def test_age_stands_alone_without_closed_items() -> None:
    (item,) = taken("started,closed\n2026-01-05,\n", asOf="2026-01-08").ageing
    assert (item.id, item.age_days, item.share_faster, item.level) == (None, 4, None, None)


def test_oldest_open_items_come_first_and_two_hundred_are_shown() -> None:
    found = taken(history([1], list(range(1, 91)) * 3))
    assert (found.items_open, found.ageing_count, len(found.ageing)) == (270, 270, 200)
    assert [item.age_days for item in found.ageing[:4]] == [90, 90, 90, 89]


def test_open_item_without_a_start_has_no_age() -> None:
    found = taken("id,started,closed\n1,,\n2,2026-01-05,2026-01-06\n")
    assert (found.items_open, found.ageing_count, found.ageing) == (1, 0, [])


def test_closed_item_without_a_start_counts_for_throughput_alone() -> None:
    found = taken("id,started,closed\n1,,2026-01-05\n2,2026-01-05,2026-01-06\n")
    assert (found.items_closed, found.lt_samples) == (2, [2])
    assert "1 of 2 closed items have no start, so no cycle time." in found.warnings


def test_file_of_closing_dates_says_that_there_are_no_cycle_times() -> None:
    found = taken("closed\n2026-01-05\n")
    assert (found.lt_samples, found.cycle_time) == ([], None)
    note = "No column says when work began, so there are no cycle times and no ages. startColumn can name one."
    assert note in found.warnings


def test_samples_are_the_newest_thousand_in_the_order_of_closing() -> None:
    # The n-th item of the file is closed on the n-th last day, after n days.
    last = FIRST + timedelta(days=5_000)
    rows = [(last - timedelta(days=n), n) for n in range(1, 1_101)]
    text = "started,closed\n" + "".join(f"{day - timedelta(days=n - 1)},{day}\n" for day, n in rows)
    found = taken(text)
    assert found.lt_samples == list(range(1_000, 0, -1))
    assert found.cycle_time is not None
    assert found.cycle_time.count == 1_100


def test_cycle_time_that_no_forecast_takes_is_no_sample() -> None:
    found = taken("started,closed\n2016-01-05,2026-01-05\n2026-01-05,2026-01-06\n")
    assert found.lt_samples == [2]
    assert found.cycle_time is not None
    # Ten years with leap days in 2016, 2020 and 2024, and both ends.
    assert found.cycle_time.max == 3_654
    assert "Cycle times above 3650 days, not in ltSamples as no forecast takes them: 1." in found.warnings

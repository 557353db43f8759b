"""A real project replayed: forecasts from its past against what then happened."""

from __future__ import annotations

import json
from datetime import date

from bench.replay import WEEKS, Origin, coverage, per_week, replay, weeks_ahead

CLOSED: list[int] = json.loads(WEEKS.read_text())["weeks"]


def test_days_become_whole_weeks_with_the_empty_ones() -> None:
    days = ["2025-01-01", "2025-01-06", "2025-01-12", "2025-01-13", "2025-02-03", "2025-02-10"]
    # Weeks from 6, 13, 20, 27 January and 3 February; the outer two are half observed.
    assert per_week([date.fromisoformat(day) for day in days]) == [2, 1, 0, 0, 1]


def test_replay_compares_with_the_weeks_that_it_really_took() -> None:
    first, *_, last = replay([2] * 4 + [1, 0, 3], window=4, backlog=3, with_upper=False)
    assert (first.actual, first.weeks_left, first.forecast["p85"]) == (3, 3, 2)
    assert (last.actual, last.weeks_left) == (1, 1)
    assert [first.holds("p85"), last.holds("p85")] == [False, True]


def test_forecast_that_the_data_cannot_judge_is_counted_apart() -> None:
    found = coverage(
        [
            Origin({"p50": 1, "p85": 2, "p95": 3, "p85_upper": 9}, actual, weeks_left, False)
            for actual, weeks_left in ((1, 9), (2, 9), (None, 2))
        ]
    )
    assert (found["p50"], found["p50_undecided"]) == (0.333, 0)
    assert (found["p85"], found["p85_undecided"]) == (0.667, 0)
    assert (found["p95"], found["p95_undecided"]) == (1.0, 1)


def test_about_85_percent_of_the_forecasts_at_p85_came_true() -> None:
    found = coverage(list(replay(CLOSED, window=12, backlog=10, with_upper=False)))
    assert found["origins"] == 330
    assert 0.75 <= found["p85"] <= 0.95
    assert found["p50"] < found["p85"] < found["p95"]


def test_idle_weeks_of_the_data_slow_the_forecast_down() -> None:
    history = CLOSED[230:256]
    assert history.count(0) == 4
    busy = [week for week in history if week]
    assert weeks_ahead(history, 40)["p85"] > weeks_ahead(busy, 40)["p85"]

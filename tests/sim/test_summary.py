"""The figures that are kept beside a saved forecast."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from chalicelib.sim.forecast import forecast
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.summary import Summary, summarise
from tests.sim.cases import silent


def summary(**fields: Any) -> Summary:
    """Of ten tasks at one a week, so p85 is 10 weeks, unless the fields say otherwise."""
    request = msgspec.convert({"tpSamples": [1], "numberOfTasks": 10} | fields, SimulateRequest)
    return summarise(request, forecast(request, progress=silent))


def test_forecast_without_days_has_its_backlog_and_p85_alone() -> None:
    assert summary() == Summary(
        name="Unnamed Project",
        forecast_type="monte_carlo",
        team_size=1,
        backlog=10,
        start_date=None,
        projected_weeks_p85=10,
        deadline_date=None,
        weeks_to_deadline=None,
        can_meet_deadline=None,
    )


@pytest.mark.parametrize(
    ("deadline", "weeks", "kept"),
    [("16/03/2026", 10, True), ("2026-03-15", 69 / 7, False), ("2026-03-17", 71 / 7, True), ("2025-12-29", -1, False)],
)
def test_deadline_is_compared_with_p85(deadline: str, weeks: float, kept: bool) -> None:
    found = summary(startDate="05/01/2026", deadlineDate=deadline)
    assert found.start_date == date(2026, 1, 5)
    assert (found.weeks_to_deadline, found.can_meet_deadline) == (weeks, kept)


@pytest.mark.parametrize("deadline", ["", "soon", 20260316, None, ["16/03/2026"]])
def test_deadline_that_is_no_day_is_left_out(deadline: object) -> None:
    found = summary(startDate="2026-01-05", deadlineDate=deadline)
    assert (found.deadline_date, found.weeks_to_deadline, found.can_meet_deadline) == (None, None, None)


def test_deadline_without_a_start_is_kept_and_not_judged() -> None:
    found = summary(deadlineDate="2026-03-16")
    assert (found.deadline_date, found.weeks_to_deadline, found.can_meet_deadline) == (date(2026, 3, 16), None, None)


def test_weeks_and_backlog_of_a_project_in_progress_are_those_from_today_on() -> None:
    found = summary(
        startDate="2026-01-05", currentDate="2026-02-02", completedTasks=6, remainingTasks=4, deadlineDate="2026-03-02"
    )
    assert (found.start_date, found.backlog, found.projected_weeks_p85) == (date(2026, 2, 2), 4, 4)
    assert (found.weeks_to_deadline, found.can_meet_deadline) == (4, True)


def test_backlog_of_a_range_is_its_middle() -> None:
    assert summary(backlogAdjustedMin=10, backlogAdjustedMax=15).backlog == 13

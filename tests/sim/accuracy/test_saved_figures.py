"""The figures that are read from a saved forecast's own JSON."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from chalicelib.sim.accuracy.saved_figures import Figures, complete, weeks_at

START = date(2026, 1, 5)
# As the older service saved a deadline analysis.
DEADLINE = {
    "monte_carlo": {
        "start_date": "05/01/2026",
        "start_date_raw": "2026-01-05",
        "deadline_date": "30/03/2026",
        "deadline_date_raw": "2026-03-30",
        "weeks_to_deadline": 12.0,
        "projected_weeks_p50": 10.0,
        "projected_weeks_p85": 15.0,
        "projected_weeks_p95": 17.0,
        "backlog": 60,
        "can_meet_deadline": False,
        "scope_completion_pct": 80,
        "percentile_stats": {"p85": 14.96},
    }
}


def test_figures_of_a_deadline_analysis_are_read() -> None:
    assert complete(Figures(), DEADLINE, {}) == Figures(
        backlog=60,
        start_date=START,
        deadline_date=date(2026, 3, 30),
        weeks_to_deadline=12.0,
        projected_weeks_p85=15.0,
        can_meet_deadline=False,
        scope_completion_pct=80.0,
    )


@pytest.mark.parametrize(
    "inputs",
    [
        {"backlog": 50, "startDate": "05/01/26", "deadlineDate": "2026-02-16"},
        {"numberOfTasks": 50, "start_date": "2026-01-05", "deadline_date": "16.02.2026"},
        {"simulationData": {"numberOfTasks": 50.0, "startDate": "2026/1/5", "deadlineDate": "16-02-2026"}},
    ],
)
def test_figures_are_read_from_the_request_and_the_rest_is_computed(inputs: dict[str, object]) -> None:
    # 42 days; the P85 of 8 weeks is later, and 6 / 8 of the time is 75 %.
    assert complete(Figures(), {"percentile_stats": {"p85": 8}}, inputs) == Figures(
        backlog=50,
        start_date=START,
        deadline_date=date(2026, 2, 16),
        weeks_to_deadline=6.0,
        projected_weeks_p85=8.0,
        can_meet_deadline=False,
        scope_completion_pct=75.0,
    )


def test_what_is_given_goes_before_what_is_read() -> None:
    given = Figures(
        backlog=1,
        start_date=date(2025, 1, 1),
        deadline_date=date(2025, 1, 8),
        weeks_to_deadline=3.0,
        projected_weeks_p85=2.0,
        can_meet_deadline=False,
        scope_completion_pct=7.0,
    )
    assert complete(given, DEADLINE, {"backlog": 50, "startDate": "2026-01-05"}) == given


@pytest.mark.parametrize(
    ("weeks", "between", "met", "share"), [(9, 9, True, 100), (0, -1, False, 0), (4, -1, False, 0)]
)
def test_deadline_is_kept_where_the_p85_ends_by_it(weeks: float, between: float, met: bool, share: float) -> None:
    found = complete(Figures(projected_weeks_p85=weeks, weeks_to_deadline=between), None, None)
    assert (found.can_meet_deadline, found.scope_completion_pct) == (met, share)


@pytest.mark.parametrize(
    "document", [None, 1, "text", [], [1], {"monte_carlo": None}, {"percentiles": [1]}, {"dates": 3}]
)
def test_any_json_is_read_and_what_is_not_there_stays_open(document: object) -> None:
    assert complete(Figures(), document, document) == Figures()


@pytest.mark.parametrize("value", ["9", True, -1, 100_001, 10**400, None, [9]])
def test_value_that_is_no_duration_is_passed_over(value: object) -> None:
    data = {"projected_weeks_p85": value, "percentiles": {"p85": 9}}
    assert weeks_at("p85", data, {}, None) == 9.0


@pytest.mark.parametrize(
    ("data", "inputs", "weeks"),
    [
        (DEADLINE, {}, 10.0),
        ({"monte_carlo": {"weeks_p50": 6.5}}, {}, 6.5),
        ({"monte_carlo": {"percentile_stats": {"p50": 6.2}}}, {}, 6.2),
        ({"projected_weeks_p50": 5}, {}, 5.0),
        ({"weeks_p50": 4}, {}, 4.0),
        ({"percentile_stats": {"p50": 7}}, {}, 7.0),
        ({"percentiles": {"p50": 7}}, {}, 7.0),
        # Periods of 14 days are two weeks each.
        ({"percentiles": {"p50": 7}}, {"throughputCadenceDays": 14}, 14.0),
        # Days off are in the days alone: 5 January to 2 March are 8 weeks.
        ({"percentiles": {"p50": 7}, "dates": {"p50": "2026-03-02"}}, {"throughputCadenceDays": 14}, 8.0),
        ({"monte_carlo": {"items_p50": 40}}, {}, None),
    ],
)
def test_weeks_of_a_level_are_found_where_each_answer_has_them(
    data: dict[str, Any], inputs: dict[str, object], weeks: float | None
) -> None:
    assert weeks_at("p50", data, inputs, START) == weeks

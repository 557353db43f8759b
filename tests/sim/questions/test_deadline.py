"""Deadlines: golden cases confirmed by enumeration in fractions, properties, and the sentences around them."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.sim.questions.deadline import analyse_deadline, summarise_deadline
from chalicelib.sim.questions.inputs import DeadlineRequest, check_deadline
from chalicelib.sim.questions.result import DeadlineResult
from tests.sim import by_hand
from tests.sim.cases import silent

HISTORY = [3, 0, 5, 4, 6, 2]
LEVELS = {"p50": Fraction(1, 2), "p85": Fraction(17, 20), "p95": Fraction(19, 20)}
PLAIN: dict[str, Any] = {"tpSamples": HISTORY, "backlog": 20, "startDate": "2026-01-05", "deadlineDate": "2026-02-23"}
FULL: dict[str, Any] = PLAIN | {
    "tpSamples": [4, 6, 5, 3],
    "ltSamples": [3, 9, 16, 5, 8, 12],
    "splitRateSamples": [1, "1.5"],
    "risks": [{"likelihood": 30, "lowImpact": 2, "highImpact": 4}],
}


def read(**fields: Any) -> DeadlineRequest:
    body = {"historyInterval": False, **PLAIN, **fields}
    if "splitRateSamples" in body:
        body["splitRateSamples"] = [float(each) for each in body["splitRateSamples"]]
    request = msgspec.convert(body, DeadlineRequest)
    assert check_deadline(request) == []
    return request


def answer(**fields: Any) -> DeadlineResult:
    return analyse_deadline(read(**fields), silent)


def near(value: Fraction) -> Any:  # pytest's approximation
    return pytest.approx(float(value), abs=1e-9)


def test_plain_case_is_the_one_worked_out_by_hand() -> None:
    done = by_hand.done_within(HISTORY, by_hand.tasks(20), by_hand.wait([]))
    items = by_hand.items(HISTORY, 7)
    found = answer()
    assert found.probability_met == near(done[7])
    view = found.monte_carlo
    assert [view.projected_weeks_p50, view.projected_weeks_p85, view.projected_weeks_p95] == [
        by_hand.quantile(done, level) for level in LEVELS.values()
    ]
    assert [view.items_possible_p50, view.items_possible_p85, view.items_possible_p95] == [
        by_hand.at_least(items, level) for level in LEVELS.values()
    ]


def test_case_with_lead_times_split_rates_and_a_risk_is_the_one_worked_out_by_hand() -> None:
    idle = by_hand.wait(FULL["ltSamples"])
    todo = by_hand.tasks(20, [("3/10", 2, 4)], FULL["splitRateSamples"])
    done = by_hand.done_within(FULL["tpSamples"], todo, idle)
    items = by_hand.items(FULL["tpSamples"], 7, idle=idle)
    found = answer(**FULL)
    assert found.probability_met == near(done[7])
    view = found.monte_carlo
    assert [view.items_possible_p50, view.items_possible_p85, view.items_possible_p95] == [
        by_hand.at_least(items, level) for level in LEVELS.values()
    ]
    assert view.completion_date_p85 == by_hand.day_after(
        date(2026, 1, 5), 7 * by_hand.quantile(done, LEVELS["p85"])
    ).strftime("%d/%m/%Y")


def test_case_in_periods_of_ten_days_with_days_off_is_the_one_worked_out_by_hand() -> None:
    off = [date(2026, 1, 14), date(2026, 1, 15), date(2026, 2, 20)]
    found = answer(
        throughputCadenceDays=10,
        blackoutDates=[day.isoformat() for day in off],
        ltSamples=[12, 30],
        deadlineDate="2026-03-10",
    )
    done = by_hand.done_within(HISTORY, by_hand.tasks(20), by_hand.wait([12, 30], 10))
    # 64 days from 5 January to 9 March, three of them off: six whole periods and a day.
    assert found.probability_met == near(done[6])
    assert found.monte_carlo.completion_date_p50 == by_hand.day_after(
        date(2026, 1, 5), 10 * by_hand.quantile(done, LEVELS["p50"]), off
    ).strftime("%d/%m/%Y")
    items = by_hand.items(HISTORY, 6, Fraction(1, 10), by_hand.wait([12, 30], 10))
    assert found.monte_carlo.items_possible_p85 == by_hand.at_least(items, LEVELS["p85"])


def test_team_that_grows_and_focus_change_the_pace_as_by_hand() -> None:
    found = answer(teamSize=3, historicalTeamSize=2, teamFocus=0.5)
    done = by_hand.done_within(HISTORY, by_hand.tasks(20), by_hand.wait([]), Fraction(3, 4))
    assert found.probability_met == near(done[7])
    # The effort is three people for each week of work.
    weeks = by_hand.quantile(done, LEVELS["p85"])
    assert found.projected_effort_p85 == 3 * weeks


def test_first_thirty_days_are_four_weeks_and_two_days() -> None:
    table = answer().monte_carlo.items_forecast_30_days
    items = by_hand.items(HISTORY, 4, Fraction(2, 7))
    assert (table.days, table.start_date, table.end_date) == (30, "05/01/2026", "04/02/2026")
    rows = {row.probability: row.items for row in table.probability_table}
    assert list(rows) == [*range(100, 0, -5), 1]
    assert {p: rows[p] for p in (95, 85, 50, 5)} == {
        p: by_hand.at_least(items, Fraction(p, 100)) for p in (95, 85, 50, 5)
    }
    assert table.items_mean == pytest.approx(20 / 6 * 30 / 7)


def test_costs_are_effort_times_price_in_the_currency_of_the_request() -> None:
    found = answer(teamSize=2, costPerPersonWeek=1234.5, currency="R$")
    costs, weeks = found.cost_analysis, found.monte_carlo.projected_weeks_p85
    assert costs.monte_carlo.effort_p85 == 2 * weeks
    assert costs.monte_carlo.cost_p85.total_cost == pytest.approx(2 * weeks * 1234.5)
    assert costs.monte_carlo.cost_p85.formatted_total == f"R$ {2 * weeks * 1234.5:,.2f}"
    assert costs.monte_carlo.cost_p85.formatted_per_week == "R$ 2,469.00"
    assert costs.monte_carlo.cost_p85.formatted_per_month == "R$ 10,690.77"
    assert costs.monte_carlo.cost_p85.formatted_per_year == "R$ 128,388.00"
    assert answer().cost_analysis.monte_carlo.cost_p50.formatted_per_week == "5,000.00"


def test_percentages_compare_what_is_possible_and_needed_with_what_there_is() -> None:
    found = answer(tpSamples=[4], backlog=20, deadlineDate="2026-01-26").monte_carlo
    assert (found.items_possible_p85, found.projected_work_p85) == (12, 12)
    assert (found.scope_completion_pct, found.scope_completion_pct_raw) == (60, 60.0)
    assert (found.deadline_completion_pct, found.deadline_completion_pct_raw) == (100, 166.7)
    early = answer(tpSamples=[4], backlog=20, deadlineDate="2026-03-16").monte_carlo
    assert (early.projected_work_p85, early.items_possible_p85) == (20, 40)
    assert (early.scope_completion_pct, early.scope_completion_pct_raw) == (100, 200.0)
    assert (early.deadline_completion_pct, early.can_meet_deadline) == (50, True)


def test_deadline_before_the_start_cannot_be_met_and_says_so() -> None:
    found = answer(deadlineDate="2025-12-22")
    assert (found.probability_met, found.can_meet_deadline, found.weeks_to_deadline) == (0.0, False, -2.0)
    assert found.monte_carlo.items_possible_p50 == 0
    assert found.warnings[0] == "The deadline 2025-12-22 is before the start 2026-01-05: it cannot be met."


def test_forecasters_speak_from_eight_samples_on_and_agree_on_steady_weeks() -> None:
    assert (answer().machine_learning, answer().consensus) == (None, None)
    steady = answer(tpSamples=[4, 5, 4, 5, 4, 5, 4, 5, 4, 5], backlog=36, deadlineDate="2026-03-16")
    assert steady.machine_learning
    assert steady.consensus
    assert steady.machine_learning.projected_weeks_p85 == steady.monte_carlo.projected_weeks_p85
    assert steady.machine_learning.projected_work_p85 == 36
    assert (steady.consensus.both_agree, steady.consensus.difference_weeks) == (True, 0.0)


def test_forecasters_see_a_team_that_grows_faster_done_sooner() -> None:
    growing = answer(tpSamples=[1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9], backlog=60, deadlineDate="2026-03-16")
    assert growing.machine_learning
    assert growing.machine_learning.projected_weeks_p85 is not None
    assert growing.machine_learning.projected_weeks_p85 < growing.monte_carlo.projected_weeks_p85


def test_whole_simulation_goes_before_what_stands_beside_it() -> None:
    body = {
        "tpSamples": [1, 1, 1, 1],
        "backlog": 500,
        "simulationData": {
            "tpSamples": HISTORY,
            "numberOfTasks": 20,
            "startDate": "2026-01-05",
            "deadlineDate": "2026-02-23",
            "totalContributors": 3,
        },
        "startDate": None,
        "deadlineDate": None,
    }
    assert answer(**body).probability_met == answer().probability_met
    later = answer(**body | {"deadlineDate": "2026-03-23"})
    assert later.weeks_to_deadline == 11.0


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"tpSamples": None}, [("/tpSamples", "is required")]),
        ({"backlog": None, "deadlineDate": None}, [("/backlog", "is required"), ("/deadlineDate", "is required")]),
        ({"deadlineDate": "soon"}, "/deadlineDate"),
        ({"startDate": "31/31/2026"}, "/startDate"),
        ({"tpSamples": [0.5, 0]}, "/tpSamples"),
        ({"minContributors": 3, "maxContributors": 2}, "/minContributors"),
        ({"simulationData": {"tpSamples": [0], "numberOfTasks": 5}}, "/simulationData/tpSamples"),
        ({"simulationData": {"tpSamples": [1], "numberOfTasks": 0}}, "/simulationData/numberOfTasks"),
        ({"blackoutDates": ["soon"]}, "/blackoutDates/0"),
    ],
)
def test_broken_rules_are_named_where_they_stand(fields: dict[str, Any], expected: object) -> None:
    errors = check_deadline(msgspec.convert(PLAIN | fields, DeadlineRequest))
    found = [(error.pointer, error.detail) for error in errors]
    assert found == expected if isinstance(expected, list) else [pointer for pointer, _ in found] == [expected]


def test_summary_of_a_deadline_has_every_column() -> None:
    request = read(projectName=" Relaunch ", teamSize=2)
    result = analyse_deadline(request, silent)
    found = msgspec.structs.asdict(summarise_deadline(request, result))
    assert None not in found.values()
    assert (found["name"], found["forecast_type"], found["team_size"], found["backlog"]) == (
        "Relaunch", "deadline", 2, 20,
    )  # fmt: skip
    assert (found["weeks_to_deadline"], found["deadline_date"]) == (7.0, date(2026, 2, 23))


histories = st.lists(st.integers(0, 9), min_size=1, max_size=7).filter(any)


@settings(max_examples=40, deadline=None)
@given(histories, st.integers(1, 40), st.integers(0, 200), st.integers(0, 60))
def test_chance_rises_with_the_date(history: list[int], backlog: int, days: int, more: int) -> None:
    first = date(2026, 1, 5).toordinal() + days
    chances = [
        answer(tpSamples=history, backlog=backlog, deadlineDate=date.fromordinal(first + later).isoformat())
        for later in (0, more)
    ]
    assert chances[0].probability_met <= chances[1].probability_met + 1e-12
    assert chances[0].monte_carlo.items_possible_p85 <= chances[1].monte_carlo.items_possible_p85


@settings(max_examples=40, deadline=None)
@given(histories, st.integers(1, 40), st.integers(0, 6))
def test_more_throughput_never_finishes_later(history: list[int], backlog: int, place: int) -> None:
    better = list(history)
    better[place % len(history)] += 2
    slow, fast = (answer(tpSamples=each, backlog=backlog) for each in (history, better))
    assert fast.probability_met >= slow.probability_met - 1e-12
    assert fast.monte_carlo.projected_weeks_p85 <= slow.monte_carlo.projected_weeks_p85


def test_changing_team_finishes_at_most_its_backlog_and_says_so() -> None:
    found = answer(teamSize=4, minContributors=1, sCurveSize=30, deadlineDate="2026-12-21")
    assert (found.monte_carlo.items_method, found.monte_carlo.items_possible_p50) == ("monte_carlo", 20)
    assert any("at most the backlog" in warning for warning in found.warnings)

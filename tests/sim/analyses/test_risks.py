"""Risks ranked and added up: hand-worked numbers, and every case enumerated."""

from __future__ import annotations

import itertools
from collections import defaultdict
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from chalicelib.sim.analyses.risk_inputs import RiskRequest, check
from chalicelib.sim.analyses.risk_result import RiskSummary
from chalicelib.sim.analyses.risks import summarise, total_law
from tests.sim.cases import as_dict, laws

# Half of the time 1 or 2 tasks; one time in five 3 tasks.
REWORK = {"likelihood": 50, "lowImpact": 1, "highImpact": 2, "description": "Rework"}
AUDIT = {"likelihood": 0.2, "lowImpact": 3, "highImpact": 3, "description": "Audit"}


def request(*risks: dict[str, Any], **fields: Any) -> RiskRequest:
    return msgspec.convert({"risks": risks, **fields}, RiskRequest)


def summary(*risks: dict[str, Any], **fields: Any) -> RiskSummary:
    asked = request(*risks, **fields)
    assert check(asked) == []
    return summarise(asked)


def test_risk_is_measured_by_the_formulas() -> None:
    (row,) = summary({"likelihood": 30, "lowImpact": 5, "mediumImpact": 8, "highImpact": 20}).risk_summaries
    assert row.likelihood == 0.3
    # 0.3 x 33 / 3, and 0.3 x (8 + 0.85 x 12).
    assert (row.expected_impact, row.p85_impact) == pytest.approx((3.3, 5.46))
    assert (row.priority, row.rank, row.share_of_total) == ("HIGH", 1, 1.0)


def test_missing_medium_is_half_way_and_missing_low_is_one() -> None:
    (row,) = summary({"likelihood": 0.5, "highImpact": 4}).risk_summaries
    assert (row.low_impact, row.medium_impact, row.high_impact) == (1, 2.5, 4)
    assert (row.expected_impact, row.p85_impact) == pytest.approx((1.25, 1.8875))


def test_percentiles_of_the_total_are_those_of_its_law_and_no_sum_of_p85() -> None:
    found = summary(REWORK, AUDIT)
    # 0: 0.4, 1: 0.2, 2: 0.2, 3: 0.1, 4: 0.05, 5: 0.05.
    total = found.total_impact
    assert (total.p50, total.p85, total.p95) == (1, 3, 4)
    assert (total.mean, total.chance_of_any) == pytest.approx((1.35, 0.6))
    assert found.total_expected_impact == pytest.approx(1.35)
    assert sum(row.p85_impact for row in found.risk_summaries) == pytest.approx(1.5625)


def test_total_in_weeks_is_at_the_mean_throughput() -> None:
    delay = summary(REWORK, AUDIT, tpSamples=[0, 1, 2], baselineDurationWeeks=10).delay
    assert delay is not None
    assert (delay.mean_throughput, delay.p50_weeks, delay.p85_weeks, delay.p95_weeks) == (1, 1, 3, 4)
    assert delay.expected_weeks == pytest.approx(1.35)
    assert delay.expected_share_of_baseline == pytest.approx(0.135)


@pytest.mark.parametrize("fields", [{}, {"tpSamples": []}, {"tpSamples": [0, 0]}])
def test_without_finished_tasks_nothing_is_said_in_weeks(fields: dict[str, Any]) -> None:
    assert summary(REWORK, **fields).delay is None


@pytest.mark.parametrize("fields", [{"tpSamples": [1]}, {"tpSamples": [1], "baselineDurationWeeks": 0}])
def test_without_a_baseline_there_is_no_share_of_it(fields: dict[str, Any]) -> None:
    delay = summary(REWORK, **fields).delay
    assert delay is not None
    assert delay.expected_share_of_baseline is None


def test_same_request_is_answered_the_same_twice_and_left_as_it_was() -> None:
    asked = request(REWORK, AUDIT)
    first = summarise(asked)
    assert summarise(asked) == first
    assert asked == request(REWORK, AUDIT)


@pytest.mark.parametrize(
    ("count", "priorities"),
    [
        (1, ["HIGH"]),
        (2, ["HIGH", "MEDIUM"]),
        (3, ["HIGH", "MEDIUM", "MEDIUM"]),
        (4, ["HIGH", "HIGH", "MEDIUM", "LOW"]),
        (10, ["HIGH"] * 3 + ["MEDIUM"] * 4 + ["LOW"] * 3),
    ],
)
def test_first_30_percent_are_high_and_the_next_40_medium(count: int, priorities: list[str]) -> None:
    risks = [{"likelihood": 50, "lowImpact": size, "highImpact": size} for size in range(1, count + 1)]
    found = summary(*risks)
    assert [row.priority for row in found.risk_summaries] == priorities
    assert [row.index for row in found.risk_summaries] == list(range(count - 1, -1, -1))
    assert found.high_priority_count == priorities.count("HIGH")


def test_equal_risks_share_the_better_rank_and_its_priority() -> None:
    # 0.3 x 10 and 0.1 x 30 are both 3; the floats differ.
    small, rare = {"likelihood": 30, "lowImpact": 10}, {"likelihood": 10, "lowImpact": 30}
    rows = summary({"likelihood": 50, "lowImpact": 1}, small, rare, {"likelihood": 1, "lowImpact": 1}).risk_summaries
    assert [(row.index, row.rank, row.priority) for row in rows] == [
        (1, 1, "HIGH"),
        (2, 1, "HIGH"),
        (0, 3, "MEDIUM"),
        (3, 4, "LOW"),
    ]


def test_risk_that_never_happens_is_low_even_alone() -> None:
    found = summary({"likelihood": 0, "lowImpact": 5})
    (row,) = found.risk_summaries
    assert (row.priority, row.share_of_total, found.total_impact.p95) == ("LOW", 0.0, 0)
    assert found.recommendations == ["No risk is expected to add tasks."]


def test_advice_names_the_worst_risk_and_what_to_allow() -> None:
    assert summary(AUDIT, REWORK, tpSamples=[2]).recommendations == [
        'Begin with "Rework": with a likelihood of 50 % it makes 56 % of the expected impact.',
        "Allow 3 more tasks, 1.5 weeks at the mean throughput: with a chance of 85 % the risks together add no more.",
        "Do not add up worst cases: all 2 risks at their highest would be 5 tasks.",
    ]


CASES: list[list[dict[str, Any]]] = [
    [REWORK],
    [REWORK, AUDIT, {"likelihood": 99, "lowImpact": 0, "highImpact": 1}],
    [{"likelihood": 25, "lowImpact": 0, "mediumImpact": 1, "highImpact": 2}] * 3,
    [{"likelihood": 10 * place, "lowImpact": place, "highImpact": 2 * place} for place in range(1, 6)],
]


def single(risk: dict[str, Any]) -> dict[int, Fraction]:
    """The law of one risk in rational numbers; the one triangular risk here is 0, 1, 2 with 1/8, 6/8, 1/8."""
    chance = Fraction(str(risk["likelihood"]))
    chance = chance / 100 if chance >= 1 else chance
    sizes = range(risk["lowImpact"], risk["highImpact"] + 1)
    weights = [Fraction(1, 8), Fraction(6, 8), Fraction(1, 8)] if "mediumImpact" in risk else [Fraction(1, len(sizes))] * len(sizes)  # fmt: skip  # noqa: E501
    law: dict[int, Fraction] = defaultdict(Fraction)
    law[0] += 1 - chance
    for size, weight in zip(sizes, weights, strict=True):
        law[size] += chance * weight
    return law


@pytest.mark.parametrize("risks", CASES)
def test_total_is_the_law_of_every_case_enumerated(risks: list[dict[str, Any]]) -> None:
    expected: dict[float, float] = defaultdict(float)
    for case in itertools.product(*(single(risk).items() for risk in risks)):
        chance = Fraction(1)
        for _, each in case:
            chance *= each
        expected[sum(size for size, _ in case)] += float(chance)
    from chalicelib.sim.analyses.risk_inputs import as_project
    from chalicelib.sim.project import plan

    found = as_dict(total_law(plan(as_project(request(*risks))).impacts))
    assert found == pytest.approx({size: chance for size, chance in expected.items() if chance})


def test_risks_add_here_what_they_add_in_a_forecast() -> None:
    forecast = laws(numberOfTasks=0, risks=[REWORK, AUDIT]).tasks
    assert summary(REWORK, AUDIT).total_impact.mean == pytest.approx(forecast.mean())


def test_hundred_risks_at_their_largest_are_added_up() -> None:
    found = summary(*[{"likelihood": 50, "lowImpact": 0, "highImpact": 10_000}] * 100)
    assert found.total_impact.mean == pytest.approx(250_000)
    # Mean 250,000 and deviation 32,277 of a law that is all but normal: 1.0364 deviations more.
    assert found.total_impact.p85 == pytest.approx(283_450, rel=0.002)


@pytest.mark.parametrize(
    ("risks", "errors"),
    [
        ([], [("/risks", "No risks provided: at least 1 is needed, got 0")]),
        ([{"likelihood": 5}], [("/risks/0", "lowImpact or highImpact must be given")]),
        (
            [AUDIT, {"likelihood": 5, "lowImpact": 4, "highImpact": 2}],
            [("/risks/1/lowImpact", "must be at most highImpact (2), got 4")],
        ),
        (
            [{"likelihood": 5, "lowImpact": 1, "mediumImpact": 9, "highImpact": 2}],
            [("/risks/0/mediumImpact", "must be from 1 to 2, got 9")],
        ),
    ],
)
def test_rules_are_those_of_a_forecast(risks: list[dict[str, Any]], errors: list[tuple[str, str]]) -> None:
    assert [(error.pointer, error.detail) for error in check(request(*risks))] == errors

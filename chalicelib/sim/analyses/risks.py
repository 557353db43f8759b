"""The risks of a project ranked one by one, and the law of what they add together.

A sum of separate P85 values is not the P85 of the sum: all risks seldom strike at once. So the total is computed as a
law of its own, exactly as a forecast computes it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator

from msgspec import Struct

from chalicelib.sim.analyses.risk_inputs import RiskRequest, as_project
from chalicelib.sim.analyses.risk_result import Priority, RiskDelay, RiskRow, RiskSummary, TotalImpact
from chalicelib.sim.backlog import impact_law
from chalicelib.sim.inputs import Risk, impact_range
from chalicelib.sim.lattice import Law, add, certain
from chalicelib.sim.project import Impact, plan

# Of the ranked risks, in tenths: the first 30 % and the next 40 %, as in the reference service.
_HIGH, _MEDIUM = 3, 7
_LEVELS = (0.50, 0.85, 0.95)
# Expected impacts that differ less are equal: 0.3 x 10 and 0.1 x 30 are.
_SAME = 9


def summarise(request: RiskRequest) -> RiskSummary:
    """Ranks at least one risk and adds them up; the request must have passed `risk_inputs.check`.

    Cost: the law of the total, below 1 s for a hundred risks of 10,000 tasks.
    """
    rows = rank([_measure(risk) for risk in request.risks])
    law = total_law(plan(as_project(request)).impacts)
    delay = _delay(request, law)
    return RiskSummary(
        risk_summaries=rows,
        total_expected_impact=math.fsum(row.expected_impact for row in rows),
        high_priority_count=sum(row.priority == "HIGH" for row in rows),
        total_impact=_total(law),
        delay=delay,
        recommendations=list(_recommendations(rows, law, delay)),
        warnings=[],
    )


class Measure(Struct, frozen=True):
    """One risk with its defaults applied: probability 0..1, impacts in tasks, low <= medium <= high."""

    description: str | None
    likelihood: float
    low: int
    medium: float
    high: int

    @property
    def expected(self) -> float:
        return self.likelihood * (self.low + self.medium + self.high) / 3

    @property
    def p85(self) -> float:
        return self.likelihood * (self.medium + 0.85 * (self.high - self.medium))


def rank(measures: list[Measure]) -> list[RiskRow]:
    """The risks by expected impact, largest first. Cost: quadratic in them, at most a hundred."""
    expected = [round(each.expected, _SAME) for each in measures]
    total = math.fsum(each.expected for each in measures)
    order = sorted(range(len(measures)), key=lambda index: -expected[index])
    places = [1 + sum(other > each for other in expected) for each in expected]
    return [_row(index, measures[index], place=places[index], count=len(measures), total=total) for index in order]


def total_law(impacts: tuple[Impact, ...]) -> Law:
    """The law of the tasks that independent risks add together; nothing for none.

    Neighbours are added two by two: adding one risk after the other to the growing sum costs ten times as much.
    """
    laws = [impact_law(impact) for impact in impacts] or [certain(0)]
    while len(laws) > 1:
        odd = laws[-1:] if len(laws) % 2 else []
        laws = [add(left, right) for left, right in zip(laws[::2], laws[1::2], strict=False)] + odd
    return laws[0]


def _measure(risk: Risk) -> Measure:
    low, high = impact_range(risk)
    # The same reading as in `project.plan`, which leaves out risks that never happen.
    likelihood = risk.likelihood / 100 if risk.likelihood >= 1 else risk.likelihood
    medium = (low + high) / 2 if risk.medium_impact is None else risk.medium_impact
    return Measure(risk.description, likelihood, low, medium, high)


def _row(index: int, risk: Measure, *, place: int, count: int, total: float) -> RiskRow:
    return RiskRow(
        index=index,
        description=risk.description,
        likelihood=risk.likelihood,
        low_impact=risk.low,
        medium_impact=risk.medium,
        high_impact=risk.high,
        expected_impact=risk.expected,
        p85_impact=risk.p85,
        priority=_priority(place, count) if risk.expected > 0 else "LOW",
        rank=place,
        share_of_total=risk.expected / total if total > 0 else 0.0,
    )


def _priority(place: int, count: int) -> Priority:
    if place <= -(-_HIGH * count // 10):
        return "HIGH"
    return "MEDIUM" if place <= -(-_MEDIUM * count // 10) else "LOW"


def _total(law: Law) -> TotalImpact:
    p50, p85, p95 = law.quantiles(_LEVELS)
    return TotalImpact(mean=law.mean(), p50=p50, p85=p85, p95=p95, chance_of_any=1 - law.chance_up_to(0))


def _delay(request: RiskRequest, law: Law) -> RiskDelay | None:
    pace = statistics.fmean(request.tp_samples) if request.tp_samples else 0.0
    if pace <= 0:
        return None
    expected = law.mean() / pace
    p50, p85, p95 = (tasks / pace for tasks in law.quantiles(_LEVELS))
    baseline = request.baseline_duration_weeks
    return RiskDelay(
        mean_throughput=pace,
        expected_weeks=expected,
        p50_weeks=p50,
        p85_weeks=p85,
        p95_weeks=p95,
        expected_share_of_baseline=expected / baseline if baseline else None,
    )


def _recommendations(rows: list[RiskRow], law: Law, delay: RiskDelay | None) -> Iterator[str]:
    worst = rows[0]
    if worst.expected_impact == 0:
        yield "No risk is expected to add tasks."
        return
    name = f'"{worst.description}"' if worst.description else f"the one at index {worst.index}"
    yield (
        f"Begin with {name}: with a likelihood of {100 * worst.likelihood:.3g} % it makes "
        f"{100 * worst.share_of_total:.0f} % of the expected impact."
    )
    p85 = law.quantiles([0.85])[0]
    weeks = f", {p85 / delay.mean_throughput:.1f} weeks at the mean throughput" if delay else ""
    yield f"Allow {p85} more tasks{weeks}: with a chance of 85 % the risks together add no more."
    apart = sum(row.high_impact for row in rows)
    if len(rows) > 1 and p85 < apart:
        yield f"Do not add up worst cases: all {len(rows)} risks at their highest would be {apart} tasks."

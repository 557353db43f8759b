"""What an effort costs, at one price for a week of a person."""

from __future__ import annotations

from chalicelib.sim.questions.deadline_case import Case
from chalicelib.sim.questions.deadline_views import effort_of
from chalicelib.sim.questions.inputs import DeadlineRequest
from chalicelib.sim.questions.result import Cost, CostAnalysis, CostPercentiles, CostView, TeamInfo

WEEKS_PER_MONTH, WEEKS_PER_YEAR = 4.33, 52

_FORMULA = "cost = effort in person-weeks x cost of a person-week"


def cost_analysis(request: DeadlineRequest, case: Case) -> CostAnalysis:
    """The costs at p50, p85 and p95 of both views, in the currency of the request."""
    effort, futures = case.examined.result.effort, case.futures
    team = request.simulation_data.total_contributors if request.simulation_data else request.team_size
    ahead = [futures.quantile(level) for level in (0.50, 0.85, 0.95)] if futures else [None]
    known = [effort_of(case, periods) for periods in ahead if periods is not None]
    average = _average_people(case)
    price = _Price(request, average)
    percentiles = effort.percentiles
    return CostAnalysis(
        currency=request.currency,
        monte_carlo=price.view(percentiles.p50, percentiles.p85, percentiles.p95),
        machine_learning=price.view(*known) if len(known) == 3 else None,
        formula=_FORMULA,
        explanation=(
            f"On average {average:.3g} people work at {price.amount(request.cost_per_person_week)} a week each; a cost "
            "is that of the effort which is not exceeded with the chance in its name."
        ),
        team_info=TeamInfo(team_size=team, avg_contributors=average, cost_per_week=request.cost_per_person_week),
    )


class _Price:
    """One price, and how its amounts are written."""

    def __init__(self, request: DeadlineRequest, people: float) -> None:
        self._currency, self._week, self._people = request.currency.strip(), request.cost_per_person_week, people

    def amount(self, value: float) -> str:
        return f"{self._currency} {value:,.2f}".strip()

    def view(self, p50: float, p85: float, p95: float) -> CostView:
        costs = [self._cost(effort) for effort in (p50, p85, p95)]
        return CostView(
            cost_p50=costs[0],
            cost_p85=costs[1],
            cost_p95=costs[2],
            cost_percentiles=CostPercentiles(p50=costs[0], p85=costs[1], p95=costs[2]),
            effort_p50=p50,
            effort_p85=p85,
            effort_p95=p95,
        )

    def _cost(self, effort: float) -> Cost:
        week = self._people * self._week
        return Cost(
            effort_person_weeks=effort,
            total_cost=effort * self._week,
            formatted_total=self.amount(effort * self._week),
            formatted_per_week=self.amount(week),
            formatted_per_month=self.amount(week * WEEKS_PER_MONTH),
            formatted_per_year=self.amount(week * WEEKS_PER_YEAR),
        )


def _average_people(case: Case) -> float:
    """People at work in a mean week of work; none without work."""
    return effort_of(case, case.examined.idle.mean() + 1)

"""A few ways to do a project beside each other."""

from __future__ import annotations

from msgspec import Struct

from chalicelib.sim.dates import read_date
from chalicelib.sim.forecast import Examined, examine, part
from chalicelib.sim.lattice import Law
from chalicelib.sim.pace import Report
from chalicelib.sim.questions.views import known_weeks
from chalicelib.sim.questions.whatif_base import summarise_base
from chalicelib.sim.questions.whatif_inputs import ScenariosRequest, projects_of
from chalicelib.sim.questions.whatif_result import ScenarioForecast, ScenariosResult
from chalicelib.sim.summary import Summary

BASE = "base"


class _Compared(Struct, frozen=True, eq=False):
    name: str
    examined: Examined
    base: Examined


def compare(request: ScenariosRequest, progress: Report) -> ScenariosResult:
    """The answer to a request that has passed `check_scenarios`. Cost: a forecast for the base and each scenario."""
    projects = projects_of(request)
    names = [BASE, *(each.name for each in request.scenarios)]
    share = 1 / len(projects)
    found = [
        examine(project, part(progress, index * share, (index + 1) * share)) for index, project in enumerate(projects)
    ]
    rows = [_row(request, _Compared(name, each, found[0])) for name, each in zip(names, found, strict=True)]
    best = min(rows, key=lambda row: (row.weeks_p85, row.mean_weeks))
    warnings = {text: None for each in found for text in each.result.warnings}
    return ScenariosResult(scenarios=rows, best=best.name, warnings=list(warnings))


def summarise_scenarios(request: ScenariosRequest, result: ScenariosResult) -> Summary:
    """The figures under which the answer is saved: those of the base."""
    return summarise_base(request, request.base, result.scenarios[0].weeks_p85)


def sooner(left: Law, right: Law) -> float:
    """P(left < right) + P(left = right) / 2 for independent values on whole numbers."""
    chance, below = 0.0, {point: right.chance_up_to(point) for point in range(left.start - 1, left.end)}
    for point, mass in zip(left.points().tolist(), left.mass.tolist(), strict=True):
        equal = below[point] - below[point - 1]
        chance += mass * (1 - below[point] + equal / 2)
    return chance / float(left.mass.sum())


def _row(request: ScenariosRequest, compared: _Compared) -> ScenarioForecast:
    examined, base = compared.examined, compared.base
    calendar, periods = examined.project.calendar, examined.result.percentiles
    base_p85 = known_weeks(base.project.calendar, base.result.percentiles.p85)
    weeks_p85 = known_weeks(calendar, periods.p85)
    return ScenarioForecast(
        name=compared.name,
        engine=examined.engine.name,
        mean_weeks=calendar.elapsed_weeks(examined.laws.weeks.mean()),
        weeks_p50=known_weeks(calendar, periods.p50),
        weeks_p85=weeks_p85,
        weeks_p95=known_weeks(calendar, periods.p95),
        percentiles=periods,
        date_p85=calendar.day_after(periods.p85),
        effort_p85=examined.result.effort.percentiles.p85,
        probability_met=_probability(request, examined),
        weeks_p85_less_base=round(weeks_p85 - base_p85, 1),
        sooner_than_base=sooner(examined.laws.weeks, base.laws.weeks),
    )


def _probability(request: ScenariosRequest, examined: Examined) -> float | None:
    deadline = read_date(request.deadline_date) if request.deadline_date else None
    if deadline is None or examined.project.calendar.start is None:
        return None
    periods = examined.project.calendar.periods_until(deadline)
    return examined.laws.weeks.chance_up_to(int(periods + 1e-9)) if periods >= 0 else 0.0

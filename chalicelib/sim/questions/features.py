"""Features worked on one after the other: when each is done, and which are done by a date; exact.

The items up to a feature are the sum of independent numbers, each between its feature's ends; the weeks until they are
done are those of a backlog of that size. A date cuts the list where the chance of a feature falls below a confidence.
"""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.sim.burndown import burn_down
from chalicelib.sim.dates import read_date
from chalicelib.sim.lattice import Law, add, certain, uniform
from chalicelib.sim.notes import history_warnings, team_assumptions
from chalicelib.sim.pace import Pace, Report
from chalicelib.sim.project import Plan, plan
from chalicelib.sim.questions.features_inputs import FeaturesRequest, as_project
from chalicelib.sim.questions.features_result import CutLine, FeatureForecast, FeaturesResult, Standing
from chalicelib.sim.questions.views import in_words_of, known_weeks
from chalicelib.sim.summary import Summary, named, people, weeks_until

SAFE, UNCERTAIN = 0.85, 0.50
_LEVELS = (0.50, 0.85, 0.95)
_CONFIDENCES = (50.0, 85.0, 95.0)


def forecast_features(request: FeaturesRequest, progress: Report) -> FeaturesResult:
    """The answer to a request that has passed `check_features`. Cost: one exact burn-down for each feature."""
    simulation = as_project(request)
    project = plan(simulation)
    deadline = read_date(request.deadline_date) if request.deadline_date else None
    periods = project.calendar.periods_until(deadline) if deadline and project.calendar.start else None
    features = list(_features(request, project, periods, progress))
    return FeaturesResult(
        project_name=request.project_name,
        features=features,
        cut_lines=[] if periods is None else [_cut(features, each) for each in _confidences(request)],
        deadline_date=deadline.isoformat() if deadline else None,
        weeks_to_deadline=weeks_until(project.calendar, deadline),
        assumptions=[
            "Features are worked on one after the other in this order; nothing is begun before the one above is done.",
            *in_words_of(request, team_assumptions(simulation, project)),
        ],
        warnings=in_words_of(request, history_warnings(simulation)),
    )


def summarise_features(request: FeaturesRequest, result: FeaturesResult) -> Summary:
    """The figures under which the answer is saved: those of the last feature."""
    calendar, last = plan(as_project(request)).calendar, result.features[-1]
    deadline = read_date(request.deadline_date) if request.deadline_date else None
    safe = [each for each in result.features if each.standing == "safe"]
    middle = sum((each.low + each.high) / 2 for each in result.features)
    done = sum((each.low + each.high) / 2 for each in safe)
    return Summary(
        name=named(request.project_name),
        forecast_type="features",
        team_size=people(request.team_size),
        backlog=round(middle),
        start_date=calendar.start,
        projected_weeks_p85=last.weeks_p85,
        deadline_date=deadline,
        weeks_to_deadline=result.weeks_to_deadline,
        can_meet_deadline=last.standing == "safe" if last.standing else None,
        scope_completion_pct=100 * done / middle if last.standing and middle else None,
    )


def _features(
    request: FeaturesRequest, project: Plan, periods: float | None, progress: Report
) -> Iterator[FeatureForecast]:
    items, low, high = certain(0), 0, 0
    for index, feature in enumerate(request.features):
        progress(index / len(request.features), f"feature {index + 1} of {len(request.features)}")
        most = feature.low if feature.high is None else feature.high
        items, low, high = add(items, uniform(feature.low, most)), low + feature.low, high + most
        weeks = burn_down(items, project, Pace(lambda _fraction, _stage: None, 1e12)).weeks
        chance = None if periods is None else _chance(weeks, periods)
        p50, p85, p95 = weeks.quantiles(_LEVELS)
        calendar = project.calendar
        yield FeatureForecast(
            rank=index + 1,
            name=feature.name,
            low=feature.low,
            high=most,
            items_up_to_here=f"{low}" if low == high else f"{low} to {high}",
            weeks_p50=known_weeks(calendar, p50),
            weeks_p85=known_weeks(calendar, p85),
            weeks_p95=known_weeks(calendar, p95),
            date_p50=calendar.day_after(p50),
            date_p85=calendar.day_after(p85),
            date_p95=calendar.day_after(p95),
            probability_by_deadline=chance,
            standing=None if chance is None else _standing(chance),
        )
    progress(1.0, "done")


def _chance(weeks: Law, periods: float) -> float:
    return weeks.chance_up_to(int(periods + 1e-9)) if periods >= 0 else 0.0


def _standing(chance: float) -> Standing:
    if chance >= SAFE - 1e-12:
        return "safe"
    return "uncertain" if chance >= UNCERTAIN - 1e-12 else "unlikely"


def _confidences(request: FeaturesRequest) -> list[float]:
    return sorted({*_CONFIDENCES, request.confidence_level})


def _cut(features: list[FeatureForecast], confidence: float) -> CutLine:
    """A later feature is never likelier than an earlier one, so the line is drawn before the first that fails."""
    above = [each for each in features if (each.probability_by_deadline or 0.0) >= confidence / 100 - 1e-12]
    below = features[len(above) :]
    return CutLine(
        confidence=confidence,
        features=len(above),
        last=above[-1].name if above else None,
        first_below=below[0].name if below else None,
    )

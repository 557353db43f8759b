"""How many items will be finished from one day to another, right way round: p85 is the number that is reached or passed
with a chance of 85 %.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
from msgspec import Struct

from chalicelib.sim.calendar import WorkCalendar
from chalicelib.sim.dates import read_date
from chalicelib.sim.engine import own_seed
from chalicelib.sim.forecasters.ensemble import Prediction, predict
from chalicelib.sim.forecasters.futures import MOST_PERIODS, items_ahead
from chalicelib.sim.forecasters.limits import FEWEST_SAMPLES
from chalicelib.sim.lattice import certain
from chalicelib.sim.notes import history_warnings, team_assumptions
from chalicelib.sim.pace import Pace, Report
from chalicelib.sim.project import Plan, plan
from chalicelib.sim.questions.inputs import HowManyRequest, pace_of
from chalicelib.sim.questions.items import Items, Wait, items_in
from chalicelib.sim.questions.result import HowManyResult, ItemRow, ItemsConfidence, ItemsView, MlItemsView
from chalicelib.sim.questions.views import blend_of, in_words_of, method_of, models_of, written
from chalicelib.sim.summary import Summary, named, people

MOST_ROWS = 300
_TINY = 1e-12
_EXACT = "The number of items is a sum of draws from the history, computed without sampling."
_SAMPLED = "The history has too many different sums for an exact answer, so trials were drawn."


class _Time(Struct, frozen=True):
    """From a day to a day, and how many periods of work lie between."""

    start: date
    end: date
    periods: float

    @property
    def days(self) -> int:
        return (self.end - self.start).days


def tell_how_many(request: HowManyRequest, progress: Report) -> HowManyResult:
    """The answer to a request that has passed `inputs.check_how_many`. Cost: see `items_in`; usually 2 ms."""
    simulation = pace_of(request)
    project = plan(simulation)
    seed = own_seed(simulation, project) if request.seed is None else request.seed
    time = _time(request, project.calendar)
    progress(0.0, "items")
    items = items_in(project, time.periods, Wait(certain(0), seed), Pace(progress, 1e8))
    progress(0.8, "forecasters")
    prediction = _foretold(request, time, seed)
    return HowManyResult(
        project_name=request.project_name,
        engine=items.method,
        engine_reason=_EXACT if items.method == "exact" else _SAMPLED,
        seed=seed,
        assumptions=in_words_of(request, [*team_assumptions(simulation, project), *_about_time(project, time)]),
        warnings=in_words_of(request, history_warnings(simulation)),
        monte_carlo=_view(time, items),
        machine_learning=_ml_view(project, time, prediction) if prediction else None,
        confidence=ItemsConfidence(
            level=request.confidence_level, items=items.at_least(request.confidence_level / 100)
        ),
    )


def summarise_how_many(request: HowManyRequest, result: HowManyResult) -> Summary:
    """The figures under which the answer is saved: the items of 85 % as backlog, due at the end."""
    start, end = read_date(request.start_date), read_date(request.end_date)
    assert start
    assert end
    weeks = (end - start).days / 7
    return Summary(
        name=named(request.project_name),
        forecast_type="how_many",
        team_size=people(request.team_size),
        backlog=result.monte_carlo.items_p85,
        start_date=start,
        projected_weeks_p85=weeks,
        deadline_date=end,
        weeks_to_deadline=weeks,
        can_meet_deadline=True,
        scope_completion_pct=100.0,
    )


def _time(request: HowManyRequest, calendar: WorkCalendar) -> _Time:
    start, end = read_date(request.start_date), read_date(request.end_date)
    assert start
    assert end
    return _Time(start, end, calendar.periods_until(end))


def _foretold(request: HowManyRequest, time: _Time, seed: int) -> Prediction | None:
    horizon = int(time.periods) + 1
    if len(request.tp_samples) < FEWEST_SAMPLES or horizon > MOST_PERIODS:
        return None
    return predict(request.tp_samples, horizon=horizon, seed=seed)


def _about_time(project: Plan, time: _Time) -> Iterator[str]:
    days = project.calendar.cadence_days
    whole, begun = divmod(time.periods * days, days)
    if begun > _TINY:
        yield (
            f"The time is {whole:.0f} periods of {days} days and {begun:.3g} days of one more: an item of that one is "
            f"finished in time with a chance of {begun / days:.3g}."
        )


def _view(time: _Time, items: Items) -> ItemsView:
    return ItemsView(
        start_date=written(time.start),
        end_date=written(time.end),
        days=time.days,
        weeks=round(time.periods, 3),
        items_p50=items.at_least(0.50),
        items_p85=items.at_least(0.85),
        items_p95=items.at_least(0.95),
        items_mean=items.mean,
        distribution=list(_rows(items)),
    )


def _rows(items: Items) -> Iterator[ItemRow]:
    """The law from its first real point to its last, in at most MOST_ROWS rows of equal width."""
    law = items.law
    kept = np.flatnonzero(law.mass > _TINY)
    first, end = int(kept[0]), int(kept[-1]) + 1
    width = -(-(end - first) // MOST_ROWS)
    at_least = np.append(np.cumsum(law.mass[::-1])[::-1], 0.0)
    for begin in range(first, end, width):
        probability = float(at_least[begin] - at_least[min(begin + width, law.mass.size)])
        if probability > 0:
            yield ItemRow(items=law.start + begin, probability=probability, at_least=min(1.0, float(at_least[begin])))


def _ml_view(project: Plan, time: _Time, prediction: Prediction) -> MlItemsView:
    ahead = items_ahead(project, prediction, time.periods)
    whole = np.floor(ahead + 1e-9)
    p50, p85, p95 = (int(whole[int((1 - level) * whole.size)]) for level in (0.50, 0.85, 0.95))
    return MlItemsView(
        start_date=written(time.start),
        end_date=written(time.end),
        days=time.days,
        weeks=round(time.periods, 3),
        items_p50=p50,
        items_p85=p85,
        items_p95=p95,
        items_mean=float(ahead.mean()),
        forecast_method=method_of(prediction),
        ml_models=models_of(prediction),
        blend=blend_of(prediction),
    )

"""What goes with the law of the duration: how far the history may mislead, and the way down to the last task."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from chalicelib.sim.engine import Engine
from chalicelib.sim.fan import burn_down_fan
from chalicelib.sim.history import Calendar, History, history_interval
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.pace import Pace, Report
from chalicelib.sim.project import SAMPLE_SCALE, Plan, Samples, on_lattice, smoothed
from chalicelib.sim.result import BurnDown, HistoryInterval

# Cell updates of both together for a usual project: only the pace of progress follows from it.
USUAL_WORK = 100_000_000
# Fitting the law of a week to one resampled history: once, and for each distinct week; measured.
_FIT_WORK, _FIT_WORK_PER_WEEK = 200_000.0, 4_000.0


class Outlook(Struct, frozen=True):
    """Either is None where it takes too long, and the interval where it was not asked for."""

    history_interval: HistoryInterval | None
    burn_down: BurnDown | None


def look_ahead(
    request: SimulateRequest,
    project: Plan,
    *,
    calendar: Calendar,
    engine: Engine,
    progress: Report,
) -> Outlook:
    """The outlook of a project whose laws are known; both parts follow from the seed of `engine` and nothing else.

    `progress` gets a fraction 0..1 and a stage, as in `solve`. Cost: see `history_interval` and `burn_down_fan`.
    """
    pace = Pace(progress, USUAL_WORK)
    interval = None
    if request.history_interval:
        pace.enter("history")
        interval = history_interval(project, calendar, _history(request, project, engine.seed), pace)
    pace.enter("fan")
    burn_down = burn_down_fan(project, calendar, is_exact=engine.name == "exact", seed=engine.seed, pace=pace)
    return Outlook(interval, burn_down)


def _history(request: SimulateRequest, project: Plan, seed: int) -> History:
    """A resampled history goes the way of the observed one: as it is, or through a fit of its own."""
    samples = on_lattice(request.tp_samples, SAMPLE_SCALE)
    if not project.weibull:
        return History(samples, seed)

    def fitted(resampled: Samples) -> Samples:
        return smoothed(msgspec.structs.replace(project, throughput=resampled), resampled).throughput

    return History(samples, seed, fitted, _FIT_WORK + _FIT_WORK_PER_WEEK * len(samples))

"""From laws to the answer that a client reads: percentiles, dates, tables and histograms of bounded length."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from chalicelib.sim.dependencies import analyse
from chalicelib.sim.engine import Engine
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.intervals import percentile_intervals
from chalicelib.sim.lattice import NOISE, Law
from chalicelib.sim.laws import Laws
from chalicelib.sim.notes import assumptions, warnings
from chalicelib.sim.outlook import Outlook
from chalicelib.sim.project import Plan, round_half_up
from chalicelib.sim.result import (
    BacklogSummary,
    Confidence,
    DurationRow,
    Effort,
    InputStats,
    LikelihoodRow,
    Percentiles,
    PercentileStats,
    SimulateResult,
    TaskRow,
    Tasks,
    TrialRow,
)
from chalicelib.sim.statistics import describe, describe_lead_times, error_rate

# Together below 100 KB of JSON in the worst case.
MOST_DURATION_ROWS, MOST_TASK_ROWS = 500, 300
# Stands for "never more" in the row of likelihood 100 of an exact law, and mirrored in the row of 0.
SURE = 1 - 1e-6
HALF = Fraction(1, 2)
_DECIMALS = 12


def report(request: SimulateRequest, project: Plan, *, laws: Laws, engine: Engine, outlook: Outlook) -> SimulateResult:
    """The answer for a request from its laws, found by `engine`. Cost: linear in their points and the samples."""
    weeks = Percentiles.of(laws.weeks.quantiles(Percentiles.LEVELS))
    bars = list(_bars(laws.weeks, MOST_DURATION_ROWS))
    return SimulateResult(
        engine=engine.name,
        engine_reason=engine.reason,
        sampling="weibull" if project.weibull else "bootstrap",
        seed=engine.seed,
        project_name=request.project_name,
        number_of_simulations=request.number_of_simulations,
        mean_weeks=laws.weeks.mean(),
        confidence=_confidence(request, project, laws.weeks),
        percentiles=weeks,
        percentile_intervals=(
            percentile_intervals(laws.weeks, request.number_of_simulations) if engine.name == "monte_carlo" else None
        ),
        percentile_stats=_old_percentiles(weeks),
        dates=_dates(project, weeks),
        distribution=[DurationRow(weeks=last, probability=p, cumulative=below) for last, p, below in bars],
        history_interval=outlook.history_interval,
        burn_down=outlook.burn_down,
        completion_times=_trials(bars, request.number_of_simulations),
        tasks=_tasks(laws.tasks),
        effort=_effort(laws.effort),
        results_table=_table(laws, 1.0 if engine.name == "monte_carlo" else SURE),
        tp_error_rate=error_rate(request.tp_samples),
        lt_error_rate=error_rate(request.lt_samples),
        input_stats=_input_stats(request),
        backlog_summary=_backlog(request, project),
        dependency_analysis=analyse(project.dependencies, laws.delay) if project.dependencies else None,
        assumptions=assumptions(request, project),
        warnings=warnings(request, project, outlook),
    )


def _bars(law: Law, most: int) -> Iterator[tuple[int, float, float]]:
    """(last point, probability, cumulative) of each row, rare ends put on the outermost rows, empty rows left out."""
    mass = law.mass / law.mass.sum()
    kept = np.flatnonzero(mass > NOISE)
    first, last = int(kept[0]), int(kept[-1])
    below = np.cumsum(mass)[first : last + 1]
    below[-1] = 1.0
    width = -(-below.size // most)
    ends = np.minimum(np.arange(width - 1, below.size + width - 1, width), below.size - 1)
    reached = 0.0
    for end in ends.tolist():
        probability = round(float(below[end]) - reached, _DECIMALS)
        reached = float(below[end])
        if probability > 0:
            yield law.start + first + end, probability, round(reached, _DECIMALS)


def _trials(bars: list[tuple[int, float, float]], total: int) -> list[TrialRow]:
    rows, before = [], 0
    for weeks, _, cumulative in bars:
        within = round_half_up(cumulative * total)
        if within > before:
            rows.append(TrialRow(weeks=weeks, trials=within - before))
        before = within
    return rows


def _confidence(request: SimulateRequest, project: Plan, law: Law) -> Confidence:
    weeks = law.quantiles([request.confidence_level / 100])[0]
    return Confidence(level=request.confidence_level, weeks=weeks, date=project.calendar.day_after(weeks))


def _old_percentiles(weeks: Percentiles[int]) -> PercentileStats:
    return PercentileStats(
        p10=weeks.p10, p25=weeks.p25, p50=weeks.p50, p75=weeks.p75, p85=weeks.p85, p90=weeks.p90, p95=weeks.p95
    )


def _dates(project: Plan, weeks: Percentiles[int]) -> Percentiles[str | None] | None:
    if project.calendar.start is None:
        return None
    return Percentiles[str | None].of([project.calendar.day_after(each) for each in weeks.values()])


def _tasks(law: Law) -> Tasks:
    return Tasks(
        mean=law.mean(),
        percentiles=Percentiles.of(law.quantiles(Percentiles.LEVELS)),
        distribution=[TaskRow(tasks=last, probability=p) for last, p, _ in _bars(law, MOST_TASK_ROWS)],
    )


def _effort(law: Law) -> Effort:
    points = law.quantiles(Percentiles.LEVELS)
    return Effort(mean=law.mean(), percentiles=Percentiles.of([float(point * law.unit) for point in points]))


def _table(laws: Laws, sure: float) -> list[LikelihoodRow]:
    likelihoods = range(100, -1, -5)
    levels = [min(sure, max(1 - sure, likelihood / 100)) for likelihood in likelihoods]
    columns = zip(
        likelihoods,
        laws.weeks.quantiles(levels),
        laws.tasks.quantiles(levels),
        _whole(laws.effort, levels),
        laws.lead_time.days.quantiles(levels),
        strict=True,
    )
    return [
        LikelihoodRow(likelihood=likelihood, duration=weeks, total_tasks=tasks, effort=effort, lead_time=days)
        for likelihood, weeks, tasks, effort, days in columns
    ]


def _whole(law: Law, levels: list[float]) -> list[int]:
    return [math.floor(point * law.unit + HALF) for point in law.quantiles(levels)]


def _input_stats(request: SimulateRequest) -> InputStats:
    lead_times = describe_lead_times(request.lt_samples) if request.lt_samples else None
    return InputStats(throughput=describe(request.tp_samples), lead_time=lead_times)


def _backlog(request: SimulateRequest, project: Plan) -> BacklogSummary:
    return BacklogSummary(
        low=project.backlog_low,
        high=project.backlog_high,
        number_of_tasks=request.number_of_tasks,
        backlog_adjusted_min=request.backlog_adjusted_min,
        backlog_adjusted_max=request.backlog_adjusted_max,
        remaining_tasks=request.remaining_tasks,
        completed_tasks=request.completed_tasks,
    )

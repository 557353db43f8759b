"""A replay of a team's history: at each week the forecast that would have been made, and what then really happened.

With a backlog a test lasts until the real series has finished it; without one it is the items of the next weeks. A
forecast is judged at a level only if the rest of the series is as long as the level's bound, whatever came of it:
leaving out by the outcome instead would keep the quick projects and make every forecast look good.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

import numpy as np
from msgspec import Struct

from chalicelib.sim.cost import SYNC_LIMIT, estimate_plan
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.lattice import Law, certain
from chalicelib.sim.laws import solve
from chalicelib.sim.pace import Pace, Report
from chalicelib.sim.project import Plan, plan
from chalicelib.sim.questions.items import Wait, items_in
from chalicelib.sim.replay.inputs import LEVELS, BacktestRequest, Level, Replay, replay_of
from chalicelib.sim.replay.report import compared, report_of, summary_of, table_of, verdict_of
from chalicelib.sim.replay.result import BacktestResult, BacktestRow, ComparedLevels
from chalicelib.sim.replay.scores import crps_of_law, pinball_loss
from chalicelib.sim.summary import Summary, named

_SILENT = 1e9
_WAIT = Wait(certain(0), seed=1)


class _Forecast(Struct, frozen=True, eq=False):
    """The law of a forecast, and its bounds at P50, P85 and P95."""

    law: Law
    bounds: tuple[int, int, int]


def backtest(request: BacktestRequest, progress: Report) -> BacktestResult:
    """The answer to a request that has passed `check_backtest`. Cost: one exact forecast for each origin."""
    replay = replay_of(request)
    rows = list(_rows(replay, progress))
    summary, table = summary_of(rows, replay.level), table_of(rows)
    return BacktestResult(
        verdict=verdict_of(table, replay.level),
        coverage=table,
        pinball=_mean([row.pinball for row in rows]),
        crps=_mean([row.crps for row in rows]),
        target="weeks" if replay.backlog else "items",
        method=replay.method,
        test_size=replay.horizon,
        fold_stride=replay.stride,
        train_window=replay.window,
        backlog=replay.backlog,
        projected_weeks_p85=_today(replay),
        summary=summary,
        report=report_of(summary, table, replay),
        results_by_level=_by_level(rows, replay) if request.compare_confidence_levels else None,
        warnings=list(_warnings(rows, replay)),
    )


def summarise_backtest(request: BacktestRequest, result: BacktestResult) -> Summary:
    """The figures under which the answer is saved: those of today's forecast by the same rule."""
    replay = replay_of(request)
    today = _forecast(replay, _known(replay, len(replay.samples)))
    items = today.bounds[1] if today else 0
    weeks = float(replay.horizon) if result.projected_weeks_p85 is None else result.projected_weeks_p85
    return Summary(
        name=named(request.project_name),
        forecast_type="backtest",
        team_size=1,
        backlog=replay.backlog or items,
        start_date=None,
        projected_weeks_p85=weeks,
        deadline_date=None,
        weeks_to_deadline=None,
        can_meet_deadline=None,
    )


def _rows(replay: Replay, progress: Report) -> Iterator[BacktestRow]:
    for number, origin in enumerate(replay.origins):
        progress(number / len(replay.origins), f"origin {number + 1} of {len(replay.origins)}")
        forecast = _forecast(replay, _known(replay, origin))
        yield _row(replay, origin, forecast, number + 1)
    progress(1.0, "done")


def _known(replay: Replay, origin: int) -> tuple[float, ...]:
    """The weeks that a forecast at `origin` knows."""
    return replay.samples[max(0, origin - replay.window) if replay.window else 0 : origin]


def _forecast(replay: Replay, known: tuple[float, ...]) -> _Forecast | None:
    """The forecast from the known weeks; None where nothing was finished in them, or next to nothing."""
    if not any(known):
        return None
    project = _project(known, replay.backlog or 1)
    if replay.backlog:
        if estimate_plan(project) > SYNC_LIMIT:
            return None
        law = solve(project, progress=lambda _fraction, _stage: None).weeks
        p50, p85, p95 = law.quantiles(LEVELS.values())
        return _Forecast(law, (p50, p85, p95))
    items = items_in(project, replay.horizon, _WAIT, Pace(lambda _fraction, _stage: None, _SILENT))
    p50, p85, p95 = (items.at_least(level) for level in LEVELS.values())
    return _Forecast(items.law, (p50, p85, p95))


def _project(known: tuple[float, ...], backlog: int) -> Plan:
    return plan(SimulateRequest(tp_samples=known, number_of_tasks=backlog))


def _row(replay: Replay, origin: int, forecast: _Forecast | None, number: int) -> BacktestRow:
    actual = _actual(replay, origin)
    left = len(replay.samples) - origin
    place = list(LEVELS).index(replay.level)
    bounds = forecast.bounds if forecast else (None, None, None)
    held = [_held(replay, bound, actual, left) for bound in bounds]
    told = bounds[place]
    error = actual - told if actual is not None and told is not None else None
    is_scored = forecast is not None and held[2] is not None
    return BacktestRow(
        test_name=f"{'Test' if replay.method == 'walk_forward' else 'Expanding'}_{number}",
        origin=origin,
        train_size=len(_known(replay, origin)),
        test_size=(int(actual) if actual is not None else left) if replay.backlog else replay.horizon,
        confidence_level=replay.level,
        backlog=replay.backlog,
        p50=bounds[0],
        p85=bounds[1],
        p95=bounds[2],
        forecast=told,
        actual=actual,
        error=error,
        error_pct=100 * error / actual if error is not None and actual else None,
        held_p50=held[0],
        held_p85=held[1],
        held_p95=held[2],
        pinball=_pinball(replay, forecast, _seen(actual, left)) if forecast and is_scored else None,
        crps=_crps(forecast, _seen(actual, left)) if forecast and is_scored else None,
        forecasted_weeks=told if replay.backlog else None,
        actual_weeks=actual if replay.backlog else None,
        error_weeks=error if replay.backlog else None,
        note=_note(forecast, actual, held),
    )


def _actual(replay: Replay, origin: int) -> float | None:
    """What happened from `origin` on: items of the test, or weeks until the backlog was done, None if it never was."""
    ahead = replay.samples[origin:]
    if not replay.backlog:
        return round(sum(ahead[: replay.horizon]), 9)
    for weeks, done in enumerate(accumulate(ahead), start=1):
        if done >= replay.backlog - 1e-9:
            return float(weeks)
    return None


def _held(replay: Replay, bound: int | None, actual: float | None, left: int) -> bool | None:
    """Whether the bound held; None where the series is too short to say so either way."""
    if bound is None:
        return None
    if not replay.backlog:
        return actual is not None and actual >= bound
    return None if bound > left else actual is not None and actual <= bound


def _seen(actual: float | None, left: int) -> float:
    """The outcome for a score; what had not ended with the series counts as ending a week later, its least value."""
    return float(left + 1) if actual is None else actual


def _pinball(replay: Replay, forecast: _Forecast, actual: float) -> float:
    """Items of which at least so many come with 85 % are the 15th percentile."""
    levels = list(LEVELS.values()) if replay.backlog else [1 - level for level in LEVELS.values()]
    return float(pinball_loss(actual, forecast.bounds, levels))


def _crps(forecast: _Forecast, actual: float) -> float:
    return crps_of_law(actual, forecast.law.points(), np.maximum(forecast.law.mass, 0))


def _note(forecast: _Forecast | None, actual: float | None, held: list[bool | None]) -> str | None:
    if forecast is None:
        return "Nothing, or next to nothing, was finished in the weeks that this forecast knew."
    if actual is None:
        return "The series ends before the backlog is done."
    if held[2] is None:
        return "The series is too short to judge every level of this forecast."
    return None


def _today(replay: Replay) -> float | None:
    """P85 of the backlog from the newest weeks; None without a backlog, or after idle weeks alone."""
    forecast = _forecast(replay, _known(replay, len(replay.samples))) if replay.backlog else None
    return float(forecast.bounds[1]) if forecast else None


def _by_level(rows: list[BacktestRow], replay: Replay) -> ComparedLevels:
    levels: list[Level] = ["P50", "P85", "P95"]
    p50, p85, p95 = (compared(rows, level, replay) for level in levels)
    return ComparedLevels(P50=p50, P85=p85, P95=p95)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _warnings(rows: list[BacktestRow], replay: Replay) -> Iterator[str]:
    judged = sum(row.held_p85 is not None for row in rows)
    if judged < 10:
        yield f"Only {judged} forecasts could be judged: a share of so few says little."
    without = sum(row.forecast is None for row in rows)
    if without:
        yield f"{without} of {len(rows)} forecasts could not be made: nothing was finished in the weeks before them."
    late = sum(row.forecast is not None and row.held_p85 is None for row in rows)
    if late:
        yield f"{late} forecasts near the end of the series are not judged: it is shorter than their P85."
    if replay.backlog or replay.horizon > replay.stride:
        yield "Neighbouring tests share weeks, so the shares are rougher than their number suggests."

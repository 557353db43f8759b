"""The process behaviour chart (XmR) of a history: whether a team is steady enough to be forecast from its past.

Natural process limits are the average -+ 2.66 mean moving ranges; a moving range is unusual beyond 3.27 of their mean.
Sources: Wheeler, Understanding Variation, 2000 (limits; eight in a row on one side); Nelson, Journal of Quality
Technology 16, 1984 (six in a row in one direction). The score is the reference project's. No numpy.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Sequence
from typing import Literal

from chalicelib.sim.analyses.xmr_inputs import XmrRequest, read
from chalicelib.sim.analyses.xmr_result import (
    BeyondLimit,
    Chart,
    Charts,
    Interpretation,
    Quality,
    RunSignal,
    TrendSignal,
    XmrAnalysis,
    XmrInput,
    XmrReport,
)

LIMIT, RANGE_LIMIT = 2.66, 3.27
FEWEST_IN_RUN, FEWEST_IN_TREND = 8, 6
FORECASTABLE = 60
_POINT, _RUN, _TREND = 15, 10, 8
_QUALITIES: tuple[tuple[int, Quality], ...] = ((90, "Excellent"), (75, "Good"), (60, "Fair"), (40, "Poor"))


def report(request: XmrRequest) -> XmrReport:
    """The answer to a request that has passed `xmr_inputs.check`."""
    samples = read(request)
    found, ranges = analyse(samples), _ranges(samples)
    return XmrReport(
        analysis=found,
        chart_data=Charts(
            x_chart=Chart(
                values=list(samples),
                average=found.average,
                unpl=found.unpl,
                lnl=found.lnl,
                indices=list(range(len(samples))),
            ),
            mr_chart=Chart(
                values=ranges,
                average=found.average_moving_range,
                unpl=found.unpl_mr,
                lnl=0.0,
                indices=list(range(1, len(samples))),
            ),
        ),
        input_data=XmrInput(tp_samples=list(samples), n_samples=len(samples)),
        warnings=[],
    )


def analyse(samples: Sequence[float]) -> XmrAnalysis:
    """The limits and signals of at least two samples, oldest first, each >= 0 and finite. Cost: linear."""
    # Not fmean, whose rounding could put equal samples on one side of their average.
    average, spread = float(statistics.mean(samples)), statistics.fmean(_ranges(samples))
    unpl, lnl = average + LIMIT * spread, max(0.0, average - LIMIT * spread)
    beyond = list(_beyond(samples, lnl, unpl))
    runs, trends = list(_runs(samples, average)), list(_trends(samples))
    signals = [*map(_point_text, beyond), *map(_run_text, runs), *map(_trend_text, trends)]
    score = _score(len(samples), len(beyond), len(runs), len(trends))
    return XmrAnalysis(
        data_points=len(samples),
        average=average,
        unpl=unpl,
        lnl=lnl,
        average_moving_range=spread,
        unpl_mr=RANGE_LIMIT * spread,
        is_predictable=not signals,
        signals=signals,
        points_beyond_limits=beyond,
        run_signals=runs,
        trend_signals=trends,
        predictability_score=score,
        recommendation=_recommendation(bool(signals), score, len(samples)),
        interpretation=Interpretation(
            process_state="Unpredictable" if signals else "Predictable",
            quality=next((quality for bound, quality in _QUALITIES if score >= bound), "Very Poor"),
            can_forecast=score >= FORECASTABLE,
        ),
    )


def _ranges(samples: Sequence[float]) -> list[float]:
    return [abs(after - before) for before, after in itertools.pairwise(samples)]


def _beyond(samples: Sequence[float], lnl: float, unpl: float) -> Iterator[BeyondLimit]:
    for index, value in enumerate(samples):
        if value > unpl:
            yield BeyondLimit(index=index, value=value, type="above_unpl", limit=unpl, deviation=value - unpl)
        elif value < lnl:
            yield BeyondLimit(index=index, value=value, type="below_lnl", limit=lnl, deviation=lnl - value)


def _runs(samples: Sequence[float], average: float) -> Iterator[RunSignal]:
    """A sample on the average belongs to neither side and ends a run."""
    for sign, first, last in _stretches([(value > average) - (value < average) for value in samples]):
        if last - first + 1 >= FEWEST_IN_RUN:
            side: Literal["above", "below"] = "above" if sign > 0 else "below"
            yield RunSignal(start_index=first, end_index=last, length=last - first + 1, side=side, type="run")


def _trends(samples: Sequence[float]) -> Iterator[TrendSignal]:
    steps = [(after > before) - (after < before) for before, after in itertools.pairwise(samples)]
    for sign, first, last in _stretches(steps):
        length = last - first + 2
        if length >= FEWEST_IN_TREND:
            turn: Literal["increasing", "decreasing"] = "increasing" if sign > 0 else "decreasing"
            yield TrendSignal(start_index=first, end_index=last + 1, length=length, direction=turn, type="trend")


def _stretches(signs: list[int]) -> Iterator[tuple[int, int, int]]:
    """(sign, first, last) of every longest stretch of equal signs other than 0."""
    for sign, group in itertools.groupby(enumerate(signs), key=lambda pair: pair[1]):
        places = [place for place, _ in group]
        if sign:
            yield sign, places[0], places[-1]


def _score(count: int, points: int, runs: int, trends: int) -> float:
    few = 10 if count < 10 else 5 if count < 20 else 0
    return float(max(0, 100 - _POINT * points - _RUN * runs - _TREND * trends - few))


def _point_text(point: BeyondLimit) -> str:
    side = "above the upper" if point.type == "above_unpl" else "below the lower"
    return f"Sample {point.index + 1}, {point.value:.3g}, is {side} limit of {point.limit:.3g}."


def _run_text(run: RunSignal) -> str:
    return f"Samples {run.start_index + 1} to {run.end_index + 1} are all {run.side} the average."


def _trend_text(trend: TrendSignal) -> str:
    return f"Samples {trend.start_index + 1} to {trend.end_index + 1} keep {trend.direction}."


def _recommendation(has_signals: bool, score: float, count: int) -> str:
    if has_signals and score < FORECASTABLE:
        return "Do not forecast from this history: find out what the signals come from first."
    if has_signals:
        return "Look into the signals; forecast from the samples since the last one if there are enough."
    if count < 10:
        return "No signal, but few samples: a chart of fewer than 10 misses much. Forecast with care."
    return "The team is steady: its past may be used to forecast."

"""Plain descriptive statistics of short sample lists. No numpy: the lists hold a thousand values at most."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import msgspec

from chalicelib.sim.project import round_half_up
from chalicelib.sim.result import LeadTimeStats, SampleStats, Weibull

LEVELS = (10, 25, 50, 75, 85, 90, 95)
LEAD_TIME_LEVELS = (10, 15, 25, 50, 75, 85, 90, 95, 98, 100)


def percentile(ordered: Sequence[float], p: float) -> float:
    """The value at position (n - 1) p of an ascending list, linear between neighbours; 0 for an empty list.

    p in 0..1. The formula is the reference model's, to the last bit.
    """
    if not ordered:
        return 0.0
    if p <= 0:
        return ordered[0]
    if p >= 1:
        return ordered[-1]
    position = (len(ordered) - 1) * p
    lower = math.floor(position)
    weight = position % 1
    if lower + 1 >= len(ordered):
        return ordered[lower]
    return ordered[lower] * (1 - weight) + ordered[lower + 1] * weight


def error_rate(samples: Sequence[float]) -> int:
    """How far two interleaved halves of the sorted samples differ, in % of their range; 0..100.

    0 for one sample, for none, and when all are equal (the reference answers NaN there). Below 10 is great, below
    25 good. On sorted data it tells more about the number of samples than about their stability.
    """
    if len(samples) <= 1:
        return 0
    ordered = sorted(samples)
    spread = ordered[-1] - ordered[0]
    if spread == 0:
        return 0
    odd, even = ordered[1::2], ordered[0::2]
    gap = abs(sum(odd) / len(odd) - sum(even) / len(even))
    return round_half_up(100 * gap / spread)


def describe(samples: Sequence[float], levels: Sequence[int] = LEVELS) -> SampleStats:
    """Count, centre, spread and the percentiles in `levels` of at least one sample; the first of several modes."""
    ordered = sorted(samples)
    mean, deviation = statistics.fmean(ordered), statistics.pstdev(ordered)
    return SampleStats(
        count=len(ordered),
        mean=mean,
        median=statistics.median(ordered),
        mode=statistics.mode(ordered),
        std=deviation,
        mad=statistics.fmean(abs(value - mean) for value in ordered),
        cv=100 * deviation / mean if mean > 0 else 0.0,
        min=ordered[0],
        max=ordered[-1],
        range=ordered[-1] - ordered[0],
        percentiles={f"p{level}": percentile(ordered, level / 100) for level in levels},
    )


def describe_lead_times(samples: Sequence[float]) -> LeadTimeStats:
    """The same for at least one lead time, with outliers and a Weibull fit."""
    common = describe(samples, LEAD_TIME_LEVELS)
    levels = common.percentiles
    iqr = levels["p75"] - levels["p25"]
    return LeadTimeStats(
        **msgspec.structs.asdict(common),
        p98_to_p50=levels["p98"] / levels["p50"] if levels["p50"] > 0 else None,
        iqr=iqr,
        above_6_means=sum(1 for value in samples if value > 6 * common.mean),
        above_10_medians=sum(1 for value in samples if value > 10 * common.median),
        above_q3_fence=sum(1 for value in samples if value > levels["p75"] + 1.5 * iqr),
        weibull=weibull_fit(samples),
    )


def weibull_fit(samples: Sequence[float]) -> Weibull | None:
    """A straight line through the Weibull plot of the positive samples; None with fewer than two distinct ones.

    Least squares of ln(-ln(1 - F)) on ln x with Bernard's median ranks F = (i - 0.3) / (n + 0.4).
    """
    ordered = sorted(value for value in samples if value > 0)
    if len(set(ordered)) < 2:
        return None
    ranks = [(index + 0.7) / (len(ordered) + 0.4) for index in range(len(ordered))]
    across = [math.log(value) for value in ordered]
    up = [math.log(-math.log(1 - rank)) for rank in ranks]
    shape, intercept = statistics.linear_regression(across, up)
    scale = math.exp(-intercept / shape)
    return Weibull(
        shape=shape,
        scale=scale,
        r2=statistics.correlation(across, up) ** 2,
        predicted_mean=scale * math.gamma(1 + 1 / shape),
    )

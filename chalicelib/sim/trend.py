"""Whether throughput rises or falls over the weeks, which a forecast that draws any of them alike cannot know."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from msgspec import Struct

from chalicelib.sim.kendall import rank_test

# Below 10 weeks the normal approximation errs on the quiet side: 2 to 4 false alarms in a hundred at 8, measured.
FEWEST_WEEKS = 8
# At most about one unchanging team in twenty is told of a trend.
SIGNIFICANT = 0.05


class Trend(Struct, frozen=True):
    """Mean of the older and of the newer half (the middle week of an odd number in the newer), and the p-value."""

    older_mean: float
    newer_mean: float
    p_value: float


def trend(samples: Sequence[float]) -> Trend | None:
    """The trend of weekly samples, oldest first; None if chance explains it, or with fewer than FEWEST_WEEKS.

    Mann-Kendall test, see `kendall`: it asks for no shape of the samples. Cost: n log n comparisons.
    """
    count = len(samples)
    if count < FEWEST_WEEKS:
        return None
    p_value = rank_test(samples).p_value
    if p_value >= SIGNIFICANT:
        return None
    half = count // 2
    return Trend(statistics.fmean(samples[:half]), statistics.fmean(samples[half:]), p_value)

"""How often the percentiles of forecasts held: the fair test of a P85, which is no guess at the middle. No numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.sim.replay.report import wilson

# Actual weeks that are days / 7 may differ from the forecast's in the last bit.
_TOLERANCE = 1e-9
# An interval of more than this says nothing that a client could act on.
_WIDE = 0.5


class LevelCoverage(Struct, frozen=True, kw_only=True):
    """How often the forecasts of one level held."""

    expected: Annotated[float, Meta(description="The share in which it should hold, 0 to 1.")]
    held: Annotated[int, Meta(description="Forecasts that took no longer than this level.")]
    of: Annotated[int, Meta(description="Forecasts that have this level.")]
    share: Annotated[float | None, Meta(description="held / of; null for none.")]
    interval_low: Annotated[
        float | None, Meta(description="95 % interval of the true share (Wilson), wide for few forecasts.")
    ]
    interval_high: float | None
    verdict: Annotated[str, Meta(description="What that says, in plain words.")]


def level_coverage(level: int, pairs: Sequence[tuple[float, float]]) -> LevelCoverage:
    """How often (forecast, actual) pairs of a percentile, its level in %, held; there may be none. Cost: linear."""
    held = sum(actual <= forecast + _TOLERANCE for forecast, actual in pairs)
    low, high = wilson(held, len(pairs)) if pairs else (None, None)
    return LevelCoverage(
        expected=level / 100,
        held=held,
        of=len(pairs),
        share=held / len(pairs) if pairs else None,
        interval_low=low,
        interval_high=high,
        verdict=_verdict(level, held, len(pairs)),
    )


def _verdict(level: int, held: int, of: int) -> str:
    if not of:
        return f"No forecast with an actual has a P{level}."
    low, high = wilson(held, of)
    told = f"The P{level} held in {held} of {of}"
    if high < level / 100:
        return f"{told}, which is less often than promised: these forecasts are too optimistic."
    if low > level / 100:
        return f"{told}, which is more often than promised: these forecasts are too cautious."
    known = f"the true share may be anything from {100 * low:.0f} to {100 * high:.0f} %"
    if high - low > _WIDE:
        return f"{told}, which says little yet: {known}."
    return f"{told}, which fits the promise of {level} %; {known}."

"""How long items take from start to closing, and how old the open ones are against that.

Cycle time counts both ends: an item closed on the day of its start took one day.
"""

from __future__ import annotations

import bisect
import heapq
import statistics
from collections.abc import Sequence
from datetime import date

from chalicelib.sim.intake.dates import NO_DAY
from chalicelib.sim.intake.items import Item
from chalicelib.sim.intake.result import AgeLevel, CycleTime, OpenItem, ServiceLevel

MOST_OPEN = 200
MOST_SAMPLES = 1_000
# A forecast takes no longer lead time.
LONGEST_SAMPLE = 3_650

_PERCENTILES = (50, 70, 85, 95)
_LEVELS: tuple[AgeLevel, ...] = ("below p50", "p50 to p70", "p70 to p85", "p85 to p95", "above p95")


def cycle_times(closed: Sequence[Item]) -> list[int]:
    """Days from start to closing of the items with a start, in the order of closing; ties as in the file."""
    begun = sorted((item for item in closed if item.started > NO_DAY), key=lambda item: item.closed)
    return [item.closed - item.started + 1 for item in begun]


def lead_time_samples(times: Sequence[int]) -> list[int]:
    """The newest cycle times that a forecast takes, oldest first."""
    return [days for days in times[-MOST_SAMPLES:] if days <= LONGEST_SAMPLE]


def describe(times: Sequence[int]) -> CycleTime | None:
    """Count, mean, percentiles and range of cycle times in days; None without any."""
    if not times:
        return None
    ordered = sorted(times)
    p50, p70, p85, p95 = (_percentile(ordered, percent) for percent in _PERCENTILES)
    return CycleTime(
        count=len(ordered),
        mean=statistics.fmean(ordered),
        p50=p50,
        p70=p70,
        p85=p85,
        p95=p95,
        min=ordered[0],
        max=ordered[-1],
    )


def service_levels(found: CycleTime | None) -> list[ServiceLevel]:
    """The percentiles as promises; none without cycle times."""
    if found is None:
        return []
    return [
        ServiceLevel(
            percentile=percent,
            days=days,
            text=f"{percent} % of the items were finished within {days} {'day' if days == 1 else 'days'}",
        )
        for percent, days in zip(_PERCENTILES, (found.p50, found.p70, found.p85, found.p95), strict=True)
    ]


def ageing(begun: Sequence[Item], times: Sequence[int], as_of: int) -> list[OpenItem]:
    """The MOST_OPEN oldest of the open items with a start, oldest first, at the end of the day as_of.

    times: cycle times of the closed items in days, may be empty. Cost: a sort of the times.
    """
    ordered = sorted(times)
    limits = [_percentile(ordered, percent) for percent in _PERCENTILES] if ordered else []
    return [
        _open_item(item, as_of - item.started + 1, ordered, limits)
        for item in heapq.nsmallest(MOST_OPEN, begun, key=lambda item: item.started)
    ]


def _open_item(item: Item, age: int, ordered: Sequence[int], limits: Sequence[int]) -> OpenItem:
    return OpenItem(
        id=item.id or None,
        title=item.title or None,
        started=date.fromordinal(item.started).isoformat(),
        age_days=age,
        share_faster=bisect.bisect_left(ordered, age) / len(ordered) if ordered else None,
        level=_LEVELS[bisect.bisect_left(limits, age)] if limits else None,
    )


def _percentile(ordered: Sequence[int], percent: int) -> int:
    """The fewest days within which at least so many % of the items were done: a promise in whole days has to hold."""
    return ordered[-(-percent * len(ordered) // 100) - 1]

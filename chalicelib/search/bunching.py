"""Whether amounts gather just below a threshold, above which a purchase needs more: a sign of splitting.

For review, not a finding: prices like to end just below round numbers, and budgets are planned up to a limit.

Amounts are counted in four windows of equal width, two below the threshold and two above it; those of the threshold
itself, which is a common price, are told and not judged. Were the logarithm of their density a straight line there, the
two inner windows would be to each other as the cube root of the two outer ones: the simplest form of the counterfactual
in E. Saez, "Do Taxpayers Bunch at Kink Points?", American Economic Journal: Economic Policy 2(3), 2010.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.search.filters import Filters
from chalicelib.search.result import Pesos

# Round amounts that procurement rules are fond of.
_USUAL = (50_000.0, 500_000.0, 1_000_000.0, 2_000_000.0, 5_000_000.0)
_UNUSUAL_P = 0.01
# Below this the normal distribution is none of the binomial's.
_FEWEST = 20
# So that a window without an award has a logarithm (Haldane 1956, Anscombe 1956).
_HALF = 0.5

_Threshold = Annotated[float, Meta(ge=1, le=1e12)]
_Awards = Annotated[int, Meta(description="Awards with an amount there.")]


class BunchingRequest(Filters, frozen=True, kw_only=True):
    """Which awards to look at, and near which thresholds."""

    thresholds: Annotated[
        tuple[_Threshold, ...],
        Meta(min_length=1, max_length=20, description="In pesos: those of the rules that applied to these awards."),
    ] = _USUAL
    window: Annotated[
        Annotated[float, Meta(ge=0.5, le=20)], Meta(description="Width of a window, in % of the threshold.")
    ] = 5.0


class Threshold(Struct, frozen=True, kw_only=True):
    """The awards near one threshold."""

    threshold: Pesos
    far_below: _Awards
    below: Annotated[int, Meta(description="Awards within one window below the threshold.")]
    at: Annotated[int, Meta(description="Awards of exactly the threshold, which are not judged.")]
    above: Annotated[int, Meta(description="Awards within one window above it.")]
    far_above: _Awards
    expected_below: Annotated[
        float, Meta(description="Of those below and above, how many the far ones let expect below.")
    ]
    excess_below: Annotated[float, Meta(description="How many more are below than expected; negative: fewer.")]
    z_score: Annotated[
        float | None,
        Meta(description="The excess in standard errors, those of the expectation included; null for none."),
    ]
    p_value: Annotated[
        float | None, Meta(description="How likely so large an excess is by chance, one-sided, to 4 decimals.")
    ]
    is_unusual: Annotated[
        bool, Meta(description="Whether p_value is less than 0.01, with at least 20 awards below and above.")
    ]


class Bunching(Struct, frozen=True, kw_only=True):
    """Awards near thresholds; for review, not a finding."""

    window: Annotated[float, Meta(description="In % of a threshold.")]
    thresholds: Annotated[tuple[Threshold, ...], Meta(description="In the order of the request.")]
    dataset_version: Annotated[int, Meta(description="Number of the data set that this was made from.")]


class Zones(Struct, frozen=True, kw_only=True):
    """Where the windows of a threshold end, in centavos: `edges` are the first amounts of the five zones and of what
    is behind the last one, the zone in the middle being the threshold alone."""

    threshold: float
    edges: tuple[int, int, int, int, int, int]


def zones(request: BunchingRequest) -> list[Zones]:
    """The windows of a request that has passed its check."""
    return [_zones(threshold, request.window) for threshold in request.thresholds]


def describe_bunching(request: BunchingRequest, counts: Mapping[tuple[int, int], int], version: int) -> Bunching:
    """What counts of awards mean: by the threshold's place in the request and the zone's from 1 to 5."""
    return Bunching(
        window=request.window,
        thresholds=tuple(
            _judge(threshold, [counts.get((place, zone), 0) for zone in range(1, 6)])
            for place, threshold in enumerate(request.thresholds)
        ),
        dataset_version=version,
    )


def _zones(threshold: float, window: float) -> Zones:
    middle = round(threshold * 100)
    width = max(1, round(middle * window / 100))
    edges = (middle - 2 * width, middle - width, middle, middle + 1, middle + 1 + width, middle + 1 + 2 * width)
    return Zones(threshold=threshold, edges=edges)


def _judge(threshold: float, counts: Sequence[int]) -> Threshold:
    far_below, below, at, above, far_above = counts
    near = below + above
    ratio = ((far_below + _HALF) / (far_above + _HALF)) ** (1 / 3)
    share = ratio / (1 + ratio)
    z = (below - near * share) / math.sqrt(_variance(near, share, far_below, far_above)) if near else None
    p = math.erfc(z / math.sqrt(2)) / 2 if z is not None else None
    return Threshold(
        threshold=threshold,
        far_below=far_below,
        below=below,
        at=at,
        above=above,
        far_above=far_above,
        expected_below=round(near * share, 2),
        excess_below=round(below - near * share, 2),
        z_score=None if z is None else round(z, 2),
        p_value=None if p is None else round(p, 4),
        is_unusual=p is not None and p < _UNUSUAL_P and near >= _FEWEST,
    )


def _variance(near: int, share: float, far_below: int, far_above: int) -> float:
    """Of the number below: of the binomial, and of the share that is itself estimated (delta method)."""
    spread = share * (1 - share)
    of_ratio = (1 / (far_below + _HALF) + 1 / (far_above + _HALF)) / 9
    return near * spread + (near * spread) ** 2 * of_ratio

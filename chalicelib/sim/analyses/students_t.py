"""Student's t distribution for whole degrees of freedom, by its finite sums: no numpy and no tables.

Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, formulas 26.7.3 and 26.7.4.
"""

from __future__ import annotations

import math

_HALVINGS = 60


def chance_within(t: float, freedom: int) -> float:
    """P(|T| <= t) for t >= 0 and at least one degree of freedom; 1 for infinite t. Cost: linear in them."""
    return _chance_within(math.atan2(t, math.sqrt(freedom)), freedom)


def two_sided_quantile(level: float, freedom: int) -> float:
    """The t with P(|T| <= t) = level, for level in 0..1 without 1: 0.95 gives the factor of a 95 % interval.

    The interval of the angle atan(t / sqrt(freedom)) is halved until it is as narrow as a float.
    """
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _chance_within(middle, freedom) < level else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _chance_within(angle: float, freedom: int) -> float:
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    # Terms 1, 2/3 cos^2, 2*4 / (3*5) cos^4 .. for odd, 1, 1/2 cos^2, 1*3 / (2*4) cos^4 .. for even degrees.
    term, total = 1.0, 0.0
    for step in range(1 + odd, freedom, 2):
        total += term
        term *= cosine * cosine * step / (step + 1)
    if odd:
        return min(1.0, (angle + sine * cosine * total) * 2 / math.pi)
    return min(1.0, sine * total)

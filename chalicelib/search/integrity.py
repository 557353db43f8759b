"""Whether amounts look like those that arise by themselves: their first digits, and how round they are.

For review, not a finding: prices that are set, thresholds and few awards all make digits uneven.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.search.result import Pesos

Conformity = Literal["close", "acceptable", "marginal", "none"]

_DIGITS = range(1, 10)
# Benford's law: S. Newcomb 1881, F. Benford 1938.
_EXPECTED = {digit: math.log10(1 + 1 / digit) for digit in _DIGITS}
_SIGNIFICANT = 0.05
# For first digits: M. Nigrini, Benford's Law, 2012, chapter 7.
_BANDS: tuple[tuple[float, Conformity], ...] = ((0.006, "close"), (0.012, "acceptable"), (0.015, "marginal"))
# In pesos, largest first.
_STEPS = {10_000_000: "10M", 1_000_000: "1M", 100_000: "100K", 10_000: "10K", 1_000: "1K", 0: "No rounding"}
_MILLIONS = ("10M", "1M")
# How the old service made its score of the shares, in percent; it gives no source.
_MANY_MILLIONS, _MILLIONS_SCORE = 15, 30
_EVEN, _UNEVEN_BY, _UNEVEN_SCORE = 10, 5, 2
_SUSPICIOUS_SCORE = 70

_Percent = Annotated[float, Meta(description="In %, to 2 decimals.")]
_Total = Annotated[int, Meta(description="How many awards were looked at.")]


class DigitShare(Struct, frozen=True, kw_only=True):
    """The amounts that begin with a digit."""

    digit: Annotated[int, Meta(description="1 to 9.")]
    count: int
    observed_frequency: _Percent
    expected_frequency: Annotated[float, Meta(description="By Benford's law, in %, to 2 decimals.")]
    chi_square_component: Annotated[float, Meta(description="To 2 decimals.")]


class Benford(Struct, frozen=True, kw_only=True):
    """First digits of the amounts in whole pesos beside Benford's law; for review, not a finding."""

    total_contracts: Annotated[int, Meta(description="Awards of at least one peso.")]
    analysis: Annotated[tuple[DigitShare, ...], Meta(description="One item for each digit.")]
    chi_square_statistic: Annotated[float, Meta(description="To 2 decimals.")]
    p_value: Annotated[
        float,
        Meta(
            description="By the chi-square test with 8 degrees of freedom; 4 decimals. Near 0 for any million awards."
        ),
    ]
    is_suspicious: Annotated[bool, Meta(description="Whether p_value is less than 0.05.")]
    mean_absolute_deviation: Annotated[
        float,
        Meta(description="Mean distance of the nine shares from the law, as a share; does not grow with the count."),
    ]
    conformity: Annotated[
        Conformity | None,
        Meta(
            description="Nigrini's reading of it: close up to 0.006, acceptable to 0.012, marginal to 0.015, else none."
        ),
    ]


class RoundingBucket(Struct, frozen=True, kw_only=True):
    """Amounts by the largest step that divides them."""

    bucket: Annotated[str, Meta(description="10M, 1M, 100K, 10K, 1K or No rounding.")]
    count: int
    percentage: _Percent
    total_value: Pesos


class LastDigit(Struct, frozen=True, kw_only=True):
    """Amounts by the last digit of their whole pesos."""

    digit: int
    count: int
    percentage: _Percent


class TrailingZeros(Struct, frozen=True, kw_only=True):
    """Amounts by how many zeros their whole pesos end in."""

    zeros: int
    count: int
    percentage: _Percent


class Rounding(Struct, frozen=True, kw_only=True):
    """How round the amounts are; for review, not a finding."""

    total_contracts: _Total
    rounding_buckets: Annotated[tuple[RoundingBucket, ...], Meta(description="Largest step first, all six.")]
    last_digit_distribution: Annotated[tuple[LastDigit, ...], Meta(description="0 to 9.")]
    trailing_zeros_distribution: Annotated[
        tuple[TrailingZeros, ...], Meta(description="Those that occur, fewest first.")
    ]
    suspicion_score: Annotated[
        float,
        Meta(
            description="0 to 100: 30 for each of the steps 10M and 1M with more than 15 % of the awards, and for each "
            "last digit more than 5 points away from 10 % twice its distance."
        ),
    ]
    is_suspicious: Annotated[bool, Meta(description="Whether the score is more than 70.")]


class RoundedCount(Struct, frozen=True, kw_only=True):
    """Amounts that share a step in pesos (0 for none), a last digit and a number of zeros; `total` is in centavos."""

    step: int
    digit: int
    zeros: int
    awards: int
    total: int


def compare_with_benford(counts: Mapping[int, int]) -> Benford:
    """First digits, of which each was seen so often, beside Benford's law; of none, nothing is suspicious."""
    total = sum(counts.values())
    shares = {digit: counts.get(digit, 0) / total if total else 0.0 for digit in _DIGITS}
    distances = {digit: abs(shares[digit] - _EXPECTED[digit]) if total else 0.0 for digit in _DIGITS}
    components = {digit: total * distances[digit] ** 2 / _EXPECTED[digit] for digit in _DIGITS}
    chi_square, deviation = math.fsum(components.values()), math.fsum(distances.values()) / len(_DIGITS)
    p = chance_of_more(chi_square)
    return Benford(
        total_contracts=total,
        analysis=tuple(
            DigitShare(
                digit=digit,
                count=counts.get(digit, 0),
                observed_frequency=round(100 * shares[digit], 2),
                expected_frequency=round(100 * _EXPECTED[digit], 2),
                chi_square_component=round(components[digit], 2),
            )
            for digit in _DIGITS
        ),
        chi_square_statistic=round(chi_square, 2),
        p_value=round(p, 4),
        is_suspicious=p < _SIGNIFICANT,
        mean_absolute_deviation=round(deviation, 5),
        conformity=_conformity(deviation) if total else None,
    )


def chance_of_more(chi_square: float) -> float:
    """P(X > chi_square) of the chi-square distribution with 8 degrees of freedom, for chi_square >= 0.

    The finite sum for an even number of them: Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 26.4.21.
    """
    half = chi_square / 2
    return math.exp(-half) * (1 + half + half**2 / 2 + half**3 / 6)


def describe_rounding(counts: Iterable[RoundedCount]) -> Rounding:
    """Distributions and the old service's score of amounts; the score of none is 0."""
    steps, sums, digits, zeros = Counter[int](), Counter[int](), Counter[int](), Counter[int]()
    for each in counts:
        steps[each.step] += each.awards
        sums[each.step] += each.total
        digits[each.digit] += each.awards
        zeros[each.zeros] += each.awards
    total = steps.total()
    buckets = tuple(
        RoundingBucket(
            bucket=name, count=steps[step], percentage=_percent(steps[step], total), total_value=sums[step] / 100
        )
        for step, name in _STEPS.items()
    )
    score = _score(steps, digits) if total else 0.0
    return Rounding(
        total_contracts=total,
        rounding_buckets=buckets,
        last_digit_distribution=tuple(
            LastDigit(digit=digit, count=digits[digit], percentage=_percent(digits[digit], total))
            for digit in range(10)
        ),
        trailing_zeros_distribution=tuple(
            TrailingZeros(zeros=each, count=zeros[each], percentage=_percent(zeros[each], total))
            for each in sorted(zeros)
        ),
        suspicion_score=round(score, 2),
        is_suspicious=score > _SUSPICIOUS_SCORE,
    )


def _conformity(deviation: float) -> Conformity:
    return next((name for bound, name in _BANDS if deviation <= bound), "none")


def _percent(count: int, total: int) -> float:
    return round(100 * count / total, 2) if total else 0.0


def _score(steps: Counter[int], digits: Counter[int]) -> float:
    total = steps.total()
    millions = sum(100 * steps[step] > _MANY_MILLIONS * total for step, name in _STEPS.items() if name in _MILLIONS)
    distances = [abs(100 * digits[digit] / total - _EVEN) for digit in range(10)]
    uneven = math.fsum(distance for distance in distances if distance > _UNEVEN_BY)
    return min(100.0, _MILLIONS_SCORE * millions + _UNEVEN_SCORE * uneven)

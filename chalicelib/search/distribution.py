"""How amounts spread between the smallest and the largest, in bins of equal width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.search.result import Count, Pesos, average

BINS = 1_000

BinCount = Annotated[int, Meta(ge=10, le=10_000, description="How many bins.")]


class ValueBin(Struct, frozen=True, kw_only=True):
    """The awards of a bin: from its start, up to but without its end, which only the last one includes."""

    bin_start: Pesos
    bin_end: Pesos
    count: Count
    total_value: Pesos
    avg_value: Pesos


class ValueDistribution(Struct, frozen=True, kw_only=True):
    """The awards by amount; all 0 where there are none."""

    min_value: Pesos
    max_value: Pesos
    bin_width: Pesos
    num_bins: int
    total_contracts: Count
    bins: Annotated[
        dict[int, ValueBin], Meta(description="By number from 1; bins without an award are left out. All equal: bin 1.")
    ]


class BinTotal(Struct, frozen=True, kw_only=True):
    """What is in a bin, and between which amounts all of them lie, in centavos."""

    low: int
    high: int
    bin: int
    awards: int
    total: int


def describe_bins(totals: Sequence[BinTotal], bins: int) -> ValueDistribution:
    """The distribution of which these are the bins with awards, from 1 to `bins`."""
    low, high = (totals[0].low, totals[0].high) if totals else (0, 0)

    def edge(number: int) -> float:
        return (low * bins + number * (high - low)) / (100 * bins)

    return ValueDistribution(
        min_value=low / 100,
        max_value=high / 100,
        bin_width=(high - low) / (100 * bins),
        num_bins=bins,
        total_contracts=sum(each.awards for each in totals),
        bins={
            each.bin: ValueBin(
                bin_start=edge(each.bin - 1),
                bin_end=edge(each.bin),
                count=each.awards,
                total_value=each.total / 100,
                avg_value=average(each.total, each.awards),
            )
            for each in totals
        },
    )

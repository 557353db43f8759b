"""First digits, round amounts and bins, by numbers worked out by hand or taken from books."""

from __future__ import annotations

import pytest

from chalicelib.search.distribution import BinTotal, ValueBin, ValueDistribution, describe_bins
from chalicelib.search.integrity import RoundedCount, chance_of_more, compare_with_benford, describe_rounding

BENFORD = {1: 301, 2: 176, 3: 125, 4: 97, 5: 79, 6: 67, 7: 58, 8: 51, 9: 46}


# Critical values of the chi-square distribution with 8 degrees of freedom, as printed in any table of it.
@pytest.mark.parametrize(
    ("chi_square", "chance"), [(0.0, 1.0), (2.733, 0.95), (7.344, 0.5), (13.362, 0.1), (15.507, 0.05), (26.124, 0.001)]
)
def test_chance_is_that_of_the_tables(chi_square: float, chance: float) -> None:
    assert chance_of_more(chi_square) == pytest.approx(chance, abs=5e-5)


def test_chance_of_a_huge_statistic_is_none() -> None:
    assert chance_of_more(1e8) == 0.0


def test_digits_by_the_law_conform() -> None:
    report = compare_with_benford(BENFORD)
    assert (report.total_contracts, report.is_suspicious, report.conformity) == (1000, False, "close")
    assert [share.expected_frequency for share in report.analysis] == [
        30.1, 17.61, 12.49, 9.69, 7.92, 6.69, 5.8, 5.12, 4.58,
    ]  # fmt: skip


def test_digits_that_are_all_alike_do_not_conform() -> None:
    report = compare_with_benford(dict.fromkeys(range(1, 10), 100))
    first, last = report.analysis[0], report.analysis[8]
    # 900 amounts, 270.93 and 41.18 expected.
    assert (first.observed_frequency, first.chi_square_component) == (11.11, 107.84)
    assert (last.observed_frequency, last.chi_square_component) == (11.11, 84.01)
    assert (report.p_value, report.is_suspicious, report.conformity) == (0.0, True, "none")
    # 0.18992 and 0.06498 too few of 1 and 2; what they lack the other seven have too much.
    assert report.mean_absolute_deviation == pytest.approx(2 * (0.18992 + 0.06498 + 0.01383) / 9, abs=2e-5)


def test_deviation_does_not_grow_with_the_count_but_the_statistic_does() -> None:
    few, many = compare_with_benford(BENFORD), compare_with_benford({k: 10_000 * n for k, n in BENFORD.items()})
    assert many.mean_absolute_deviation == few.mean_absolute_deviation
    assert (few.is_suspicious, many.is_suspicious) == (False, True)


def test_no_amounts_are_not_suspicious() -> None:
    report = compare_with_benford({})
    assert {(share.count, share.observed_frequency, share.chi_square_component) for share in report.analysis} == {
        (0, 0.0, 0.0)
    }
    assert (report.chi_square_statistic, report.p_value, report.is_suspicious) == (0.0, 1.0, False)
    assert (report.mean_absolute_deviation, report.conformity) == (0.0, None)
    rounding = describe_rounding([])
    assert (rounding.total_contracts, rounding.suspicion_score, rounding.is_suspicious) == (0, 0.0, False)


def rounded(step: int, digit: int, zeros: int, awards: int) -> RoundedCount:
    return RoundedCount(step=step, digit=digit, zeros=zeros, awards=awards, total=awards * 1_000_050)


def test_shares_are_summed_over_what_they_do_not_tell_apart() -> None:
    report = describe_rounding([rounded(0, 5, 0, 30), rounded(1_000, 0, 3, 10), rounded(1_000, 0, 4, 40)])
    assert [(each.bucket, each.count, each.percentage, each.total_value) for each in report.rounding_buckets] == [
        ("10M", 0, 0.0, 0.0),
        ("1M", 0, 0.0, 0.0),
        ("100K", 0, 0.0, 0.0),
        ("10K", 0, 0.0, 0.0),
        ("1K", 50, 62.5, 500_025.0),
        ("No rounding", 30, 37.5, 300_015.0),
    ]
    assert [(each.digit, each.count) for each in report.last_digit_distribution if each.count] == [(0, 50), (5, 30)]
    assert [(each.zeros, each.count, each.percentage) for each in report.trailing_zeros_distribution] == [
        (0, 30, 37.5),
        (3, 10, 12.5),
        (4, 40, 50.0),
    ]


# Even last digits; the same of millions; 0 with 30 %, 1 to 7 with 10 % each and 8 and 9 with none; only millions.
@pytest.mark.parametrize(
    ("counts", "score"),
    [
        ([rounded(0, digit, 0, 10) for digit in range(10)], 0.0),
        ([rounded(1_000_000, digit, 6, 2) for digit in range(10)], 30.0),
        ([rounded(1_000, 0, 3, 3), *(rounded(0, digit, 0, 1) for digit in range(1, 8))], 2.0 * (20 + 10 + 10)),
        ([rounded(10_000_000, 0, 7, 1), rounded(1_000_000, 0, 6, 1)], 100.0),
    ],
)
def test_score_is_that_of_the_old_service(counts: list[RoundedCount], score: float) -> None:
    report = describe_rounding(counts)
    assert (report.suspicion_score, report.is_suspicious) == (score, score > 70)


def test_bins_tell_their_edges() -> None:
    totals = [
        BinTotal(low=100, high=1100, bin=1, awards=2, total=250),
        BinTotal(low=100, high=1100, bin=10, awards=1, total=1100),
    ]
    assert describe_bins(totals, 10) == ValueDistribution(
        min_value=1.0,
        max_value=11.0,
        bin_width=1.0,
        num_bins=10,
        total_contracts=3,
        bins={
            1: ValueBin(bin_start=1.0, bin_end=2.0, count=2, total_value=2.5, avg_value=1.25),
            10: ValueBin(bin_start=10.0, bin_end=11.0, count=1, total_value=11.0, avg_value=11.0),
        },
    )


def test_bins_of_nothing_are_none() -> None:
    assert describe_bins([], 10) == ValueDistribution(
        min_value=0.0, max_value=0.0, bin_width=0.0, num_bins=10, total_contracts=0, bins={}
    )

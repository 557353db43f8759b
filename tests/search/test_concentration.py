"""How concentrated spending is, worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chalicelib.search.concentration import Concentration, SupplierTotal, Whole, describe_concentration


def described(*totals: int, top: int = 20) -> Concentration:
    whole = Whole(
        suppliers=len(totals),
        awards=2 * len(totals),
        total=sum(totals),
        squares=Decimal(sum(total**2 for total in totals)),
    )
    ordered = sorted(totals, reverse=True)
    largest = [
        SupplierTotal(label=f"Supplier {place}", awards=2, total=total) for place, total in enumerate(ordered, 1)
    ]
    return describe_concentration(whole, largest, top=top, version=3)


@pytest.mark.parametrize(
    ("totals", "hhi", "effective", "band"),
    [
        ([100], 10_000, 1, "high"),
        ([100] * 2, 5_000, 2, "high"),
        # 30² + 10 * 7²
        ([300] + [70] * 10, 1_390, 7.19, "moderate"),
        ([100] * 10, 1_000, 10, "moderate"),
        ([100] * 11, 909.1, 11, "low"),
    ],
)
def test_index_is_the_sum_of_squared_shares(totals: list[int], hhi: float, effective: float, band: str) -> None:
    found = described(*totals)
    assert (found.hhi, found.effective_suppliers, found.band) == (hhi, effective, band)


def test_shares_are_told_of_the_largest_four_and_ten_however_few_are_listed() -> None:
    found = described(40_00, 20_00, 10_00, 10_00, *[2_00] * 10, top=2)
    assert (found.total_value, found.supplier_count, found.total_contracts) == (100.0, 14, 28)
    assert (found.largest_share, found.top4_share, found.top10_share) == (40.0, 80.0, 92.0)
    assert [(each.label, each.total_value, each.share) for each in found.suppliers] == [
        ("Supplier 1", 40.0, 40.0),
        ("Supplier 2", 20.0, 20.0),
    ]


def test_nothing_is_not_concentrated() -> None:
    found = described()
    assert (found.hhi, found.effective_suppliers, found.band, found.largest_share, found.suppliers) == (
        0,
        0,
        None,
        0,
        (),
    )

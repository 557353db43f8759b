"""How much of what was spent went to how few.

For review, not a finding: few suppliers may be all that there are, and a filter that is narrow finds few of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.search.filters import Filters
from chalicelib.search.result import Count, Pesos

Band = Literal["low", "moderate", "high"]

# U.S. Department of Justice and Federal Trade Commission, Merger Guidelines, 2023, guideline 1, which are made for
# markets; there is no accepted scale for procurement.
_MODERATE, _HIGH = 1_000, 1_800
# Shares that are told however few suppliers are listed.
_FEW, _SOME = 4, 10

_Share = Annotated[float, Meta(description="Of the total value, in %, to 2 decimals.")]


class ConcentrationRequest(Filters, frozen=True, kw_only=True):
    """Which awards to look at, such as those of one organization or category."""

    top: Annotated[Annotated[int, Meta(ge=1, le=1000)], Meta(description="Suppliers that are listed.")] = 20


class SupplierShare(Struct, frozen=True, kw_only=True):
    """What one supplier got."""

    label: str
    total_value: Pesos
    count: Count
    share: _Share


class Concentration(Struct, frozen=True, kw_only=True):
    """How much went to how few; for review, not a finding. All 0 where there are no awards."""

    total_contracts: Count
    total_value: Pesos
    supplier_count: Annotated[int, Meta(description="How many suppliers; look-alike names are counted each.")]
    hhi: Annotated[
        float,
        Meta(
            description="Herfindahl-Hirschman index: the sum of the squared shares in %, 10,000 for a single supplier."
        ),
    ]
    effective_suppliers: Annotated[
        float, Meta(description="So many suppliers of equal size would be as concentrated: 10,000 / hhi.")
    ]
    band: Annotated[
        Band | None,
        Meta(
            description="moderate from an hhi of 1,000, high from 1,800: as the U.S. Merger Guidelines of 2023 have it."
        ),
    ]
    largest_share: _Share
    top4_share: _Share
    top10_share: _Share
    suppliers: Annotated[tuple[SupplierShare, ...], Meta(description="Largest total first.")]
    dataset_version: Annotated[int, Meta(description="Number of the data set that this was made from.")]


class SupplierTotal(Struct, frozen=True, kw_only=True):
    """A supplier's sum, in centavos."""

    label: str
    awards: int
    total: int


class Whole(Struct, frozen=True, kw_only=True):
    """All suppliers together: sums in centavos, `squares` of the suppliers' sums."""

    suppliers: int
    awards: int
    total: int
    squares: Decimal


def needed(top: int) -> int:
    """How many of the largest suppliers `describe_concentration` has to be given."""
    return max(top, _SOME)


def describe_concentration(whole: Whole, largest: Sequence[SupplierTotal], *, top: int, version: int) -> Concentration:
    """The concentration of which these are the largest suppliers, largest first."""
    hhi = float(10_000 * whole.squares / Decimal(whole.total) ** 2) if whole.total else 0.0

    def share_of(count: int) -> float:
        return _percent(sum(each.total for each in largest[:count]), whole.total)

    return Concentration(
        total_contracts=whole.awards,
        total_value=whole.total / 100,
        supplier_count=whole.suppliers,
        hhi=round(hhi, 1),
        effective_suppliers=round(10_000 / hhi, 2) if hhi else 0.0,
        band=_band(hhi) if whole.total else None,
        largest_share=share_of(1),
        top4_share=share_of(_FEW),
        top10_share=share_of(_SOME),
        suppliers=tuple(
            SupplierShare(
                label=each.label,
                total_value=each.total / 100,
                count=each.awards,
                share=_percent(each.total, whole.total),
            )
            for each in largest[:top]
        ),
        dataset_version=version,
    )


def _band(hhi: float) -> Band:
    return "high" if hhi >= _HIGH else "moderate" if hhi >= _MODERATE else "low"


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0

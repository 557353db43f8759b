"""What questions about contracts must answer, worked out in plain Python by looking at every row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chalicelib.search.filters import Filters, TimeRange
from chalicelib.search.paging import Dimension, GroupOrder, Order, Page
from chalicelib.search.result import Contract, Group, LabelTotal, MonthTotal, Series, Summary, YearTotal
from tests.db.contracts.item_oracle import has_any


@dataclass(frozen=True)
class Award:
    """A row as the source has it."""

    number: str | None
    title: str | None
    notice: str | None
    day: date | None
    centavos: int
    contractor: str
    organization: str | None
    area: str | None
    category: str | None

    @property
    def text(self) -> str:
        return f"{self.title or ''} {self.notice or ''}"


def read(rows: Iterable[Mapping[str, str]]) -> list[Award]:
    """The awards in their default order: newest first, then largest, then as in the source; without a date last."""
    said = [{name: value.strip() for name, value in row.items() if value.strip() not in ("", "NULL")} for row in rows]
    awards = [_award(row) for row in said if _is_taken(row)]
    return sorted(awards, key=lambda each: (each.day is None, -(each.day or date.max).toordinal(), -each.centavos))


def matching(awards: Sequence[Award], filters: Filters) -> list[tuple[int, Award]]:
    """The awards that fit, with their places in the default order, which begin at 1."""
    return [(place, award) for place, award in enumerate(awards, 1) if _fits(award, filters)]


def page(awards: Sequence[Award], filters: Filters, part: Page, order: Order) -> tuple[list[Contract], int]:
    """The awards of a page, and how many fit."""
    found = matching(awards, filters)
    first = (part.number - 1) * part.size
    shown = _sorted(found, _KEYS[order.field], is_descending=order.is_descending)[first : first + part.size]
    return [_contract(place, award) for place, award in shown], len(found)


def series(awards: Sequence[Award], filters: Filters, most: int) -> Series:
    """What charts show."""
    found = [award for _, award in matching(awards, filters)]
    dated = [award for award in found if award.day]
    years = _sums(dated, lambda award: str(award.day)[:4])
    months = _sums(dated, lambda award: str(award.day)[:7])
    return Series(
        summary=(_summary(found),),
        by_year=tuple(YearTotal(year=int(key), total_value=total, count=n) for key, total, n in sorted(years)),
        by_month=tuple(MonthTotal(month=key, total_value=total, count=n) for key, total, n in sorted(months)),
        by_contractor=_largest(found, "contractor", most),
        by_organization=_largest(found, "organization", most),
        by_area=_largest(found, "area", most),
        by_category=_largest(found, "category", most),
    )


def table(
    awards: Sequence[Award], filters: Filters, dimension: Dimension, part: Page, order: GroupOrder
) -> tuple[list[Group], int]:
    """The groups of a page, and how many there are."""
    by_label: dict[str | None, list[int]] = {}
    for _, award in matching(awards, filters):
        by_label.setdefault(getattr(award, dimension), []).append(award.centavos)
    labels = sorted((label for label in by_label if label is not None), key=_by_name)
    groups = [_group(label, by_label[label]) for label in [*labels, *([None] if None in by_label else [])]]
    first = (part.number - 1) * part.size
    return _sorted_groups(groups, order)[first : first + part.size], len(groups)


def _is_taken(said: Mapping[str, str]) -> bool:
    return "awardee_name" in said and Decimal(said.get("contract_amount", "0")) > 0


def _award(said: Mapping[str, str]) -> Award:
    number, day = said.get("contract_number"), said.get("award_date")
    return Award(
        number=None if number == "0" else number,
        title=said.get("award_title"),
        notice=said.get("notice_title"),
        day=date.fromisoformat(day) if day else None,
        centavos=int(Decimal(said["contract_amount"]) * 100 + Decimal("0.5")),
        contractor=said["awardee_name"],
        organization=said.get("organization_name"),
        area=said.get("area_of_delivery"),
        category=said.get("business_category"),
    )


def _fits(award: Award, filters: Filters) -> bool:
    texts = (
        (award.contractor, filters.contractors),
        (award.organization, filters.organizations),
        (award.area, filters.areas),
        (award.category, filters.business_categories),
        (award.text, filters.keywords),
    )
    bounds = filters.value_range
    return (
        all(has_any(text, items, filters.syntax) for text, items in texts)
        and (not filters.time_ranges or any(_is_in(award.day, wanted) for wanted in filters.time_ranges))
        and (not bounds or bounds.min is None or award.centavos >= Decimal(str(bounds.min)) * 100)
        and (not bounds or bounds.max is None or award.centavos <= Decimal(str(bounds.max)) * 100)
    )


def _is_in(day: date | None, wanted: TimeRange) -> bool:
    if day is None:
        return False
    if wanted.type == "custom":
        return str(wanted.startDate) <= str(day) <= str(wanted.endDate)
    quarter = "1112223334"[day.month - 1] if day.month <= 10 else "4"
    return day.year == wanted.year and (wanted.type == "yearly" or quarter == str(wanted.quarter))


def _by_name(name: str) -> tuple[str, str]:
    return name.lower(), name


_KEYS: dict[str, Callable[[Award], object]] = {
    "award_date": lambda award: award.day,
    "contract_amount": lambda award: award.centavos,
    "award_amount": lambda award: award.centavos,
    "contract_value": lambda award: award.centavos,
    "total_contract_amount": lambda award: award.centavos,
    "awardee_name": lambda award: _by_name(award.contractor),
    "organization_name": lambda award: award.organization and _by_name(award.organization),
    "business_category": lambda award: award.category and _by_name(award.category),
    "area_of_delivery": lambda award: award.area and _by_name(award.area),
    "contract_no": lambda award: award.number,
    "reference_id": lambda award: award.number,
    "award_title": lambda award: award.title,
    "notice_title": lambda award: award.notice,
    "created_at": lambda award: 0,
    "award_status": lambda award: 0,
}


def _sorted(
    found: list[tuple[int, Award]], key: Callable[[Award], object], *, is_descending: bool
) -> list[tuple[int, Award]]:
    """Sorted, equals as they were, also where descending; what has no key last."""
    keyed = [(key(award), place, award) for place, award in found]
    with_key = [each for each in keyed if each[0] is not None]
    with_key.sort(key=lambda each: each[0], reverse=is_descending)  # type: ignore[arg-type, return-value]
    return [each[1:] for each in [*with_key, *(each for each in keyed if each[0] is None)]]


def _contract(place: int, award: Award) -> Contract:
    pesos = float(Decimal(award.centavos).scaleb(-2))
    return Contract(
        id=place,
        reference_id=award.number,
        contract_no=award.number,
        award_title=award.title,
        notice_title=award.notice,
        award_date=award.day,
        awardee_name=award.contractor,
        organization_name=award.organization,
        area_of_delivery=award.area,
        business_category=award.category,
        contract_amount=pesos,
        award_amount=pesos,
    )


def _sums(awards: Iterable[Award], key: Callable[[Award], str]) -> list[tuple[str, float, int]]:
    found: dict[str, list[int]] = {}
    for award in awards:
        found.setdefault(key(award), []).append(award.centavos)
    return [(name, sum(amounts) / 100, len(amounts)) for name, amounts in found.items()]


def _summary(found: list[Award]) -> Summary:
    total = sum(award.centavos for award in found)
    return Summary(count=len(found), total_value=total / 100, avg_value=_mean(total, len(found)))


def _mean(centavos: int, count: int) -> float:
    return float(Decimal(centavos) / Decimal(100 * count)) if count else 0.0


def _largest(found: list[Award], dimension: Dimension, most: int) -> tuple[LabelTotal, ...]:
    named = [award for award in found if getattr(award, dimension) is not None]
    sums = _sums(named, lambda award: str(getattr(award, dimension)))
    sums.sort(key=lambda each: (-each[1], _by_name(each[0])))
    return tuple(LabelTotal(label=name, total_value=total, count=n) for name, total, n in sums[:most])


def _group(label: str | None, amounts: list[int]) -> Group:
    total = sum(amounts)
    return Group(label=label, total_value=total / 100, count=len(amounts), avg_value=_mean(total, len(amounts)))


def _sorted_groups(groups: list[Group], order: GroupOrder) -> list[Group]:
    if order.field != "label":
        return sorted(groups, key=lambda group: getattr(group, order.field), reverse=order.is_descending)
    named = [group for group in groups if group.label is not None]
    return [
        *sorted(named, key=lambda group: _by_name(group.label or ""), reverse=order.is_descending),
        *(group for group in groups if group.label is None),
    ]

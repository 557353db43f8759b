"""What questions about names must answer, worked out in plain Python by looking at every award."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import structs

from chalicelib.search.filters import Filters, TimeRange
from chalicelib.search.names import NameOrder, NameSums
from chalicelib.search.paging import Dimension, Page
from tests.db.contracts import oracle
from tests.db.contracts.item_oracle import asked
from tests.db.contracts.oracle import Award

KINDS: Mapping[str, Dimension] = {
    "contractors": "contractor",
    "organizations": "organization",
    "areas": "area",
    "business_categories": "category",
}
# Value, awards, centavos, whether it is chosen.
Shown = list[tuple[str | int, int, int, bool]]


def names(awards: Sequence[Award], dimension: Dimension) -> list[NameSums]:
    """The names of awards with their sums, in their order."""
    found: dict[str, list[Award]] = {}
    for award in awards:
        if (name := getattr(award, dimension)) is not None:
            found.setdefault(name, []).append(award)
    return [_sums(name, found[name]) for name in sorted(found, key=lambda name: (name.lower(), name))]


def page(sums: Sequence[NameSums], order: NameOrder, part: Page) -> list[NameSums]:
    """A page of names that are in their order; what has no value stands last."""
    keyed = [(_key(each, order.field), each) for each in sums]
    present = [pair for pair in keyed if pair[0] is not None]
    present.sort(key=lambda pair: pair[0], reverse=order.is_descending)  # type: ignore[arg-type, return-value]
    everything = [each for _, each in [*present, *(pair for pair in keyed if pair[0] is None)]]
    return everything[(part.number - 1) * part.size : part.number * part.size]


def having(awards: Sequence[Award], exact: Sequence[tuple[Dimension, str]]) -> list[Award]:
    """The awards that have all of these names exactly."""
    return [award for award in awards if all(getattr(award, dimension) == name for dimension, name in exact)]


def has_word(name: str, word: str) -> bool:
    """Whether a text stands in a name with no letter or digit beside it, whatever the case."""
    text, wanted = f" {name.lower()} ", word.strip().lower()
    places = [place for place in range(1, len(text)) if text.startswith(wanted, place)]
    return any(not text[place - 1].isalnum() and not text[place + len(wanted)].isalnum() for place in places)


def facets(awards: Sequence[Award], filters: Filters, size: int) -> dict[str, Shown]:
    """The values of each filter with the most awards under all other filters."""
    shown = {kind: _facet(awards, filters, kind, size) for kind in KINDS}
    counted: dict[str | int, list[int]] = {}
    for _, award in oracle.matching(awards, structs.replace(filters, time_ranges=())):
        if award.day:
            counted.setdefault(award.day.year, []).append(award.centavos)
    years: set[str | int] = {year for wanted in filters.time_ranges for year in _years(wanted)}
    shown["years"] = _top(counted, years, size)
    return shown


def _sums(name: str, awards: Sequence[Award]) -> NameSums:
    days = [award.day for award in awards if award.day]
    total = sum(award.centavos for award in awards)
    return NameSums(name, len(awards), total, min(days, default=None), max(days, default=None))


def _key(sums: NameSums, field: str) -> object:
    return {
        "name": (sums.name.lower(), sums.name),
        "count": sums.awards,
        "total": sums.centavos,
        "average": sums.centavos / sums.awards,
        "first_date": sums.first,
        "last_date": sums.last,
    }[field]


def _facet(awards: Sequence[Award], filters: Filters, kind: str, size: int) -> Shown:
    counted: dict[str | int, list[int]] = {}
    for _, award in oracle.matching(awards, structs.replace(filters, **{kind: ()})):
        if (name := getattr(award, KINDS[kind])) is not None:
            counted.setdefault(name, []).append(award.centavos)
    items = getattr(filters, kind)
    is_set = any(asked(item, filters.syntax) for item in items)
    fitting = oracle.matching(awards, Filters(**{kind: items}, syntax=filters.syntax)) if is_set else []
    chosen = {getattr(award, KINDS[kind]) for _, award in fitting}
    return _top(counted, chosen, size)


def _top(counted: Mapping[str | int, list[int]], chosen: set[str | int], size: int) -> Shown:
    # Equals by name, as they are sorted otherwise too.
    values = sorted(counted, key=lambda value: (-len(counted[value]), str(value).lower(), str(value)))
    return [(value, len(counted[value]), sum(counted[value]), value in chosen) for value in values[:size]]


def _years(wanted: TimeRange) -> range:
    if wanted.type == "custom":
        first, last = (date.fromisoformat(str(day)).year for day in (wanted.startDate, wanted.endDate))
        return range(first, last + 1)
    assert wanted.year is not None
    return range(wanted.year, wanted.year + 1)

"""Why an award was found: where in its texts the filters' texts stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from chalicelib.search.awards import fold
from chalicelib.search.filters import Filters, alternatives_of
from chalicelib.search.phrases import places
from chalicelib.search.result import Contract, Matches, Range
from chalicelib.search.syntax import Alternative

# The longest lists that a page of a client can show.
_MOST_RANGES = 100


def highlight(contract: Contract, filters: Filters) -> Contract:
    """The award with the places of what was looked for, those of items and alternatives that hold for it alone."""
    matches: Matches = {}
    for field, kind in (
        ("awardee_name", "contractors"),
        ("organization_name", "organizations"),
        ("area_of_delivery", "areas"),
        ("business_category", "business_categories"),
    ):
        found = _ranges(getattr(contract, field) or "", alternatives_of(filters, kind))
        if found:
            matches[field] = found
    award, notice = contract.award_title or "", contract.notice_title or ""
    # Keywords are looked for in both titles as one text.
    found = _ranges(f"{award} {notice}", alternatives_of(filters, "keywords"))
    for field, first, last in (("award_title", 0, len(award)), ("notice_title", len(award) + 1, None)):
        own = _within(found, first, len(award) + 1 + len(notice) if last is None else last)
        if own:
            matches[field] = own
    return msgspec.structs.replace(contract, matches=matches)


def _ranges(text: str, alternatives: Sequence[Alternative]) -> tuple[Range, ...]:
    """Where the wanted parts of those alternatives stand that hold, merged where they overlap or touch."""
    folded, origins = fold(text), _origins(text)
    hits = [
        (origins[first], origins[first + len(part.text) - 1] + 1)
        for alternative in alternatives
        if _holds(alternative, folded)
        for part in alternative.wanted
        for first in places(folded, part)
    ]
    return tuple(_merged(hits))[:_MOST_RANGES]


def _holds(alternative: Alternative, text: str) -> bool:
    is_found = {part: any(True for _ in places(text, part)) for part in alternative.parts}
    return all(is_found[part] for part in alternative.wanted) and not any(
        is_found[part] for part in alternative.unwanted
    )


def _origins(text: str) -> list[int]:
    """For each character of the folded text the place of the one that it comes from; some come from one together."""
    return [place for place, character in enumerate(text) for _ in fold(character)]


def _merged(hits: Iterable[Range]) -> Iterator[Range]:
    current: Range | None = None
    for first, end in sorted(hits):
        if current is not None and first <= current[1]:
            current = (current[0], max(current[1], end))
            continue
        if current is not None:
            yield current
        current = (first, end)
    if current is not None:
        yield current


def _within(ranges: Iterable[Range], first: int, end: int) -> tuple[Range, ...]:
    """The parts of ranges within a stretch, counted from its begin."""
    cut = ((max(low, first) - first, min(high, end) - first) for low, high in ranges)
    return tuple((low, high) for low, high in cut if low < high)

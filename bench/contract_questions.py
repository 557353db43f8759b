"""The questions that engines are compared by, and the bars that Sluice's answers are to stay below."""

from __future__ import annotations

import msgspec

from chalicelib.db.contracts.state import Sizes
from chalicelib.search.filters import Filters, TimeRange, ValueRange
from chalicelib.search.paging import Order, Page

# Up to so many rows charts and other orders have a bar; beyond it they are reported.
MOST_MATCHES = 200_000
TOP = 20
# What is measured of each question.
PAGES = {
    "page 1": (Page(1, 20), Order()),
    "page 1000": (Page(1000, 20), Order()),
    "by amount": (Page(1, 20), Order("contract_amount")),
    "by name": (Page(1, 20), Order("awardee_name", is_descending=False)),
}
CHARTS = "charts"
MEASURES = (*PAGES, CHARTS)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; its charts were summed up when the data was loaded, if there are so many matches at least."""

    name: str
    filters: Filters
    prepared_from: int | None = None


class Picks(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken from the data, so that there is a rare word and a large organization in any number of rows."""

    rare_word: str
    organization: str


def questions(picks: Picks) -> list[Question]:
    """All questions."""
    year = TimeRange(type="yearly", year=2025)
    return [
        Question(name="no filter", filters=Filters(), prepared_from=0),
        Question(name="one year", filters=Filters(time_ranges=(year,)), prepared_from=0),
        Question(name="common word", filters=Filters(keywords=("construction",)), prepared_from=Sizes().summed_rows),
        Question(name="rare word", filters=Filters(keywords=(picks.rare_word,))),
        Question(name="two words", filters=Filters(keywords=("construction && school",))),
        Question(name="phrase", filters=Filters(keywords=("flood control",))),
        Question(name="phrase of 4 words", filters=Filters(keywords=("supply and delivery of",))),
        Question(name="phrase of 5 words", filters=Filters(keywords=("construction of multi-purpose building",))),
        Question(name="organization", filters=Filters(organizations=(picks.organization,))),
        Question(name="area and year", filters=Filters(areas=("metro manila",), time_ranges=(year,))),
        Question(name="value range", filters=Filters(value_range=ValueRange(min=4e6, max=6e6))),
    ]


def bar_ms(question: Question, measure: str, matches: int) -> float | None:
    """What the answer is to take at most; None where it is reported alone."""
    if measure in ("page 1", "page 1000"):
        return 50.0
    if measure == CHARTS and question.prepared_from is not None and matches >= question.prepared_from:
        return 5.0
    return 300.0 if matches <= MOST_MATCHES else None

"""What may have been meant by texts that nothing fits."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.search.awards import WORD
from chalicelib.search.filters import Filters, alternatives_of
from chalicelib.search.paging import Dimension

# Each costs a look at all names or words.
MOST = 8

KINDS: dict[str, Dimension] = {
    "contractors": "contractor",
    "organizations": "organization",
    "areas": "area",
    "business_categories": "category",
}


class Suggestion(Struct, frozen=True, kw_only=True):
    """A text of a filter that fits nothing, and what is like it."""

    field: Annotated[str, Meta(description="The filter.")]
    text: Annotated[str, Meta(description="What was looked for, in lower case.")]
    instead: Annotated[tuple[str, ...], Meta(description="What there is, most alike first.")]


class Sought(Struct, frozen=True, kw_only=True):
    """A text that was looked for: a whole name or part of one, or a keyword with the words in it."""

    field: str
    text: str
    is_phrase: bool
    # None for keywords.
    dimension: Dimension | None = None

    @property
    def words(self) -> list[str]:
        return WORD.findall(self.text)


def sought(filters: Filters) -> list[Sought]:
    """The texts of the filters that are to be found, each once, at most MOST."""
    names = [
        Sought(field=field, text=part.text, is_phrase=part.is_phrase, dimension=dimension)
        for field, dimension in KINDS.items()
        for alternative in alternatives_of(filters, field)
        for part in alternative.wanted
    ]
    keywords = [
        Sought(field="keywords", text=part.text, is_phrase=part.is_phrase)
        for alternative in alternatives_of(filters, "keywords")
        for part in alternative.wanted
    ]
    return list(dict.fromkeys([*keywords, *names]))[:MOST]


def replaced(text: str, words: dict[str, str]) -> str:
    """The text with other words in it."""
    return WORD.sub(lambda found: words.get(found[0], found[0]), text)

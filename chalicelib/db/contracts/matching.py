"""The rows of a scope, as a condition on their facts and as a sorted list of their numbers.

Lists of words and of facts meet in a list: `&` and `|` of intarray pass over a million numbers in milliseconds. So rows
with a word alone are counted and sliced without a look at a single fact, and days are slices, for rows are numbered by
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from psycopg2 import sql

from chalicelib.db.contracts.fragments import all_of, any_of, fragment, joined, placeholder
from chalicelib.db.contracts.grams import Grams
from chalicelib.db.contracts.lookups import Lookup
from chalicelib.db.contracts.scope import Scope

# To look up the facts of a row costs some ten times what it costs to read past them in an index, so at most some 40 ms.
_MOST_LOOKUPS = 20_000
# Words whose lists are united as they are, in milliseconds each; those of all others together, which are shorter, are
# taken apart first, at 150 ns for a row.
_OWN_LISTS = 4


def conditions(scope: Scope) -> sql.Composable:
    """What holds for the facts `f` of the rows of the scope, and of no others."""
    if not scope.keywords:
        return _facts(scope)
    if _looks_up(scope):
        words = fragment("found_by_words", scope.version, keywords=_keywords(scope))
        return all_of([fragment("among", scope.version, found=words), _facts(scope)])
    return fragment("among", scope.version, found=found(scope))


def found(scope: Scope) -> sql.Composable:
    """A query for the numbers of the rows, in order, as one list `rids`."""
    if not scope.keywords or _looks_up(scope):
        return fragment("found_by_facts", scope.version, conditions=conditions(scope))
    if scope.depends_on_facts:
        facts = fragment("found_by_facts", scope.version, conditions=_facts(scope))
        keywords = _keywords(scope, fragment("within", scope.version))
        return fragment("found_by_both", scope.version, keywords=keywords, facts=facts)
    words = fragment("found_by_words", scope.version, keywords=_keywords(scope))
    return fragment("found_in_spans", scope.version, words=words, slices=_slices(scope)) if scope.days else words


def values_of(scope: Scope) -> dict[str, object]:
    """The values that these pieces name."""
    return dict(_values(scope))


def _looks_up(scope: Scope) -> bool:
    """Whether to look up the facts of rows with the keywords, rather than to list rows by facts and to intersect."""
    return scope.depends_on_facts and scope.most_by_words <= min(_MOST_LOOKUPS, scope.most_by_facts)


def _facts(scope: Scope) -> sql.Composable:
    return all_of(list(_fact_conditions(scope)) or [fragment("any_row", scope.version)])


def _fact_conditions(scope: Scope) -> Iterator[sql.Composable]:
    version = scope.version
    for dimension in scope.names:
        yield fragment("has_name", version, dimension=dimension, ids=placeholder(dimension))
    if scope.days:
        yield fragment("in_days", version)
        yield any_of(
            [
                fragment("in_span", version, low=placeholder(f"low_{place}"), high=placeholder(f"high_{place}"))
                for place in range(len(scope.spans))
            ]
            or [fragment("no_row", version)]
        )
    if scope.amounts.low is not None:
        yield fragment("at_least", version)
    if scope.amounts.high is not None:
        yield fragment("at_most", version)


def _slices(scope: Scope) -> sql.Composable:
    slices = [
        fragment("slice", scope.version, low=placeholder(f"low_{place}"), beyond=placeholder(f"beyond_{place}"))
        for place in range(len(scope.spans))
    ]
    return joined(slices or [fragment("no_rows", scope.version)], "||")


def _keywords(scope: Scope, within: sql.Composable | None = None) -> sql.Composable:
    """The rows with any of the keywords, of those `within` where that is given."""
    return joined([_keyword(scope, str(place), lookup, within) for place, lookup in enumerate(scope.keywords)], "|")


def _keyword(scope: Scope, place: str, lookup: Lookup, within: sql.Composable | None) -> sql.Composable:
    wanted = _wanted(scope, place, lookup, within)
    if not lookup.unwanted:
        return wanted
    kept = fragment("kept", scope.version)
    unwanted = [_wanted(scope, own, each, kept) for own, each in _unwanted(place, lookup)]
    return fragment("without", scope.version, wanted=wanted, unwanted=joined(unwanted, "|"))


def _unwanted(place: str, lookup: Lookup) -> Iterator[tuple[str, Lookup]]:
    """What a lookup leaves out, and what its values are named after."""
    return ((f"{place}_not_{rank}", each) for rank, each in enumerate(lookup.unwanted))


def _wanted(scope: Scope, place: str, lookup: Lookup, within: sql.Composable | None) -> sql.Composable:
    lists = [
        *([] if within is None else [within]),
        *(_rows(scope, f"word_{place}_{test}", words.tokens) for test, words in enumerate(lookup.words)),
        *(_gram_rows(scope, f"gram_{place}_{test}", grams, within) for test, grams in enumerate(lookup.grams)),
    ]
    if not lookup.texts and not lookup.phrases:
        return joined(lists, "&")
    tests = _tests(scope, place, has_texts=bool(lookup.texts), has_phrases=bool(lookup.phrases))
    if not lists:
        return fragment("text_rows_of_all", scope.version, tests=tests)
    return fragment("text_rows", scope.version, candidates=joined(lists, "&"), tests=tests)


def _tests(scope: Scope, place: str, *, has_texts: bool, has_phrases: bool) -> sql.Composable:
    """What holds for a title with all texts and all phrases."""
    texts = [fragment("has_texts", scope.version, patterns=placeholder(f"texts_{place}"))] if has_texts else []
    phrases = [fragment("has_phrases", scope.version, patterns=placeholder(f"phrases_{place}"))] if has_phrases else []
    return all_of([*texts, *phrases])


def _gram_rows(scope: Scope, name: str, grams: Grams, within: sql.Composable | None) -> sql.Composable:
    """Rows with an n-gram that is listed, and of those that may have another one those with the text, or all."""
    listed = _rows(scope, name, grams.listed.tokens, "gram")
    candidates = [_rows(scope, f"{name}_among", grams.among.tokens, "gram")] if grams.among.tokens else []
    middle: Literal["word", "gram"] = "word" if grams.is_word else "gram"
    for rare, words, other, others in (
        ("left", grams.left, "right", grams.right),
        ("right", grams.right, "left", grams.left),
    ):
        if words.rare:
            ends = [_rows(scope, f"{name}_{rare}_rare", words.rare), _rows(scope, f"{name}_{other}", others.tokens)]
            between = [_rows(scope, f"{name}_middle", grams.middle.tokens, middle)] if grams.middle.tokens else []
            candidates.append(joined([*ends, *between], "&"))
    if not candidates:
        return listed
    among = joined(candidates, "|")
    if grams.text is None:
        return joined([listed, among], "|")
    tests = _tests(scope, name, has_texts=True, has_phrases=grams.phrase is not None)
    looked_into = among if within is None else joined([within, among], "&")
    return joined([listed, fragment("text_rows", scope.version, candidates=looked_into, tests=tests)], "|")


def _rows(scope: Scope, name: str, tokens: tuple[str, ...], table: Literal["word", "gram"] = "word") -> sql.Composable:
    """The rows with any of the words, or n-grams."""
    lists: list[sql.Composable] = [
        fragment("word_rows", scope.version, table=table, token=placeholder(f"{name}_{rank}"))
        for rank in range(min(len(tokens), _OWN_LISTS))
    ]
    if len(tokens) > _OWN_LISTS:
        lists.append(fragment("more_word_rows", scope.version, table=table, tokens=placeholder(f"{name}_more")))
    return joined(lists or [fragment("no_rows", scope.version)], "|")


def _values(scope: Scope) -> Iterator[tuple[str, object]]:
    for dimension, names in scope.names.items():
        yield dimension, f"{{{','.join(map(str, names.ids))}}}"
    if scope.days:
        yield "first_day", scope.days[0].first
        yield "last_day", scope.days[-1].last
    for place, span in enumerate(scope.spans):
        yield f"low_{place}", span.low
        yield f"high_{place}", span.high
        yield f"beyond_{place}", span.high + 1
    yield "smallest", scope.amounts.low
    yield "largest", scope.amounts.high
    for place, lookup in enumerate(scope.keywords):
        for own, each in ((str(place), lookup), *_unwanted(str(place), lookup)):
            yield from _keyword_values(own, each)


def _keyword_values(place: str, lookup: Lookup) -> Iterator[tuple[str, object]]:
    yield f"texts_{place}", list(lookup.texts)
    yield f"phrases_{place}", list(lookup.phrases)
    for test, grams in enumerate(lookup.grams):
        yield f"texts_gram_{place}_{test}", [grams.text]
        yield f"phrases_gram_{place}_{test}", [grams.phrase]
    for name, tokens in _lists(place, lookup):
        yield from ((f"{name}_{rank}", token) for rank, token in enumerate(tokens[:_OWN_LISTS]))
        yield f"{name}_more", list(tokens[_OWN_LISTS:])


def _lists(place: str, lookup: Lookup) -> Iterator[tuple[str, tuple[str, ...]]]:
    """All lists of words that pieces of a lookup may name."""
    for test, words in enumerate(lookup.words):
        yield f"word_{place}_{test}", words.tokens
    for test, grams in enumerate(lookup.grams):
        name = f"gram_{place}_{test}"
        yield name, grams.listed.tokens
        yield f"{name}_among", grams.among.tokens
        yield f"{name}_middle", grams.middle.tokens
        yield f"{name}_left", grams.left.tokens
        yield f"{name}_right", grams.right.tokens
        yield f"{name}_left_rare", grams.left.rare
        yield f"{name}_right_rare", grams.right.rare

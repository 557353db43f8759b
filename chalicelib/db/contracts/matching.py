"""The rows of a scope, as a condition on their facts and as a sorted list of their numbers.

Lists of words and of facts meet in a list: `&` and `|` of intarray pass over a million numbers in milliseconds. So rows
with a word alone are counted and sliced without a look at a single fact, and days are slices, for rows are numbered by
them.
"""

from __future__ import annotations

from collections.abc import Iterator

from psycopg2 import sql

from chalicelib.db.contracts.fragments import all_of, any_of, fragment, joined, placeholder
from chalicelib.db.contracts.scope import Lookup, Scope

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
    return joined([_keyword(scope, place, within) for place in range(len(scope.keywords))], "|")


def _keyword(scope: Scope, place: int, within: sql.Composable | None) -> sql.Composable:
    lookup = scope.keywords[place]
    lists = [_word_rows(scope, lookup, place, test) for test in range(len(lookup.words))]
    candidates = [*([] if within is None else [within]), *lists]
    if not lookup.texts:
        return joined(candidates, "&")
    patterns = placeholder(f"texts_{place}")
    if not candidates:
        return fragment("text_rows_of_all", scope.version, patterns=patterns)
    return fragment("text_rows", scope.version, candidates=joined(candidates, "&"), patterns=patterns)


def _word_rows(scope: Scope, lookup: Lookup, place: int, test: int) -> sql.Composable:
    tokens = lookup.words[test].tokens
    lists: list[sql.Composable] = [
        fragment("word_rows", scope.version, token=placeholder(f"word_{place}_{test}_{rank}"))
        for rank in range(min(len(tokens), _OWN_LISTS))
    ]
    if len(tokens) > _OWN_LISTS:
        lists.append(fragment("more_word_rows", scope.version, tokens=placeholder(f"more_words_{place}_{test}")))
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
        yield f"texts_{place}", list(lookup.texts)
        for test, words in enumerate(lookup.words):
            for rank, token in enumerate(words.tokens[:_OWN_LISTS]):
                yield f"word_{place}_{test}_{rank}", token
            yield f"more_words_{place}_{test}", list(words.tokens[_OWN_LISTS:])

"""Statements of searches are made of pieces of our own, whatever a caller writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from psycopg2 import sql
from psycopg2.extras import RealDictCursor

import chalicelib.db.sql
from chalicelib.db.connect import Database
from chalicelib.db.contracts.entities import ContractEntities
from chalicelib.db.contracts.facets import ContractFacets
from chalicelib.db.contracts.fragments import FAMILIES
from chalicelib.db.contracts.harvest import ContractHarvest
from chalicelib.db.contracts.integrity import ContractIntegrity
from chalicelib.db.contracts.names import NameQuery
from chalicelib.db.contracts.search import ContractSearch
from chalicelib.errors import NotFound
from chalicelib.search.entities import EntityFilter
from chalicelib.search.facets import FacetRequest
from chalicelib.search.filters import Filters, check
from chalicelib.search.harvest import Cursor, HarvestRequest, fingerprint
from chalicelib.search.names import NameField, NameOrder, entity_id
from chalicelib.search.paging import DIMENSIONS, Page
from tests.db.contracts.asking.conftest import Library
from tests.db.contracts.asking.wishes import dimensions, group_orders, orders, pages, wishes

PIECES = [Path(chalicelib.db.sql.__file__).parent / "queries" / f"{family}.sql" for family in FAMILIES]
TOKEN = re.compile(r"[^\W\d]+|[^\w\s]")
# What is put into the pieces of the files: tables, columns, values by name, directions and what joins pieces.
OURS = {
    *('"', "f", "t", "contracts_v", "contract_number", "award_title", "notice_title", "award_date", "amount"),
    *("item_", "low_", "high_", "beyond_", "word_", "gram_", "texts_", "phrases_", "_", "_more", "_not_"),
    *("_phrases", "_not", "_not_phrases", "_among", "_middle", "texts_gram_", "phrases_gram_", "UNION"),
    *(
        f"_{side}_{end}"
        for side in ("left", "right", "left_rare", "right_rare", "among", "middle")
        for end in ("", "more")
    ),
    *("AND", "OR", "&", "|", "COLLATE", "C", "DESC", "ASC", "NULLS", "LAST", "id", "double", "precision", "/"),
    *("dates", "page", "year", "MATERIALIZED", "NOT"),
    *DIMENSIONS,
}
# Which no piece has.
LETTER = "ŧ"
dangerous = st.text(alphabet=f"a%_\\'\";-)(&{{}}$:{LETTER}", max_size=12).map(lambda text: f"{text}{LETTER}'; DROP")
texts = st.lists(dangerous, max_size=3).map(tuple)
quoted = dangerous.map(lambda text: '"' + text.replace('"', '""') + '"')
extended_texts = st.lists(
    st.builds(lambda wanted, others: " && -".join([wanted, *others]), quoted, st.lists(quoted, max_size=2)), max_size=2
).map(tuple)


class Recorder(RealDictCursor):
    """Keeps statements as they are before values are put in."""

    statements: list[str] = []  # noqa: RUF012 - of all such cursors

    def execute(self, query: Any, vars: Any = None) -> None:
        self.statements.append(query.as_string(self) if isinstance(query, sql.Composable) else query)
        super().execute(query, vars)


class RecordedDatabase(Database):
    """A database that keeps statements."""

    @contextmanager
    def transaction(self) -> Iterator[RealDictCursor]:
        with super().transaction() as cursor, cursor.connection.cursor(cursor_factory=Recorder) as recorder:
            yield recorder


def statements_of(library: Library, filters: Filters, data: st.DataObject) -> list[str]:
    """The statements of all questions with these filters, in any order and of any page."""
    part, order = data.draw(pages), data.draw(orders)
    dimension, group_order = data.draw(dimensions), data.draw(group_orders)
    version = library.many.version
    Recorder.statements.clear()
    with closing(RecordedDatabase(library.dsn)) as database:
        search, integrity = ContractSearch(database), ContractIntegrity(database)
        search.page(version, filters, part, order)
        search.series(version, filters, 5)
        search.table(version, filters, dimension, part, group_order)
        integrity.benford(version, filters)
        integrity.rounding(version, filters)
        integrity.value_distribution(version, filters, 10)
        ContractFacets(database).facets(version, FacetRequest(**structs.asdict(filters), size=5))
        harvest, request = ContractHarvest(database), HarvestRequest(**structs.asdict(filters), page_size=1)
        harvest.first(version, request)
        harvest.next(Cursor(version, 9, 9, fingerprint(filters)), request)
        ask_about_names(ContractEntities(database), version, filters, data)
    return list(Recorder.statements)


def ask_about_names(entities: ContractEntities, version: int, filters: Filters, data: st.DataObject) -> None:
    """All questions about names, with the texts of the filters for names and within their times."""
    said = [*filters.contractors, *filters.areas, *filters.keywords, "x"]
    times = Filters(time_ranges=filters.time_ranges)
    dimension, text = data.draw(dimensions), data.draw(st.sampled_from(said))
    order = data.draw(st.builds(NameOrder, st.sampled_from(get_args(NameField)), st.booleans()))
    query = NameQuery(dimension=dimension, order=order, page=data.draw(pages), text=text, word=said[0])
    exact = EntityFilter(dim=dimension, value=text)
    entities.names(version, query, times)
    entities.related(version, exact, query, times)
    entities.contracts(version, [exact, exact], times, query.page, data.draw(orders))
    entities.months(version)
    with suppress(NotFound):
        entities.profile(version, dimension, text)
    found, _ = entities.names(version, NameQuery(dimension=dimension, order=order, page=Page(1, 1)), Filters())
    entities.profile(version, dimension, entity_id(found[0].name))


@settings(max_examples=60, deadline=None)
@given(
    filters=st.builds(
        Filters, contractors=texts, areas=texts, organizations=texts, business_categories=texts, keywords=texts
    ),
    data=st.data(),
)
def test_no_text_of_a_caller_is_in_a_statement(library: Library, filters: Filters, data: st.DataObject) -> None:
    statements = statements_of(library, filters, data)
    assert statements
    assert [text for text in statements if LETTER in text or "DROP" in text] == []


@settings(max_examples=60, deadline=None)
@given(
    filters=st.builds(
        Filters,
        contractors=extended_texts,
        areas=extended_texts,
        organizations=extended_texts,
        business_categories=extended_texts,
        keywords=extended_texts,
        syntax=st.just("extended"),
    ),
    data=st.data(),
)
def test_no_phrase_of_a_caller_is_in_a_statement(library: Library, filters: Filters, data: st.DataObject) -> None:
    assert check(filters) == []
    statements = statements_of(library, filters, data)
    assert statements
    assert [text for text in statements if LETTER in text or "DROP" in text] == []


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_statement_has_no_word_that_is_not_ours(library: Library, data: st.DataObject) -> None:
    known = {token for file in PIECES for token in TOKEN.findall(file.read_text("utf-8"))} | OURS
    statements = statements_of(library, data.draw(wishes(library.many.awards)), data)
    assert {token for text in statements for token in TOKEN.findall(text)} - known == set()

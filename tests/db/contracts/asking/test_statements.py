"""Statements of searches are made of pieces of our own, whatever a caller writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg2 import sql
from psycopg2.extras import RealDictCursor

import chalicelib.db.sql
from chalicelib.db.connect import Database
from chalicelib.db.contracts.integrity import ContractIntegrity
from chalicelib.db.contracts.search import ContractSearch
from chalicelib.search.filters import Filters
from chalicelib.search.paging import DIMENSIONS
from tests.db.contracts.asking.conftest import Library
from tests.db.contracts.asking.wishes import dimensions, group_orders, orders, pages, wishes

PIECES = Path(chalicelib.db.sql.__file__).parent / "queries" / "contracts_search.sql"
TOKEN = re.compile(r"[^\W\d]+|[^\w\s]")
# What is put into the pieces of the file: tables, columns, values by name, directions and what joins pieces.
OURS = {
    *('"', "f", "t", "contracts_v", "contract_number", "award_title", "notice_title", "award_date", "amount"),
    *("item_", "low_", "high_", "beyond_", "word_", "more_words_", "texts_", "_"),
    *("AND", "OR", "&", "|", "COLLATE", "C", "DESC", "ASC", "NULLS", "LAST", "id", "double", "precision", "/"),
    *DIMENSIONS,
}
# Which no piece has.
LETTER = "ŧ"
dangerous = st.text(alphabet=f"a%_\\'\";-)(&{{}}$:{LETTER}", max_size=12).map(lambda text: f"{text}{LETTER}'; DROP")
texts = st.lists(dangerous, max_size=3).map(tuple)


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
    return list(Recorder.statements)


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


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_statement_has_no_word_that_is_not_ours(library: Library, data: st.DataObject) -> None:
    known = {*TOKEN.findall(PIECES.read_text("utf-8")), *OURS}
    statements = statements_of(library, data.draw(wishes(library.many.awards)), data)
    assert {token for text in statements for token in TOKEN.findall(text)} - known == set()

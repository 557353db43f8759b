"""What is new in a version, held against a look at every row of two of them; on a real Postgres."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from bench.contract_rows import rows
from chalicelib.db.connect import Database
from chalicelib.db.contracts.new_matches import SHOWN, NewMatches
from chalicelib.db.contracts.versions import Versions
from chalicelib.search.filters import Filters
from chalicelib.search.paging import Order, Page
from chalicelib.search.result import Contract
from localstack.run import LocalStack
from tests.db.conftest import new_database
from tests.db.contracts import oracle
from tests.db.contracts.asking.wishes import wishes
from tests.db.contracts.loading import begin, load_rows, load_text
from tests.db.test_database import query

Row = Mapping[str, str]
EVERYTHING = Page(1, 10_000)
HEADER = "contract_number,contract_amount,awardee_name,award_date,award_title\n"


def later(before: list[dict[str, str]], seed: int) -> list[dict[str, str]]:
    """The rows as a portal publishes them some time after: in another order, some gone, changed, told again, or new."""
    chance = random.Random(seed)
    after: list[dict[str, str]] = []
    for row in before:
        lot = chance.random()
        if lot < 0.1:
            continue
        after.append(dict(row))
        if lot < 0.2:
            after.append(dict(row))
        elif lot < 0.3:
            field = chance.choice([name for name in row if name != "contract_amount"])
            after[-1][field] = chance.choice(before)[field]
        elif lot < 0.4:
            after[-1]["contract_amount"] = str(chance.randrange(1, 10_000))
    after += [dict(row) for row in rows(60, seed + 1)]
    chance.shuffle(after)
    return after


@dataclass(frozen=True)
class Pair:
    """Two versions; their awards are not shown where a test fails."""

    new: NewMatches
    version: int
    awards: tuple[list[oracle.Award], list[oracle.Award]]

    def __repr__(self) -> str:
        return f"Pair({self.version})"


@pytest.fixture(scope="module")
def pair(stack: LocalStack) -> Iterator[Pair]:
    before = [dict(row) for row in rows(600, 6)]
    after = later(before, 11)
    with new_database(stack) as dsn, closing(Database(dsn)) as database:
        load_rows(dsn, before)
        version = load_rows(dsn, after)
        new = NewMatches(database)
        assert new.compare(version)
        yield Pair(new, version, (oracle.read(before), oracle.read(after)))


def content(contract: Contract) -> Any:  # whatever its fields are
    return structs.astuple(structs.replace(contract, id=0))


def expected(pair: Pair, filters: Filters) -> list[Contract]:
    """By a look at every row: what fits in the newer version and did not in the older one, or not as often."""
    older, newer = (oracle.page(awards, filters, EVERYTHING, Order())[0] for awards in pair.awards)
    left = Counter(map(content, older))
    found = []
    for contract in newer:
        if left[content(contract)]:
            left[content(contract)] -= 1
        else:
            found.append(contract)
    return found


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_new_rows_are_those_of_a_look_at_every_row(pair: Pair, data: st.DataObject) -> None:
    filters = data.draw(wishes(pair.awards[1]))
    found, wanted = pair.new.find(pair.version, filters, knows_none=False), expected(pair, filters)
    assert (found.base_version, found.matches) == (pair.version - 1, len(wanted))
    assert found.rows == wanted[:SHOWN]


def test_there_is_much_that_is_new_and_much_that_is_not(pair: Pair) -> None:
    new = len(expected(pair, Filters()))
    assert pair.new.find(pair.version, Filters(), knows_none=False).matches == new
    assert 150 < new < len(pair.awards[1]) - 150


def test_who_knows_no_version_finds_all_that_fits(pair: Pair) -> None:
    filters = Filters(business_categories=("construction",))
    wanted, count = oracle.page(pair.awards[1], filters, EVERYTHING, Order())
    found = pair.new.find(pair.version, filters, knows_none=True)
    assert (found.base_version, found.matches, found.rows) == (0, count, wanted[:SHOWN])
    assert count > SHOWN


def load(dsn: str, *lines: str) -> int:
    return load_text(dsn, HEADER + "\n".join(lines) + "\n")


@pytest.fixture
def new(database: Database) -> NewMatches:
    return NewMatches(database)


def matches(new: NewMatches, version: int) -> int:
    assert new.compare(version)
    return new.find(version, Filters(), knows_none=False).matches


def test_all_of_the_first_version_is_new(dsn: str, new: NewMatches) -> None:
    version = load(dsn, "1,1,Ann,2024-01-01,Road", "1,1,Ann,2024-01-01,Road")
    assert matches(new, version) == 2
    assert new.find(version, Filters(), knows_none=False).base_version == 0


def test_same_rows_in_another_order_are_not_new(dsn: str, new: NewMatches) -> None:
    one, two = "1,1,Ann,2024-01-01,Road", "2,1,Bob,2024-01-01,Road"
    load(dsn, one, two)
    assert matches(new, load(dsn, two, one)) == 0


@pytest.mark.parametrize(
    "changed",
    ["2,1,Ann,2024-01-01,Road", "1,2,Ann,2024-01-01,Road", "1,1,ann,2024-01-01,Road", "1,1,Ann,2024-01-02,Road",
     "1,1,Ann,,Road", "1,1,Ann,2024-01-01,road", "1,1,Ann,2024-01-01,", ",1,Ann,2024-01-01,Road"],
)  # fmt: skip
def test_row_that_says_anything_else_is_new(dsn: str, new: NewMatches, changed: str) -> None:
    load(dsn, "1,1,Ann,2024-01-01,Road")
    assert matches(new, load(dsn, changed)) == 1


def test_text_that_moves_from_one_column_to_the_next_is_new(dsn: str, new: NewMatches) -> None:
    header = "contract_amount,awardee_name,award_title,notice_title\n"
    load_text(dsn, header + '1,Ann,"a,b",c\n')
    assert matches(new, load_text(dsn, header + '1,Ann,a,"b,c"\n')) == 1


def test_row_that_stands_there_once_more_is_new_once(dsn: str, new: NewMatches) -> None:
    one = "1,1,Ann,2024-01-01,Road"
    load(dsn, one, one)
    assert matches(new, load(dsn, one, one, one)) == 1


def test_version_cannot_be_compared_once_it_or_the_one_before_has_gone(dsn: str, new: NewMatches) -> None:
    # Of three the first has gone: the second one is there, and what was new in it nobody can tell.
    versions = [load(dsn, f"{number},1,Ann,2024-01-01,Road") for number in range(3)]
    assert [new.compare(version) for version in (*versions, 99)] == [False, False, True, False]


def test_version_that_is_being_loaded_is_not_compared_and_one_that_failed_is_passed_over(
    dsn: str, new: NewMatches, database: Database
) -> None:
    load(dsn, "1,1,Ann,2024-01-01,Road")
    loading = begin(dsn)
    assert not new.compare(loading)
    Versions(database).abandon(loading)
    version = load(dsn, "1,1,Ann,2024-01-01,Road", "2,1,Ann,2024-01-01,Road")
    assert matches(new, version) == 1
    assert new.find(version, Filters(), knows_none=False).base_version == loading - 1


def test_version_is_compared_once(dsn: str, new: NewMatches) -> None:
    version = load(dsn, "1,1,Ann,2024-01-01,Road")
    assert [new.compare(version), new.compare(version)] == [True, True]
    assert query(dsn, f"SELECT base, rids FROM contracts_v{version}.fresh") == [(0, None)]
    assert (new.compared(0, version), new.compared(version, version)) == ([version], [])


def test_two_that_compare_a_version_at_once_do_it_once(dsn: str, new: NewMatches) -> None:
    load(dsn, "1,1,Ann,2024-01-01,Road")
    version, ready = load(dsn, *(f"{number},1,Ann,2024-01-01,Road" for number in range(1, 2_000))), Barrier(2)

    def compare() -> bool:
        with closing(Database(dsn)) as database:
            ready.wait(10)
            return NewMatches(database).compare(version)

    with ThreadPoolExecutor(2) as pool:
        answers = [future.result() for future in [pool.submit(compare) for _ in range(2)]]
    assert answers == [True, True]
    assert query(dsn, f"SELECT base, cardinality(rids) FROM contracts_v{version}.fresh") == [(version - 1, 1_998)]

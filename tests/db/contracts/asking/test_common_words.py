"""Words of many rows: what the load prepared for them is what looking at every row finds, and is what is read."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.db.connect import Database
from chalicelib.db.contracts.search import ContractSearch
from chalicelib.db.contracts.state import Sizes
from chalicelib.search.filters import Filters
from chalicelib.search.paging import Order, Page
from chalicelib.search.result import Series
from tests.db.contracts import oracle
from tests.db.contracts.asking.conftest import DataSet, Library
from tests.db.contracts.asking.wishes import wishes
from tests.db.contracts.loading import load_rows_in
from tests.db.test_database import query

NEWEST = Order()
FIELDS = ("contract_amount", "awardee_name", "award_date", "award_title", "organization_name")
SOURCE = [
    dict(zip(FIELDS, values, strict=True))
    for values in (
        ("100", "Ann", "2024-01-05", "Repair of the road", "City"),
        ("200", "Bob", "2024-01-31", "repair of roads", ""),
        ("400", "Ann", "2023-12-31", "Road of repair", "City"),
        ("800", "Cyd", "", "A broad river", "Cebu"),
        ("1600", "Dan", "2024-02-01", "Bridge", "Cebu"),
    )
]


def word_in(award: oracle.Award) -> st.SearchStrategy[str]:
    """A word of a title, or a part of one."""
    word = st.sampled_from(re.findall(r"[^\W_]+", award.text) or ["none"])
    part = st.builds(lambda text, cut: text[cut % len(text) :], word, st.integers(0, 3))
    return st.one_of(word, word, part)


def words_in(award: oracle.Award) -> st.SearchStrategy[str]:
    """Some of the words of a title that follow each other, of the first and the last one perhaps a part."""
    ends = [0, *(match.end() for match in re.finditer(" ", award.text)), len(award.text)]
    places = st.tuples(st.integers(0, len(ends) - 2), st.integers(1, 9), st.integers(0, 2), st.integers(0, 2))

    def cut(said: tuple[int, int, int, int]) -> str:
        first, count, before, behind = said
        last = ends[min(first + count, len(ends) - 1)]
        return award.text[ends[first] + before : last - behind]

    return places.map(cut)


def awards_of(chosen: DataSet) -> st.SearchStrategy[oracle.Award]:
    return st.integers(0, len(chosen.awards) - 1).map(lambda place: chosen.awards[place])


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_charts_of_a_word_are_what_looking_at_every_row_finds(
    library: Library, search: ContractSearch, data: st.DataObject
) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    filters = Filters(keywords=(data.draw(awards_of(chosen).flatmap(word_in)),))
    most = data.draw(st.integers(1, 30))
    assert search.series(chosen.version, filters, most) == oracle.series(chosen.awards, filters, most)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_rows_with_words_that_follow_each_other_are_what_looking_at_every_row_finds(
    library: Library, search: ContractSearch, data: st.DataObject
) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    texts = st.lists(awards_of(chosen).flatmap(words_in), min_size=1, max_size=2)
    item = st.lists(texts.map("&&".join), min_size=1, max_size=2).map(tuple)
    others = data.draw(st.one_of(st.just(Filters()), wishes(chosen.awards)))
    filters = Filters(keywords=data.draw(item), areas=others.areas, time_ranges=others.time_ranges)
    part = Page(data.draw(st.integers(1, 3)), 40)
    expected = oracle.page(chosen.awards, filters, part, NEWEST)
    assert search.page(chosen.version, filters, part, NEWEST) == expected


def test_data_sets_have_words_with_sums_n_grams_of_words_and_words_without(library: Library) -> None:
    for chosen in (library.many, library.awkward):
        schema = f"contracts_v{chosen.version}"
        ((summed, grams, rare),) = query(
            library.dsn,
            f"SELECT (SELECT count(*) FROM {schema}.summed), "
            f"(SELECT count(*) FROM {schema}.gram WHERE token LIKE '%% %% %%'), "
            f"(SELECT count(*) FROM {schema}.word WHERE NOT is_common)",
        )
        assert min(int(str(summed)), int(str(grams)), int(str(rare))) > 3


@pytest.fixture
def emptied(dsn: str) -> tuple[str, int]:
    """A version whose rows were taken away after its load: what is answered all the same was prepared."""
    return dsn, without_rows(dsn, SOURCE)


def without_rows(dsn: str, source: list[dict[str, str]]) -> int:
    version = load_rows_in(dsn, source, Sizes(common_rows=2, summed_rows=2, summed_names=2))
    for table in ("fact", "title"):
        query(dsn, f"DELETE FROM contracts_v{version}.{table} RETURNING 1")
    return version


def charts(emptied: tuple[str, int], filters: Filters, most: int) -> Series:
    dsn, version = emptied
    with closing(Database(dsn)) as database:
        return ContractSearch(database).series(version, filters, most)


def test_charts_of_a_common_word_need_no_row(emptied: tuple[str, int]) -> None:
    expected = oracle.series(oracle.read(SOURCE), Filters(keywords=("ROAD",)), 2)
    assert [(each.label, each.total_value) for each in expected.by_contractor] == [("Cyd", 800.0), ("Ann", 500.0)]
    assert charts(emptied, Filters(keywords=("ROAD",)), 2) == expected


@pytest.mark.parametrize(
    ("filters", "most"),
    [
        # More names than sums were kept of.
        (Filters(keywords=("road",)), 3),
        # Not a word, though rows with a word are all that have it.
        (Filters(keywords=("roa",)), 2),
        # Too few rows.
        (Filters(keywords=("river",)), 2),
        (Filters(keywords=("road", "river")), 2),
        (Filters(keywords=("road && repair",)), 2),
        (Filters(keywords=("road",), organizations=("city",)), 2),
        # As a whole word, and not beside another one.
        (Filters(keywords=('"road"',), syntax="extended"), 2),
        (Filters(keywords=("road && -river",), syntax="extended"), 2),
    ],
)
def test_other_charts_are_made_of_rows(emptied: tuple[str, int], filters: Filters, most: int) -> None:
    assert oracle.series(oracle.read(SOURCE), filters, most).summary[0].count > 0
    assert charts(emptied, filters, most).summary[0].count == 0


def test_common_words_that_follow_each_other_are_counted_without_a_look_into_titles(emptied: tuple[str, int]) -> None:
    dsn, version = emptied
    with closing(Database(dsn)) as database:
        search = ContractSearch(database)
        counts = {
            text: search.page(version, Filters(keywords=(text,)), Page(), NEWEST)[1]
            for text in ("repair of", "epair o", "of repair", "repair  of", "of the", "of roads")
        }
    # "of repair" is one row's, but "roads", "the" and what is behind two blanks can be seen in titles alone.
    assert counts == {"repair of": 2, "epair o": 2, "of repair": 1, "repair  of": 0, "of the": 0, "of roads": 0}


def test_any_number_of_common_words_that_follow_each_other_is_counted_so(dsn: str) -> None:
    titles = [*["Supply and delivery of steel pipes"] * 2, "Delivery of supply and steel of pipes", "Supply of steel"]
    version = without_rows(dsn, [SOURCE[0] | {"award_title": title} for title in titles])
    with closing(Database(dsn)) as database:
        search = ContractSearch(database)
        counts = {
            text: search.page(version, Filters(keywords=(text,)), Page(), NEWEST)[1]
            for text in (
                "supply and delivery of steel pipes",
                "ply and delivery of st",
                "supply and steel",
                "and supply",
            )
        }
    # "Supply and" and "and steel" are in three rows and one, so one row's title would have to be looked into.
    assert counts == {
        "supply and delivery of steel pipes": 2,
        "ply and delivery of st": 2,
        "supply and steel": 0,
        "and supply": 0,
    }

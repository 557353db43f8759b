"""What is in a version's tables: against the same worked out in plain Python from the rows."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import date
from decimal import Decimal

import pytest

from chalicelib.db.connect import Database, connect
from chalicelib.db.contracts.load import PHASES, Load
from chalicelib.db.contracts.session import Session
from chalicelib.db.contracts.state import Sizes
from chalicelib.db.contracts.versions import Counts, Versions
from chalicelib.errors import JobFailed
from chalicelib.jobs.context import Unwatched
from chalicelib.search.awards import Rejection
from tests.db.contracts.conftest import ROWS, Loaded
from tests.db.contracts.loading import award_file, begin, finish, load_rows, load_rows_in, load_text
from tests.db.test_database import query

HEADER = "contract_number,award_date,award_title,contract_amount,awardee_name,organization_name\n"
DIMENSIONS = {
    "contractor": "awardee_name",
    "organization": "organization_name",
    "area": "area_of_delivery",
    "category": "business_category",
}

Row = Mapping[str, str]
Sums = list[tuple[object, ...]]


def read(loaded: Loaded, text: str) -> list[tuple[object, ...]]:
    return query(loaded.dsn, text.format(schema=f"contracts_v{loaded.version}"))


def centavos(row: Row) -> int:
    return int(Decimal(row["contract_amount"]) * 100)


def day(row: Row) -> date | None:
    return date.fromisoformat(row["award_date"]) if row["award_date"] else None


def in_order(source: Iterable[Row]) -> list[Row]:
    """The rows as they are numbered: sorts that keep ties, from the least to the most important key."""
    found = sorted(source, key=centavos, reverse=True)
    found.sort(key=lambda row: row["award_date"], reverse=True)
    return found


def sums(source: Iterable[Row], key: Callable[[Row], tuple[object, ...]]) -> Sums:
    """Count and total by key."""
    groups: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for row in source:
        groups[key(row)].append(centavos(row))
    return [(*group, len(amounts), sum(amounts)) for group, amounts in groups.items()]


def text_of(row: Row) -> str:
    return f"{row['award_title']} {row['notice_title']}".lower()


def test_rows_are_numbered_by_date_then_amount_then_as_in_the_source(generated: Loaded) -> None:
    text = "SELECT rid, contract_number, award_title, notice_title, award_date, amount, search_text"
    found = read(generated, f"{text} FROM {{schema}}.fact JOIN {{schema}}.title USING (rid) ORDER BY rid")
    assert found == [
        (
            rid,
            None if row["contract_number"] == "0" else row["contract_number"],
            row["award_title"],
            row["notice_title"] or None,
            day(row),
            centavos(row),
            text_of(row),
        )
        for rid, row in enumerate(in_order(generated.rows), 1)
    ]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_names_are_numbered_in_the_order_of_their_folded_forms(generated: Loaded, dimension: str) -> None:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in generated.rows:
        if row[DIMENSIONS[dimension]]:
            found[row[DIMENSIONS[dimension]]].append(row)
    expected = []
    for place, name in enumerate(sorted(found, key=lambda name: (name.lower(), name)), 1):
        dates = sorted(row["award_date"] for row in found[name] if row["award_date"])
        first, last = (date.fromisoformat(dates[0]), date.fromisoformat(dates[-1])) if dates else (None, None)
        total = sum(map(centavos, found[name]))
        expected.append((place, name, name.lower(), len(found[name]), total, first, last))
    text = "SELECT id, name, folded, awards, total, first_date, last_date"
    assert read(generated, f"{text} FROM {{schema}}.{dimension} ORDER BY id") == expected


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_rows_have_the_numbers_of_their_names(generated: Loaded, dimension: str) -> None:
    join = f"FROM {{schema}}.fact LEFT JOIN {{schema}}.{dimension} AS names ON names.id = fact.{dimension}"
    found = read(generated, f"SELECT names.name {join} ORDER BY rid")
    assert found == [(row[DIMENSIONS[dimension]] or None,) for row in in_order(generated.rows)]


def test_words_have_the_rows_in_whose_titles_they_are(generated: Loaded) -> None:
    rids: defaultdict[str, list[int]] = defaultdict(list)
    for rid, row in enumerate(in_order(generated.rows), 1):
        for word in set(re.findall(r"[^\W_]+", text_of(row))):
            rids[word].append(rid)
    found = read(generated, "SELECT token, df, rids FROM {schema}.word")
    assert {token: rids for token, _, rids in found} == rids
    assert all(df == len(rids[str(token)]) for token, df, _ in found)


def test_words_are_common_from_so_many_rows_on(generated: Loaded) -> None:
    found = read(generated, "SELECT df, is_common FROM {schema}.word")
    assert {(df, is_common) for df, is_common in found} == {(df, int(str(df)) >= 50) for df, _ in found}
    assert len({is_common for _, is_common in found}) == 2


def test_n_grams_of_common_words_have_the_rows_in_which_these_follow_each_other(generated: Loaded) -> None:
    texts = [re.findall(r"[^\W_]+|[\W_]+", text_of(row)) for row in in_order(generated.rows)]
    counts = Counter(word for runs in texts for word in set(runs))
    rids: dict[tuple[str, ...], list[int]] = {}
    for count in range(2, 9):
        longer: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for rid, runs in enumerate(texts, 1):
            for found in {tuple(runs[first : first + 2 * count - 1]) for first in range(len(runs) - 2 * count + 2)}:
                if (
                    all(word.isalnum() and counts[word] >= 50 for word in found[::2])
                    and all(len(between) <= 3 for between in found[1::2])
                    and (count == 2 or all(len(rids.get(part, ())) >= 25 for part in (found[:-2], found[2:])))
                ):
                    longer[found].append(rid)
        rids |= longer
    listed = read(generated, "SELECT token, rids, is_common FROM {schema}.gram")
    expected = {"".join(found): (each, len(each) >= 25 and len(found) < 15) for found, each in rids.items()}
    assert {token: (each, is_common) for token, each, is_common in listed} == expected
    assert {len(found[::2]) for found in rids} > {2, 3, 4}
    assert read(generated, "SELECT count(*) FROM {schema}.gram WHERE df <> cardinality(rids)") == [(0,)]


def summed_rows(loaded: Loaded) -> dict[str, list[Row]]:
    """By the words that at least 200 rows have, the rows that have the word, or one that it is a part of."""
    words = [set(re.findall(r"[^\W_]+", text_of(row))) for row in loaded.rows]
    counts = Counter(word for each in words for word in each)
    return {
        word: [row for row, each in zip(loaded.rows, words, strict=True) if any(word in other for other in each)]
        for word, count in counts.items()
        if count >= 200
    }


def test_words_of_many_rows_have_sums_by_month(generated: Loaded) -> None:
    expected = {
        (word, *month)
        for word, source in summed_rows(generated).items()
        for month in sums(source, lambda row: (day(row) and date.fromisoformat(row["award_date"][:7] + "-01"),))
    }
    text = "SELECT token, month, awards, total FROM {schema}.summed_month JOIN {schema}.summed ON id = word"
    found = read(generated, text)
    assert set(found) == expected
    assert len(found) == len(expected) > 0


@pytest.mark.parametrize(("kind", "dimension"), list(enumerate(DIMENSIONS, 1)))
def test_words_of_many_rows_have_the_largest_sums_by_name(generated: Loaded, kind: int, dimension: str) -> None:
    column, expected = DIMENSIONS[dimension], {}
    for word, source in summed_rows(generated).items():
        named = sums((row for row in source if row[column]), lambda row: (row[column],))
        named.sort(key=lambda each: (-int(str(each[2])), str(each[0]).lower(), str(each[0])))
        expected[word] = named[:30]
    text = (
        "SELECT token, name, s.awards, s.total FROM {schema}.summed_name AS s JOIN {schema}.summed ON summed.id = word "
        f"JOIN {{schema}}.{dimension} AS names ON names.id = s.id WHERE kind = {kind} "
        "ORDER BY s.total DESC, s.id"
    )
    found: defaultdict[object, Sums] = defaultdict(list)
    for token, *group in read(generated, text):
        found[token].append(tuple(group))
    assert found == expected


def test_months_are_sums_of_all_rows(generated: Loaded) -> None:
    expected = sums(generated.rows, lambda row: (day(row) and date.fromisoformat(row["award_date"][:7] + "-01"),))
    assert set(read(generated, "SELECT * FROM {schema}.month")) == set(expected)


@pytest.mark.parametrize(("kind", "dimension"), list(enumerate(DIMENSIONS, 1)))
def test_years_of_names_are_sums_too(generated: Loaded, kind: int, dimension: str) -> None:
    column = DIMENSIONS[dimension]
    expected = sums(generated.rows, lambda row: (row[column] or None, int(row["award_date"][:4] or 0) or None))
    text = "SELECT name, year, y.awards, y.total FROM {schema}.entity_year AS y "
    found = read(generated, f"{text} LEFT JOIN {{schema}}.{dimension} AS names USING (id) WHERE kind = {kind}")
    assert len(found) == len(expected)
    assert set(found) == set(expected)


def test_version_has_the_tables_that_are_read_and_no_others(generated: Loaded) -> None:
    found = read(
        generated,
        "SELECT relname, relpersistence FROM pg_class WHERE relkind = 'r' AND relnamespace = '{schema}'::regnamespace",
    )
    names = "area category contractor entity_year fact gram month organization rejection summed summed_month"
    # p: kept in a crash.
    assert sorted(found) == [(name, "p") for name in [*names.split(), "summed_name", "title", "word"]]
    assert read(generated, "SELECT proname FROM pg_proc WHERE pronamespace = '{schema}'::regnamespace") == [("total",)]


@pytest.mark.parametrize("table", ["word", "gram"])
def test_rows_of_a_word_are_stored_so_that_a_part_can_be_read_without_the_rest(generated: Loaded, table: str) -> None:
    text = f"SELECT attstorage FROM pg_attribute WHERE attrelid = '{{schema}}.{table}'::regclass AND attname = 'rids'"
    assert read(generated, text) == [("e",)]


def test_scans_of_an_index_need_not_look_at_the_rows(generated: Loaded) -> None:
    text = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = '{schema}'::regnamespace"
    assert read(generated, f"{text} AND relallvisible < relpages") == []
    plan = "EXPLAIN (ANALYZE, COSTS OFF, FORMAT JSON) SELECT sum(amount) FROM {schema}.fact WHERE area = 1"
    with closing(connect(generated.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        cursor.execute(plan.format(schema=f"contracts_v{generated.version}"))
        assert '"Heap Fetches": 0' in str(cursor.fetchall()).replace("'", '"')


def test_counts_add_up(generated: Loaded) -> None:
    with closing(Database(generated.dsn)) as database:
        counts = Versions(database).counts(generated.version)
    assert counts == Counts(rows_read=ROWS, rows_loaded=ROWS, rows_rejected=0)


def test_load_in_small_parts_is_the_same(dsn: str, generated: Loaded) -> None:
    source = generated.rows[:300]
    common = {"common_rows": 10, "summed_rows": 20, "summed_names": 5}
    whole = Loaded(dsn, load_rows_in(dsn, source, Sizes(**common)), source)
    sizes = Sizes(batch_rows=7, part_batches=3, range_rows=11, **common)
    parts = Loaded(dsn, load_rows_in(dsn, source, sizes), source)
    lists = ("word", "gram", "summed", "summed_month", "summed_name")
    for table in (*DIMENSIONS, "fact", "title", "month", "entity_year", *lists):
        tables = [read(one, f"SELECT t::text FROM {{schema}}.{table} AS t ORDER BY 1") for one in (whole, parts)]
        assert tables[0] == tables[1]
        assert tables[0]


def test_rows_that_are_rejected_are_kept_with_their_lines(dsn: str) -> None:
    text = HEADER + '1,2024-01-01,A,5,Ann,\n2,,B,0,Ann,\n3,,"C\n\nc",7,,City\n4,,D,8,Bob,City\n5,never,E,8,Bob,City\n'
    version = load_text(dsn, text)
    with closing(Database(dsn)) as database:
        versions = Versions(database)
        assert versions.counts(version) == Counts(rows_read=5, rows_loaded=2, rows_rejected=3)
        rejections = [
            Rejection(3, "amount", "0", "must be at least 0.01, got 0"),
            Rejection(4, "awardee", "", "must not be blank"),
            Rejection(8, "award_date", "never", "must be a date such as 2024-12-31 or 31/12/2024"),
        ]
        assert list(versions.rejections(version)) == rejections
        assert list(versions.rejections(version, 2)) == rejections[:2]
    assert query(dsn, f"SELECT name, awards FROM contracts_v{version}.organization") == [("City", 1)]


TEXTS = [
    "\\.",
    "a\n\\.\nb",
    "a\rb",
    '"',
    "'",
    "\\N",
    "\t",
    "{a,b}",
    "NULL NULL",
    "İstanbul ẞ",
    "a\0b",
    "\U0001f6a7",
    "%(x)s",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_arrives_as_it_was_sent(dsn: str, text: str) -> None:
    row = {"contract_amount": "1", "awardee_name": f"a{text}b", "award_title": f"a{text}b"}
    version = load_rows(dsn, [row])
    kept = f"a{text}b".replace("\0", "\ufffd")
    found = query(dsn, f"SELECT award_title, search_text FROM contracts_v{version}.title")
    assert found == [(kept, kept.lower() + " ")]
    assert query(dsn, f"SELECT name, folded FROM contracts_v{version}.contractor") == [(kept, kept.lower())]


@pytest.mark.parametrize("text", [HEADER, HEADER + "1,,A,0,Ann,\n"])
def test_source_of_which_nothing_can_be_loaded_is_refused(dsn: str, text: str) -> None:
    version = begin(dsn)
    with pytest.raises(JobFailed, match=r"of \d rows none can be loaded"):
        finish(dsn, version, text)


def test_rows_that_got_lost_on_the_way_keep_a_version_from_being_published(dsn: str) -> None:
    version = begin(dsn)
    text = HEADER + "1,,A,1,Ann,\n2,,B,0,Bob,\n3,,C,3,Cyd,\n"
    finish(dsn, version, text, until="publish")
    query(dsn, f"DELETE FROM contracts_v{version}.fact WHERE rid = 1 RETURNING 1")
    with pytest.raises(JobFailed, match="of 3 rows 1 were loaded and 1 rejected"):
        finish(dsn, version, text)
    assert query(dsn, "SELECT state FROM contract_versions") == [("loading",)]


class Noted(Unwatched):
    """Keeps what was told."""

    def __init__(self) -> None:
        super().__init__(None, "")
        self.told: list[tuple[float, str]] = []

    def __call__(self, fraction: float, stage: str) -> None:
        self.told.append((fraction, stage))


def test_progress_goes_forward_alone_and_names_what_is_done(dsn: str) -> None:
    text = HEADER + "".join(f"{n},2024-01-01,Title {n},1,Acme,City\n" for n in range(50))
    version, noted = begin(dsn), Noted()
    with closing(Session(dsn, noted)) as session:
        load = Load(session, version, Sizes(batch_rows=5, part_batches=2, range_rows=10))
        for phase in PHASES:
            while not load.run(phase, award_file(text)):
                pass
    fractions = [fraction for fraction, _ in noted.told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert 0.9 < fractions[-1] < 1
    assert len({stage for _, stage in noted.told}) == len(PHASES)

"""Awards that a source tells of more than once are loaded once, wherever in it they stand."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from chalicelib.db.connect import Database
from chalicelib.db.contracts.load import PHASES, Load
from chalicelib.db.contracts.session import Session
from chalicelib.db.contracts.state import Sizes
from chalicelib.db.contracts.versions import Counts, Versions
from chalicelib.jobs.context import Unwatched
from chalicelib.search.awards import Rejection
from chalicelib.search.formats import open_source
from chalicelib.search.source import Source
from tests.db.contracts.loading import begin
from tests.db.test_database import query

HEADER = "Line Item No,Award Reference No.,Award Title,Award Date,Contract Amount,Awardee,Procuring Entity\n"
TITLES = "SELECT award_title, amount FROM contracts_v{0}.fact JOIN contracts_v{0}.title USING (rid) ORDER BY rid"


def source(content: str | bytes) -> Source:
    raw = content.encode() if isinstance(content, str) else content
    return open_source(lambda byte: io.BytesIO(raw[byte:]), len(raw))


def load(dsn: str, content: str | bytes, *, sizes: Sizes | None = None) -> int:
    """The version that the file is now; every part of the load is done by a process of its own."""
    version = begin(dsn)
    for phase in PHASES:
        is_done = False
        while not is_done:
            with closing(Session(dsn, Unwatched(None, ""))) as session:
                is_done = Load(session, version, sizes).run(phase, source(content))
    return version


def outcome(dsn: str, version: int) -> tuple[Counts, list[Rejection]]:
    with closing(Database(dsn)) as database:
        versions = Versions(database)
        return versions.counts(version), list(versions.rejections(version))


def test_award_of_several_items_is_loaded_once_and_its_other_rows_are_named(dsn: str) -> None:
    text = (
        HEADER
        + "1,501,Paper,2024-02-01,5000,Ann,City\n"
        + "2,501,Paper,01/02/2024,5000.00,Ann,City\n"
        + "1,502,Pens,2024-02-01,70,Bob,City\n"
        + "2,502,Pens,2024-02-01,0,Bob,City\n"
        + "3,501,Paper,2024-02-01,5000,Ann,City\n"
        + "1,,Ink,2024-01-01,9,Cyd,City\n"
    )
    version = load(dsn, text)
    counts, rejections = outcome(dsn, version)
    assert counts == Counts(rows_read=6, rows_loaded=3, rows_rejected=3)
    assert rejections == [
        Rejection(3, "", "501", "is another item of the award on line 2"),
        Rejection(5, "amount", "0", "must be at least 0.01, got 0"),
        Rejection(6, "", "501", "is another item of the award on line 2"),
    ]
    assert query(dsn, TITLES.format(version)) == [("Paper", 500_000), ("Pens", 7_000), ("Ink", 900)]
    assert query(dsn, f"SELECT name, awards, total FROM contracts_v{version}.contractor ORDER BY id") == [
        ("Ann", 1, 500_000),
        ("Bob", 1, 7_000),
        ("Cyd", 1, 900),
    ]


def test_items_far_apart_are_found_whatever_the_batches(dsn: str) -> None:
    # Seven awards, whose items come round again and again.
    text = HEADER + "".join(
        f"{n},{n % 7},Title {n % 7},2024-01-0{n % 7 + 1},{n % 7 + 1},Ann,City\n" for n in range(200)
    )
    version = load(dsn, text, sizes=Sizes(batch_rows=3, part_batches=2))
    counts, rejections = outcome(dsn, version)
    assert counts == Counts(rows_read=200, rows_loaded=7, rows_rejected=193)
    assert Counter(rejection.reason for rejection in rejections) == Counter(
        f"is another item of the award on line {n % 7 + 2}" for n in range(7, 200)
    )
    assert [rejection.line for rejection in rejections] == list(range(9, 202))
    assert query(dsn, f"SELECT sum(amount)::bigint FROM contracts_v{version}.fact") == [(2800,)]


def test_equal_rows_of_a_file_without_items_are_all_loaded(dsn: str) -> None:
    text = HEADER.replace("Line Item No", "Lot") + "1,501,Paper,2024-02-01,5000,Ann,City\n" * 3
    counts, _ = outcome(dsn, load(dsn, text))
    assert counts == Counts(rows_read=3, rows_loaded=3, rows_rejected=0)


def release(ocid: str, day: str, title: str, amount: float, **award: object) -> dict[str, Any]:
    values = {"id": "1", "title": title, "value": {"amount": amount}, "suppliers": [{"name": "Ann"}]}
    return {"ocid": ocid, "date": day, "awards": [values | award]}


RELEASES = [
    release("a", "2024-01-02", "Amended", 200),
    release("b", "2024-01-01", "Other process", 900),
    release("a", "2024-01-01", "First", 100),
    {"ocid": "a", "date": "2024-01-03", "awards": [{"id": "1", "status": "active"}]},
    release("c", "2024-01-01", "Given up", 50),
    release("c", "2024-01-02", "Given up", 50, status="cancelled"),
    release("d", "2024-01-02", "Given up first", 40, status="unsuccessful"),
    release("d", "2024-01-03", "Given again", 40),
    release("e", "2024-01-01", "One day", 30),
    release("e", "2024-01-01", "Same day", 31),
]
WRITTEN: dict[str, Callable[[Any], str]] = {
    "line": lambda releases: "".join(json.dumps(each) + "\n" for each in releases),
    "number": lambda releases: json.dumps({"releases": releases}, indent=1),
}


@pytest.mark.parametrize("sizes", [None, Sizes(batch_rows=2, part_batches=1)], ids=["at once", "in parts"])
@pytest.mark.parametrize("place", WRITTEN)
def test_of_the_releases_that_tell_of_an_award_the_latest_counts(dsn: str, place: str, sizes: Sizes | None) -> None:
    version = load(dsn, WRITTEN[place](RELEASES), sizes=sizes)
    again = f"is told of again by the later release {'on line' if place == 'line' else place}"
    counts, rejections = outcome(dsn, version)
    assert counts == Counts(rows_read=10, rows_loaded=4, rows_rejected=6)
    assert [(rejection.line, rejection.reason) for rejection in rejections] == [
        (3, f"{again} 1"),
        (4, "must not be blank"),
        (5, f"{again} 6"),
        (6, "must be an award that holds, but its status is cancelled"),
        (7, "must be an award that holds, but its status is unsuccessful"),
        (9, f"{again} 10"),
    ]
    assert query(dsn, TITLES.format(version)) == [
        ("Other process", 90_000),
        ("Amended", 20_000),
        ("Given again", 4_000),
        ("Same day", 3_100),
    ]


def test_batch_that_ends_within_a_release_takes_all_of_it(dsn: str) -> None:
    awards = [{"value": {"amount": amount}, "suppliers": [{"name": "Ann"}]} for amount in (1, 2, 0, 4, 5)]
    releases = [{"ocid": f"o{n}", "awards": awards[n:]} for n in range(5)]
    version = load(dsn, WRITTEN["line"](releases), sizes=Sizes(batch_rows=2, part_batches=1))
    counts, _ = outcome(dsn, version)
    assert counts == Counts(rows_read=15, rows_loaded=12, rows_rejected=3)
    amounts = query(dsn, f"SELECT amount / 100, count(*) FROM contracts_v{version}.fact GROUP BY 1 ORDER BY 1")
    assert amounts == [(1, 1), (2, 2), (4, 4), (5, 5)]

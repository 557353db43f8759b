"""How one version takes another's place."""

from __future__ import annotations

from contextlib import closing

import pytest

from chalicelib.db.connect import connect
from chalicelib.db.contracts.versions import Versions
from chalicelib.errors import JobFailed
from tests.db.contracts.loading import FOUR, ONE, SCHEMAS, STATES, begin, finish, load_text
from tests.db.test_database import query


def test_database_that_nothing_was_loaded_into_has_no_current_version(versions: Versions) -> None:
    assert versions.current() is None


def test_version_is_current_when_it_is_published_and_not_before(dsn: str, versions: Versions) -> None:
    version = begin(dsn)
    finish(dsn, version, ONE, until="publish")
    assert versions.current() is None
    finish(dsn, version, ONE)
    assert versions.current() == version


def test_version_before_the_current_one_is_kept_and_older_ones_are_dropped(dsn: str, versions: Versions) -> None:
    numbers = [load_text(dsn, ONE) for _ in range(4)]
    assert versions.current() == numbers[3]
    assert query(dsn, STATES) == [(1, "old"), (2, "old"), (3, "old"), (4, "current")]
    assert query(dsn, SCHEMAS) == [("contracts_v3",), ("contracts_v4",)]


def test_reader_of_the_version_before_is_not_disturbed(dsn: str) -> None:
    first = load_text(dsn, ONE)
    count = f"SELECT count(*) FROM contracts_v{first}.fact"
    with closing(connect(dsn)) as connection, connection.cursor() as reader:
        reader.execute(count)
        second = load_text(dsn, FOUR)
        reader.execute(count)
        assert reader.fetchall() == [(1,)]
        reader.execute("SELECT id FROM contract_versions WHERE state = 'current'")
        assert reader.fetchall() == [(second,)]


def test_version_that_is_being_read_is_dropped_later(dsn: str) -> None:
    first = load_text(dsn, ONE)
    with closing(connect(dsn)) as connection, connection.cursor() as reader:
        reader.execute(f"SELECT count(*) FROM contracts_v{first}.fact")
        load_text(dsn, ONE)
        load_text(dsn, ONE)
        assert query(dsn, SCHEMAS) == [("contracts_v1",), ("contracts_v2",), ("contracts_v3",)]
    load_text(dsn, ONE)
    assert query(dsn, SCHEMAS) == [("contracts_v3",), ("contracts_v4",)]


def test_load_that_was_begun_earlier_does_not_take_the_place_of_a_later_one(dsn: str, versions: Versions) -> None:
    earlier, later = begin(dsn), begin(dsn)
    finish(dsn, later, FOUR)
    with pytest.raises(JobFailed, match="version 2 of the contracts, which was begun later, is there already"):
        finish(dsn, earlier, ONE)
    assert versions.current() == later


def test_version_that_was_published_cannot_be_given_up(dsn: str, versions: Versions) -> None:
    version = load_text(dsn, ONE)
    assert not versions.abandon(version)
    assert versions.current() == version
    assert query(dsn, f"SELECT count(*) FROM contracts_v{version}.fact") == [(1,)]

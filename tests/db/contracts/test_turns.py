"""Searches at the same time: so many at once as there are turns, the others one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import pytest

from chalicelib.db.connect import Database, Turns
from chalicelib.db.contracts.scope import reading
from chalicelib.db.contracts.session import Session
from chalicelib.errors import JobFailed, Unavailable
from chalicelib.jobs.context import Unwatched
from tests.db.contracts.conftest import Loaded
from tests.db.test_database import query

ONE = "SELECT 1 AS one"
# Which names the locks of searches in every database of Sluice.
GATE = 5_040_002


@dataclass
class Crowd:
    """Two that search, and a third who asks."""

    data: Loaded
    searching: list[ExitStack]
    askers: ThreadPoolExecutor
    answered: list[str] = field(default_factory=list)

    def ask(self, turns: Turns, name: str = "asker") -> Future[int]:
        return self.askers.submit(self._ask, turns, name)

    def has_in_line(self, count: int) -> bool:
        """Whether so many wait: the first of them has the gate, the others wait for it."""
        ((found,),) = query(
            self.data.dsn,
            f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = {GATE} AND objid = 0",
        )
        return int(str(found)) == count

    def _ask(self, turns: Turns, name: str) -> int:
        with closing(Database(self.data.dsn, turns)) as database, reading(database, self.data.version) as cursor:
            self.answered.append(name)
            cursor.execute(ONE)
            return int(cursor.fetchall()[0]["one"])


@pytest.fixture
def crowd(generated: Loaded) -> Iterator[Crowd]:
    with ThreadPoolExecutor(3) as askers, ExitStack() as stack:
        searching = []
        for _ in range(2):
            database = stack.enter_context(closing(Database(generated.dsn, Turns(2))))
            searching.append(stack.enter_context(ExitStack()))
            searching[-1].enter_context(reading(database, generated.version))
        yield Crowd(generated, searching, askers)


def test_who_has_no_turn_waits_until_all_but_one_are_done(crowd: Crowd) -> None:
    asked = crowd.ask(Turns(2))
    while not crowd.has_in_line(1):
        assert not asked.done()
    for each in crowd.searching:
        each.close()
    assert asked.result(timeout=10) == 1


def test_who_is_the_first_or_the_second_does_not_wait(crowd: Crowd) -> None:
    crowd.searching[0].close()
    assert crowd.ask(Turns(2, patience_s=0.1)).result(timeout=10) == 1


def test_turn_that_does_not_come_is_an_outage_that_passes(crowd: Crowd) -> None:
    with pytest.raises(Unavailable, match="too many searches run at the moment") as refused:
        crowd.ask(Turns(2, patience_s=0.1)).result(timeout=10)
    assert refused.value.retry_after_s == 10


def test_whoever_came_first_is_the_next_wherever_a_turn_becomes_free(crowd: Crowd) -> None:
    asked = []
    for place, name in enumerate(("first", "second", "third"), 1):
        asked.append(crowd.ask(Turns(2), name))
        while not crowd.has_in_line(place):
            assert not crowd.answered
    crowd.searching[1].close()
    assert [each.result(timeout=10) for each in asked] == [1, 1, 1]
    assert crowd.answered == ["first", "second", "third"]


def wait_too_long(database: Database) -> None:
    with database.transaction() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 100")
        cursor.execute("SELECT take_turn(%s, 2, 8000)", (GATE,))


def test_gate_is_free_after_somebody_lost_patience_or_was_stopped(crowd: Crowd) -> None:
    with pytest.raises(Unavailable):
        crowd.ask(Turns(2, patience_s=0.1)).result(timeout=10)
    database = Database(crowd.data.dsn, Turns(2))
    with closing(database):
        with pytest.raises(JobFailed, match="took longer than its limit"):
            wait_too_long(database)
        # Its session is still there, and so is what it would not have given back.
        assert crowd.has_in_line(0)
        asked = crowd.ask(Turns(2))
        crowd.searching[0].close()
        assert asked.result(timeout=10) == 1


def test_long_work_neither_waits_nor_keeps_others_waiting(crowd: Crowd) -> None:
    with (
        closing(Session(crowd.data.dsn, Unwatched(None, ""))) as session,
        reading(session, crowd.data.version) as cursor,
    ):
        cursor.execute(ONE)
        crowd.searching[0].close()
        assert crowd.ask(Turns(2, patience_s=0.1)).result(timeout=10) == 1

"""Searches at the same time: so many at once as there are turns, the others one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest

from chalicelib.db.connect import Database, Turns
from chalicelib.db.contracts.scope import reading
from chalicelib.db.contracts.session import Session
from chalicelib.errors import Unavailable
from chalicelib.jobs.context import Unwatched
from tests.db.contracts.conftest import Loaded
from tests.db.test_database import query

ONE = "SELECT 1 AS one"


@dataclass
class Crowd:
    """Two that search, and a third who asks."""

    data: Loaded
    searching: list[ExitStack]
    asker: ThreadPoolExecutor

    def ask(self, turns: Turns) -> Future[int]:
        return self.asker.submit(self._ask, turns)

    def waiting(self) -> int:
        ((count,),) = query(self.data.dsn, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return int(str(count))

    def _ask(self, turns: Turns) -> int:
        with closing(Database(self.data.dsn, turns)) as database, reading(database, self.data.version) as cursor:
            cursor.execute(ONE)
            return int(cursor.fetchall()[0]["one"])


@pytest.fixture
def crowd(generated: Loaded) -> Iterator[Crowd]:
    with ThreadPoolExecutor(1) as asker, ExitStack() as stack:
        searching = []
        for _ in range(2):
            database = stack.enter_context(closing(Database(generated.dsn, Turns(2))))
            searching.append(stack.enter_context(ExitStack()))
            searching[-1].enter_context(reading(database, generated.version))
        yield Crowd(generated, searching, asker)


def test_who_has_no_turn_waits_until_all_but_one_are_done(crowd: Crowd) -> None:
    asked = crowd.ask(Turns(2))
    while not crowd.waiting():
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


def test_long_work_neither_waits_nor_keeps_others_waiting(crowd: Crowd) -> None:
    with (
        closing(Session(crowd.data.dsn, Unwatched(None, ""))) as session,
        reading(session, crowd.data.version) as cursor,
    ):
        cursor.execute(ONE)
        crowd.searching[0].close()
        assert crowd.ask(Turns(2, patience_s=0.1)).result(timeout=10) == 1

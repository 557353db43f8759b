"""Rows of events in Postgres while they come in, and what is there in the end: of Sluice and of the peer alike."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence, Set
from contextlib import closing

import msgspec
import psycopg2

from bench.load import Tables
from localstack.errors import LocalStackError

_LOOK_S = 0.05
# Costs the same however many rows there are, so that looking does not slow down what is looked at.
_GIVEN_OUT = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM log_entries_id_seq"


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast rows came, from the first that was seen to the last; the halves tell whether it was steady."""

    seconds: float
    rows_per_s: float
    first_half_per_s: float
    second_half_per_s: float


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Events in Postgres in the end."""

    rows: int
    lost: int
    doubled: int


def numbers_given_out(dsn: str) -> int:
    """How many numbers rows have been given."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(_GIVEN_OUT)
        ((given,),) = cursor.fetchall()
    return int(given)


def watch(dsn: str, before: int, count: int, longest_s: float) -> Pace:
    """Looks until so many rows more than before have come and are committed; raises where that takes too long."""
    seen: list[tuple[float, int]] = []
    deadline_s = time.perf_counter() + longest_s
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        while True:
            cursor.execute(_GIVEN_OUT)
            ((given,),) = cursor.fetchall()
            now_s, came = time.perf_counter(), int(given) - before
            if came > 0 and (not seen or came > seen[-1][1]):
                seen.append((now_s, came))
            if came >= count:
                cursor.execute("SELECT count(*) FROM log_entries")
                ((rows,),) = cursor.fetchall()
                if rows >= count:
                    return pace([*seen, (time.perf_counter(), count)])
            if now_s > deadline_s:
                raise LocalStackError(f"{came} of {count} events were stored within {longest_s:.0f} s")
            time.sleep(_LOOK_S)


def pace(seen: Sequence[tuple[float, int]]) -> Pace:
    """The pace of what was seen: times in seconds, and how many rows there were by then."""
    (began_s, first), (ended_s, last) = seen[0], seen[-1]
    middle_s, middle = next(each for each in seen if each[1] >= (first + last) / 2)
    return Pace(
        seconds=round(ended_s - began_s, 2),
        rows_per_s=_rate(last - first, ended_s - began_s),
        first_half_per_s=_rate(middle - first, middle_s - began_s),
        second_half_per_s=_rate(last - middle, ended_s - middle_s),
    )


def _rate(rows: int, seconds: float) -> float:
    return round(rows / seconds, 1) if seconds > 0 else 0.0


def count(dsn: str, tables: Tables, sent: Set[str]) -> Found:
    """Which of the messages are there, and how often; raises where there is a row of none of them."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {tables.message_id} FROM log_entries")
        ids = Counter(message_id for (message_id,) in cursor.fetchall())
    if strangers := ids.keys() - sent:
        raise LocalStackError(f"{len(strangers)} rows are of events that nobody sent, {min(strangers)} for one")
    return Found(rows=ids.total(), lost=len(sent - ids.keys()), doubled=sum(times > 1 for times in ids.values()))

"""The bench that sets Sluice beside the old architecture: what it feeds, counts and calls missed; no figure of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.event_counts import Found, Pace, count, numbers_given_out, pace, watch
from bench.event_drain import Drain, empty
from bench.event_invocations import write_invocations
from bench.event_latency import Latency
from bench.event_report import Report, missed, ratio, table
from bench.event_rows import event_rows
from bench.event_writes import Line, Writes
from bench.load import TABLES, Times
from bench.load import Report as Load
from bench.peer.rules import judge
from chalicelib.db.connect import Database
from chalicelib.db.events.writer import EventWriter
from chalicelib.storing import read_message
from localstack.errors import LocalStackError
from tests.db.events.conftest import NewApp
from tests.db.test_database import query

WRITES = Writes(
    rows=20_000,
    row_bytes=1_600,
    rounds=5,
    lines=[
        Line(way="COPY", rows=20_000, rows_per_s=16_000, of_copy=1.0),
        Line(way="batches of 1000", rows=20_000, rows_per_s=8_000, of_copy=0.5),
    ],
)
COLUMNS = "app, accepted_at, event_name, message_id, status, is_user, rules_version, body, results"


def drain(system: str, rows_per_s: float, *, through: str = "worker", **found: int) -> Drain:
    return Drain(
        system=system,
        profile="low-latency" if system == "Sluice" else "",
        through=through,
        events=100,
        at_a_time=10,
        processes=4,
        pace=Pace(seconds=1, rows_per_s=rows_per_s, first_half_per_s=rows_per_s, second_half_per_s=rows_per_s),
        found=Found(**({"rows": 100, "lost": 0, "doubled": 0} | found)),
    )


def latency(p99_ms: float, *, asked_per_s: float = 100.0, profile: str = "low-latency", lost: int = 0) -> Latency:
    times = Times(p50=1, p95=2, p99=p99_ms, most=p99_ms)
    load = Load(
        events=300,
        accepted=300,
        answers={"202": 300},
        rate=asked_per_s,
        submit_ms=times,
        row_ms=times,
        stored=300 - lost,
        lost=lost,
        doubled=0,
        seconds=3,
        missed=(),
    )
    return Latency(system="Sluice", profile=profile, through="queue", asked_per_s=asked_per_s, load=load)


def report(*parts: Drain | Latency, writes: Writes = WRITES, is_quick: bool = False) -> Report:
    return Report(
        is_quick=is_quick,
        cores=2,
        loads_1m=[0.5],
        writes=writes,
        drains=[part for part in parts if isinstance(part, Drain)],
        latencies=[part for part in parts if isinstance(part, Latency)],
    )


def test_run_that_meets_all_bars_misses_nothing() -> None:
    slow_peer, sluice = drain("peer", 100.0, through="Redis"), drain("Sluice", 500.0)
    good = report(slow_peer, sluice, latency(1_999.0), latency(999.0, asked_per_s=8.3))
    assert missed(good) == ()
    assert "5 x the peer" in table(good)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (drain("Sluice", 499.0), "by worker: 4.99 times the peer's pace, at least 5 times"),
        (drain("Sluice", 900.0, rows=99, lost=1), "by worker: of 100 events 99 rows, 1 lost, 0 doubled"),
        (drain("Sluice", 900.0, rows=101, doubled=1), "by worker: of 100 events 101 rows, 0 lost, 1 doubled"),
        (
            drain("Sluice", 1.0, through="queue", rows=0, lost=100),
            "by queue: of 100 events 0 rows, 100 lost, 0 doubled",
        ),
        (latency(2_000.0), "by queue at 100/s: p99 is 2000 ms, below 2 s"),
        (latency(1_000.0, asked_per_s=8.3), "by queue at 8.3/s: p99 is 1000 ms, below 1 s"),
        (latency(5.0, lost=2), "by queue at 100/s: of 300 events 300 accepted, 298 stored, 2 lost, 0 doubled"),
    ],
)
def test_missed_bar_is_told(part: Drain | Latency, said: str) -> None:
    assert missed(report(drain("peer", 100.0, through="Redis"), part)) == (f"Sluice low-latency {said}",)


def test_slow_write_is_told() -> None:
    lines = [Line(way="batches of 1000", rows=20_000, rows_per_s=4_999, of_copy=0.29)]
    told = missed(report(writes=msgspec.structs.replace(WRITES, lines=lines)))
    assert told == ("batches of 1000: at least 5000 rows/s", "batches of 1000: at least 30% of COPY")


def test_emulators_queue_and_the_other_profile_have_no_bar_of_speed() -> None:
    parts = drain("peer", 100.0, through="Redis"), drain("Sluice", 1.0, through="queue")
    assert missed(report(*parts, latency(9_000.0, profile="high-volume"))) == ()


def test_quick_run_is_held_to_its_counts_alone() -> None:
    peer = drain("peer", 100.0, through="Redis")
    assert missed(report(peer, drain("Sluice", 1.0), latency(9_000.0), is_quick=True)) == ()
    assert len(missed(report(peer, drain("Sluice", 1.0, lost=1), is_quick=True))) == 1


def test_nothing_is_compared_without_a_peer() -> None:
    alone = drain("Sluice", 1.0)
    assert ratio(alone, [alone]) is None
    assert missed(report(alone)) == ()


def test_faster_drain_of_the_peer_is_the_one_that_counts() -> None:
    peers = [drain("peer", 100.0, through="Redis"), drain("peer", 200.0, through="Redis")]
    assert ratio(drain("Sluice", 1_000.0), peers) == 5.0


def test_pace_is_from_the_first_rows_to_the_last_and_tells_of_both_halves() -> None:
    assert pace([(10.0, 100), (12.0, 500), (13.0, 600), (20.0, 1_100)]) == Pace(
        seconds=10.0, rows_per_s=100.0, first_half_per_s=166.7, second_half_per_s=71.4
    )


def test_worker_reads_from_the_invocations_what_is_to_be_stored(tmp_path: Path) -> None:
    events = list(event_rows(7, 25, 1_800_000_000_000))
    files = [tmp_path / "one", tmp_path / "two"]
    write_invocations(events, 10, files)
    handed: list[list[dict[str, Any]]] = [
        json.loads(line)["Records"] for file in files for line in file.read_text().splitlines()
    ]
    assert [len(records) for records in handed] == [10, 5, 10]
    read = [read_message(record["body"]) for records in handed for record in records]
    rows = {row.message_id: row for found in read if found for row in found[1]}
    assert len({record["receiptHandle"] for records in handed for record in records}) == 25
    # The worker makes the hash of the body itself.
    assert {key: msgspec.structs.replace(row, body_hash=b"") for key, row in rows.items()} == {
        event.message_id: msgspec.structs.replace(event, body_hash=b"") for event in events
    }


def test_rows_are_awaited_and_counted(database: Database, dsn: str, new_app: NewApp) -> None:
    events = list(event_rows(new_app("shop"), 30, 1_800_000_000_000))
    sent = {event.message_id for event in events}
    before = numbers_given_out(dsn)
    EventWriter(database).store(events[:28])
    watch(dsn, before, 28, 20.0)
    assert count(dsn, TABLES["sluice"], sent) == Found(rows=28, lost=2, doubled=0)
    query(
        dsn,
        f"INSERT INTO log_entries ({COLUMNS}) SELECT {COLUMNS} FROM log_entries ORDER BY id LIMIT 1 RETURNING id",
    )
    assert count(dsn, TABLES["sluice"], sent) == Found(rows=29, lost=2, doubled=1)
    with pytest.raises(LocalStackError, match="27 rows are of events that nobody sent"):
        count(dsn, TABLES["sluice"], {events[0].message_id})
    with pytest.raises(LocalStackError, match="29 of 30 events were stored within 0 s"):
        watch(dsn, before, 30, 0.0)
    empty(dsn)
    assert count(dsn, TABLES["sluice"], sent) == Found(rows=0, lost=30, doubled=0)


def test_peers_rows_are_counted_by_the_ids_in_their_events(dsn: str) -> None:
    schema = Path(__file__).parents[3] / "bench" / "peer" / "schema.sql"
    query(dsn, schema.read_text() + "SELECT 1")
    for message_id in ("a", "b", "b"):
        body = json.dumps({"eventName": "x", "messageId": message_id})
        query(
            dsn,
            "INSERT INTO log_entries (app_id, event_name, payload, validation_status) "
            f"VALUES (1, 'x', '{body}', 'valid') RETURNING id",
        )
    assert count(dsn, TABLES["peer"], {"a", "b", "c"}) == Found(rows=3, lost=1, doubled=1)


RULES = [("userId", "integer"), ("user.name", "text"), ("items[].price", "float")]


@pytest.mark.parametrize(
    ("payload", "status", "said"),
    [
        (
            {"userId": 1, "user": {"name": "Ann"}, "items": [{"price": 1.5}, {"price": 2.0}]},
            "valid",
            {"userId": "Valid", "user.name": "Valid", "items[0].price": "Valid", "items[1].price": "Valid"},
        ),
        (
            {"userId": True, "user": {}, "items": [], "more": 1},
            "invalid",
            {
                "userId": "Invalid/Wrong datatype/value",
                "user.name": "Payload not present in the log",
                "items[].price": "Payload value is Empty",
                "more": "Extra key present in the log",
            },
        ),
        (
            {"userId": None, "user": {"name": " "}, "items": [{"price": 1}]},
            "invalid",
            {
                "userId": "Payload value is Empty",
                "user.name": "Invalid/Wrong datatype/value",
                "items[0].price": "Invalid/Wrong datatype/value",
            },
        ),
    ],
)
def test_peer_judges_as_the_old_system_did(payload: dict[str, Any], status: str, said: dict[str, str]) -> None:
    found, results = judge("order", {"eventName": "order", "payload": payload}, RULES)
    assert found == status
    assert {each["key"]: each["validationStatus"] for each in results} == said

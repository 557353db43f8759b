"""The simulation held against the local stack: it is told of two drains and a trickle, and asked about the rest.

Told: how fast a full queue is drained in invocations of one and of ten events, which gives the processors' time of an
invocation, and how late rows are when two events come a second. Asked: how late they are at other rates, how long a
burst takes, and how long forecasts take that are submitted at once. All on a stack of its own; some four minutes.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import psutil
import psycopg2

from bench import event_latency as latency
from bench.cost_measure import ROOT, switch_mappings
from bench.event_drain import Drain, drain_by_queue
from bench.event_rows import event_rows
from bench.kinds import PROJECT
from bench.load import Times
from bench.queueing import Mapping, Outcome, Service, Simulation, by_quantiles, steady
from localstack import demo
from localstack.emulator import aws_session, forget_aws_settings
from localstack.errors import LocalStackError
from localstack.progress import Progress
from localstack.run import LocalStack, local_stack
from localstack.settings import Settings
from tests.e2e.client import Client

PROFILE = "low-latency"
CONCURRENCY, FORECASTS_AT_ONCE = 5, 10
_TRICKLE, _ASKED, _SECONDS = 2.0, (8.0, 25.0, 50.0, 100.0), 12.0
# Long enough that one late row of many is not the 95th percentile.
_TRICKLE_S = 50.0
_ONES, _TENS, _BURST, _SENDS = 200, 1_500, 600, 200
_FORECASTS = 12


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was asked."""

    what: str
    predicted: float
    measured: float

    @property
    def ratio(self) -> float:
        return self.predicted / self.measured


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulation was told of this machine."""

    processors: int
    # Of all processors together, in which an invocation of one and of ten events is done.
    one_ms: float
    ten_ms: float
    # Processor time of putting one event on the queue, of client and emulator.
    send_ms: float
    # Processors that are busy with everything while events trickle: with looking for rows, most of all.
    looking: float
    trickle_ms: Times
    forecast_s: float


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """The whole check."""

    told: Told
    lines: tuple[Line, ...]
    loads_1m: tuple[float, float]


def check(progress: Progress) -> Check:
    """Runs it on a stack of its own."""
    forget_aws_settings()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(root=ROOT, state=Path(folder), keep_data=False)
        with local_stack(settings, progress) as stack:
            told = _tell(stack)
            lines = [*_lags(stack, told), _burst(stack, told), *_forecasts(stack, told)]
    return Check(told=told, lines=tuple(lines), loads_1m=(round(before, 2), round(os.getloadavg()[0], 2)))


def _tell(stack: LocalStack) -> Told:
    latency.of_sluice(stack, PROFILE, 10.0, "queue", 3.0)
    ones, tens = (_drained_s(stack, count, size) for count, size in ((_ONES, 1), (_TENS, 10)))
    # What comes right after the drains is not a trickle yet.
    latency.of_sluice(stack, PROFILE, _TRICKLE, "queue", 5.0)
    before_s, began_s = _all_cpu_s(), time.perf_counter()
    trickle = latency.of_sluice(stack, PROFILE, _TRICKLE, "queue", _TRICKLE_S).load.row_ms
    looking = (_all_cpu_s() - before_s) / (time.perf_counter() - began_s)
    assert trickle is not None
    return Told(
        processors=os.cpu_count() or 1,
        one_ms=1000 * ones / _ONES,
        ten_ms=1000 * tens / (_TENS / 10),
        send_ms=1000 * _send_cpu_s(stack),
        looking=looking,
        trickle_ms=trickle,
        forecast_s=min(_forecasts_s(stack, 1) for _ in range(3)),
    )


def _drained_s(stack: LocalStack, count: int, size: int) -> float:
    """Seconds in which the mapping hands so many events over, `size` an invocation."""
    api: Any = aws_session().client("lambda", endpoint_url=stack.endpoint)
    arn = f"arn:aws:sqs:us-east-1:000000000000:{stack.prefix}-events"
    (mapping,) = api.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    api.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=size)
    try:
        done = _drain(stack, count, size)
    finally:
        api.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=10)
    # From the first row that was seen to the last.
    return count / done.pace.rows_per_s


def _drain(stack: LocalStack, count: int, size: int) -> Drain:
    with closing(psycopg2.connect(stack.database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM apps WHERE app_id = %s", (demo.APP,))
        ((app,),) = cursor.fetchall()
    events = list(event_rows(app, count, int(time.time() * 1000), seed=time.monotonic_ns()))
    done = drain_by_queue(stack, events, profile=PROFILE, at_a_time=size)
    if done.found.lost or done.found.doubled:
        raise LocalStackError(f"the drain has lost or doubled events: {done.found}")
    return done


def _send_cpu_s(stack: LocalStack) -> float:
    """While no function is started by it."""
    switch_mappings(stack, on=False)
    sqs = aws_session().client("sqs", endpoint_url=stack.endpoint)
    url = sqs.get_queue_url(QueueName=f"{stack.prefix}-events")["QueueUrl"]
    emulator = psutil.Process(stack.children[1].pid)
    before_s = time.process_time() + sum(emulator.cpu_times()[:2])
    for _ in range(_SENDS):
        sqs.send_message(QueueUrl=url, MessageBody="x" * 500)
    spent_s = time.process_time() + sum(emulator.cpu_times()[:2]) - before_s
    sqs.purge_queue(QueueUrl=url)
    switch_mappings(stack, on=True)
    return float(spent_s / _SENDS)


def _all_cpu_s() -> float:
    """Of all processes of ours, ended ones included."""
    ended = os.times()
    total = ended.children_user + ended.children_system
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            total += sum(one.cpu_times()[:4])
    return total


def _simulate(told: Told, arrivals: list[tuple[float, int]], rate: float = 0.0, seed: int = 1) -> Outcome:
    """With all of an invocation on the processors that sending leaves, after what a trickle is late beyond that."""
    each_s = max(0.0, (told.ten_ms - told.one_ms) / 9) * told.processors / 1000
    base_s = told.one_ms * told.processors / 1000 - each_s
    mapping = Mapping(batch=10, concurrency=CONCURRENCY)
    service = Service(own_base_s=0.0, database_base_s=base_s, database_each_s=each_s)
    late = told.trickle_ms
    # No quantile below the median is known; what is there takes at least the invocation.
    alone_ms = 1000 * (base_s + each_s)
    points = [(0.0, 0.7 * late.p50), (0.5, late.p50), (0.95, late.p95), (0.99, late.p99), (1.0, late.most)]
    before = [(share, max(0.0, ms - alone_ms) / 1000) for share, ms in points]
    random = Random(seed)
    left = told.processors - (told.looking + rate * told.send_ms / 1000 if rate else 0.0)
    return Simulation(mapping, service, left, random).run(arrivals, by_quantiles(random, before))


def _lags(stack: LocalStack, told: Told) -> list[Line]:
    lines = []
    for rate in _ASKED:
        found = latency.of_sluice(stack, PROFILE, rate, "queue", _SECONDS).load.row_ms
        assert found is not None
        asked = _simulate(told, steady(rate, round(rate * _SECONDS)), rate)
        for name, predicted_s, measured_ms in (
            ("p50", asked.p50_s, found.p50),
            ("p95", asked.p95_s, found.p95),
            ("p99", asked.p99_s, found.p99),
        ):
            lines.append(
                Line(what=f"{rate:g} events/s: {name}, ms", predicted=1000 * predicted_s, measured=measured_ms)
            )
    return lines


def _burst(stack: LocalStack, told: Told) -> Line:
    measured_s = _BURST / _drain(stack, _BURST, 10).pace.rows_per_s
    predicted = _simulate(told, [(0.0, 1)] * _BURST)
    return Line(what=f"burst of {_BURST} events: drained, s", predicted=predicted.drained_after_s, measured=measured_s)


def _forecasts(stack: LocalStack, told: Told) -> list[Line]:
    """Workers share the processors: one alone is as fast as it can be, ten beside each other are not."""
    mapping = Mapping(batch=1, concurrency=FORECASTS_AT_ONCE)
    service = Service(own_base_s=0.0, database_base_s=told.forecast_s)
    predicted = Simulation(mapping, service, told.processors, Random(1)).run([(0.0, 1)] * _FORECASTS)
    measured_s = _forecasts_s(stack, _FORECASTS)
    what = f"{_FORECASTS} full forecasts at once: all done, s"
    return [Line(what=what, predicted=predicted.drained_after_s, measured=measured_s)]


def _forecasts_s(stack: LocalStack, count: int) -> float:
    """Seconds from the first of so many submits to the last result."""
    client = Client(stack.url)
    began_s = time.perf_counter()
    tasks = [client.submit("/api/async/simulate", PROJECT) for _ in range(count)]
    for task in tasks:
        done = client.wait(task)
        if done["state"] != "SUCCESS":
            raise LocalStackError(f"a forecast ended as {done['state']}")
    return time.perf_counter() - began_s


def table(found: Check) -> str:
    """The check as a person reads it."""
    told, late = found.told, found.told.trickle_ms
    lines = [
        f"told: {told.processors} processors; an invocation of 1 event each {told.one_ms:.1f} ms, of 10 each "
        f"{told.ten_ms:.1f} ms; a send {told.send_ms:.1f} ms of CPU; at {_TRICKLE:g} events/s rows are "
        f"{late.p50:.0f} / {late.p95:.0f} / {late.p99:.0f} ms late (p50 / p95 / p99); a full forecast alone "
        f"{told.forecast_s:.2f} s; {told.looking:.2f} processors are busy meanwhile",
        f"load average {found.loads_1m[0]} before, {found.loads_1m[1]} after",
        f"{'asked':<44}{'predicted':>11}{'measured':>11}{'ratio':>8}",
    ]
    lines += [f"{each.what:<44}{each.predicted:>11.1f}{each.measured:>11.1f}{each.ratio:>8.2f}" for each in found.lines]
    return "\n".join(lines)


def main(tell: Callable[[str], None] = print) -> int:
    """Runs the check and prints it."""
    try:
        found = check(Progress(sys.stderr))
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    tell(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

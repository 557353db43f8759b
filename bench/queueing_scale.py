"""What limits events at 10, 100 and 1,000 times the reference load: limits by arithmetic, the way to the row simulated.

Service times are those that bench.cost has measured (its --json file); limits are AWS's defaults for us-east-1, with
where they are said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import msgspec

from bench.cost_bill import Assumptions
from bench.cost_month import stored_gib
from bench.cost_report import REFERENCE, Inputs, Model
from bench.cost_work import Invocation, Work
from bench.queueing import Mapping, Outcome, Service, Simulation, lognormal, poisson
from chalicelib.jobs.items import WATCHES
from chalicelib.settings import EVENT_PROFILES, Settings

LOADS = (1, 10, 100, 1_000)
# From a send to the worker's begin, median and 99th percentile in seconds: "Serverless Messaging: Latency Compared",
# bitesizedserverless.com, September 2022, eu-west-1, 1,024 messages. Nothing of it was measured here.
SQS_S = (0.0162, 0.105)
_MOST_SIMULATED = 40_000
_SECONDS = 30.0
_ONE, _TEN, _THOUSAND = "single event, 1 an invocation", "single events, 10 an invocation", "worker alone, 1,000 events"


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One way to set the stage up."""

    name: str
    mapping: Mapping
    processors: int


def ways() -> tuple[Way, ...]:
    """As it is, and what changes for more."""
    low, high = (EVENT_PROFILES[name] for name in ("low-latency", "high-volume"))
    first = Mapping(batch=low[0], window_s=low[1], concurrency=5)
    many = Mapping(batch=high[0], window_s=high[1], concurrency=5)
    return (
        Way(name="low-latency, 5 workers, 2 vCPUs", mapping=first, processors=2),
        Way(
            name="low-latency, 50 workers, 2 vCPUs",
            mapping=msgspec.structs.replace(first, concurrency=50),
            processors=2,
        ),
        Way(
            name="low-latency, 50 workers, 8 vCPUs",
            mapping=msgspec.structs.replace(first, concurrency=50),
            processors=8,
        ),
        Way(name="high-volume, 5 workers, 2 vCPUs", mapping=many, processors=2),
        Way(name="high-volume, 5 workers, 8 vCPUs", mapping=many, processors=8),
    )


def service(inputs: Inputs) -> Service:
    """Of the worker of events, by what it took for one event and for 1,000 at once."""
    given = Assumptions()
    one, many = (Model(inputs).work(name) for name in (_ONE, _THOUSAND))
    own_one, own_many = (_own_ms(work, given) for work in (one, many))
    own_each, database_each = (
        (b - a) / 999 for a, b in ((own_one, own_many), (one.database_cpu_ms, many.database_cpu_ms))
    )
    return Service(
        own_base_s=(own_one - own_each) / 1000,
        own_each_s=own_each / 1000,
        database_base_s=(one.database_cpu_ms - database_each) / 1000,
        database_each_s=database_each / 1000,
    )


def _worker(work: Work) -> Invocation:
    return next(each for each in work.invocations if each.function == "work_events")


def _own_ms(work: Work, given: Assumptions) -> float:
    """CPU, network, and what Postgres waits for itself: the disk, for one."""
    worker = _worker(work)
    return worker.cpu_ms + given.network_ms + max(0.0, worker.database_ms - work.database_cpu_ms)


def simulate(way: Way, of: Service, rate: float) -> Outcome:
    """So many single events a second, at random, for some seconds."""
    random = Random(1)
    arrivals = poisson(rate, min(_MOST_SIMULATED, round(rate * _SECONDS)), random)
    return Simulation(way.mapping, of, way.processors, random).run(arrivals, lognormal(random, *SQS_S))


def most_per_s(way: Way, of: Service) -> tuple[float, str]:
    """Events a second that a way can do for ever, and what it is that limits it."""
    full = way.mapping.batch
    own_s = of.own_base_s + full * of.own_each_s
    database_s = of.database_base_s + full * of.database_each_s
    by_workers = way.mapping.concurrency * full / (own_s + database_s)
    by_database = way.processors * full / database_s
    return min((by_workers, "workers"), (by_database, "Postgres's processors"))


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A default of AWS or of this stage, and events a second at which it is reached; None: not by this kind."""

    name: str
    single: float | None
    tens: float | None
    hundreds: float | None
    source: str


def limits(inputs: Inputs, of: Service) -> Iterator[Limit]:
    """In the order in which a request meets them."""
    model = Model(inputs)
    works = [model.work(name) for name in (_ONE, "batch of 10 events", "batch of 100 events")]

    def limit(name: str, found: Sequence[float | None], source: str) -> Limit:
        return Limit(name=name, single=found[0], tens=found[1], hundreds=found[2], source=source)

    def requests(per_s: float) -> list[float]:
        return [per_s * work.events for work in works]

    yield limit("API Gateway: 10,000 requests/s an account", requests(10_000), "API Gateway quotas, L-8A5B8E43")
    yield limit(
        "Lambda: 10 requests/s an environment", requests(10_000), "Lambda, scaling behavior: 10 x 1,000 at a time"
    )
    took = [sum(model.bill.duration_ms(one) for one in work.invocations if one.step == "submit") for work in works]
    at_once = [1_000 / (ms / 1000) * work.events for ms, work in zip(took, works, strict=True)]
    yield limit("Lambda: 1,000 at a time an account", at_once, "Lambda quotas; of the API function's time alone")
    allowed = Settings(stage="local").event_rate
    # Where a process is done with events sooner than that it hardly ever stands beside a second one.
    one_process = [
        float(allowed) if work.events > allowed * ms / 1000 else None for ms, work in zip(took, works, strict=True)
    ]
    yield limit(f"EVENT_RATE: {allowed} of an app in a process", one_process, "chalicelib/settings.py")
    for most, when in ((4_000, "a new table"), (40_000, "quota of a table")):
        found = [most / units * work.events if (units := _write_units(work)) else None for work in works]
        yield limit(f"DynamoDB: {most:,} write units/s, {when}", found, "DynamoDB, on-demand capacity")
    # An entry is written, moved by the claim (counted twice) and removed.
    watched = len(WATCHES) * 1_000 / 4
    said = "DynamoDB: 1,000 write units/s a partition"
    yield limit(f"index by-due: {len(WATCHES)} partition keys", [None, watched * 10, watched * 100], said)
    jobs = [_jobs_per_s(work, 5) * work.events for work in works[1:]]
    yield limit("work_events: 5 at a time, 10 messages", [most_per_s(ways()[0], of)[0], *jobs], "app.py")
    hot = [10 / _locked_s(model.work(_TEN)), *[work.events / _locked_s(work) for work in works[1:]]]
    yield limit("one event name of one app: its newest row", hot, "one transaction at a time updates it")
    for gib, what in ((inputs.stage.database_gib, "at first"), (inputs.stage.database_most_gib, "grown by itself")):
        kept = gib / stored_gib(1.0, inputs.sluice.row_bytes)
        yield limit(f"disk: {gib} GB, {what}", [kept] * 3, "infra/stack.yaml; rows of 30 days")


def _write_units(work: Work) -> float:
    return sum(one.times * call.write_units for one in work.invocations for call in one.calls.values())


def _locked_s(work: Work) -> float:
    """At most the whole time of a transaction."""
    return (_worker(work).database_ms + Assumptions().network_ms) / 1000


def _jobs_per_s(work: Work, concurrency: int) -> float:
    """Of batches, which an invocation works off one after the other."""
    worker, given = _worker(work), Assumptions()
    waits_ms = given.network_ms + sum(given.allowed_ms(name) * each.count for name, each in worker.calls.items())
    return concurrency / ((worker.cpu_ms + worker.database_ms + waits_ms) / 1000)


def limits_table(inputs: Inputs) -> str:
    """The limits as a person reads them."""
    lines = [f"{'reached at events/s':<50}{'single':>10}{'of 10':>10}{'of 100':>10}  source"]
    for each in limits(inputs, service(inputs)):
        rates = (each.single, each.tens, each.hundreds)
        found = "".join(f"{'-' if rate is None else f'{rate:,.0f}':>10}" for rate in rates)
        lines.append(f"{each.name:<50}{found}  {each.source}")
    return "\n".join(lines)


def simulated_table(inputs: Inputs) -> str:
    """What the simulation says of each way at each load: how late rows are, and how many events an invocation has."""
    of = service(inputs)
    lines = [
        f"an invocation of n events: {1000 * of.own_base_s:.1f} + {1e6 * of.own_each_s:.0f} n/1000 ms of its own, "
        f"{1000 * of.database_base_s:.1f} + {1e6 * of.database_each_s:.0f} n/1000 ms of Postgres's processors",
        f"{'single events':<34}{'at most/s':>11}{'limited by':>24}" + "".join(_heads()),
    ]
    for way in ways():
        most, by = most_per_s(way, of)
        lines.append(f"{way.name:<34}{most:>11,.0f}{by:>24}" + "".join(_cells(way, of, most)))
    return "\n".join(lines)


def _heads() -> Iterator[str]:
    for load in LOADS:
        yield f"{f'x {load:,}: p50/p99 s, n':>26}"


def _cells(way: Way, of: Service, most: float) -> Iterator[str]:
    for load in LOADS:
        rate = load * REFERENCE
        if rate >= most:
            yield f"{f'behind by {rate - most:,.0f}/s':>26}"
            continue
        found = simulate(way, of, rate)
        yield f"{f'{found.p50_s:.2f}/{found.p99_s:.2f}, {found.events_per_invocation:.1f}':>26}"

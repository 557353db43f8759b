"""What bench.cost found: dollars of a million, of months at rates, where Sluice becomes dearer, and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from bench.cost_bill import Assumptions, Bill, Lines, PriceList, dearer_from, monthly_usd
from bench.cost_measure import PeerCost
from bench.cost_month import SETS, AlwaysOn, Stage, database, fixed_lines, stored_gib
from bench.cost_work import Measured, Work

# Events a second: 500 a minute, and 10, 100 and 1,000 times that.
REFERENCE = 500 / 60
RATES = (1.0, REFERENCE, 10 * REFERENCE, 100 * REFERENCE, 1_000 * REFERENCE)
_SCAN = tuple(10 ** (place / 100) for place in range(-300, 401))
_ONE, _TEN = "single event, 1 an invocation", "single events, 10 an invocation"
EVENT_WORKS = (_ONE, _TEN, "batch of 10 events", "batch of 100 events")
JOB_WORKS = ("basic forecast", "full forecast", "search", "charts")


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """All that the figures are made of."""

    taken_at: str
    machine: str
    loads_1m: tuple[float, float]
    prices: PriceList
    memory_mb: dict[str, int]
    is_traced: bool
    stage: Stage
    sluice: Measured
    peer: PeerCost


class Model:
    """The inputs under one set of assumptions."""

    def __init__(self, inputs: Inputs, given: Assumptions | None = None, **changed: object) -> None:
        """`changed` are fields of the inputs."""
        self.inputs = msgspec.structs.replace(inputs, **changed)
        self.given = given or Assumptions()
        self.bill = Bill(
            prices=self.inputs.prices,
            assumptions=self.given,
            memory_mb=self.inputs.memory_mb,
            cold_cpu_ms=self.inputs.sluice.cold_cpu_ms,
            is_traced=self.inputs.is_traced,
        )

    def work(self, name: str) -> Work:
        return next(each for each in self.inputs.sluice.works if each.name == name)

    def million(self, name: str) -> Lines:
        """Dollars of a million events, or of a million jobs, by line."""
        work = self.work(name)
        return {line: 1e6 * usd / max(1, work.events) for line, usd in self.bill.of(work).items()}

    def fixed(self) -> Lines:
        sweep = sum(self.bill.of(self.work("a minute's sweep")).values())
        return fixed_lines(self.inputs.stage, self.inputs.prices, series=self.inputs.sluice.series, sweeper_usd=sweep)

    def sluice_usd(self, name: str, per_s: float) -> float:
        """Of a month at so many events, or jobs, a second."""
        work = self.work(name)
        sent = monthly_usd(self.bill, work, per_s / max(1, work.events))
        return sum(self.fixed().values()) + sent + self._postgres(per_s * self._database_ms(work), per_s, work)

    def always_on_usd(self, name: str, per_s: float, servers: AlwaysOn) -> float:
        """Of the same month with servers; a batch is one request to them, and a task for each of its events."""
        work, peer = self.work(name), self.inputs.peer
        asked = sum(one.times for one in work.invocations if one.answer_bytes) / max(1, work.events)
        if work.events:
            own_ms, database_ms = peer.event_web_ms * asked + peer.event_task_ms, peer.event_database_ms
        elif "forecast" in name:
            # A loop over trials in Python, of the basic case; the full one is not the peer's.
            own_ms, database_ms = peer.forecast_ms, 0.0
        else:
            own_ms = sum(one.cpu_ms * one.times for one in work.invocations if one.function != "push_changes")
            database_ms = self._database_ms(work)
        servers_usd = servers.usd(
            self.inputs.prices, self.given, vcpu=per_s * own_ms / 1000, requests_per_s=per_s * asked
        )
        return servers_usd + self._postgres(per_s * database_ms, per_s, work, row_bytes=peer.row_bytes)

    def dearer_from(self, name: str, servers: AlwaysOn) -> float | None:
        """Events, or jobs, a second from which on Sluice is dearer."""
        ours: Callable[[float], float] = lambda rate: self.sluice_usd(name, rate)  # noqa: E731
        return dearer_from(ours, lambda rate: self.always_on_usd(name, rate, servers), _scanned(self, name))

    def _database_ms(self, work: Work) -> float:
        return work.database_cpu_ms / max(1, work.events)

    def _postgres(self, cpu_ms_per_s: float, per_s: float, work: Work, row_bytes: float = 0.0) -> float:
        gib = stored_gib(per_s if work.events else 0.0, row_bytes or self.inputs.sluice.row_bytes)
        least = self.inputs.stage.database_gib
        return database(self.inputs.prices, self.given, vcpu=cpu_ms_per_s / 1000, gib=max(gib, least))[1]


def _scanned(model: Model, name: str) -> tuple[float, ...]:
    """Rates that the largest class of database can do for both."""
    return tuple(
        rate
        for rate in _SCAN
        if math.isfinite(model.sluice_usd(name, rate)) and math.isfinite(model.always_on_usd(name, rate, SETS[0]))
    )


def table(inputs: Inputs) -> str:
    """Everything as a person reads it."""
    model = Model(inputs)
    lines = [
        f"measured {inputs.taken_at}, {inputs.machine}, load average {inputs.loads_1m[0]} to {inputs.loads_1m[1]}",
        f"prices: {inputs.prices.region}, {inputs.prices.read_on}, {len(inputs.prices.prices)} in bench/prices.json; "
        f"{sum('recalled' in each.as_of for each in inputs.prices.prices.values())} of them recalled and not looked up",
        "",
        *_measured(model),
        "",
        *_millions(model, EVENT_WORKS, "dollars of a million events"),
        "",
        *_millions(model, JOB_WORKS, "dollars of a million jobs, each asked for three times"),
        "",
        *_fixed(model),
        "",
        *_months(model),
        "",
        *_breaks(model),
        "",
        *_sensitivity(inputs),
    ]
    return "\n".join(lines)


def _measured(model: Model) -> Iterator[str]:
    heads = (
        ("CPU ms", 9),
        ("billed ms", 10),
        ("GB-s", 9),
        ("calls", 7),
        ("write u.", 9),
        ("log B", 7),
        ("DB CPU ms", 10),
    )
    yield f"{'measured, of one piece of work':<34}" + "".join(f"{head:>{width}}" for head, width in heads)
    for work in model.inputs.sluice.works:
        each = work.invocations
        calls = sum(one.times * call.count for one in each for call in one.calls.values())
        writes = sum(one.times * call.write_units for one in each for call in one.calls.values())
        billed = sum(one.times * model.bill.duration_ms(one) for one in each)
        gb_s = sum(one.times * model.bill.duration_ms(one) * model.bill.memory(one) / 1024e3 for one in each)
        cpu, logs = sum(one.times * one.cpu_ms for one in each), sum(one.times * one.log_bytes for one in each)
        yield (
            f"  {work.name:<32}{cpu:>9.1f}{billed:>10.0f}{gb_s:>9.3f}{calls:>7.1f}{writes:>9.0f}{logs:>7.0f}"
            f"{work.database_cpu_ms:>10.1f}"
        )
    peer, sluice = model.inputs.peer, model.inputs.sluice
    yield (
        f"  peer: an event {peer.event_web_ms:.2f} ms of CPU in the web server, {peer.event_task_ms:.2f} in Celery and "
        f"Redis, {peer.event_database_ms:.2f} in Postgres; a basic forecast {peer.forecast_ms:.1f}"
    )
    yield f"  an event on disk: {sluice.row_bytes:.0f} bytes, the peer's {peer.row_bytes:.0f}"
    cold = ", ".join(f"{name or 'others'} {spent:.0f}" for name, spent in sluice.cold_cpu_ms.items())
    yield f"  loading a function, ms of CPU: {cold}"


def _millions(model: Model, names: Sequence[str], title: str) -> Iterator[str]:
    found = [model.million(name) for name in names]
    order: dict[str, None] = dict.fromkeys(line for lines in found for line in lines)
    yield f"{title:<26}" + "".join(f"{name.replace(' an invocation', '/inv.'):>24}" for name in names)
    for line in order:
        yield f"  {line:<24}" + "".join(f"{lines.get(line, 0.0):>24.2f}" for lines in found)
    yield f"  {'together':<24}" + "".join(f"{sum(lines.values()):>24.2f}" for lines in found)


def _fixed(model: Model) -> Iterator[str]:
    fixed = model.fixed()
    stage, prices, given = model.inputs.stage, model.inputs.prices, model.given
    yield "dollars of a month in which nothing comes"
    for line, usd in fixed.items():
        yield f"  {line:<24}{usd:>9.2f}"
    name, postgres = database(prices, given, vcpu=0.0, gib=stage.database_gib)
    yield f"  {'together':<24}{sum(fixed.values()):>9.2f}"
    for servers in SETS:
        yield f"  {'always on: ' + servers.name:<24}{servers.usd(prices, given, vcpu=0.0, requests_per_s=0.0):>9.2f}"
    yield f"  {'Postgres, on both sides':<24}{postgres:>9.2f}  {name}, {stage.database_gib} GB, one zone"


def _months(model: Model) -> Iterator[str]:
    yield f"{'dollars of a month, all together':<40}" + "".join(f"{f'{rate:,.1f}/s':>12}" for rate in RATES)
    for name in EVENT_WORKS:
        yield f"  {'Sluice: ' + name:<38}" + _row([model.sluice_usd(name, rate) for rate in RATES])
    for servers in SETS:
        for name in (_ONE, "batch of 100 events"):
            label = f"{servers.name}: {'single events' if name == _ONE else name}"
            yield f"  {label:<38}" + _row([model.always_on_usd(name, rate, servers) for rate in RATES])


def _row(usd: Sequence[float]) -> str:
    return "".join(f"{'no database' if math.isinf(each) else f'{each:,.0f}':>12}" for each in usd)


def _breaks(model: Model) -> Iterator[str]:
    yield f"{'dearer than the always-on set from':<36}" + "".join(f"{servers.name:>24}" for servers in SETS)
    for name in (*EVENT_WORKS, "basic forecast", "search"):
        yield f"  {name:<34}" + "".join(f"{_said(model, name, servers):>24}" for servers in SETS)


def _said(model: Model, name: str, servers: AlwaysOn) -> str:
    rate = model.dearer_from(name, servers)
    if rate is None:
        return "never"
    if rate <= _SCAN[0]:
        return "any rate"
    return f"{rate:.2g} /s" if model.work(name).events else f"{rate * 86_400:,.0f} a day"


def _sensitivity(inputs: Inputs) -> Iterator[str]:
    names = (_ONE, "batch of 100 events")
    yield f"{'what if':<44}{'$/M single':>11}{'$/M of 100':>11}{'single dearer':>15}{'of 100 dearer':>15}"
    for label, model in _variants(inputs):
        usd = [sum(model.million(name).values()) for name in names]
        said = [_said(model, name, SETS[0]) for name in names]
        yield f"  {label:<42}{usd[0]:>11.2f}{usd[1]:>11.2f}{said[0]:>15}{said[1]:>15}"


def _variants(inputs: Inputs) -> Iterator[tuple[str, Model]]:
    def given(**changed: object) -> Assumptions:
        return msgspec.structs.replace(Assumptions(), **changed)

    waits = Assumptions().call_ms
    yield "as above (against containers)", Model(inputs)
    for factor in (0.0, 3.0):
        slower = {name: factor * each for name, each in waits.items()}
        yield f"waits for AWS x {factor:g}", Model(inputs, given(call_ms=slower))
    for ratio in (0.5, 2.0):
        yield f"a vCPU takes {ratio:g} x this machine's time", Model(inputs, given(cpu_ratio=ratio))
    for share in (0.0, 0.05):
        yield f"{share:.0%} of invocations cold", Model(inputs, given(cold_share=share))
    for memory in (512, 1769):
        yield f"API function of {memory} MB", Model(inputs, memory_mb={**inputs.memory_mb, "api_handler": memory})
    yield "without traces", Model(inputs, is_traced=False)
    yield "without CloudFront", Model(inputs, given(has_edge=False))
    for peak in (1.0, 10.0):
        yield f"peak {peak:g} x the mean", Model(inputs, given(peak=peak))
    for factor in (0.8, 1.25):
        yield f"what is paid by use x {factor:g}", Model(inputs, prices=_scaled(inputs.prices, factor))
    at_http = {
        **inputs.prices.prices,
        **{f"api_request{step}": inputs.prices.prices["http_api_request"] for step in _STEPS},
    }
    yield (
        "an HTTP API in place of the REST API",
        Model(inputs, prices=msgspec.structs.replace(inputs.prices, prices=at_http)),
    )


_STEPS = ("", "_next", "_then", "_rest")
_BY_USE = ("lambda_", "api_request", "dynamodb_", "sqs_", "s3_", "log_", "edge_", "transfer_")


def _scaled(prices: PriceList, factor: float) -> PriceList:
    changed: Mapping[str, object] = {
        name: msgspec.structs.replace(each, usd=each.usd * factor) if name.startswith(_BY_USE) else each
        for name, each in prices.prices.items()
    }
    return msgspec.structs.replace(prices, prices=changed)

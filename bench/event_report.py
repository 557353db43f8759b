"""What bench.events has found: the report, the bars that were missed, and both as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bench import event_writes as writes
from bench.event_drain import Drain
from bench.event_latency import RATES, Latency
from bench.event_writes import Writes

# How many times as fast as the peer the worker drains.
PEER_BAR = 5.0
NOTES = (
    "all rows go into one Postgres (fsync on); Sluice and the peer are measured in turn, each while the other is down",
    "drained by `worker`: the function itself in 4 processes, handed invocations as Lambda would hand them; what reads "
    "the queue on AWS is no part of it",
    "drained by `queue`: through the emulator's SQS and its functions, which is mostly the emulator's own time and "
    "says nothing about AWS",
    "the peer: Celery with 4 processes, from its Redis without persistence, one row and one commit for each task; its "
    "events are judged before, as those of Sluice's worker are",
    "paces are from the first row that was seen to the last one, so that no start of a process counts; ratios are to "
    "the faster of the peer's drains, one before each profile",
    "latency is counted from when a request was due; at 100 a second Sluice is sent to by its queue, for the emulator "
    "answers some 40 requests a second, and the peer by HTTP",
)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    is_quick: bool
    cores: int
    # The machine's load: at the start, and after the writes and each profile.
    loads_1m: list[float]
    writes: Writes
    drains: list[Drain]
    latencies: list[Latency]
    notes: tuple[str, ...] = NOTES
    missed: tuple[str, ...] = ()


def missed(report: Report) -> tuple[str, ...]:
    """Where a bar was not met, in words; a quick run is held to its counts only."""
    found = [_wrong_counts(drain) for drain in report.drains] + [_wrong_load(each) for each in report.latencies]
    lines = [line for line in found if line]
    if not report.is_quick:
        lines += [*writes.missed(report.writes), *_slow_drains(report.drains), *_slow_rows(report.latencies)]
    return tuple(lines)


def ratio(drain: Drain, drains: Sequence[Drain]) -> float | None:
    """How many times as fast as the peer's fastest drain it was; None without a peer, and for the peer."""
    fastest = max((each.pace.rows_per_s for each in drains if each.system == "peer"), default=0.0)
    if drain.system == "peer" or not fastest:
        return None
    return drain.pace.rows_per_s / fastest


def _wrong_counts(drain: Drain) -> str:
    found = drain.found
    if (found.rows, found.lost, found.doubled) == (drain.events, 0, 0):
        return ""
    what = f"{found.rows} rows, {found.lost} lost, {found.doubled} doubled"
    return f"{_name(drain)}: of {drain.events} events {what}"


def _wrong_load(latency: Latency) -> str:
    load = latency.load
    if (load.accepted, load.stored, load.lost, load.doubled) == (load.events, load.events, 0, 0):
        return ""
    what = f"{load.accepted} accepted, {load.stored} stored, {load.lost} lost, {load.doubled} doubled"
    return f"{_name(latency)} at {latency.asked_per_s:g}/s: of {load.events} events {what}"


def _slow_drains(drains: Sequence[Drain]) -> list[str]:
    ratios = [(drain, ratio(drain, drains)) for drain in drains if drain.through == "worker"]
    return [
        f"{_name(drain)}: {times:.3g} times the peer's pace, at least {PEER_BAR:g} times"
        for drain, times in ratios
        if times is not None and times < PEER_BAR
    ]


def _slow_rows(latencies: Sequence[Latency]) -> list[str]:
    bars = {round(rate, 1): bar_s for rate, bar_s, _ in RATES}
    lines = []
    for latency in latencies:
        times, bar_s = latency.load.row_ms, bars[latency.asked_per_s]
        if latency.profile == "low-latency" and (times is None or times.p99 >= 1000 * bar_s):
            told = "unknown" if times is None else f"{times.p99:g} ms"
            lines.append(f"{_name(latency)} at {latency.asked_per_s:g}/s: p99 is {told}, below {bar_s:g} s")
    return lines


def _name(measured: Drain | Latency) -> str:
    return " ".join(part for part in (measured.system, measured.profile, f"by {measured.through}") if part)


def drain_line(drain: Drain, times: float | None = None) -> str:
    """A drain as a person reads it."""
    pace, found = drain.pace, drain.found
    return (
        f"{_name(drain):<32}{drain.events:>8,} events, {drain.at_a_time:>5,} at a time "
        f"{pace.rows_per_s:>9,.0f} rows/s (halves {pace.first_half_per_s:,.0f}, {pace.second_half_per_s:,.0f})  "
        f"lost {found.lost}, doubled {found.doubled}"
        + (f"  {drain.cpu_us_per_event:,.0f} us CPU an event" if drain.cpu_us_per_event else "")
        + (f"  {times:.3g} x the peer" if times else "")
    )


def latency_line(latency: Latency) -> str:
    """A load as a person reads it."""
    load, times = latency.load, latency.load.row_ms
    told = f"p50 {times.p50:g}, p95 {times.p95:g}, p99 {times.p99:g} ms" if times else "no rows"
    return (
        f"{_name(latency):<32}{latency.asked_per_s:>6g}/s to row: {told}  "
        f"(accepted {load.accepted} of {load.events}, lost {load.lost}, doubled {load.doubled})"
    )


def table(report: Report) -> str:
    """The report as a person reads it."""
    return "\n".join(
        [
            f"{report.cores} cores, load {', '.join(f'{load:g}' for load in report.loads_1m)}",
            *writes.table(report.writes),
            "drained",
            *(f"  {drain_line(drain, ratio(drain, report.drains))}" for drain in report.drains),
            "from request to row",
            *(f"  {latency_line(latency)}" for latency in report.latencies),
            *(f"note: {note}" for note in report.notes),
            *(f"MISSED: {line}" for line in report.missed),
        ]
    )

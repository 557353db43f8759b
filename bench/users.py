"""1 to 200 users who submit forecasts and poll for them: Sluice beside Flask + Celery + Redis, in one run.

Both run on this machine, and for each number of users first the peer is used and then Sluice, by the same clients with
the same requests. Figures as JSON on stdout, progress on stderr. The bar: every job of Sluice succeeds, and never a
smaller share of them than of the peer's; else the exit code is 1. `python -m bench.users [USERS ...]`
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import psutil

from bench.crowd import JOB_DEADLINE_S, MAX_ROUNDS, POLL_S, TRIALS, Orders, Outcome, Record
from bench.peer.stack import API_THREADS, API_WORKERS, TASK_WORKERS, redis_server, running_peer
from localstack.emulator import forget_aws_settings
from localstack.errors import Interrupted, LocalStackError
from localstack.progress import Progress
from localstack.run import local_stack
from localstack.settings import Settings
from localstack.supervise import interruptible

ROOT = Path(__file__).parents[1]
STATE = ROOT / ".local" / "bench"
USERS = (1, 10, 50, 100, 200)
STEP_S, WARM_UP_S = 12.0, 2.0
# No system is measured while the other one still works something off.
SETTLED_PERCENT, SETTLE_S = 25.0, 20.0
# Job numbers of one step; requests follow from numbers, and none is sent twice to one system.
NUMBERS_PER_STEP = 10_000

NOTES = [
    "both systems get the same requests, each of them different from all others",
    f"the peer draws {TRIALS} trials per forecast; Sluice answers with the exact law and draws none",
    f"peer: gunicorn {API_WORKERS} x {API_THREADS} threads, Celery {TASK_WORKERS} processes, Redis without "
    "persistence, no database; Sluice: its local stack on an AWS emulator, which says nothing about AWS",
    f"users arrive within {POLL_S:g} s and look after the answer's Retry-After, else after {POLL_S:g} s; nothing is "
    f"tried again: an answer other than 2xx, none, or no result within {JOB_DEADLINE_S:.0f} s fails the job",
    f"each step begins jobs for {STEP_S:.0f} s, at most {MAX_ROUNDS} per user and at least one",
]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What one step of one system has shown."""

    jobs: int
    succeeded: int
    success_rate: float
    requests: int  # HTTP requests that were answered
    submit_p50_ms: float | None
    submit_p95_ms: float | None
    result_p50_s: float | None
    result_p95_s: float | None
    jobs_per_s: float
    wall_s: float
    client_cpu_cores: float  # the clients' own share of the machine
    not_2xx: dict[str, int]
    errors: dict[str, int]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Both systems with that many users."""

    users: int
    peer: Figures
    sluice: Figures
    sluice_to_peer: dict[str, float | None]
    medians_compared: int  # requests that both answered
    largest_difference_weeks: float | None  # between the two systems' medians of one request


def main(arguments: list[str]) -> int:
    """Measure, print, and tell whether the bar was met."""
    progress = Progress(sys.stderr)
    try:
        users = [int(text) for text in arguments] or list(USERS)
        with interruptible():
            redis_server()  # before anything is started
            report = measure(users, progress)
    except Interrupted as interrupted:
        return interrupted.exit_code
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(report, indent=1))
    for line in report["missed"]:
        progress.line(f"missed: {line}")
    return 1 if report["missed"] else 0


def measure(users: list[int], progress: Progress) -> dict[str, Any]:  # a JSON object
    """Start both systems, take them in turns for each number of users, end them."""
    forget_aws_settings()
    (STATE / "peer").mkdir(parents=True, exist_ok=True)
    settings = Settings(root=ROOT, state=STATE / "sluice", keep_data=False)
    before = _machine()
    with running_peer(STATE / "peer", progress) as peer, local_stack(settings, progress) as stack:
        urls = {"peer": peer.url, "sluice": stack.url}
        for name, url in urls.items():
            _warm_up(name, url)
        progress.step("both warm")
        steps = [_step(urls, count, (number + 1) * NUMBERS_PER_STEP, progress) for number, count in enumerate(users)]
    machine = {"start": before, "end": _machine()}
    built = [msgspec.to_builtins(step) for step in steps]
    return {"notes": NOTES, "machine": machine, "steps": built, "missed": missed(steps)}


def missed(steps: list[Step]) -> list[str]:
    """Where the bar was not met, in words."""
    return [
        f"{step.users} users: {step.sluice.succeeded} of {step.sluice.jobs} jobs of Sluice succeeded, "
        f"{step.peer.succeeded} of {step.peer.jobs} of the peer's"
        for step in steps
        if step.sluice.success_rate < max(1.0, step.peer.success_rate)
    ]


def _warm_up(name: str, url: str) -> None:
    record = _send(Orders(url=url, users=4, seconds=WARM_UP_S, first=0))
    failures = {outcome.failure for outcome in record.outcomes if outcome.failure}
    if failures:
        raise LocalStackError(f"{name} does not work: {'; '.join(sorted(failures))}")


def _step(urls: dict[str, str], users: int, first: int, progress: Progress) -> Step:
    records = {}
    for name, url in urls.items():
        _settle()
        records[name] = _send(Orders(url=url, users=users, seconds=STEP_S, first=first))
        progress.step(_line(name, users, figures(records[name])))
    peer, sluice = figures(records["peer"]), figures(records["sluice"])
    compared = ("submit_p50_ms", "submit_p95_ms", "result_p50_s", "result_p95_s", "jobs_per_s")
    medians = [_medians(records[name].outcomes) for name in ("peer", "sluice")]
    both = medians[0].keys() & medians[1].keys()
    return Step(
        users=users,
        peer=peer,
        sluice=sluice,
        sluice_to_peer={name: _ratio(getattr(sluice, name), getattr(peer, name)) for name in compared},
        medians_compared=len(both),
        largest_difference_weeks=max((abs(medians[0][n] - medians[1][n]) for n in both), default=None),
    )


def _settle() -> None:
    """Wait until the machine is nearly idle, as long as that makes sense on a shared one."""
    deadline_s = time.monotonic() + SETTLE_S
    while psutil.cpu_percent(interval=1.0) > SETTLED_PERCENT and time.monotonic() < deadline_s:
        pass


def _send(orders: Orders) -> Record:
    argv = [sys.executable, "-m", "bench.crowd", msgspec.json.encode(orders).decode()]
    # Rounds begin for so long, the last one may take its deadline, and one answer may come late.
    longest_s = orders.seconds + 2 * JOB_DEADLINE_S + 30
    try:
        told = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, timeout=longest_s, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise LocalStackError(f"the clients failed: {type(error).__name__}") from error
    return msgspec.json.decode(told.stdout, type=Record)


def figures(record: Record) -> Figures:
    """The figures of what a crowd has seen."""
    results_s = [outcome.result_s for outcome in record.outcomes if outcome.result_s is not None]
    submits_ms = [1000 * seconds for seconds in record.submits_s]
    failures = Counter(outcome.failure for outcome in record.outcomes if outcome.failure)
    return Figures(
        jobs=len(record.outcomes),
        succeeded=len(results_s),
        success_rate=round(len(results_s) / len(record.outcomes), 4),
        requests=sum(record.statuses.values()),
        submit_p50_ms=_percentile(submits_ms, 50, digits=1),
        submit_p95_ms=_percentile(submits_ms, 95, digits=1),
        result_p50_s=_percentile(results_s, 50, digits=3),
        result_p95_s=_percentile(results_s, 95, digits=3),
        jobs_per_s=round(len(results_s) / record.wall_s, 2),
        wall_s=round(record.wall_s, 1),
        client_cpu_cores=round(record.cpu_s / record.wall_s, 2),
        not_2xx={key: count for key, count in record.statuses.items() if key.split()[1][0] != "2"},
        errors=dict(failures.most_common()),
    )


def _percentile(values: list[float], level: int, *, digits: int) -> float | None:
    if len(values) < 2:
        return round(values[0], digits) if values else None
    return round(statistics.quantiles(values, n=100, method="inclusive")[level - 1], digits)


def _ratio(value: float | None, other: float | None) -> float | None:
    return round(value / other, 2) if value is not None and other else None


def _medians(outcomes: list[Outcome]) -> dict[int, float]:
    return {outcome.number: outcome.median_weeks for outcome in outcomes if outcome.median_weeks is not None}


def _line(name: str, users: int, seen: Figures) -> str:
    return (
        f"{users:3} users {name:6} {seen.succeeded:4}/{seen.jobs:<4} succeeded {seen.jobs_per_s:6.1f} jobs/s   "
        f"submit p50 {seen.submit_p50_ms} p95 {seen.submit_p95_ms} ms   "
        f"result p50 {seen.result_p50_s} p95 {seen.result_p95_s} s"
        + "".join(f"\n{count:12} x {sort}" for sort, count in seen.errors.items())
    )


def _machine() -> dict[str, float | int | None]:
    """How fast this machine is right now, so that two runs can be set in proportion."""
    began, rounds = time.perf_counter(), 0
    while time.perf_counter() - began < 0.5:
        rounds += sum(n * n for n in range(1000)) > 0
    return {"cores": os.cpu_count(), "load_1m": round(os.getloadavg()[0], 2), "python_rounds_per_s": 2 * rounds}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Faults to practise on: `make fault NAME=stuck-in-pending`, and `make fault` for the list.

Each is real, on the local stage that `make up` runs, and lasts until Ctrl-C or for SECONDS. What it has changed is put
back at its end. docs/runbook.md has a section for each: what it means, how to look, what to do.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import FrameType

from infra import faults_of_database, faults_of_jobs
from infra.local_stage import LocalStage
from infra.ops import keep_output_for_answers

SECONDS, MOST_SECONDS = 300, 3600
RUNBOOK = "docs/runbook.md"

Fault = Callable[[LocalStage], AbstractContextManager[dict[str, str]]]

# By the heading of the runbook that each belongs to.
FAULTS: Mapping[str, Fault] = {
    "stuck-in-pending": faults_of_jobs.stuck_in_pending,
    "queue-growing": faults_of_jobs.queue_growing,
    "worker-broken": faults_of_jobs.worker_broken,
    "dead-letters": faults_of_jobs.dead_letters,
    "job-failures": faults_of_jobs.job_failures,
    "sweep-stopped": faults_of_jobs.sweep_stopped,
    "leaked-key": faults_of_jobs.leaked_key,
    "database-away": faults_of_database.database_away,
    "database-slow": faults_of_database.slow_database,
    "database-connections": faults_of_database.connections_used_up,
    "migration-failed": faults_of_database.migration_failed,
    "table-growing": faults_of_database.table_growing,
}


def play(name: str, seconds: int, over: threading.Event) -> None:
    """Plays a fault until the event or for so many seconds, and says what of it is to be looked for."""
    stage = LocalStage.find()
    with FAULTS[name](stage) as names:
        _say(f"{name}: {FAULTS[name].__doc__}")
        for variable, value in names.items():
            _say(f"{variable}={value}")
        _say(f"how to look, and what to do: {RUNBOOK}#{name}")
        _say(f"it ends with Ctrl-C, or by itself in {seconds} s")
        over.wait(seconds)
    _say("over: all is as it was")


def main(words: list[str]) -> None:
    lines = [f"  {name:21} {fault.__doc__}" for name, fault in FAULTS.items()]
    parser = argparse.ArgumentParser(
        prog="make fault NAME=... [SECONDS=300]",
        usage="%(prog)s",
        description="\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("--name", choices=("", *FAULTS), default="", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    if not asked.name:
        parser.print_help()
        return
    seconds = asked.seconds or str(SECONDS)
    if not seconds.isdecimal() or not 1 <= int(seconds) <= MOST_SECONDS:
        raise SystemExit(f"SECONDS must be from 1 to {MOST_SECONDS}, got {seconds!r}")
    over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        over.set()

    # What is asked to end puts back what it has changed.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    keep_output_for_answers()
    play(asked.name, int(seconds), over)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

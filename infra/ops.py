"""Operations from the command line: `make ops CMD=depth`, and `make ops` for the list.

Talks to AWS itself, not to the API, so that it works while the API does not. STAGE names the deployment; for the local
one the address is read from .local/run.json, which `make up` keeps while it runs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from chalicelib import kinds
from chalicelib.errors import SluiceError
from chalicelib.jobs import operations
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import Registry
from chalicelib.runtime import Runtime

# Jobs that one command looks at.
LIMIT = 5_000
RUN_FILE = Path(".local/run.json")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to do, to what."""

    engine: Engine
    registry: Registry
    queue: str = ""
    job_id: str = ""
    drop: bool = False


def active(order: Order) -> object:
    """jobs that have not ended"""
    return operations.active(order.engine, order.registry, LIMIT)


def show_kinds(order: Order) -> object:
    """job kinds of the stage, and how many jobs of each wait and run"""
    return operations.kinds(order.engine, order.registry, LIMIT)


def stats(order: Order) -> object:
    """kinds and queues in one"""
    return {"kinds": show_kinds(order), "queues": operations.queues(order.engine)}


def depth(order: Order) -> object:
    """how full each queue is, or QUEUE; whether it is paused"""
    return operations.queue_state(order.engine, order.queue) if order.queue else operations.queues(order.engine)


def purge(order: Order) -> object:
    """cancel all jobs that wait in QUEUE and drop its messages; running jobs go on"""
    return operations.purge(order.engine, order.registry, order.queue, limit=LIMIT)


def pause(order: Order) -> object:
    """switch the workers of QUEUE off; jobs are accepted and wait"""
    return operations.pause(order.engine, order.queue)


def resume(order: Order) -> object:
    """switch the workers of QUEUE on again"""
    return operations.resume(order.engine, order.queue)


def redrive(order: Order) -> object:
    """start the failed jobs in the dead-letter queue of QUEUE again, or the failed job ID; DROP=1 deletes the rest"""
    if order.job_id:
        job = operations.redrive_one(order.engine, order.registry, order.job_id)
        return {"task_id": job.id, "state": job.state}
    return operations.redrive(order.engine, order.registry, order.queue, limit=LIMIT, drop=order.drop)


COMMANDS: Mapping[str, Callable[[Order], object]] = {
    "active": active,
    "kinds": show_kinds,
    "stats": stats,
    "depth": depth,
    "purge": purge,
    "pause": pause,
    "resume": resume,
    "redrive": redrive,
}


def find_local(environ: Mapping[str, str], run_file: Path) -> dict[str, str]:
    """What the environment lacks to reach the local stage; raises SystemExit where that one does not run."""
    if environ.get("STAGE", "local") != "local" or "AWS_ENDPOINT_URL" in environ:
        return {}
    if not run_file.exists():
        raise SystemExit("the local environment does not run: start it with `make up`, or name a STAGE")
    endpoint = json.loads(run_file.read_text("utf-8"))["endpoint"]
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    return {"AWS_ENDPOINT_URL": endpoint, **keys}


def main(words: list[str]) -> None:
    lines = [f"  {name:8} {command.__doc__}" for name, command in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="make ops CMD=... [QUEUE=...] [ID=...] [DROP=1]",
        usage="%(prog)s",
        description="\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("command", choices=COMMANDS, nargs="?", help=argparse.SUPPRESS)
    for option in ("--queue", "--id", "--drop"):
        parser.add_argument(option, default="", help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    if asked.command is None:
        parser.print_help()
        return
    if asked.command in ("purge", "pause", "resume", "redrive") and not (asked.queue or asked.id):
        raise SystemExit(f"{asked.command} needs QUEUE=..." + (" or ID=..." * (asked.command == "redrive")))
    os.environ.update(find_local(os.environ, RUN_FILE))
    # Standard output is for the answer alone, so that a program can read it: neither log lines nor metrics.
    for handler in logging.getLogger("sluice").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stderr)
    runtime = Runtime()
    order = Order(
        engine=runtime.engine,
        registry=kinds.registry(runtime.settings.stage),
        queue=asked.queue,
        job_id=asked.id,
        drop=asked.drop in ("1", "true"),
    )
    try:
        with contextlib.redirect_stdout(sys.stderr):
            done = COMMANDS[asked.command](order)
    except SluiceError as error:
        raise SystemExit(error.detail) from None
    print(msgspec.json.format(msgspec.json.encode(done)).decode())


if __name__ == "__main__":
    main(sys.argv[1:])

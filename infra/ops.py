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
from chalicelib.errors import NotFound, SluiceError
from chalicelib.jobs import operations
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import Registry
from chalicelib.runtime import Runtime
from infra import erasure, looks

# Jobs that one command looks at.
LIMIT = 5_000
_TRUE, _FALSE = ("1", "true"), ("0", "false")
RUN_FILE = Path(os.environ.get("SLUICE_STATE") or ".local") / "run.json"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to do, to what."""

    engine: Engine
    registry: Registry
    queue: str = ""
    # Of a job; or whatever else a command looks for.
    job_id: str = ""
    drop: bool = False
    # Empty: only to look.
    on: str = ""
    account: str = ""
    is_confirmed: bool = False
    runtime: Runtime


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


def maintenance(order: Order) -> object:
    """whether all workers are off; ON=1 switches them off, and whatever comes is accepted and waits; ON=0 on again"""
    if order.on:
        return operations.maintain(order.engine, on=order.on in _TRUE)
    return operations.maintenance(order.engine)


def redrive(order: Order) -> object:
    """start the failed jobs in the dead-letter queue of QUEUE again, or the failed job ID; DROP=1 deletes the rest"""
    if order.job_id:
        job = operations.redrive_one(order.engine, order.registry, order.job_id)
        return {"task_id": job.id, "state": job.state}
    return operations.redrive(order.engine, order.registry, order.queue, limit=LIMIT, drop=order.drop)


def task(order: Order) -> object:
    """all that is stored of the job ID, whoever owns it, but its request and result"""
    found = order.engine.store.find(order.job_id)
    if found is None:
        raise NotFound(f"there is no task {order.job_id[:100]}")
    return found.job


def dead(order: Order) -> object:
    """what is in the dead-letter queue of QUEUE, and why; it stays there"""
    return operations.dead_letters(order.engine, order.queue, LIMIT)


def log(order: Order) -> object:
    """warnings and errors of the last hour, the newest last; with ID every line that has it: of a task, a request"""
    return looks.log_lines(order.runtime.settings.stage, order.job_id)


def start(order: Order) -> object:
    """has each function that takes messages start with none: what keeps it from starting; and the sweeper's schedule"""
    return looks.start_all(order.runtime.settings.stage)


def database(order: Order) -> object:
    """size, connections, slow and waiting transactions and migrations of the database, asked from inside its network"""
    return looks.ask_inside(order.runtime.settings.stage, {"look": True})


def end(order: Order) -> object:
    """end the database connection ID, a pid of CMD=database: its transaction is undone"""
    if not order.job_id.isdecimal():
        raise NotFound(f"ID must be the pid of a connection, got {order.job_id[:40]!r}")
    return looks.ask_inside(order.runtime.settings.stage, {"end": int(order.job_id)})


def revoke(order: Order) -> object:
    """revoke the API key ID for good: the key as it leaked, or its id"""
    return looks.revoke_key(order.runtime, order.job_id)


def sign_out(order: Order) -> object:
    """revoke all tokens of ACCOUNT, an id: whoever is logged in has to log in again, within 30 s"""
    if not order.account.isdecimal():
        raise NotFound(f"ACCOUNT must be the id of an account, got {order.account[:40]!r}")
    return {"account": order.account, "epoch": order.runtime.keys.raise_epoch(order.account)}


def erase(order: Order) -> object:
    """what is stored of ACCOUNT, an address or an id; CONFIRM=yes erases it everywhere, for good"""
    return erasure.erase(order.runtime, order.account, confirmed=order.is_confirmed)


COMMANDS: Mapping[str, Callable[[Order], object]] = {
    "active": active,
    "kinds": show_kinds,
    "stats": stats,
    "depth": depth,
    "purge": purge,
    "pause": pause,
    "resume": resume,
    "maintenance": maintenance,
    "redrive": redrive,
    "task": task,
    "dead": dead,
    "log": log,
    "start": start,
    "database": database,
    "end": end,
    "revoke": revoke,
    "sign-out": sign_out,
    "erase": erase,
}
# What a command cannot do without; one of them is enough.
NEEDS = {
    "purge": ("queue",), "pause": ("queue",), "resume": ("queue",), "redrive": ("queue", "id"), "task": ("id",),
    "dead": ("queue",), "end": ("id",), "revoke": ("id",), "sign-out": ("account",),
    "erase": ("account",),
}  # fmt: skip


def find_local(environ: Mapping[str, str], run_file: Path) -> dict[str, str]:
    """What the environment lacks to reach the local stage; raises SystemExit where that one does not run."""
    if environ.get("STAGE", "local") != "local" or "AWS_ENDPOINT_URL" in environ:
        return {}
    if not run_file.exists():
        raise SystemExit("the local environment does not run: start it with `make up`, or name a STAGE")
    told = json.loads(run_file.read_text("utf-8"))
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    # with LocalStack some services are elsewhere
    return {"AWS_ENDPOINT_URL": told["endpoint"], **told.get("services", {}), **keys}


def keep_output_for_answers() -> None:
    """Has log lines go to standard error, so that a program can read the answer."""
    for handler in logging.getLogger("sluice").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stderr)


def main(words: list[str]) -> None:
    lines = [f"  {name:11} {command.__doc__}" for name, command in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="make ops CMD=... [QUEUE=...] [ID=...] [ACCOUNT=...] [DROP=1] [ON=1|0] [CONFIRM=yes]",
        usage="%(prog)s",
        description="\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("command", choices=COMMANDS, nargs="?", help=argparse.SUPPRESS)
    for option in ("--queue", "--id", "--account", "--drop", "--on", "--confirm"):
        parser.add_argument(option, default="", help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    if asked.command is None:
        parser.print_help()
        return
    needed = NEEDS.get(asked.command, ())
    if needed and not any(getattr(asked, name) for name in needed):
        raise SystemExit(f"{asked.command} needs " + " or ".join(f"{name.upper()}=..." for name in needed))
    if asked.on not in ("", *_TRUE, *_FALSE):
        raise SystemExit(f"ON must be 1 or 0, got {asked.on!r}")
    os.environ.update(find_local(os.environ, RUN_FILE))
    keep_output_for_answers()
    runtime = Runtime()
    order = Order(
        engine=runtime.engine,
        registry=kinds.registry(runtime.settings.stage),
        queue=asked.queue,
        job_id=asked.id,
        drop=asked.drop in _TRUE,
        on=asked.on,
        account=asked.account,
        is_confirmed=asked.confirm == "yes",
        runtime=runtime,
    )
    try:
        with contextlib.redirect_stdout(sys.stderr):
            done = COMMANDS[asked.command](order)
    except SluiceError as error:
        raise SystemExit(error.detail) from None
    print(msgspec.json.format(msgspec.json.encode(done)).decode())


if __name__ == "__main__":
    main(sys.argv[1:])

"""Faults of queues, workers and keys, each from its beginning to its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import boto3

from chalicelib.errors import Conflict, NotFound
from chalicelib.jobs import operations
from infra import looks
from infra.local_stage import LocalStage, wait_for

QUEUE = "simulations"
# Of `queue-growing`: more than its ten workers do in the time that it takes to look.
JOBS, JOB_S = 40, 15
# Nobody's message; it says so, that whoever meets it knows.
POISON = '{"made by": "make fault NAME=dead-letters"}'
NO_UPLOAD = "00000000-0000-0000-0000-000000000000"
# Longer than a lease may be, so that no process accepts its settings.
WRONG = {"LEASE_S": "3600"}


@contextmanager
def stuck_in_pending(stage: LocalStage) -> Iterator[dict[str, str]]:
    """the queue of forecasts is paused, and a job waits in it"""
    operations.pause(stage.engine, QUEUE)
    task = stage.submit("/api/async/slow", {"seconds": 0})
    try:
        yield {"TASK": task}
    finally:
        _resume(stage)


@contextmanager
def queue_growing(stage: LocalStage) -> Iterator[dict[str, str]]:
    """more jobs come than the workers of forecasts can do"""
    tasks = [stage.submit("/api/async/slow", {"seconds": JOB_S}) for _ in range(JOBS)]
    try:
        yield {"TASK": tasks[-1]}
    finally:
        for task in tasks:
            stage.call("DELETE", f"/api/tasks/{task}")


@contextmanager
def dead_letters(stage: LocalStage) -> Iterator[dict[str, str]]:
    """a message that no worker can read is in the queue of forecasts"""
    stage.engine.queues.post(QUEUE, POISON)
    wait_for(lambda: operations.queue_state(stage.engine, QUEUE).dead > 0, "the message is given up")
    try:
        yield {}
    finally:
        for letter in stage.engine.queues.dead(QUEUE, 100):
            if letter.body == POISON:
                stage.engine.queues.delete_dead(QUEUE, letter.receipt)


@contextmanager
def job_failures(stage: LocalStage) -> Iterator[dict[str, str]]:
    """jobs fail one after the other: the file that they are to read was never sent"""
    token = stage.login()
    body = {"upload_id": NO_UPLOAD}
    tasks = [stage.submit("/api/async/throughput/import", body, token=token) for _ in range(3)]
    wait_for(lambda: _state(stage, tasks[-1]) == "FAILURE", "the last job fails")
    yield {"TASK": tasks[-1]}


@contextmanager
def worker_broken(stage: LocalStage) -> Iterator[dict[str, str]]:
    """the worker of forecasts cannot start: one of its settings is refused"""
    functions = boto3.client("lambda")
    (name,) = (each.full_name for each in looks.functions("local") if each.name == f"work_{QUEUE}")
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    _set(functions, name, before | WRONG)
    task = stage.submit("/api/async/slow", {"seconds": 0})
    try:
        yield {"TASK": task}
    finally:
        _set(functions, name, before)


@contextmanager
def sweep_stopped(stage: LocalStage) -> Iterator[dict[str, str]]:
    """the schedule that calls the sweeper is switched off"""
    events = boto3.client("events")
    (rule,) = looks.rules_of_sweep("local")
    events.disable_rule(Name=rule)
    try:
        yield {"RULE": rule}
    finally:
        events.enable_rule(Name=rule)


@contextmanager
def leaked_key(stage: LocalStage) -> Iterator[dict[str, str]]:
    """an API key of the demo account is known to a stranger, who uses it"""
    token = stage.login()
    made = stage.ask("POST", "/api/keys", {"name": "leaked", "scopes": ["jobs:read", "jobs:write"]}, token=token)
    stage.submit("/api/async/slow", {"seconds": 0}, token=made["key"])
    try:
        yield {"KEY": made["key"]}
    finally:
        stage.call("DELETE", f"/api/keys/{made['id']}", token=token)


def _state(stage: LocalStage, task: str) -> str:
    found = stage.engine.store.find(task)
    return found.job.state if found is not None else ""


def _resume(stage: LocalStage) -> None:
    def resumed() -> bool:
        # The pause itself may still be under way.
        with suppress(Conflict, NotFound):
            return not operations.resume(stage.engine, QUEUE).is_paused
        return False

    wait_for(resumed, "the queue is resumed")


def _set(functions: Any, name: str, variables: dict[str, str]) -> None:  # a client of boto3's
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})

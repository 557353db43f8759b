"""What one piece of work takes, invocation by invocation: CPU, waits, calls and bytes, as bench.cost measures it."""

from __future__ import annotations

import msgspec

from bench.cost_recorder import Calls


class Invocation(msgspec.Struct, frozen=True, kw_only=True):
    """One of a function's invocations; `times` is how many of them a piece of work takes."""

    function: str
    step: str
    times: float
    # Of this process, at the median.
    cpu_ms: float
    # For Postgres, without the network.
    database_ms: float
    log_bytes: int
    # Body and headers of an HTTP answer.
    answer_bytes: int = 0
    # Of SQS, that the invocation was handed.
    messages: int = 0
    message_bytes: int = 0
    calls: dict[str, Calls] = msgspec.field(default_factory=dict)


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work; `events` is how many events it brings into Postgres."""

    name: str
    events: int
    rounds: int
    # Of all of Postgres's processes.
    database_cpu_ms: float
    invocations: tuple[Invocation, ...]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """All that the functions' process has measured."""

    works: tuple[Work, ...]
    # Of loading a function; "" is every function that is not named.
    cold_cpu_ms: dict[str, float] = {}
    # Of an event on the database's disk.
    row_bytes: float = 0.0
    # Custom metrics that the work has written.
    series: int = 0

"""The job table's stream as changes of jobs.

A record that cannot be read is logged and left out: raising would hold up every change behind it, and a client that
misses one still sees the state when it asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from chalicelib.jobs.items import META, unpack
from chalicelib.jobs.store import Job
from chalicelib.telemetry import log


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A job before and after one write, the write's place in the stream, and its time in seconds since the epoch."""

    old: Job
    new: Job
    sequence: int
    at_s: float


def read_changes(records: Iterable[dict[str, Any]]) -> list[Change]:
    """The changes of jobs among records of the stream, in order; new and removed jobs are none."""
    return [change for record in records if (change := _read(record)) is not None]


def _read(record: dict[str, Any]) -> Change | None:
    written = record["dynamodb"]
    if record["eventName"] != "MODIFY" or written["Keys"].get("part") != {"S": META}:
        return None
    try:
        return Change(
            old=unpack(written["OldImage"]),
            new=unpack(written["NewImage"]),
            sequence=int(written["SequenceNumber"]),
            at_s=float(written["ApproximateCreationDateTime"]),
        )
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        log.error("unreadable change", job_id=written["Keys"]["id"].get("S"), error=str(error))
        return None

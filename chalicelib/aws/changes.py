"""The job table's stream as changes of jobs.

A record that cannot be read is logged and left out: raising would hold up every change behind it, and a client that
misses one still sees the state when it asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from chalicelib.jobs.dynamo import META
from chalicelib.jobs.store import Job
from chalicelib.telemetry import log

# Stored as JSON text inside an item.
_JSON = ("problem", "warnings")


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
            old=_read_job(written["OldImage"]),
            new=_read_job(written["NewImage"]),
            sequence=int(written["SequenceNumber"]),
            at_s=float(written["ApproximateCreationDateTime"]),
        )
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        log.error("unreadable change", job_id=written["Keys"]["id"].get("S"), error=str(error))
        return None


def _read_job(image: dict[str, Any]) -> Job:
    """What is not known is left out, so that a newer worker's items can be read during a deploy."""
    fields: dict[str, Any] = {}
    for name in set(Job.__struct_fields__) & set(image):
        ((kind, value),) = image[name].items()
        fields[name] = int(value) if kind == "N" else msgspec.json.decode(value) if name in _JSON else value
    return msgspec.convert(fields, Job)

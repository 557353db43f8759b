"""What is started once an hour, or every few minutes, by whoever is woken each minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.errors import Gone, SluiceError, Unavailable
from chalicelib.jobs.submit import Asker, submit
from chalicelib.telemetry import log

if TYPE_CHECKING:
    from chalicelib.jobs.kind import Registry
    from chalicelib.runtime import Runtime

_HOUR_S = 3600
# How old statistics may be, and spikes when they are told.
_COUNT_S = 300


class Hourly:
    """Starts the upkeep of events; one of a process remembers that it has."""

    def __init__(self) -> None:
        self._hour = 0

    def start(self, runtime: Runtime, registry: Registry) -> None:
        """Submits this hour's upkeep, once however many processes do."""
        hour = int(runtime.clock.now()) // _HOUR_S
        if hour != self._hour and _start(runtime, registry, "events_upkeep", f"hour {hour}"):
            self._hour = hour


class Counting:
    """Starts the counting of events every five minutes, where there is anything to count or to tell.

    That is asked of Postgres by one small statement: while no events come, nothing else is done.
    """

    def __init__(self) -> None:
        self._turn = 0

    def start(self, runtime: Runtime, registry: Registry) -> None:
        """Submits this turn's counting, once however many processes do."""
        turn = int(runtime.clock.now()) // _COUNT_S
        if turn == self._turn or not runtime.has_database:
            return
        try:
            waits = _waits(runtime)
        except SluiceError as error:
            log.warning("counting not started", turn=turn, reason=error.detail)
            return
        if not waits or _start(runtime, registry, "event_statistics", f"turn {turn}"):
            self._turn = turn


def _waits(runtime: Runtime) -> bool:
    from chalicelib.db.events.spikes import EventSpikes

    return EventSpikes(runtime.database).waits(runtime.clock.utcnow())


def _start(runtime: Runtime, registry: Registry, name: str, key: str) -> bool:
    """Submits a job under its key, once however often this is called; answers whether that was done by anybody."""
    kind = registry.get(name)
    if kind is None or not runtime.has_database:
        return False
    try:
        submit(runtime.background, kind, kind.example, Asker(key=key))
    except Unavailable as error:
        log.warning("not started", kind=name, key=key, reason=error.detail)
        return False
    except Gone:
        log.info("started before", kind=name, key=key)
    return True

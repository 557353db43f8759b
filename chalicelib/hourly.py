"""What is started once an hour, by whoever is woken each minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.errors import Gone, Unavailable
from chalicelib.jobs.submit import Asker, submit
from chalicelib.telemetry import log

if TYPE_CHECKING:
    from chalicelib.jobs.kind import Registry
    from chalicelib.runtime import Runtime

_HOUR_S = 3600


class Hourly:
    """Starts the upkeep of events; one of a process remembers that it has."""

    def __init__(self) -> None:
        self._hour = 0

    def start(self, runtime: Runtime, registry: Registry) -> None:
        """Submits this hour's upkeep, once however many processes do."""
        hour = int(runtime.clock.now()) // _HOUR_S
        kind = registry.get("events_upkeep")
        if kind is None or not runtime.settings.database_url or hour == self._hour:
            return
        try:
            submit(runtime.background, kind, kind.example, Asker(key=f"hour {hour}"))
        except Unavailable as error:
            log.warning("upkeep not started", hour=hour, reason=error.detail)
            return
        except Gone:
            log.info("upkeep was started before", hour=hour)
        self._hour = hour

"""What every part of the engine works with, handed over as one."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.clock import Clock
from chalicelib.ids import Ids
from chalicelib.jobs.lifecycle import Lifecycle
from chalicelib.jobs.queue import Queues
from chalicelib.jobs.store import Store
from chalicelib.telemetry import Meter


@dataclass(frozen=True)
class Engine:
    """The store, the queues, where time and ids come from, and where metrics go."""

    store: Store
    queues: Queues
    clock: Clock
    ids: Ids
    lease_s: int
    meter: Meter
    # 0..1, for spreading retries.
    chance: Callable[[], float] = random.random
    # Handed to every run as it is; the engine does not look into it.
    parts: object = None

    @property
    def lifecycle(self) -> Lifecycle:
        return Lifecycle(self.store, self.clock, lease_s=self.lease_s, meter=self.meter)

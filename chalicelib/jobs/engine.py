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


@dataclass(frozen=True)
class Engine:
    """The store, the queues, and where time and ids come from."""

    store: Store
    queues: Queues
    clock: Clock
    ids: Ids
    lease_s: int
    # 0..1, for spreading retries.
    chance: Callable[[], float] = random.random
    # Handed to every run as it is; the engine does not look into it.
    parts: object = None

    @property
    def lifecycle(self) -> Lifecycle:
        return Lifecycle(self.store, self.clock, self.lease_s)

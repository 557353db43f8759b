"""A runtime whose parts stand in memory, and the trivial kinds that engine tests run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec

from chalicelib.aws.datasets import MemoryDatasets
from chalicelib.aws.event_records import MemoryEventRecords
from chalicelib.aws.job_files import MemoryJobFiles
from chalicelib.aws.mail import MemoryMailbox
from chalicelib.aws.memory_files import MemoryFiles
from chalicelib.aws.memory_keys import MemoryKeys
from chalicelib.aws.memory_sockets import MemorySockets, MemorySubscriptions
from chalicelib.aws.webhooks import MemoryWebhooks
from chalicelib.clock import FixedClock
from chalicelib.ids import CountingIds
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import AnyKind, Continue, Contract, JobKind, Progress, Registry
from chalicelib.jobs.memory import MemoryQueues, MemoryStore
from chalicelib.live import Live
from chalicelib.runtime import Runtime
from chalicelib.settings import Settings
from chalicelib.telemetry import Meter

SECRET = "a-secret-of-the-tests-that-is-long-enough"
FIRST_ID = "00000000-0000-4000-8000-000000000001"


class EchoRequest(msgspec.Struct, frozen=True):
    text: str


class EchoResult(msgspec.Struct, frozen=True):
    text: str
    warnings: list[str] = []


def echo_kind(
    run: Callable[[EchoRequest, Progress], EchoResult | Continue] | None = None, **changes: object
) -> AnyKind:
    """A kind that answers what it was sent, or does what `run` does."""

    def echo(request: EchoRequest, progress: Progress) -> EchoResult:
        return EchoResult(request.text)

    agreed = {"request": EchoRequest, "result": EchoResult, "example": EchoRequest("hello")}
    agreed |= {name: changes.pop(name) for name in Contract.__struct_fields__ if name in changes}
    declaration: dict[str, object] = {
        "name": "echo",
        "summary": "Echo",
        "path": "/api/async/echo",
        "sync_path": "/api/echo",
        "queue": "simulations",
        "contract": lambda: Contract(**agreed),  # type: ignore[arg-type, type-var]
        "run": run or echo,
        "outage_s": 0,
        "lenient": True,
        "opened_by": "public_forecasts",
    }
    return JobKind(**(declaration | changes))  # type: ignore[arg-type]


class MemoryEngine:
    """An engine in memory with its parts in reach."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.queues = MemoryQueues()
        self.clock = FixedClock()
        self.engine = Engine(
            self.store,
            self.queues,
            self.clock,
            CountingIds(),
            lease_s=30,
            meter=Meter("test"),
            chance=lambda: 1.0,
        )

    def serving(self, parts: object) -> Engine:
        """The engine as `parts` uses it, which its runs are then handed."""
        return replace(self.engine, parts=parts)


class MemoryRuntime(Runtime):
    """A runtime in memory; `settings` may differ per test."""

    def __init__(self, **settings: object) -> None:
        self.parts = MemoryEngine()
        chosen: dict[str, object] = {"stage": "test", "token_secret": SECRET, "public_forecasts": True}
        # Limits are tested where they are meant: by themselves they would end what asks a thousand times in no time.
        chosen |= {"rate_submit": 0, "rate_submit_anonymous": 0, "rate_read": 0} | settings
        self.__dict__["settings"] = Settings(**chosen)  # type: ignore[arg-type]
        self.__dict__["clock"] = self.parts.clock
        self.__dict__["ids"] = CountingIds()
        self.__dict__["keys"] = MemoryKeys()
        self.__dict__["files"] = MemoryFiles()
        self.__dict__["job_files"] = MemoryJobFiles()
        self.__dict__["datasets"] = MemoryDatasets()
        self.records = MemoryEventRecords()
        self.__dict__["event_records"] = self.records
        self.__dict__["engine"] = self.__dict__["background"] = self.parts.serving(self)
        self.outbox = MemoryMailbox(self.settings.mail_from)
        self.__dict__["mailbox"] = self.outbox
        self.hooks = MemoryWebhooks()
        self.__dict__["webhooks"] = self.hooks
        self.gateway = MemorySockets()
        self.__dict__["sockets"] = self.gateway
        self.watchers = MemorySubscriptions()
        self.__dict__["subscriptions"] = self.watchers
        self.__dict__["live"] = Live(self.watchers, self.parts.queues, self.clock)


def registry(*kinds: AnyKind) -> Registry:
    return Registry({kind.name: kind for kind in kinds})

"""What a job kind is: the one declaration that routes, validation, workers and docs are read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from typing import Annotated, Any, Generic, Protocol, TypeVar

import msgspec

from chalicelib.errors import FieldError
from chalicelib.jobs.store import WAIT_LIMIT_S
from chalicelib.model import Scope

# For how long a kind has outages cost no attempt, unless it says otherwise.
OUTAGE_S = 6 * 3600

Request = TypeVar("Request", bound=msgspec.Struct)
Result = TypeVar("Result", bound=msgspec.Struct)


class Progress(Protocol):
    """Tells how far a run has come, and is where a run learns that it has to stop.

    `fraction` is 0..1 and `stage` a short text for the user. Raises Cancelled, Superseded or JobFailed (time
    limit); a run lets them pass. Cheap to call often: it writes at most once a second.
    """

    # The job's id, which what may be done only once is filed under; empty in line.
    job_id: str
    # The account that asked; empty: nobody's.
    owner: str
    # What the step before handed on as Continue(cursor); empty in the first one.
    cursor: str
    # Whether the job ends in FAILURE if this run meets an outage and lets it pass.
    is_last_attempt: bool
    # The composition root, for runs that need more than their request; the kinds know its type.
    parts: object

    def __call__(self, fraction: float, stage: str) -> None: ...

    def interrupting(self, interrupt: Callable[[], None]) -> AbstractContextManager[None]:
        """Has `interrupt` called from another thread when a call inside the block has to stop early."""


class Continue(msgspec.Struct, frozen=True):
    """A run's answer when there is more to do than fits into one function run: the next step gets `cursor`."""

    cursor: Annotated[str, msgspec.Meta(max_length=4096)]
    # Seconds before the next step begins, for a run that waits for something outside.
    delay_s: Annotated[int, msgspec.Meta(ge=0, le=900)] = 0


class ResultFile(msgspec.Struct, frozen=True):
    """What the file that a job leaves for its owner is called, and what is in it."""

    name: str
    media: str


class Cache(msgspec.Struct, Generic[Request], frozen=True, kw_only=True):
    """How requests of a kind are told to be the same, so that one job answers them all.

    Only for kinds whose result follows from the request and from data that has a version.
    """

    # What the request comes down to, as JSON; None: this one is not to be shared.
    canonical: Callable[[Request], object]
    # Names the state of what the result is made from besides the request; is handed the composition root. A new
    # state lets all older answers be forgotten.
    version: Callable[[object], str]
    # Whether accounts share with each other; otherwise each account shares with itself alone.
    across_accounts: bool = False


def accept_all(request: msgspec.Struct) -> list[FieldError]:
    """The check of a kind whose schema says everything."""
    return []


class Contract(msgspec.Struct, Generic[Request, Result], frozen=True, kw_only=True):
    """What goes into a kind and what comes out of it."""

    request: type[Request]
    result: type[Result]
    # A body that works as printed: for the docs, and for the tests that every kind passes.
    example: Request
    # Every rule that the schema cannot say, all at once.
    check: Callable[[Request], list[FieldError]] = accept_all
    # Raises TooLarge when the work is more than a request (`in_line`) or a job of this kind may cost.
    weigh: Callable[[Request, bool], None] | None = None


class JobKind(msgspec.Struct, Generic[Request, Result], frozen=True, kw_only=True):
    """One kind of job. `run` is called in a worker; everything else is read on the API path, so it must be cheap."""

    name: str
    summary: str
    # POST here answers 202; `sync_path`, if any, answers 200 with the result in line. Empty: no route submits the kind,
    # only other code does.
    path: str
    sync_path: str = ""
    queue: str
    # Called when the kind is first asked for or described: what its types cost to load is not paid by every start.
    contract: Callable[[], Contract[Request, Result]]
    run: Callable[[Request, Progress], Result | Continue]
    # Seconds of one run; looked at whenever the run tells its progress.
    time_limit_s: int = 540
    # Seconds that a finished job can be read.
    keep_s: int = 3600
    # Seconds that a job may wait, however often it is tried, and that its request is stored; at most WAIT_LIMIT_S.
    wait_s: int = WAIT_LIMIT_S
    # Runs of one job that may be begun, the first included; the last one's crash ends in FAILURE.
    max_attempts: int = 4
    # Seconds from its submit for which an outage, of Postgres above all, costs a job no attempt, so that one of hours
    # fails none; after that, and always where a worker dies, `max_attempts` counts.
    outage_s: int = OUTAGE_S
    # Seconds between two attempts after an outage, at least; they become more from one to the next.
    retry_s: int = 0
    # None: every request is a job of its own.
    cache: Cache[Request] | None = None
    # Steps after the first one that a run may ask for with Continue.
    max_hops: int = 0
    # Removes what the steps of a job have left that ended badly or was cancelled: is called after its end, once or more
    # often, and not at all where its worker died. The progress has the cursor that the next step would have got.
    undo: Callable[[Request, Progress], None] | None = None
    # The file that a job of this kind leaves beside its result, for the download; None: the result itself is that.
    file: Callable[[Result], ResultFile | None] | None = None
    # The setting that opens the kind to callers without an account; empty: accounts only.
    opened_by: str = ""
    # What a caller's credential must be good for besides writing; empty: nothing more.
    scope: Scope | None = None
    # The field that a body of type text/csv fills, the others then coming from the query; empty: JSON bodies only.
    raw_field: str = ""
    # True where old clients call: unknown fields are then ignored with a warning instead of refused.
    lenient: bool = False
    # Stages that offer the kind; empty means all.
    stages: frozenset[str] = frozenset()

    @property
    def request(self) -> type[Request]:
        return _agreed(self.contract).request

    @property
    def result(self) -> type[Result]:
        return _agreed(self.contract).result

    @property
    def example(self) -> Request:
        example: Request = _agreed(self.contract).example
        return example

    @property
    def check(self) -> Callable[[Request], list[FieldError]]:
        return _agreed(self.contract).check

    @property
    def weigh(self) -> Callable[[Request, bool], None] | None:
        return _agreed(self.contract).weigh


@cache
def _agreed(contract: Callable[[], Contract[Any, Any]]) -> Contract[Any, Any]:  # of whichever kind it is
    return contract()


# A kind of any request and result: what a registry holds.
AnyKind = JobKind[msgspec.Struct, msgspec.Struct]


class Registry(msgspec.Struct, frozen=True):
    """The kinds of one stage by name; built by `chalicelib.kinds`."""

    kinds: dict[str, AnyKind]
    stage: str = ""

    def get(self, name: str) -> AnyKind | None:
        return self.kinds.get(name)

    def __iter__(self) -> Iterator[AnyKind]:
        return iter(self.kinds.values())

"""A new data set of awarded contracts from an uploaded file; readers stay with the one before until the last moment.

A load of millions of rows takes longer than a function may run: each step does parts of the load until its time is up
and hands on to the next one. How far the load has come is kept in the database, not here.
"""

from __future__ import annotations

from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING, Annotated, cast

import msgspec
from msgspec import Meta

from chalicelib.errors import SluiceError, Superseded, Unavailable
from chalicelib.jobs.kind import Continue, Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.db.contracts.versions import Versions
    from chalicelib.runtime import Runtime
    from chalicelib.search.award_file import AwardFile

# After this no further part is begun; the longest part takes a few minutes on a small database.
_STEP_S = 240
# Rows that a person looks through to mend a file; how many there are in all is said beside them.
_LISTED = 10_000


class DataSetRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A file of awarded contracts: CSV with a line of column names; it replaces all that is there."""

    upload_id: Annotated[str, Meta(max_length=200, description="Name of the file that was sent before.")]
    source: Annotated[str, Meta(max_length=200, description="Where the rows are from, in your own words.")] = ""


class RejectedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not loaded."""

    line: Annotated[int, Meta(description="Line of the file on which it begins, from 1.")]
    column: Annotated[str, Meta(description="What is wrong in it; empty: the row as a whole.")]
    value: Annotated[str, Meta(description="The beginning of what stands there.")]
    reason: Annotated[str, Meta(description="What it should have been.")]


class DataSetResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows: rows_read is rows_loaded and rows_rejected together."""

    dataset_version: Annotated[int, Meta(description="Number of the data set that answers are made from now.")]
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rejected: Annotated[list[RejectedRow], Meta(description=f"The first {_LISTED} rejected rows, in their order.")]


class _Step(msgspec.Struct, frozen=True, array_like=True):
    version: int
    phase: str


def contract() -> Contract[DataSetRequest, DataSetResult]:
    example = DataSetRequest(upload_id="2f1c5a0e-8f0e-4a53-9c53-0c6f2a1b7d11", source="open data portal, 2025")
    return Contract(request=DataSetRequest, result=DataSetResult, example=example)


def run(request: DataSetRequest, progress: Progress) -> DataSetResult | Continue:
    from chalicelib.db.contracts.load import PHASES
    from chalicelib.db.contracts.versions import Versions

    runtime = cast("Runtime", progress.parts)
    versions = Versions(runtime.database)
    if not progress.cursor:
        progress(0.0, "beginning")
        # Refused before there is anything to remove.
        runtime.files.size(progress.owner, request.upload_id)
        version = versions.begin(request.source or request.upload_id)
        return _then(version, PHASES[0])
    step = msgspec.json.decode(progress.cursor, type=_Step)
    with ExitStack() as undo:
        undo.callback(_abandon, versions, step.version)
        try:
            outcome = _go_on(request, progress, step)
        except (Superseded, Unavailable) as error:
            # Somebody goes on with it: another run, or this one's next attempt.
            if isinstance(error, Superseded) or not progress.is_last_attempt:
                undo.pop_all()
            raise
        undo.pop_all()
    return outcome


def _go_on(request: DataSetRequest, progress: Progress, step: _Step) -> DataSetResult | Continue:
    from chalicelib.db.contracts.load import PHASES, run_phase

    runtime = cast("Runtime", progress.parts)
    source = _source(runtime, progress.owner, request.upload_id)
    end_s = runtime.clock.now() + _STEP_S
    for phase in PHASES[PHASES.index(step.phase) :]:
        is_done = False
        while not is_done:
            if runtime.clock.now() >= end_s:
                return _then(step.version, phase)
            is_done = run_phase(phase, runtime.settings.database_url, step.version, progress, source=source)
    runtime.datasets.publish("contracts", step.version)
    return _tell(runtime, step.version)


def _source(runtime: Runtime, owner: str, upload_id: str) -> AwardFile:
    from chalicelib.search.award_file import AwardFile

    return AwardFile(lambda byte: runtime.files.open_at(owner, upload_id, byte), runtime.files.size(owner, upload_id))


def _tell(runtime: Runtime, version: int) -> DataSetResult:
    from chalicelib.db.contracts.versions import Versions

    versions = Versions(runtime.database)
    counts = versions.counts(version)
    rejected = [
        RejectedRow(line=row.line, column=row.column, value=row.value, reason=row.reason)
        for row in islice(versions.rejections(version), _LISTED)
    ]
    return DataSetResult(dataset_version=version, rejected=rejected, **msgspec.structs.asdict(counts))


def _abandon(versions: Versions, version: int) -> None:
    """Removes what there is of the load; where the database is away too, the next load does."""
    try:
        versions.abandon(version)
    except SluiceError:
        return


def _then(version: int, phase: str) -> Continue:
    return Continue(msgspec.json.encode(_Step(version, phase)).decode())


KIND = JobKind(
    name="contracts_import",
    summary="Import of awarded contracts",
    path="/api/v1/contracts/imports",
    queue="batch",
    contract=contract,
    run=run,
    time_limit_s=840,
    keep_s=24 * 3600,
    # Of four minutes each and more: a day.
    max_hops=300,
    scope="admin",
)

"""A new data set of awarded contracts from an uploaded file; readers stay with the one before until the last moment.

A load of millions of rows takes longer than a function may run: each step does parts of the load until its time is up
and hands on to the next one. How far the load has come is kept in the database, not here. Where the file is still on
its way, the first steps look whether it has come and do no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, cast

import msgspec
from msgspec import Meta

from chalicelib.errors import JobFailed, NotFound
from chalicelib.jobs.kind import Continue, Contract, JobKind, Progress, ResultFile
from chalicelib.kinds import contracts_alerts

if TYPE_CHECKING:
    from chalicelib.runtime import Runtime
    from chalicelib.search.awards import Rejection
    from chalicelib.search.source import Source

# After this no further part is begun; the longest part takes a few minutes on a small database.
_STEP_S = 240
# For the largest file on a line of 1 MB a second, and the 15 minutes in which it may be begun.
LONGEST_WAIT_S = 900 + 5 * 1024
# Between two looks at whether the file has come: at first the shorter, later a tenth of the time that has passed.
_SOONEST_S, _LATEST_S = 5, 60
# As many looks as the longest wait takes, and some.
_WAIT_HOPS = 150
# Of four minutes each and more: a day.
_LOAD_HOPS = 300
# Rejected rows that the result lists; the file beside it has all.
_LISTED = 100
# S3 wants 5 MiB at least.
_PART_BYTES = 8 * 2**20
_BATCH_ROWS = 2_000
_REJECTED_FILE = ResultFile("rejected_rows.csv", "text/csv; charset=utf-8")


class DataSetRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A file of awarded contracts, which replace all that is there.

    CSV with a line of column names, or OCDS 1.1 releases as JSON or JSON Lines; each may be packed with gzip.
    """

    upload_id: Annotated[str, Meta(max_length=200, description="Name of the file that was sent before.")]
    source: Annotated[str, Meta(max_length=200, description="Where the rows are from, in your own words.")] = ""
    wait_s: Annotated[
        int, Meta(ge=0, le=LONGEST_WAIT_S, description="Seconds to wait for the file, if it has not come yet.")
    ] = 0


class RejectedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not loaded."""

    line: Annotated[
        int,
        Meta(description="Line of the file on which it begins, from 1; of a JSON document the number of the release."),
    ]
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
    rejected_url: Annotated[
        str | None,
        Meta(description="Answers 303 to a CSV file of all of them, as long as the task can be read; null for none."),
    ]


class _Wait(msgspec.Struct, frozen=True, tag="wait"):
    """Nothing has been made yet."""

    began_s: float


class _Step(msgspec.Struct, frozen=True, tag="step"):
    version: int
    phase: str


def contract() -> Contract[DataSetRequest, DataSetResult]:
    example = DataSetRequest(upload_id="2f1c5a0e-8f0e-4a53-9c53-0c6f2a1b7d11", source="open data portal, 2025")
    return Contract(request=DataSetRequest, result=DataSetResult, example=example)


def run(request: DataSetRequest, progress: Progress) -> DataSetResult | Continue:
    step = _step(progress)
    if isinstance(step, _Step):
        return _go_on(request, progress, step)
    return _begin(request, progress, step)


def undo(request: DataSetRequest, progress: Progress) -> None:
    """Removes what there is of the load; where the database is away too, the next load does."""
    from chalicelib.db.contracts.versions import Versions

    step = _step(progress)
    if isinstance(step, _Step):
        Versions(_runtime(progress).database).abandon(step.version)


def _step(progress: Progress) -> _Wait | _Step:
    """What the step before has handed on."""
    if not progress.cursor:
        return _Wait(_runtime(progress).clock.now())
    return msgspec.json.decode(progress.cursor, type=_Wait | _Step)


def _begin(request: DataSetRequest, progress: Progress, wait: _Wait) -> Continue:
    from chalicelib.db.contracts.load import PHASES
    from chalicelib.db.contracts.versions import Versions

    runtime = _runtime(progress)
    progress(0.0, "looking for the file")
    try:
        # Refused before there is anything to remove.
        _source(runtime, progress.owner, request.upload_id)
    except NotFound:
        if not request.wait_s:
            raise
        return _wait_on(request, progress, wait)
    version = Versions(runtime.database).begin(request.source or request.upload_id)
    return _then(_Step(version, PHASES[0]))


def _wait_on(request: DataSetRequest, progress: Progress, wait: _Wait) -> Continue:
    waited_s = _runtime(progress).clock.now() - wait.began_s
    if waited_s >= request.wait_s:
        raise JobFailed(f"no file has come within {request.wait_s} s: ask for a new link and send it there")
    progress(0.0, "waiting for the file")
    return _then(wait, delay_s=int(min(max(_SOONEST_S, waited_s / 10), _LATEST_S)))


def _go_on(request: DataSetRequest, progress: Progress, step: _Step) -> DataSetResult | Continue:
    from chalicelib.db.contracts.load import PHASES, run_phase

    runtime = _runtime(progress)
    # No later phase reads the file, which may have gone by then.
    source = _source(runtime, progress.owner, request.upload_id) if step.phase == PHASES[0] else None
    end_s = runtime.clock.now() + _STEP_S
    for phase in PHASES[PHASES.index(step.phase) :]:
        is_done = False
        while not is_done:
            if runtime.clock.now() >= end_s:
                return _then(_Step(step.version, phase))
            is_done = run_phase(phase, runtime.database_url, step.version, progress, source=source)
    runtime.datasets.publish("contracts", step.version)
    contracts_alerts.start(step.version, progress)
    return _tell(runtime, progress, step.version)


def _source(runtime: Runtime, owner: str, upload_id: str) -> Source:
    from chalicelib.search.formats import open_source

    size = runtime.files.size(owner, upload_id)
    return open_source(lambda byte: runtime.files.open_at(owner, upload_id, byte), size)


def file(result: DataSetResult) -> ResultFile | None:
    return _REJECTED_FILE if result.rows_rejected else None


def _tell(runtime: Runtime, progress: Progress, version: int) -> DataSetResult:
    from chalicelib.db.contracts.versions import Versions

    versions = Versions(runtime.database)
    counts = versions.counts(version)
    if counts.rows_rejected:
        _write_rejected(runtime, progress, versions.rejections(version))
    rejected = [
        RejectedRow(line=row.line, column=row.column, value=row.value, reason=row.reason)
        for row in versions.rejections(version, _LISTED)
    ]
    url = f"/api/tasks/{progress.job_id}/download" if counts.rows_rejected else None
    return DataSetResult(dataset_version=version, rejected=rejected, rejected_url=url, **msgspec.structs.asdict(counts))


def _write_rejected(runtime: Runtime, progress: Progress, rejections: Iterator[Rejection]) -> None:
    """Leaves a CSV file of them; a step that is run again writes it anew."""
    from chalicelib.search.export.columns import REJECTIONS
    from chalicelib.search.export.encoding import Layout, encoder

    files, encoding = runtime.job_files, encoder(Layout(format="csv", columns=REJECTIONS))
    writing, part, content = files.begin(progress.job_id), 1, bytearray(encoding.begin())
    rows = ((row.line, row.column, row.value, row.reason) for row in rejections)
    while batch := list(islice(rows, _BATCH_ROWS)):
        content += encoding.rows(batch)
        progress(0.99, "listing rejected rows")
        if len(content) >= _PART_BYTES:
            files.put(progress.job_id, writing, part, bytes(content))
            part += 1
            content.clear()
    files.put(progress.job_id, writing, part, bytes(content))
    files.finish(progress.job_id, writing)


def _then(step: _Wait | _Step, delay_s: int = 0) -> Continue:
    return Continue(msgspec.json.encode(step).decode(), delay_s)


def _runtime(progress: Progress) -> Runtime:
    return cast("Runtime", progress.parts)


KIND = JobKind(
    name="contracts_import",
    summary="Import of awarded contracts",
    path="/api/async/contracts/imports",
    queue="batch",
    contract=contract,
    run=run,
    time_limit_s=840,
    keep_s=24 * 3600,
    max_hops=_WAIT_HOPS + _LOAD_HOPS,
    undo=undo,
    file=file,
    scope="admin",
)

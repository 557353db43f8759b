"""The export of contracts step by step: each writes parts of the file until its time is up and hands on to the next.

A step that is run again writes the same parts again: rows of a version never change, parts end where rows do, and how
far the file has come stands in what the step before handed on. The last step puts the parts together and reads the
file back, for its checksum is to be that of what is there.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, cast

import msgspec

from chalicelib.errors import JobFailed, NotFound, SluiceError
from chalicelib.jobs.kind import Continue, Progress

if TYPE_CHECKING:
    from chalicelib.runtime import Runtime
    from chalicelib.search.export.request import ExportRequest, ExportResult

_READ_BYTES = 2**20


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done at a time."""

    # S3 wants 5 MiB at least; the rows of a part are in memory until it is sent.
    part_bytes: int = 8 * 2**20
    # A step ends with the first part after this.
    step_s: float = 240


_USUAL = Sizes()


class _Stand(msgspec.Struct, frozen=True, array_like=True):
    """How far the file has come."""

    version: int
    # What JobFiles calls it.
    writing: str
    total: int
    # The next part's number, the number of the last row that is in a part, and how many are.
    part: int = 1
    after: int = 0
    rows: int = 0
    # The encoder's.
    place: bytes = b""
    is_written: bool = False


def write_export(request: ExportRequest, progress: Progress, sizes: Sizes = _USUAL) -> ExportResult | Continue:
    """Does the next step of an export."""
    if not progress.cursor:
        return _begin(request, progress, sizes)
    stand = msgspec.json.decode(progress.cursor, type=_Stand)
    return _seal(request, progress, stand) if stand.is_written else _then(_write(request, progress, stand, sizes))


def undo_export(request: ExportRequest, progress: Progress) -> None:
    """Removes what there is of the file."""
    if progress.cursor:
        stand = msgspec.json.decode(progress.cursor, type=_Stand)
        _runtime(progress).job_files.remove(progress.job_id, stand.writing)


def _begin(request: ExportRequest, progress: Progress, sizes: Sizes) -> Continue:
    from chalicelib.db.contracts.export import ContractExport
    from chalicelib.db.contracts.session import Session
    from chalicelib.db.contracts.versions import Versions

    runtime = _runtime(progress)
    progress(0.0, "counting rows")
    with closing(Session(runtime.database_url, progress)) as session:
        version = Versions(session).current()
        if version is None:
            raise NotFound("no contracts have been imported yet: POST /api/v1/contracts/imports does")
        total = ContractExport(session).count(version, request)
    stand = _Stand(version, runtime.job_files.begin(progress.job_id), total)
    with ExitStack() as undo:
        # Nobody else knows of it: whoever runs the job again begins another one.
        undo.callback(_remove, progress, stand)
        written = _write(request, progress, stand, sizes)
        undo.pop_all()
    return _then(written)


def _remove(progress: Progress, stand: _Stand) -> None:
    """Removes a file that nobody will go on with; what hinders that is no reason for its end."""
    with suppress(SluiceError):
        _runtime(progress).job_files.remove(progress.job_id, stand.writing)


def _write(request: ExportRequest, progress: Progress, stand: _Stand, sizes: Sizes) -> _Stand:
    """Writes parts until the time is up or the last one is written; answers how far the file has come."""
    from chalicelib.db.contracts.export import ContractExport
    from chalicelib.db.contracts.session import Session
    from chalicelib.search.export.encoding import encoder
    from chalicelib.search.export.request import layout_of

    runtime = _runtime(progress)
    end_s = runtime.clock.now() + sizes.step_s
    encoding = encoder(layout_of(request), stand.place)
    content, rows = bytearray(b"" if stand.after else encoding.begin()), stand.rows
    with closing(Session(runtime.database_url, progress)) as session:
        export = ContractExport(session)
        if not export.is_there(stand.version):
            raise JobFailed("the contracts were replaced twice while they were exported; start the export again")
        for batch in export.batches(stand.version, request, stand.after):
            content += encoding.rows([row for _, row in batch])
            rows += len(batch)
            progress(rows / max(stand.total, rows), f"{rows:,} of {stand.total:,} rows")
            if len(content) >= sizes.part_bytes:
                rest, place = encoding.pause()
                _put(runtime, progress, stand, content + rest)
                content.clear()
                stand = msgspec.structs.replace(stand, part=stand.part + 1, after=batch[-1][0], rows=rows, place=place)
                if runtime.clock.now() >= end_s:
                    return stand
    content += encoding.end()
    if content or stand.part == 1:
        _put(runtime, progress, stand, content)
    return msgspec.structs.replace(stand, rows=rows, place=b"", is_written=True)


def _put(runtime: Runtime, progress: Progress, stand: _Stand, content: bytearray) -> None:
    runtime.job_files.put(progress.job_id, stand.writing, stand.part, bytes(content))


def _seal(request: ExportRequest, progress: Progress, stand: _Stand) -> ExportResult:
    from chalicelib.search.export.request import ExportResult, file_name_of

    files = _runtime(progress).job_files
    progress(0.99, "putting the parts together")
    size = files.finish(progress.job_id, stand.writing)
    checksum = hashlib.sha256()
    with files.open(progress.job_id) as file:
        while piece := file.read(_READ_BYTES):
            checksum.update(piece)
            progress(0.99, "reading the file back")
    return ExportResult(
        export_id=progress.job_id,
        file_name=file_name_of(request),
        row_count=stand.rows,
        size_bytes=size,
        sha256=checksum.hexdigest(),
        download_url=f"/api/tasks/{progress.job_id}/download",
        dataset_version=stand.version,
    )


def _then(stand: _Stand) -> Continue:
    return Continue(msgspec.json.encode(stand).decode())


def _runtime(progress: Progress) -> Runtime:
    return cast("Runtime", progress.parts)

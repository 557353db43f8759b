"""From an export of work items to throughput, cycle times and ageing: what a forecast is asked with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.runtime import Runtime
    from chalicelib.sim.intake.inputs import ImportRequest
    from chalicelib.sim.intake.result import ImportResult

_EXAMPLE = "Key,Started,Closed\nA-1,2026-01-05,2026-01-07\nA-2,2026-01-06,2026-01-15\nA-3,2026-01-12,2026-01-22\n"


def contract() -> Contract[ImportRequest, ImportResult]:
    from chalicelib.sim.intake.inputs import ImportRequest, check
    from chalicelib.sim.intake.result import ImportResult

    example = ImportRequest(content=_EXAMPLE)
    return Contract(request=ImportRequest, result=ImportResult, example=example, check=check, weigh=weigh)


def weigh(request: ImportRequest, in_line: bool) -> None:
    """Refuses an uploaded file in line: it may be large, and S3 slow."""
    if in_line and request.upload_id is not None:
        raise InvalidRequest([FieldError("/upload_id", f"is for the background: send the request to {KIND.path}")])


def run(request: ImportRequest, progress: Progress) -> ImportResult:
    from chalicelib.sim.intake.reading import take_in

    runtime = cast("Runtime", progress.parts)
    text = request.content
    if text is None:
        progress(0.0, "fetching the file")
        text = decode(runtime.files.read(progress.owner, request.upload_id or ""))
    today = datetime.fromtimestamp(runtime.clock.now(), tz=UTC).date()
    return take_in(text, request, progress=progress, today=today)


def decode(body: bytes) -> str:
    """The text of a file: UTF-16 if it says so, else UTF-8, else what Windows writes, which reads any bytes."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", errors="replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")


KIND = JobKind(
    name="throughput_import",
    summary="Throughput from an export of work items",
    path="/api/async/throughput/import",
    sync_path="/api/throughput/import",
    queue="simulations",
    contract=contract,
    run=run,
    raw_field="content",
    lenient=True,
    opened_by="public_forecasts",
)

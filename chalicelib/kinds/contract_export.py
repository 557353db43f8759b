"""A file of all awards that fit, of any size, or of their sums by name; it can be downloaded for a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.exporting import undo_export, write_export
from chalicelib.jobs.kind import Contract, JobKind, ResultFile

if TYPE_CHECKING:
    from chalicelib.search.export.request import ExportRequest, ExportResult


def contract() -> Contract[ExportRequest, ExportResult]:
    from chalicelib.search.export.request import ExportRequest, ExportResult, check_export

    example = ExportRequest(keywords=("road && bridge",), format="xlsx")
    return Contract(request=ExportRequest, result=ExportResult, example=example, check=check_export)


def file(result: ExportResult) -> ResultFile:
    from chalicelib.search.export.request import media_of

    return ResultFile(result.file_name, media_of(result.file_name))


KIND = JobKind(
    name="contract_export",
    summary="A file of awarded contracts",
    path="/api/async/contracts/export",
    queue="batch",
    contract=contract,
    run=write_export,
    time_limit_s=840,
    keep_s=24 * 3600,
    retry_s=60,
    # Of four minutes each and more: hours.
    max_hops=100,
    undo=undo_export,
    file=file,
    lenient=True,
    opened_by="public_search",
)

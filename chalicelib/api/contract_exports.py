"""Files of contracts at once, where they are small; larger ones are written by a task."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import msgspec

from chalicelib.api.analysis import REFUSALS, STRICT, read_question
from chalicelib.api.auth import who
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import Access, Doc, Reply
from chalicelib.api.tasks import POLL_S
from chalicelib.errors import FieldError, NotFound
from chalicelib.jobs.submit import Asker, submit
from chalicelib.kinds.contract_export import KIND
from chalicelib.search.export.request import (
    ExportEstimate,
    ExportRequest,
    check_export,
    check_sums,
    file_name_of,
    media_of,
)

if TYPE_CHECKING:
    from chalicelib.jobs.kind import AnyKind

# What API Gateway and Lambda let through in any case.
MOST_BYTES = 5_000_000
# Of a row without texts.
_LEAST_ROW_BYTES = 40

_Check = Callable[[ExportRequest], list[FieldError]]


def export(call: Call) -> Answer:
    """POST chip-export/: a CSV file of the awards that fit."""
    return _export(call, check_export)


def export_sums(call: Call) -> Answer:
    """POST chip-export-aggregated/: a CSV file of their sums by name."""
    return _export(call, check_sums)


def estimate(call: Call) -> Answer:
    """POST chip-export-estimate/: how large the file would be."""
    return _estimate(call, check_export)


def estimate_sums(call: Call) -> Answer:
    """POST chip-export-aggregated-estimate/: the same of sums."""
    return _estimate(call, check_sums)


def _estimate(call: Call, check: _Check) -> Answer:
    request, _ = read_question(call, ExportRequest, check, opened_by="public_search")
    return Answer(body=call.runtime.contract_files.estimate(request))


def _export(call: Call, check: _Check) -> Answer:
    request, warnings = read_question(call, ExportRequest, check, opened_by="public_search")
    content = _content(call, request)
    if content is None:
        kind = cast("AnyKind", KIND)
        job = submit(call.runtime.engine, kind, request, Asker(owner=who(call).user_id, warnings=warnings)).job
        location = f"/api/tasks/{job.id}"
        headers = {"Location": location, "Retry-After": str(POLL_S), "Cache-Control": "no-store"}
        return Answer(status=303, headers=headers)
    name = file_name_of(request)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Answer(body=content, content_type=media_of(name), headers=headers)


def _content(call: Call, request: ExportRequest) -> bytes | None:
    """The file; None where it is too large for an answer, or is not text."""
    if request.format == "xlsx" or request.gzip:
        return None
    files = call.runtime.contract_files
    if files.estimate(request).total_count * _LEAST_ROW_BYTES > MOST_BYTES:
        return None
    return files.content(request, MOST_BYTES)


def _exporting(name: str, example: ExportRequest, summary: str) -> Doc:
    return Doc(
        name=name,
        group="Contracts",
        summary=summary,
        details=f"More than {MOST_BYTES // 1_000_000} MB, and formats that are no text, are written by a task, to "
        "which the answer redirects.",
        access=Access.OPTIONAL,
        params=(STRICT,),
        request=ExportRequest,
        example=example,
        replies={
            200: Reply(summary="The file", media="text/csv", headers={"Content-Disposition": "A name for the file."}),
            303: Reply(
                summary="A task writes it",
                headers={"Location": "Path of the task.", "Retry-After": "Seconds after which to look at it."},
            ),
        },
        refusals=(*REFUSALS, NotFound),
    )


def _estimating(name: str, example: ExportRequest, summary: str) -> Doc:
    return Doc(
        name=name,
        group="Contracts",
        summary=summary,
        details="The number of rows is exact.",
        access=Access.OPTIONAL,
        params=(STRICT,),
        request=ExportRequest,
        example=example,
        replies={200: Reply(summary="How large", body=ExportEstimate)},
        refusals=(*REFUSALS, NotFound),
    )


_AWARDS = ExportRequest(keywords=("road && bridge",))
_SUMS = msgspec.structs.replace(_AWARDS, dimension="contractor")

DOCS = {
    "export": _exporting("export_contracts", _AWARDS, "A CSV file of awarded contracts"),
    "export_sums": _exporting("export_contract_sums", _SUMS, "A CSV file of sums by name"),
    "estimate": _estimating("estimate_contract_export", _AWARDS, "How large a file of awards would be"),
    "estimate_sums": _estimating("estimate_contract_sums_export", _SUMS, "How large a file of sums would be"),
}

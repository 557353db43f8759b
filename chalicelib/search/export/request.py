"""What can be exported: the awards that fit, or their sums by name, as a file of one of several formats."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from msgspec import Meta, Struct

from chalicelib.errors import FieldError
from chalicelib.search.export.columns import AWARDS, SUMS
from chalicelib.search.export.encoding import Format, Layout
from chalicelib.search.filters import Filters, check
from chalicelib.search.paging import Dimension

# As the old service estimated them.
_AWARD_BYTES, _SUM_BYTES = 350, 120
_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "gz": "application/gzip",
    "jsonl": "application/jsonl",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


# With the words of the charts beside the names of dimensions, as older clients send them.
SumsBy = Literal[Dimension, "by_contractor", "by_organization", "by_area", "by_category"]


class ExportRequest(Filters, frozen=True, kw_only=True):
    """Which awards to write into a file, all of them in their default order; or their sums by name."""

    dimension: Annotated[
        SumsBy | None, Meta(description="Sums by this kind of name, largest first, instead of the awards.")
    ] = None
    format: Annotated[
        Format,
        Meta(
            description="csv, xlsx (an Excel workbook, with a new sheet after each 1,048,575 rows) or jsonl (a JSON "
            "object on each line)."
        ),
    ] = "csv"
    bom: Annotated[
        bool | None,
        Meta(
            description="Whether a CSV file begins with the mark by which Excel knows UTF-8; by default one of awards "
            "does, one of sums does not."
        ),
    ] = None
    gzip: Annotated[bool, Meta(description="Whether csv or jsonl is compressed.")] = False


class ExportEstimate(Struct, frozen=True, kw_only=True):
    """How large a file would be."""

    total_count: Annotated[int, Meta(description="Rows, exactly.")]
    estimated_csv_bytes: Annotated[int, Meta(description="What so many rows come to with those of usual length.")]
    dataset_version: Annotated[int, Meta(description="Number of the data set that this was made from.")]


class ExportResult(Struct, frozen=True, kw_only=True):
    """A file that was written."""

    export_id: Annotated[str, Meta(description="The task's id.")]
    file_name: str
    row_count: Annotated[int, Meta(description="Rows without the line of names.")]
    size_bytes: int
    sha256: Annotated[str, Meta(description="Of the file as it is downloaded, in hexadecimal digits.")]
    download_url: Annotated[str, Meta(description="Answers 303 to the file for as long as the task can be read.")]
    dataset_version: Annotated[int, Meta(description="Number of the data set that this was made from.")]


def check_export(request: ExportRequest) -> list[FieldError]:
    """Every rule of an export that its schema cannot state."""
    errors = check(request)
    if request.gzip and request.format == "xlsx":
        errors.append(FieldError("/gzip", "must be false for xlsx, which is compressed already"))
    if request.bom and request.format != "csv":
        errors.append(FieldError("/bom", f"must be false for {request.format}: the mark is for csv alone"))
    return errors


def check_sums(request: ExportRequest) -> list[FieldError]:
    """The same of an export of sums."""
    errors = check_export(request)
    if request.dimension is None:
        errors.append(FieldError("/dimension", "is required"))
    return errors


def sums_by(request: ExportRequest) -> Dimension | None:
    """What the sums are by; None for awards."""
    return cast("Dimension", request.dimension.removeprefix("by_")) if request.dimension else None


def layout_of(request: ExportRequest) -> Layout:
    """What the file is made of."""
    return Layout(
        format=request.format,
        columns=SUMS if request.dimension else AWARDS,
        has_bom=request.format == "csv" and (request.dimension is None if request.bom is None else request.bom),
        is_compressed=request.gzip,
    )


def file_name_of(request: ExportRequest) -> str:
    """What the file is called."""
    by = sums_by(request)
    stem = f"contracts_by_{by}" if by else "contracts_export"
    return f"{stem}.{request.format}{'.gz' if request.gzip else ''}"


def media_of(file_name: str) -> str:
    """What is in a file of such a name, for the header Content-Type."""
    return _MEDIA[file_name.rpartition(".")[2]]


def estimate(request: ExportRequest, rows: int, version: int) -> ExportEstimate:
    """How large a CSV file of so many rows would be."""
    size = rows * (_SUM_BYTES if request.dimension else _AWARD_BYTES)
    return ExportEstimate(total_count=rows, estimated_csv_bytes=size, dataset_version=version)

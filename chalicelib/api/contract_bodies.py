"""Bodies of the task routes for questions about contracts: what they take, and what they answer."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from chalicelib.jobs.state import State
from chalicelib.search.export.encoding import Format
from chalicelib.search.export.request import ExportRequest, SumsBy
from chalicelib.search.filters import Filters
from chalicelib.search.paging import Dimension, GroupField, PageNumber, PageSize
from chalicelib.search.requests import ChartRequest, Direction, SearchRequest, TableRequest


class SearchTask(Struct, frozen=True, kw_only=True):
    """A search: which awards, which page of them, and in what order."""

    filters: SearchRequest = SearchRequest()

    def question(self) -> SearchRequest:
        return self.filters


class ChartTask(Struct, frozen=True, kw_only=True):
    """Charts of the awards that fit."""

    filters: ChartRequest = ChartRequest()

    def question(self) -> ChartRequest:
        return self.filters


class TableTask(Struct, frozen=True, kw_only=True):
    """A page of the groups of the awards that fit."""

    filters: Filters = Filters()
    entity_type: Annotated[Dimension, Meta(description="What to group by.")] = "contractor"
    page: Annotated[PageNumber, Meta(description="Page, from 1.")] = 1
    page_size: Annotated[PageSize, Meta(description="Groups of a page, at most 1000.")] = 20
    sort_by: Annotated[GroupField, Meta(description="What to sort by.")] = "total_value"
    sort_direction: Annotated[Direction, Meta(description="asc or desc.")] = "desc"

    def question(self) -> TableRequest:
        own = msgspec.structs.asdict(self)
        return TableRequest(**msgspec.structs.asdict(own.pop("filters")), **own)


class ExportTask(Struct, frozen=True, kw_only=True):
    """A file of the awards that fit, or of their sums by name."""

    filters: Filters = Filters()
    dimension: Annotated[
        SumsBy | None, Meta(description="Sums by this kind of name, largest first, instead of the awards.")
    ] = None
    format: Annotated[Format, Meta(description="csv, xlsx or jsonl.")] = "csv"
    bom: Annotated[
        bool | None,
        Meta(description="Whether a CSV file begins with the mark by which Excel knows UTF-8; awards do by default."),
    ] = None
    gzip: Annotated[bool, Meta(description="Whether csv or jsonl is compressed.")] = False

    def question(self) -> ExportRequest:
        own = msgspec.structs.asdict(self)
        return ExportRequest(**msgspec.structs.asdict(own.pop("filters")), **own)


class QueuedExport(Struct, frozen=True, kw_only=True):
    """A file is going to be written."""

    status: Annotated[str, Meta(description="Always queued.")]
    task_id: str
    export_id: Annotated[str, Meta(description="The same.")]
    message: str
    warnings: Annotated[tuple[str, ...], Meta(description="Fields that are not known and were ignored.")]


class QueuedTask(Struct, frozen=True, kw_only=True):
    """A question was queued, or joined to the same one that is being answered."""

    status: Annotated[str, Meta(description="Always queued.")]
    task_id: str
    cache_key: Annotated[str, Meta(description="What the question comes down to; the result can be read by it.")]
    message: str
    warnings: Annotated[tuple[str, ...], Meta(description="Fields that are not known and were ignored.")]


class CachedAnswer(Struct, frozen=True, kw_only=True):
    """The answer, which was there already."""

    status: Annotated[str, Meta(description="Always cached.")]
    data: Annotated[Any, Meta(description="The answer, as `result/` gives it.")]
    task_id: str
    cache_key: str
    message: str


class TaskState(Struct, frozen=True, kw_only=True):
    """How far a task has come."""

    task_id: str
    state: State
    ready: bool
    successful: Annotated[bool | None, Meta(description="Null until it is ready.")]
    status: Annotated[str, Meta(description="The state in words.")]
    progress: Annotated[int, Meta(description="Per cent.")]
    cache_key: str | None
    error: str | None
    meta: Annotated[dict[str, Any], Meta(description="progress, status, cache_key and, of a failed one, error.")]
    result: Annotated[dict[str, Any] | None, Meta(description="What came of it: cache_key, record_count, total_count.")]


class ResultAnswer(Struct, frozen=True, kw_only=True):
    """An answer by its cache key."""

    status: Annotated[str, Meta(description="success, not_ready or error.")]
    message: str
    data: Annotated[Any, Meta(description="The answer; null until it is ready.")] = None
    error: str | None = None


class ActiveTasks(Struct, frozen=True, kw_only=True):
    """The caller's own tasks that have not ended, by where they are."""

    active: Annotated[dict[str, list[dict[str, Any]]], Meta(description="Those that run.")]
    scheduled: Annotated[dict[str, list[dict[str, Any]]], Meta(description="Those that wait to try again.")]
    reserved: Annotated[dict[str, list[dict[str, Any]]], Meta(description="Those that wait for their turn.")]
    total_active: int
    total_scheduled: int
    total_reserved: int


class CancelRequest(Struct, frozen=True, kw_only=True):
    """The task to cancel."""

    task_id: Annotated[str, Meta(min_length=1, max_length=200)]


class CancelledTask(Struct, frozen=True, kw_only=True):
    """The task was cancelled, or asked to stop; others who asked the same still get their answer."""

    status: Annotated[str, Meta(description="Always cancelled.")]
    task_id: str
    message: str

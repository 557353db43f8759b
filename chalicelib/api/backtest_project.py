"""How forecasts would have done on the history of a saved project."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from chalicelib.api.analysis import REFUSALS, STRICT, Docs
from chalicelib.api.auth import require
from chalicelib.api.body import read_body
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import Access, Doc, Reply
from chalicelib.db.viewer import viewer_of
from chalicelib.errors import FieldError, InvalidRequest, NotFound
from chalicelib.sim.fields import MAX_TASKS
from chalicelib.sim.replay.inputs import BacktestRequest, check_backtest
from chalicelib.sim.replay.result import BacktestResult, BacktestRow, CoverageTable

if TYPE_CHECKING:
    from chalicelib.db.histories import History

# Weeks that the backlog of a project without any is worth; the old service's.
_WEEKS_OF_BACKLOG = 10


class ProjectBacktestRequest(Struct, frozen=True, kw_only=True):
    """A project with saved forecasts."""

    project_id: Annotated[int | str, Meta(description="The project.")]
    min_train_size: Annotated[int, Meta(ge=1, le=1_000, description="Weeks before the first forecast.")] = 5


class ProjectName(Struct, frozen=True):
    id: int
    name: str


class DataInfo(Struct, frozen=True, kw_only=True):
    """What the replay was made from."""

    total_forecasts: int
    total_samples: int
    avg_backlog: Annotated[int, Meta(description="Mean backlog of the forecasts, or ten mean weeks without any.")]
    source_forecast_id: Annotated[
        int, Meta(description="The forecast whose history was replayed: the longest one, of equal ones the newest.")
    ]


class ProjectMetrics(Struct, frozen=True, kw_only=True):
    """The two figures of the old service."""

    avg_accuracy: Annotated[float | None, Meta(description="Mean of 1 - |error| / actual, at least 0; 0 to 1.")]
    avg_error_pct: Annotated[float | None, Meta(description="Mean of |error| / actual in %.")]


class ProjectBacktest(Struct, frozen=True, kw_only=True):
    """How forecasts would have done; coverage comes first."""

    project: ProjectName
    verdict: str
    coverage: CoverageTable
    data_info: DataInfo
    metrics: ProjectMetrics
    results: list[BacktestRow]
    report: str
    warnings: list[str]


def replay_project(call: Call) -> Answer:
    """POST /api/backtest-project."""
    viewer = viewer_of(require(call))
    request, warnings = read_body(call, ProjectBacktestRequest, lenient=True)
    project = call.runtime.projects.find(viewer, str(request.project_id))
    histories = call.runtime.histories.of_project(project.id)
    source = longest(histories)
    if source is None:
        raise NotFound(f"project {project.id} has no saved forecast with a throughput history")
    backlog = _backlog(histories, source)
    result = _replay(request, source, backlog)
    body = ProjectBacktest(
        project=ProjectName(project.id, project.name),
        verdict=result.verdict,
        coverage=result.coverage,
        data_info=DataInfo(
            total_forecasts=len(histories),
            total_samples=len(source.samples),
            avg_backlog=backlog,
            source_forecast_id=source.forecast_id,
        ),
        metrics=_metrics(result),
        results=result.summary.results,
        report=result.report,
        warnings=[*warnings, *result.warnings],
    )
    return Answer(body=body)


def longest(histories: Sequence[History]) -> History | None:
    """The longest history, of equal ones the first.

    Forecasts of one project tell of the same weeks again and again: put together, they would count twice.
    """
    return max((each for each in histories if any(each.samples)), key=lambda each: len(each.samples), default=None)


def _backlog(histories: Sequence[History], source: History) -> int:
    known = [each.backlog for each in histories if each.backlog]
    usual = statistics.fmean(known) if known else _WEEKS_OF_BACKLOG * statistics.fmean(source.samples)
    return max(1, min(MAX_TASKS, round(usual)))


def _replay(request: ProjectBacktestRequest, source: History, backlog: int) -> BacktestResult:
    from chalicelib.kinds.backtest import weigh
    from chalicelib.sim.replay.backtest import backtest

    question = BacktestRequest(
        tp_samples=source.samples,
        backlog=backlog,
        method="expanding_window",
        min_train_size=request.min_train_size,
    )
    errors = check_backtest(question)
    if errors:
        # The samples are not the caller's to mend in this request; how many weeks are trained on is.
        raise InvalidRequest([FieldError("/min_train_size", f"the project's history {errors[0].detail}")])
    weigh(question, True)
    return backtest(question, lambda _fraction, _stage: None)


def _metrics(result: BacktestResult) -> ProjectMetrics:
    shares = [abs(row.error_pct) for row in result.summary.results if row.error_pct is not None]
    if not shares:
        return ProjectMetrics(avg_accuracy=None, avg_error_pct=None)
    return ProjectMetrics(
        avg_accuracy=statistics.fmean(max(0.0, 1 - share / 100) for share in shares),
        avg_error_pct=statistics.fmean(shares),
    )


DOCS: Docs = {
    "replay_project": Doc(
        name="backtest_project",
        group="Analyses",
        summary="How forecasts would have done on a project's history",
        details="The longest throughput history among the project's saved forecasts is replayed with an expanding "
        "window at P85. Errors are actual - forecast.",
        access=Access.ACCOUNT,
        params=(STRICT,),
        request=ProjectBacktestRequest,
        example=ProjectBacktestRequest(project_id=1),
        replies={200: Reply(summary="The replay", body=ProjectBacktest)},
        refusals=(*REFUSALS, NotFound),
    ),
}

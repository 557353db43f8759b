"""How saved forecasts turned out: coverage of their percentiles first, then the errors of a point forecast.

A P85 is meant to be too long in most cases, so as a point forecast it looks biased by design; the P50 is used where it
is known. One sign throughout: error = actual - forecast. One order throughout: that in which the work ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from msgspec import Struct
from msgspec.structs import asdict

from chalicelib.sim.accuracy.coverage import level_coverage
from chalicelib.sim.accuracy.issues import find_issues, recommend
from chalicelib.sim.accuracy.ratings import rate
from chalicelib.sim.accuracy.report import (
    AccuracyReport,
    Comparison,
    Coverage,
    Dashboard,
    DashboardSummary,
    DateRange,
    PointForecast,
    ProjectAccuracy,
    RecentComparison,
    ReportSummary,
)
from chalicelib.sim.accuracy.trend import find_trend
from chalicelib.sim.replay.error_metrics import ErrorMetrics, error_metrics

# Fewer have no spread.
MIN_PAIRS = 2
_RECENT = 10
# Ten minutes and two thousand years: beyond them a percentage or a square may be no number any more.
_SHORTEST_WEEKS, _LONGEST_WEEKS = 0.001, 100_000.0


class Pair(Struct, frozen=True, kw_only=True):
    """A saved forecast and what came of it, in calendar weeks; None where the forecast does not say."""

    forecast_id: int
    forecast_name: str
    project_id: int
    project_name: str
    created_at: datetime
    # Day of completion, else that of the record.
    ended: date
    actual_weeks: float
    p50: float | None = None
    p85: float | None = None
    p95: float | None = None
    backlog: int | None = None
    notes: str | None = None

    @property
    def forecast(self) -> float | None:
        """The point forecast."""
        return self.p85 if self.p50 is None else self.p50


def usable(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs with a point forecast and a positive actual, in the order in which they ended."""
    return sorted((pair for pair in pairs if _is_usable(pair)), key=lambda pair: (pair.ended, pair.forecast_id))


def report(pairs: Sequence[Pair]) -> AccuracyReport:
    """The report on all pairs, of which MIN_PAIRS at least must be usable. Cost: n log n."""
    used = usable(pairs)
    compared = [_compare(pair) for pair in used]
    metrics, coverage = _metrics(used), cover(used)
    issues = find_issues(compared, metrics, left_out=len(pairs) - len(used))
    return AccuracyReport(
        coverage=coverage,
        point_forecast=_point_forecast(used),
        notes=list(_notes(used)),
        metrics=metrics,
        time_series_metrics=find_trend(compared),
        quality_ratings=rate(metrics),
        issues=issues,
        recommendations=recommend(coverage, issues),
        comparisons=compared,
        summary=ReportSummary(
            total_comparisons=len(used), date_range=DateRange(first=used[0].ended, last=used[-1].ended)
        ),
    )


def dashboard(pairs: Sequence[Pair]) -> Dashboard:
    """The same at a glance and by project; with fewer than MIN_PAIRS usable pairs, that there is nothing to show."""
    used = usable(pairs)
    if len(used) < MIN_PAIRS:
        known = f"{len(used)} forecast{'' if len(used) == 1 else 's'}"
        message = f"{known} can be compared with an actual; at least {MIN_PAIRS} are needed"
        return Dashboard(has_data=False, message=message)
    metrics = _metrics(used)
    projects = _by_project(used)
    return Dashboard(
        has_data=True,
        coverage=cover(used),
        point_forecast=_point_forecast(used),
        notes=list(_notes(used)),
        overall_metrics=metrics,
        quality_ratings=rate(metrics),
        project_metrics=projects,
        recent_comparisons=[_shorten(_compare(pair)) for pair in reversed(used[-_RECENT:])],
        summary=DashboardSummary(
            total_comparisons=len(used), total_projects=len(projects), overall_quality=rate(metrics).overall
        ),
    )


def cover(pairs: Sequence[Pair]) -> Coverage:
    """How often each percentile held, among the pairs that have it."""
    return Coverage(
        p50=level_coverage(50, [(pair.p50, pair.actual_weeks) for pair in pairs if pair.p50 is not None]),
        p85=level_coverage(85, [(pair.p85, pair.actual_weeks) for pair in pairs if pair.p85 is not None]),
        p95=level_coverage(95, [(pair.p95, pair.actual_weeks) for pair in pairs if pair.p95 is not None]),
    )


def _is_usable(pair: Pair) -> bool:
    is_foretold = pair.forecast is not None and 0 <= pair.forecast <= _LONGEST_WEEKS
    return is_foretold and _SHORTEST_WEEKS <= pair.actual_weeks <= _LONGEST_WEEKS


def _point(pair: Pair) -> float:
    assert pair.forecast is not None  # of usable pairs
    return pair.forecast


def _metrics(pairs: Sequence[Pair]) -> ErrorMetrics:
    return error_metrics([_point(pair) for pair in pairs], [pair.actual_weeks for pair in pairs])


def _compare(pair: Pair) -> Comparison:
    error = pair.actual_weeks - _point(pair)
    return Comparison(
        forecast_id=pair.forecast_id,
        forecast_name=pair.forecast_name,
        project_name=pair.project_name,
        created_at=pair.created_at,
        ended=pair.ended,
        point_forecast="p85" if pair.p50 is None else "p50",
        forecasted_weeks=_point(pair),
        actual_weeks=pair.actual_weeks,
        error_weeks=error,
        error_pct=100 * error / pair.actual_weeks,
        p50_weeks=pair.p50,
        p85_weeks=pair.p85,
        p95_weeks=pair.p95,
        backlog=pair.backlog,
        notes=pair.notes,
    )


def _shorten(comparison: Comparison) -> RecentComparison:
    values = asdict(comparison)
    return RecentComparison(**{name: values[name] for name in RecentComparison.__struct_fields__})


def _point_forecast(pairs: Sequence[Pair]) -> PointForecast:
    without = sum(pair.p50 is None for pair in pairs)
    return "p50" if not without else "p85" if without == len(pairs) else "mixed"


def _notes(pairs: Sequence[Pair]) -> Iterator[str]:
    yield "Errors are actual - forecast, in calendar weeks: positive where the work took longer than forecast."
    yield "A forecast counts once, with the record of its newest completion."
    without = sum(pair.p50 is None for pair in pairs)
    if without:
        yield (
            f"{without} of {len(pairs)} forecasts hold no P50, so their P85 stands in for it. A P85 is meant to be too "
            "long in 85 % of the cases: as a point forecast it looks like overforecasting, which is no fault. Its "
            "coverage tells whether it is right."
        )


def _by_project(pairs: Sequence[Pair]) -> dict[str, ProjectAccuracy]:
    groups: dict[int, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair.project_id, []).append(pair)
    kept = {project_id: group for project_id, group in groups.items() if len(group) >= MIN_PAIRS}
    names = [group[0].project_name for group in kept.values()]
    return {
        name if names.count(name) == 1 else f"{name} ({project_id})": _accuracy(group)
        for (project_id, group), name in zip(kept.items(), names, strict=True)
    }


def _accuracy(pairs: Sequence[Pair]) -> ProjectAccuracy:
    metrics = _metrics(pairs)
    assert metrics.mape is not None  # actuals of usable pairs are positive
    assert metrics.accuracy_rate is not None
    return ProjectAccuracy(
        mape=metrics.mape, accuracy_rate=metrics.accuracy_rate, count=len(pairs), bias=metrics.bias_direction
    )

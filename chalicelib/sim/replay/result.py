"""The answer to a backtest as it goes over the wire. No numpy. Errors are actual - forecast throughout."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.sim.fields import SavedFields
from chalicelib.sim.replay.error_metrics import ErrorMetrics
from chalicelib.sim.replay.inputs import Level, Method

Target = Literal["weeks", "items"]


class BacktestRow(Struct, frozen=True, kw_only=True):
    """One forecast, made from the weeks before it alone, and what then happened."""

    test_name: str
    origin: Annotated[int, Meta(description="Number of the first week that the forecast did not know, from 0.")]
    train_size: Annotated[int, Meta(description="Weeks that it knew.")]
    test_size: Annotated[int, Meta(description="Weeks that it was tested on: until the backlog was done, or the test.")]
    confidence_level: Level
    backlog: int | None
    p50: Annotated[int | None, Meta(description="Weeks within which, or items of which at least, so much is certain.")]
    p85: int | None
    p95: int | None
    forecast: Annotated[int | None, Meta(description="The one of confidence_level.")]
    actual: Annotated[
        float | None, Meta(description="Weeks until done, or items finished; null if the series ends before.")
    ]
    error: Annotated[float | None, Meta(description="actual - forecast; null where either is unknown.")]
    error_pct: Annotated[float | None, Meta(description="In % of the actual.")]
    held_p50: Annotated[bool | None, Meta(description="Whether p50 held; null where the series is too short to say.")]
    held_p85: bool | None
    held_p95: bool | None
    pinball: Annotated[float | None, Meta(description="Mean pinball loss of p50, p85 and p95.")]
    crps: Annotated[float | None, Meta(description="Continuous ranked probability score of the whole law; 0 is best.")]
    forecasted_weeks: Annotated[int | None, Meta(description="forecast, with a backlog.")]
    actual_weeks: Annotated[float | None, Meta(description="actual, with a backlog.")]
    error_weeks: Annotated[float | None, Meta(description="error, with a backlog.")]
    note: Annotated[str | None, Meta(description="Why there is no forecast, or no verdict on it.")]


class Held(Struct, frozen=True, kw_only=True):
    """How often a level held."""

    expected: Annotated[float, Meta(description="The share in which it should hold, 0 to 1.")]
    held: int
    of: Annotated[int, Meta(description="Forecasts that the series is long enough to judge.")]
    share: float | None
    interval_low: Annotated[float | None, Meta(description="95 % interval of the share (Wilson); wide for few tests.")]
    interval_high: float | None


class CoverageTable(Struct, frozen=True, kw_only=True):
    """How often each level held."""

    p50: Held
    p85: Held
    p95: Held


class BacktestSummary(Struct, frozen=True, kw_only=True):
    """The replay in figures, for one level as the single forecast."""

    total_tests: int
    successful_tests: Annotated[int, Meta(description="With a forecast and an outcome.")]
    failed_tests: int
    mean_error_pct: float | None
    median_error_pct: float | None
    std_error_pct: float | None
    accuracy_metrics: Annotated[ErrorMetrics | None, Meta(description="null without an outcome.")]
    results: list[BacktestRow]


class ComparedLevel(BacktestSummary, frozen=True, kw_only=True):
    """The same with its report."""

    report: str


class ComparedLevels(Struct, frozen=True, kw_only=True):
    """The replay with each level as the single forecast."""

    P50: ComparedLevel
    P85: ComparedLevel
    P95: ComparedLevel


class BacktestResult(SavedFields, frozen=True, kw_only=True):
    """How forecasts would have done on this history. Coverage comes first: a p85 is no point forecast."""

    verdict: Annotated[str, Meta(description='In plain words: "Your P85 held 83 % of the time over 18 origins."')]
    coverage: CoverageTable
    pinball: Annotated[float | None, Meta(description="Mean over the rows that have one; in the unit of the target.")]
    crps: float | None
    target: Annotated[Target, Meta(description="weeks until the backlog is done, or items in the next weeks.")]
    method: Method
    test_size: int
    fold_stride: int
    train_window: Annotated[int | None, Meta(description="Weeks that each forecast knew; null: all before it.")]
    backlog: int | None
    projected_weeks_p85: Annotated[
        float | None, Meta(description="With a backlog: what the same forecast says today, from the newest weeks.")
    ]
    summary: BacktestSummary
    report: Annotated[str, Meta(description="All of it as text.")]
    results_by_level: Annotated[ComparedLevels | None, Meta(description="With compareConfidenceLevels.")]
    warnings: list[str]

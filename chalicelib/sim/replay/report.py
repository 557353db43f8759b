"""From the rows of a replay to what a reader takes from it: coverage, errors, a verdict, and all of it as text."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator

import msgspec

from chalicelib.sim.replay.error_metrics import error_metrics
from chalicelib.sim.replay.inputs import LEVELS, Level, Replay
from chalicelib.sim.replay.result import BacktestRow, BacktestSummary, ComparedLevel, CoverageTable, Held

_Z95 = 1.959964
_SHOWN_ROWS = 10
_RULE = "=" * 60


def table_of(rows: list[BacktestRow]) -> CoverageTable:
    """How often each level held, among the forecasts that can be judged at it."""
    p50, p85, p95 = (_held(LEVELS[level], [getattr(row, f"held_{level.lower()}") for row in rows]) for level in LEVELS)
    return CoverageTable(p50=p50, p85=p85, p95=p95)


def summary_of(rows: list[BacktestRow], level: Level) -> BacktestSummary:
    """The replay with `level` as the single forecast; rows are those of that level."""
    told = [msgspec.structs.replace(row, **_as_told(row, level)) for row in rows]
    pairs = [(row.forecast, row.actual) for row in told if row.forecast is not None and row.actual is not None]
    shares = [row.error_pct for row in told if row.error_pct is not None]
    return BacktestSummary(
        total_tests=len(told),
        successful_tests=len(pairs),
        failed_tests=len(told) - len(pairs),
        mean_error_pct=statistics.fmean(shares) if shares else None,
        median_error_pct=statistics.median(shares) if shares else None,
        std_error_pct=statistics.pstdev(shares) if shares else None,
        accuracy_metrics=error_metrics(*zip(*pairs, strict=True)) if pairs else None,
        results=told,
    )


def compared(rows: list[BacktestRow], level: Level, replay: Replay) -> ComparedLevel:
    """The same with its report."""
    summary = summary_of(rows, level)
    return ComparedLevel(**msgspec.structs.asdict(summary), report=report_of(summary, table_of(rows), replay))


def verdict_of(table: CoverageTable, level: Level) -> str:
    """How often the level held, and what to make of it."""
    held: Held = getattr(table, level.lower())
    if held.share is None:
        return f"No forecast could be judged at {level}: the series is too short."
    return f"Your {level} held {100 * held.share:.0f} % of the time over {held.of} origins: {_judgement(held)}."


def report_of(summary: BacktestSummary, table: CoverageTable, replay: Replay) -> str:
    """The replay as text for people."""
    return "\n".join(_lines(summary, table, replay))


def wilson(held: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share of `of` >= 1 cases (Wilson, Probable Inference, JASA 22, 1927)."""
    share, square = held / of, _Z95**2 / of
    middle = share + square / 2
    reach = _Z95 * math.sqrt(share * (1 - share) / of + square / (4 * of))
    return max(0.0, (middle - reach) / (1 + square)), min(1.0, (middle + reach) / (1 + square))


def _held(expected: float, verdicts: list[bool | None]) -> Held:
    known = [verdict for verdict in verdicts if verdict is not None]
    low, high = wilson(sum(known), len(known)) if known else (None, None)
    share = sum(known) / len(known) if known else None
    return Held(expected=expected, held=sum(known), of=len(known), share=share, interval_low=low, interval_high=high)


def _as_told(row: BacktestRow, level: Level) -> dict[str, object]:
    """The fields of a row that follow from which level is the forecast."""
    told: int | None = getattr(row, level.lower())
    error = row.actual - told if row.actual is not None and told is not None else None
    fields: dict[str, object] = {
        "confidence_level": level,
        "forecast": told,
        "error": error,
        "error_pct": 100 * error / row.actual if error is not None and row.actual else None,
    }
    return fields | ({"forecasted_weeks": told, "error_weeks": error} if row.backlog else {})


def _judgement(held: Held) -> str:
    assert held.interval_low is not None
    assert held.interval_high is not None
    wanted = f"{100 * held.expected:.0f} %"
    if held.interval_high < held.expected:
        return f"less than the {wanted} it should, so it promises too much; look at the trend of the weeks"
    if held.interval_low > held.expected:
        return f"more than the {wanted} it should, so it is more careful than it says"
    return f"as often as chance allows for the {wanted} it should"


def _lines(summary: BacktestSummary, table: CoverageTable, replay: Replay) -> Iterator[str]:
    what = f"weeks until {replay.backlog} items are done" if replay.backlog else f"items in {replay.horizon} weeks"
    yield from (_RULE, f"BACKTEST ({replay.method}): {what}", _RULE)
    for level, held in zip(LEVELS, (table.p50, table.p85, table.p95), strict=True):
        share = "-" if held.share is None else f"{100 * held.share:.0f} %"
        yield f"{level} held: {share} of {held.of} (should be {100 * held.expected:.0f} %)"
    yield f"Total tests: {summary.total_tests}"
    yield f"Successful: {summary.successful_tests}"
    yield f"Failed: {summary.failed_tests}"
    yield from _errors(summary)
    for row in summary.results[:_SHOWN_ROWS]:
        yield f"{row.test_name}: forecast {_show(row.forecast)}, actual {_show(row.actual)}, error {_signed(row)}"
    if len(summary.results) > _SHOWN_ROWS:
        yield f"... and {len(summary.results) - _SHOWN_ROWS} more"


def _errors(summary: BacktestSummary) -> Iterator[str]:
    found = summary.accuracy_metrics
    if found is None:
        return
    if summary.mean_error_pct is not None and summary.median_error_pct is not None:
        mean, median = summary.mean_error_pct, summary.median_error_pct
        yield f"Error (actual - forecast): mean {mean:+.1f} %, median {median:+.1f} %"
    mape = "-" if found.mape is None else f"{found.mape:.1f} %"
    yield f"MAPE {mape}, RMSE {found.rmse:.2f}, R2 {found.r_squared:.3f}, bias: {found.bias_direction}"


def _show(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _signed(row: BacktestRow) -> str:
    return "-" if row.error_pct is None else f"{row.error_pct:+.1f} %"

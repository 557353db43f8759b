"""The two views of a deadline, from the history itself and from the forecasters, and how far they agree."""

from __future__ import annotations

from chalicelib.sim.forecasters.futures import Futures
from chalicelib.sim.questions.deadline_case import MONTH_DAYS, SAFE, Case
from chalicelib.sim.questions.items import Items
from chalicelib.sim.questions.result import (
    Consensus,
    DeadlineMachineLearning,
    DeadlineMonteCarlo,
    ItemsIn30Days,
    ProbabilityRow,
)
from chalicelib.sim.questions.views import (
    blend_of,
    date_after,
    days_later,
    known_weeks,
    maybe_stats,
    method_of,
    models_of,
    stats_of,
    weeks_of,
    written,
)

# Two p85 are close if less than so many weeks, or such a share of their mean, lies between them; the old service's.
CLOSE_WEEKS, CLOSE_SHARE = 4.0, 0.20
_PROBABILITIES = (*range(100, 0, -5), 1)
# "Certain" of an exact law, which has no least case.
_SURE = 1 - 1e-6


def view(case: Case) -> DeadlineMonteCarlo:
    """The deadline as the history itself has it."""
    calendar, periods, effort = case.calendar, case.examined.result.percentiles, case.examined.result.effort.percentiles
    p50, p85, p95 = (case.items.at_least(level) for level in (0.50, 0.85, 0.95))
    weeks_p85 = calendar.elapsed_weeks(periods.p85)
    done_pct = _share_of_time(weeks_p85, case.weeks_to_deadline)
    return DeadlineMonteCarlo(
        start_date=written(case.start),
        deadline_date=written(case.deadline),
        start_date_raw=case.start.isoformat(),
        deadline_date_raw=case.deadline.isoformat(),
        probability_met=case.probability_met,
        can_meet_deadline=_is_safe(case),
        weeks_to_deadline=round(case.weeks_to_deadline, 1),
        projected_weeks_p50=known_weeks(calendar, periods.p50),
        projected_weeks_p85=known_weeks(calendar, periods.p85),
        projected_weeks_p95=known_weeks(calendar, periods.p95),
        completion_date_p50=date_after(calendar, periods.p50),
        completion_date_p85=date_after(calendar, periods.p85),
        completion_date_p95=date_after(calendar, periods.p95),
        backlog=case.backlog,
        items_possible_p50=p50,
        items_possible_p85=p85,
        items_possible_p95=p95,
        items_method=case.items.method,
        projected_work_p50=min(p50, case.backlog),
        projected_work_p85=min(p85, case.backlog),
        projected_work_p95=min(p95, case.backlog),
        scope_completion_pct=min(100, round(_percent(p85, case.backlog))),
        scope_completion_pct_raw=round(_percent(p85, case.backlog), 1),
        deadline_completion_pct=min(100, round(done_pct)),
        deadline_completion_pct_raw=round(done_pct, 1),
        projected_effort_p50=round(effort.p50),
        projected_effort_p85=round(effort.p85),
        projected_effort_p95=round(effort.p95),
        percentile_stats=stats_of(calendar, periods),
        input_stats=case.examined.result.input_stats,
        items_forecast_30_days=_in_30_days(case),
    )


def foretold(case: Case, futures: Futures) -> DeadlineMachineLearning:
    """The deadline as the forecasters have it; what they finish by then is the share of futures, not of time."""
    calendar, prediction = case.calendar, futures.prediction
    p50, p85, p95 = (futures.quantile(level) for level in (0.50, 0.85, 0.95))
    chance = futures.chance_within(case.whole_periods) if case.periods >= 0 else 0.0
    weeks_p85 = weeks_of(calendar, p85)
    work = min(case.backlog, futures.work_within(case.whole_periods, SAFE))
    return DeadlineMachineLearning(
        start_date=written(case.start),
        deadline_date=written(case.deadline),
        probability_met=chance,
        can_meet_deadline=chance >= SAFE,
        weeks_to_deadline=round(case.weeks_to_deadline, 1),
        projected_weeks_p50=weeks_of(calendar, p50),
        projected_weeks_p85=weeks_p85,
        projected_weeks_p95=weeks_of(calendar, p95),
        backlog=case.backlog,
        projected_work_p85=work,
        projected_effort_p85=None if p85 is None else round(effort_of(case, p85)),
        scope_completion_pct=min(100, round(_percent(work, case.backlog))),
        deadline_completion_pct=(
            100 if weeks_p85 is None else min(100, round(_share_of_time(weeks_p85, case.weeks_to_deadline)))
        ),
        percentile_stats=maybe_stats(calendar, futures),
        unfinished_share=futures.unfinished,
        forecast_method=method_of(prediction),
        ml_models=models_of(prediction),
        blend=blend_of(prediction),
    )


def effort_of(case: Case, periods: float) -> float:
    """Person-weeks of a duration, waiting left out, at the people per week that the project has on average."""
    laws = case.examined.laws
    work = max(1e-9, laws.weeks.mean() - case.examined.idle.mean())
    return max(0.0, periods - case.examined.idle.mean()) * laws.effort.mean() / work


def consensus(case: Case, history: DeadlineMonteCarlo, models: DeadlineMachineLearning) -> Consensus:
    """How far the two views agree."""
    first, second = history.projected_weeks_p85, models.projected_weeks_p85
    gap = None if second is None else abs(first - second)
    share = None if second is None or gap is None else 100 * gap / max(1e-9, (first + second) / 2)
    is_close = gap is not None and share is not None and (gap < CLOSE_WEEKS or share < 100 * CLOSE_SHARE)
    is_match = history.can_meet_deadline == models.can_meet_deadline
    is_later = second is not None and first >= second
    return Consensus(
        both_agree=is_match and is_close,
        deadline_outcome_match=is_match,
        weeks_close=is_close,
        difference_weeks=None if gap is None else round(gap, 1),
        percentage_difference=None if share is None else round(share, 1),
        mc_more_conservative=is_later,
        recommendation=_advice(history, models, is_match, is_close),
        explanation=(
            f"From the history alone the deadline is kept with a chance of {100 * history.probability_met:.0f} % and "
            f"p85 is {first:g} weeks; by the forecasters it is {100 * models.probability_met:.0f} % and "
            f"{'beyond what they look ahead' if second is None else f'{second:g} weeks'}. {models.blend.note}"
        ),
    )


def _advice(history: DeadlineMonteCarlo, models: DeadlineMachineLearning, is_match: bool, is_close: bool) -> str:
    if is_match and history.can_meet_deadline:
        return "Both views keep the deadline with a chance of 85 % or more" + (
            "." if is_close else ", by other margins."
        )
    if is_match:
        return "Neither view keeps the deadline with a chance of 85 %: cut scope, add time or say so now."
    later = "history" if not history.can_meet_deadline else "forecasters"
    return f"The views disagree: plan by the more careful one, which is that of the {later}, and look again each week."


def _is_safe(case: Case) -> bool:
    """p85 of the duration fits, which is P(met) >= 85 % without the rounding of a sum."""
    return case.whole_periods >= case.examined.result.percentiles.p85


def _share_of_time(weeks: float, available: float) -> float:
    return 100 * weeks / available if available > 0 else 100.0


def _percent(items: int, backlog: int) -> float:
    return 100 * items / backlog if backlog else 100.0


def _in_30_days(case: Case) -> ItemsIn30Days:
    items, end = case.in_30_days, days_later(case.start, MONTH_DAYS)
    return ItemsIn30Days(
        start_date=written(case.start),
        end_date=written(end),
        days=MONTH_DAYS,
        weeks=round(max(0.0, case.calendar.periods_until(end)), 3),
        items_mean=items.mean,
        probability_table=[ProbabilityRow(probability=each, items=_at_least(items, each)) for each in _PROBABILITIES],
    )


def _at_least(items: Items, percent: int) -> int:
    return items.at_least(min(_SURE, percent / 100))

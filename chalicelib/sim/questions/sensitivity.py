"""Which input moves the date most: each is changed alone, for the worse and for the better, and the law solved again.

One at a time, so that a swing is that of one input; two that work together are seen by comparing scenarios.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.sim.calendar import read_calendar
from chalicelib.sim.engine import choose
from chalicelib.sim.fields import MAX_TASKS
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.laws import solve
from chalicelib.sim.montecarlo import simulate
from chalicelib.sim.pace import Report
from chalicelib.sim.project import plan, schedule
from chalicelib.sim.questions.whatif_base import summarise_base
from chalicelib.sim.questions.whatif_inputs import SensitivityRequest, quick
from chalicelib.sim.questions.whatif_result import Influence, SensitivityResult
from chalicelib.sim.summary import Summary


class _Pair(Struct, frozen=True):
    """One input changed for the worse and for the better."""

    input: str
    change: str
    worse: SimulateRequest
    better: SimulateRequest


class _Weeks(Struct, frozen=True):
    p85: float
    mean: float


def sensitivity(request: SensitivityRequest, progress: Report) -> SensitivityResult:
    """The answer to a request that has passed its check. Cost: two forecasts for each input, without intervals."""
    base = quick(request.base)
    pairs = list(changes(base, request.step_percent / 100))
    centre = _solve(base)
    influences = []
    for index, pair in enumerate(pairs):
        progress((index + 1) / (len(pairs) + 1), f"changing {pair.input}")
        influences.append(_influence(pair))
    ranked = sorted(influences, key=lambda each: (-each.swing_weeks_p85, -each.swing_mean_weeks))
    progress(1.0, "done")
    return SensitivityResult(
        base_weeks_p85=round(centre.p85, 1),
        base_mean_weeks=centre.mean,
        influences=ranked,
        conclusion=_conclusion(ranked[0]),
        warnings=[],
    )


def summarise_sensitivity(request: SensitivityRequest, result: SensitivityResult) -> Summary:
    """The figures under which the answer is saved: those of the base."""
    return summarise_base(request, request.base, result.base_weeks_p85)


def changes(base: SimulateRequest, step: float) -> Iterator[_Pair]:
    """Every input that the project has, changed by `step` (0..0.5) or left out."""
    percent = f"{100 * step:g} %"
    slower = replace(base, tp_samples=_scaled(base.tp_samples, 1 - step))
    yield _Pair("tpSamples", f"every week {percent} less, or more", slower,
                replace(base, tp_samples=_scaled(base.tp_samples, 1 + step)))  # fmt: skip
    yield from _backlog(base, step, percent)
    yield from _team(base, step, percent)
    for name, values in (("splitRateSamples", base.split_rate_samples), ("ltSamples", base.lt_samples)):
        if values:
            field = "split_rate_samples" if name == "splitRateSamples" else "lt_samples"
            most = 10.0 if field == "split_rate_samples" else 3_650.0
            worse = replace(base, **{field: tuple(min(most, value * (1 + step)) for value in values)})
            yield _Pair(name, f"each {percent} more, or none at all", worse, replace(base, **{field: ()}))
    for index, risk in enumerate(base.risks):
        others = (*base.risks[:index], *base.risks[index + 1 :])
        certain = replace(base, risks=(*others, replace(risk, likelihood=100.0)))
        name = f"risks/{index}" + (f" ({risk.description[:40]})" if risk.description else "")
        yield _Pair(name, "it happens for certain, or never", certain, replace(base, risks=others))
    for index, dependency in enumerate(base.dependencies):
        others_on_time = (*base.dependencies[:index], *base.dependencies[index + 1 :])
        late = replace(base, dependencies=(*others_on_time, replace(dependency, on_time_probability=0.0)))
        name = f"dependencies/{index}" + (f" ({dependency.name[:40]})" if dependency.name else "")
        yield _Pair(name, "it is late for certain, or never", late, replace(base, dependencies=others_on_time))
    yield from _history(base)


def _backlog(base: SimulateRequest, step: float, percent: str) -> Iterator[_Pair]:
    now = schedule(base)
    more, less = _tasks(now.tasks, 1 + step), _tasks(now.tasks, 1 - step)
    if now.is_in_progress:
        yield _Pair("remainingTasks", f"{percent} more, or less", replace(base, remaining_tasks=more),
                    replace(base, remaining_tasks=max(1, less)))  # fmt: skip
    elif base.backlog_adjusted_min and base.backlog_adjusted_max:
        low, high = base.backlog_adjusted_min, base.backlog_adjusted_max
        yield _Pair("backlogAdjustedMin, backlogAdjustedMax", "the upper end for certain, or the lower",
                    replace(base, backlog_adjusted_min=high), replace(base, backlog_adjusted_max=low))  # fmt: skip
    else:
        yield _Pair("numberOfTasks", f"{percent} more, or less", replace(base, number_of_tasks=more),
                    replace(base, number_of_tasks=less))  # fmt: skip


def _team(base: SimulateRequest, step: float, percent: str) -> Iterator[_Pair]:
    history = base.historical_team_size or base.legacy_team_size or base.total_contributors
    fixed = replace(base, historical_team_size=history, legacy_team_size=None)
    smaller, larger = (_sized(fixed, factor) for factor in (1 - step, 1 + step))
    yield _Pair("totalContributors", f"{percent} fewer people, or more; the history stays", smaller, larger)
    lower = max(0.01, base.team_focus * (1 - step))
    upper = min(1.0, base.team_focus * (1 + step))
    yield _Pair("teamFocus", f"{percent} less, or more (at most 1)", replace(base, team_focus=lower),
                replace(base, team_focus=upper))  # fmt: skip


def _history(base: SimulateRequest) -> Iterator[_Pair]:
    """Without its best week, or without its worst one."""
    samples = base.tp_samples
    best, worst = samples.index(max(samples)), samples.index(min(samples))
    without_best, without_worst = (samples[:place] + samples[place + 1 :] for place in (best, worst))
    if without_best and max(without_best) >= 1:
        yield _Pair("tpSamples (one week)", "without the best week, or without the worst",
                    replace(base, tp_samples=without_best), replace(base, tp_samples=without_worst))  # fmt: skip


def _sized(base: SimulateRequest, factor: float) -> SimulateRequest:
    def scaled(size: float | None) -> float | None:
        return min(9_999.0, max(0.1, round(size * factor, 2))) if size else size

    return replace(
        base,
        total_contributors=scaled(base.total_contributors) or 0.1,
        min_contributors=scaled(base.min_contributors),
        max_contributors=scaled(base.max_contributors),
    )


def _scaled(samples: tuple[float, ...], factor: float) -> tuple[float, ...]:
    return tuple(min(100_000.0, round(value * factor, 3)) for value in samples)


def _tasks(tasks: int, factor: float) -> int:
    """Rounded away from the base, so that a small backlog changes too."""
    scaled = tasks * factor
    return min(MAX_TASKS, math.ceil(scaled - 1e-9) if factor > 1 else math.floor(scaled + 1e-9))


def _influence(pair: _Pair) -> Influence:
    worse, better = _solve(pair.worse), _solve(pair.better)
    return Influence(
        input=pair.input,
        change=pair.change,
        worse_weeks_p85=round(worse.p85, 1),
        better_weeks_p85=round(better.p85, 1),
        worse_mean_weeks=worse.mean,
        better_mean_weeks=better.mean,
        swing_weeks_p85=round(worse.p85 - better.p85, 1),
        swing_mean_weeks=worse.mean - better.mean,
    )


def _solve(request: SimulateRequest) -> _Weeks:
    project = plan(request)
    engine = choose(request, project)
    if engine.name == "exact":
        weeks = solve(project, progress=_silent).weeks
    else:
        weeks = simulate(project, request.number_of_simulations, seed=engine.seed, progress=_silent).weeks
    calendar = read_calendar(request, schedule(request).start)
    return _Weeks(calendar.elapsed_weeks(weeks.quantiles([0.85])[0]), calendar.elapsed_weeks(weeks.mean()))


def _silent(_fraction: float, _stage: str) -> None:
    """The steps are told, not what is within them."""


def _conclusion(first: Influence) -> str:
    return (
        f"{first.input} moves p85 most: from {first.better_weeks_p85:g} to {first.worse_weeks_p85:g} weeks "
        f"({first.change})."
    )

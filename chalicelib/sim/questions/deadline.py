"""Will this backlog be done by that day? P(met), what can be done by then, when all is done, and what it costs.

P(met) is the law of the duration at the whole periods that fit before the deadline. What can be done by then is found
from the same history, period by period; it is no share of the backlog in proportion to the time.
"""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.sim.calendar import read_calendar
from chalicelib.sim.forecast import examine, part
from chalicelib.sim.pace import Report
from chalicelib.sim.project import schedule
from chalicelib.sim.questions.costs import cost_analysis
from chalicelib.sim.questions.deadline_case import Case, make_case
from chalicelib.sim.questions.deadline_views import consensus, foretold, view
from chalicelib.sim.questions.inputs import DeadlineRequest, as_simulation, deadline_of
from chalicelib.sim.questions.result import DeadlineResult
from chalicelib.sim.questions.views import ENGINE_SHARE, futures_of, in_words_of
from chalicelib.sim.summary import Summary, named, people, weeks_until


def analyse_deadline(request: DeadlineRequest, progress: Report) -> DeadlineResult:
    """The answer to a request that has passed `inputs.check_deadline`.

    Raises TooLarge where no engine can answer. Cost: that of a forecast, and some 20 ms.
    """
    simulation = as_simulation(request)
    examined = examine(simulation, part(progress, 0, ENGINE_SHARE))
    progress(ENGINE_SHARE, "forecasters")
    deadline = deadline_of(request)
    assert deadline
    case = make_case(examined, deadline, futures_of(examined, simulation.tp_samples))
    history = view(case)
    models = foretold(case, case.futures) if case.futures else None
    result = examined.result
    return DeadlineResult(
        project_name=simulation.project_name,
        engine=result.engine,
        engine_reason=result.engine_reason,
        seed=result.seed,
        assumptions=in_words_of(request.simulation_data or request, result.assumptions),
        warnings=[*_warnings(case), *in_words_of(request.simulation_data or request, result.warnings)],
        probability_met=history.probability_met,
        deadline_date=history.deadline_date,
        start_date=history.start_date,
        can_meet_deadline=history.can_meet_deadline,
        weeks_to_deadline=history.weeks_to_deadline,
        projected_weeks_p50=history.projected_weeks_p50,
        projected_weeks_p85=history.projected_weeks_p85,
        projected_work_p85=history.projected_work_p85,
        projected_effort_p85=history.projected_effort_p85,
        backlog=history.backlog,
        scope_completion_pct=history.scope_completion_pct,
        deadline_completion_pct=history.deadline_completion_pct,
        percentile_stats=history.percentile_stats,
        dates=result.dates,
        monte_carlo=history,
        machine_learning=models,
        consensus=consensus(case, history, models) if models else None,
        cost_analysis=cost_analysis(request, case),
        distribution=result.distribution,
        history_interval=result.history_interval,
    )


def summarise_deadline(request: DeadlineRequest, result: DeadlineResult) -> Summary:
    """The figures under which the answer is saved."""
    simulation = as_simulation(request)
    calendar, deadline = read_calendar(simulation, schedule(simulation).start), deadline_of(request)
    return Summary(
        name=named(simulation.project_name),
        forecast_type="deadline",
        team_size=people(simulation.total_contributors),
        backlog=result.backlog,
        start_date=calendar.start,
        projected_weeks_p85=result.projected_weeks_p85,
        deadline_date=deadline,
        weeks_to_deadline=weeks_until(calendar, deadline),
        can_meet_deadline=result.can_meet_deadline,
        scope_completion_pct=min(100.0, result.monte_carlo.scope_completion_pct_raw),
    )


def _warnings(case: Case) -> Iterator[str]:
    if case.deadline < case.start:
        yield f"The deadline {case.deadline} is before the start {case.start}: it cannot be met."
    elif case.whole_periods == 0:
        yield f"Less than one period of {case.calendar.cadence_days} days of work fits before the deadline."
    if not case.examined.project.team.is_constant:
        yield "items_possible is at most the backlog: a team that grows and shrinks is known only as far as that goes."

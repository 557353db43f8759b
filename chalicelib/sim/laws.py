"""The laws of a project: everything about it that is random, computed without sampling."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from chalicelib.errors import TooLarge
from chalicelib.sim.backlog import total_tasks
from chalicelib.sim.burndown import burn_down
from chalicelib.sim.cost import EXACT_LIMIT, estimate_plan
from chalicelib.sim.dependencies import Delay, delay, delay_weeks
from chalicelib.sim.lattice import Law, add
from chalicelib.sim.leadtime import LeadTime, lead_time
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import Plan


class Laws(Struct, frozen=True, eq=False):
    """All that is known about a project: weeks on the calendar, person-weeks, tasks, lead time and delay."""

    weeks: Law
    effort: Law
    tasks: Law
    lead_time: LeadTime
    delay: Delay


def solve(project: Plan, *, progress: Callable[[float, str], None]) -> Laws:
    """The laws of a normalised project.

    `progress` gets a fraction 0..1 and a stage between slices of the work; what it raises is passed on. Raises
    TooLarge above EXACT_LIMIT. Duration = work + start delay + late dependencies, which are independent of each
    other; effort is spent on the work alone. Cost: see `cost.estimate`.
    """
    work = estimate_plan(project)
    if work > EXACT_LIMIT:
        raise TooLarge(f"work must be at most {EXACT_LIMIT} cell updates for an exact answer, this needs about {work}")
    pace = Pace(progress, work)
    pace.enter("tasks")
    tasks = total_tasks(project, pace)
    pace.enter("delays")
    period_days = project.calendar.cadence_days
    start = lead_time(project.lead_times, pace, period_days)
    late = delay(project.dependencies, pace)
    pace.enter("burn-down")
    work_done = burn_down(tasks, project, pace)
    weeks = add(add(work_done.weeks, start.weeks), delay_weeks(late, period_days))
    return Laws(weeks, work_done.effort, tasks, start, late)

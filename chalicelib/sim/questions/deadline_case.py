"""A project examined for its deadline: everything that the views of the answer are read from."""

from __future__ import annotations

import math
from datetime import date

from msgspec import Struct

from chalicelib.sim.backlog import total_tasks
from chalicelib.sim.calendar import WorkCalendar
from chalicelib.sim.dependencies import delay, delay_weeks
from chalicelib.sim.forecast import Examined
from chalicelib.sim.forecasters.futures import Futures
from chalicelib.sim.lattice import Law, add, certain
from chalicelib.sim.leadtime import lead_time
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import Plan
from chalicelib.sim.questions.items import Items, Wait, items_in, items_of_backlog
from chalicelib.sim.questions.views import days_later

# A deadline is called safe at this chance, the level at which the old service compared weeks.
SAFE = 0.85
MONTH_DAYS = 30
# The work behind 30 days is too short to be told.
_UNTOLD = 1e9


class Case(Struct, frozen=True, eq=False):
    """One project, one deadline.

    periods: of work that fit before the deadline, negative if it is over; items: finished by then; in_30_days: finished
    in 30 days of work; futures: what the forecasters see, None with too few samples.
    """

    examined: Examined
    start: date
    deadline: date
    periods: float
    items: Items
    in_30_days: Items
    futures: Futures | None

    @property
    def calendar(self) -> WorkCalendar:
        return self.examined.project.calendar

    @property
    def whole_periods(self) -> int:
        """Periods that are over before the deadline; a rounding error does not lose one."""
        return math.floor(self.periods + 1e-9)

    @property
    def probability_met(self) -> float:
        """P(all is done by the deadline)."""
        return self.examined.laws.weeks.chance_up_to(self.whole_periods) if self.periods >= 0 else 0.0

    @property
    def backlog(self) -> int:
        """Items before risks and split rates; the middle of a range."""
        summary = self.examined.result.backlog_summary
        return (summary.low + summary.high + 1) // 2

    @property
    def weeks_to_deadline(self) -> float:
        """Calendar weeks, exact."""
        return (self.deadline - self.start).days / 7


def make_case(examined: Examined, deadline: date, futures: Futures | None) -> Case:
    """The case of a project with a start. Cost: see `items_in` and `items_of_backlog`."""
    project, calendar, start = examined.project, examined.project.calendar, examined.project.calendar.start
    assert start
    periods = calendar.periods_until(deadline)
    return Case(
        examined=examined,
        start=start,
        deadline=deadline,
        periods=periods,
        items=_items(project, examined.laws.tasks, max(0.0, periods), Wait(examined.idle, examined.engine.seed)),
        in_30_days=_items(
            project,
            examined.laws.tasks,
            max(0.0, calendar.periods_until(days_later(start, MONTH_DAYS))),
            Wait(certain(0), examined.engine.seed),
        ),
        futures=futures,
    )


def items_by(project: Plan, periods: float, seed: int) -> Items:
    """The items that a project has finished after `periods`, its waiting times taken off."""
    pace = _silent()
    idle = add(
        lead_time(project.lead_times, pace, project.calendar.cadence_days).weeks,
        delay_weeks(delay(project.dependencies, pace), project.calendar.cadence_days),
    )
    tasks = certain(0) if project.team.is_constant else total_tasks(project, pace)
    return _items(project, tasks, max(0.0, periods), Wait(idle, seed))


def _items(project: Plan, tasks: Law, periods: float, wait: Wait) -> Items:
    if project.team.is_constant:
        return items_in(project, periods, wait, _silent())
    return items_of_backlog(project, periods, tasks, wait)


def _silent() -> Pace:
    return Pace(lambda _fraction, _stage: None, _UNTOLD)

"""The few figures of a forecast that lists and accuracy reports read, so that they need not open the whole answer."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from chalicelib.sim.calendar import DAYS_PER_WEEK, WorkCalendar, read_calendar
from chalicelib.sim.dates import read_date
from chalicelib.sim.engine import choose
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.project import plan, round_half_up, schedule
from chalicelib.sim.result import SimulateResult


class Summary(Struct, frozen=True, kw_only=True):
    """One forecast in figures; what depends on a deadline is None without a start and a readable deadline."""

    # How the forecast is listed, and what made it.
    name: str
    forecast_type: str
    team_size: int
    # Tasks before risks and split rate: what is left of a project in progress, the middle of a range.
    backlog: int
    # The day from which the weeks count: the start, or today for a project in progress.
    start_date: date | None
    # Calendar weeks, days off included.
    projected_weeks_p85: float
    deadline_date: date | None
    # From the start to the deadline, in weeks of 7 days; negative for a deadline that is over.
    weeks_to_deadline: float | None
    # Whether the deadline is kept in at least 85 % of the cases.
    can_meet_deadline: bool | None
    # Share of the backlog that is done by the deadline in at least 85 % of the cases, in %, at most 100.
    scope_completion_pct: float | None = None


def summarise(request: SimulateRequest, result: SimulateResult) -> Summary:
    """The figures of the answer to a request that has passed `inputs.check`. Cost: see `items_by`."""
    calendar = read_calendar(request, schedule(request).start)
    deadline = read_date(request.deadline_date) if isinstance(request.deadline_date, str) else None
    backlog, p85 = result.backlog_summary, result.percentiles.p85
    return Summary(
        name=named(request.project_name),
        forecast_type="monte_carlo",
        team_size=people(request.total_contributors),
        backlog=round_half_up((backlog.low + backlog.high) / 2),
        start_date=calendar.start,
        projected_weeks_p85=calendar.elapsed_weeks(p85),
        deadline_date=deadline,
        weeks_to_deadline=weeks_until(calendar, deadline),
        can_meet_deadline=calendar.periods_until(deadline) >= p85 if calendar.start and deadline else None,
        scope_completion_pct=_scope_by(request, calendar.periods_until(deadline))
        if calendar.start and deadline
        else None,
    )


def _scope_by(request: SimulateRequest, periods: float) -> float:
    from chalicelib.sim.questions.deadline_case import items_by

    project = plan(request)
    if project.backlog_high == 0:
        return 100.0
    finished = items_by(project, periods, choose(request, project).seed).at_least(0.85)
    return min(100.0, 200 * finished / (project.backlog_low + project.backlog_high))


def named(text: str | None) -> str:
    """The name under which a forecast is saved."""
    return (text or "").strip() or "Unnamed Project"


def people(size: float) -> int:
    """A team size in whole people, at least one."""
    return max(1, round(size))


def weeks_until(calendar: WorkCalendar, deadline: date | None) -> float | None:
    """Calendar weeks from the start to the deadline; None unless both are known."""
    return (deadline - calendar.start).days / DAYS_PER_WEEK if calendar.start and deadline else None

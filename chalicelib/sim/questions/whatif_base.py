"""The figures under which a comparison is saved: those of the project that it starts from."""

from __future__ import annotations

from chalicelib.sim.calendar import read_calendar
from chalicelib.sim.dates import read_date
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.project import plan, schedule
from chalicelib.sim.questions.whatif_inputs import ScenariosRequest, SensitivityRequest
from chalicelib.sim.summary import Summary, named, people, weeks_until


def summarise_base(request: ScenariosRequest | SensitivityRequest, base: SimulateRequest, weeks_p85: float) -> Summary:
    """The figures of a base that is done within `weeks_p85` with a chance of 85 %."""
    project, calendar = plan(base), read_calendar(base, schedule(base).start)
    is_compared = isinstance(request, ScenariosRequest)
    deadline = (
        read_date(request.deadline_date) if isinstance(request, ScenariosRequest) and request.deadline_date else None
    )
    weeks = weeks_until(calendar, deadline)
    return Summary(
        name=named(request.project_name or base.project_name),
        forecast_type="scenarios" if is_compared else "sensitivity",
        team_size=people(base.total_contributors),
        backlog=(project.backlog_low + project.backlog_high + 1) // 2,
        start_date=calendar.start,
        projected_weeks_p85=weeks_p85,
        deadline_date=deadline,
        weeks_to_deadline=weeks,
        can_meet_deadline=None if weeks is None else weeks >= weeks_p85,
    )

"""The few figures of a forecast that lists and accuracy reports read, so that they need not open the whole answer."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from chalicelib.sim.dates import read_date
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.project import round_half_up, schedule
from chalicelib.sim.result import SimulateResult


class Summary(Struct, frozen=True, kw_only=True):
    """One forecast in figures; what depends on a deadline is None without a start and a readable deadline."""

    # Tasks before risks and split rate: what is left of a project in progress, the middle of a range.
    backlog: int
    # The day from which the weeks count: the start, or today for a project in progress.
    start_date: date | None
    projected_weeks_p85: float
    deadline_date: date | None
    # From the first to the second, in weeks of 7 days; negative for a deadline that is over.
    weeks_to_deadline: float | None
    # Whether the deadline is kept in at least 85 % of the cases.
    can_meet_deadline: bool | None


def summarise(request: SimulateRequest, result: SimulateResult) -> Summary:
    """The figures of the answer to a request that has passed `inputs.check`. Cost: constant."""
    start, deadline = schedule(request).start, _deadline(request)
    backlog, p85 = result.backlog_summary, result.percentiles.p85
    weeks = (deadline - start).days / 7 if start and deadline else None
    return Summary(
        backlog=round_half_up((backlog.low + backlog.high) / 2),
        start_date=start,
        projected_weeks_p85=p85,
        deadline_date=deadline,
        weeks_to_deadline=weeks,
        can_meet_deadline=None if weeks is None else weeks >= p85,
    )


def _deadline(request: SimulateRequest) -> date | None:
    return read_date(request.deadline_date) if isinstance(request.deadline_date, str) else None

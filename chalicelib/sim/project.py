"""A request with every default applied and every number on its integer lattice: what the engine computes from.

Samples are kept as whole thousandths (lead times: tenths of a day, team sizes: hundredths), so that the arithmetic
that follows has no float residue. A residue of 1e-15 tasks would cost a whole extra week in about one trial of eight.
"""

from __future__ import annotations

import math
from collections import Counter
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from chalicelib.sim.calendar import WorkCalendar, read_calendar
from chalicelib.sim.dates import read_date
from chalicelib.sim.inputs import Dependency, Risk, SimulateRequest, impact_range

if TYPE_CHECKING:
    from chalicelib.sim.weibull import Weibull

SAMPLE_SCALE = 1_000
LEAD_TIME_SCALE = 10
TEAM_SCALE = 100

# A value on an integer lattice and how often it was seen.
Samples = tuple[tuple[int, int], ...]


class Impact(Struct, frozen=True):
    """A risk: with `probability` it adds `low` to `high` tasks, most likely `mode` (None: all equally likely)."""

    probability: float
    low: int
    high: int
    mode: float | None


class Team(Struct, frozen=True):
    """People, in hundredths: at both ends, in the middle, behind the history; ramp in %; focus in thousandths."""

    low: int
    high: int
    history: int
    ramp_percent: int
    focus: int

    @property
    def is_constant(self) -> bool:
        return self.low == self.high or self.ramp_percent == 0

    def progress_per_sample(self) -> Fraction:
        """Tasks that one thousandth of a sample stands for when one hundredth of a person works."""
        return Fraction(self.focus, SAMPLE_SCALE * self.history * SAMPLE_SCALE)


class Plan(Struct, frozen=True, kw_only=True):
    """The normalised project.

    throughput: what a week may finish, with counts or weights; weibull: the law that it was made from, None for the
    past weeks themselves.
    """

    throughput: Samples
    weibull: Weibull | None
    lead_times: Samples
    split_rates: Samples
    backlog_low: int
    backlog_high: int
    impacts: tuple[Impact, ...]
    dependencies: tuple[Dependency, ...]
    team: Team
    calendar: WorkCalendar
    is_in_progress: bool


class Schedule(Struct, frozen=True):
    """The four inputs that a project in progress replaces."""

    tasks: int
    start: date | None
    lt_samples: tuple[float, ...]
    ramp_percent: int
    is_in_progress: bool


def plan(request: SimulateRequest) -> Plan:
    """The project with defaults applied and a project in progress reduced to what is left of it.

    The request must have passed `inputs.check`; it is not changed. Cost: linear in its size.
    """
    now = schedule(request)
    low, high = _backlog(request, now)
    project = Plan(
        throughput=on_lattice(request.tp_samples, SAMPLE_SCALE),
        weibull=None,
        lead_times=on_lattice(now.lt_samples, LEAD_TIME_SCALE),
        split_rates=on_lattice(request.split_rate_samples, SAMPLE_SCALE),
        backlog_low=low,
        backlog_high=high,
        impacts=tuple(_impact(risk) for risk in request.risks if risk.likelihood > 0),
        dependencies=request.dependencies,
        team=_team(request, now.ramp_percent),
        calendar=read_calendar(request, now.start),
        is_in_progress=now.is_in_progress,
    )
    return smoothed(project, project.throughput) if request.sampling == "weibull" else project


def smoothed(project: Plan, samples: Samples) -> Plan:
    """The project with a law fitted to `samples` in place of its throughput; unchanged where they allow none."""
    # Loaded by the requests that ask for it, not by every start of the API.
    from chalicelib.sim.weibull import fit, weekly_law

    law = fit([(value / SAMPLE_SCALE, count) for value, count in samples])
    if law is None:
        return project
    team = project.team
    enough = math.ceil(most_tasks(project) / (team.progress_per_sample() * SAMPLE_SCALE * team.low))
    weekly = weekly_law(law, enough)
    if weekly is None:
        return project
    throughput = tuple([(value * SAMPLE_SCALE, weight) for value, weight in weekly])
    return structs.replace(project, throughput=throughput, weibull=law)


def most_tasks(project: Plan) -> int:
    """The most tasks that a trial can have, however unlikely."""
    planned = project.backlog_high + sum(impact.high for impact in project.impacts)
    rate = project.split_rates[-1][0] if project.split_rates else SAMPLE_SCALE
    return (2 * planned * rate + SAMPLE_SCALE) // (2 * SAMPLE_SCALE)


def divisor_of(samples: Samples) -> int:
    """The greatest common divisor of the values, in which sums of draws can be counted."""
    # A list and not a generator: this is on the way of every request.
    return math.gcd(*[value for value, _ in samples])


def capped(samples: Samples, divisor: int, most: int) -> Samples:
    """The samples in units of `divisor`; above `most`, which finishes everything, a week is as good as one with that.

    Without it the length of a law would follow the best week, however little there is to do.
    """
    counts: dict[int, int] = {}
    for value, count in samples:
        point = min(value // divisor, most)
        counts[point] = counts.get(point, 0) + count
    return tuple(counts.items())


def schedule(request: SimulateRequest) -> Schedule:
    """Tasks, start, lead times and ramp, as given or as left over for a project in progress.

    The ramp is halved when more than `ramp` % of the REMAINING tasks are complete; comparing with the whole backlog
    would be more natural, but the reference model compares with what is left and its answers are the contract.
    """
    ramp = max(0, min(50, request.s_curve_size))
    start = read_date(request.start_date) if request.start_date else None
    today = read_date(request.current_date) if request.current_date else None
    remaining, completed = request.remaining_tasks or 0, request.completed_tasks or 0
    if start is None or today is None or remaining <= 0:
        return Schedule(request.number_of_tasks, start, request.lt_samples, ramp, False)
    if completed <= 0:
        return Schedule(remaining, today, request.lt_samples, ramp, True)
    is_past_ramp = completed * 100 > remaining * ramp
    return Schedule(remaining, today, (), (ramp + 1) // 2 if is_past_ramp else ramp, True)


def on_lattice(values: tuple[float, ...], scale: int) -> Samples:
    """Distinct values in units of 1/scale, rounded half up, ascending, each with its count."""
    # No call per value: three lists of a thousand values are read on the way of every request.
    counts = Counter([math.floor(value * scale + 0.5) for value in values])
    return tuple([(value, counts[value]) for value in sorted(counts)])


def round_half_up(value: float) -> int:
    """The nearest whole number, a half upwards, as the reference model rounds."""
    return math.floor(value + 0.5)


def has_backlog_range(request: SimulateRequest) -> bool:
    """Whether both ends of the backlog range are given and above 0."""
    return bool(request.backlog_adjusted_min and request.backlog_adjusted_max)


def _backlog(request: SimulateRequest, now: Schedule) -> tuple[int, int]:
    if now.is_in_progress or not has_backlog_range(request):
        return now.tasks, now.tasks
    ends = (request.backlog_adjusted_min or 0, request.backlog_adjusted_max or 0)
    return round_half_up(min(ends)), round_half_up(max(ends))


def _impact(risk: Risk) -> Impact:
    low, high = impact_range(risk)
    probability = risk.likelihood / 100 if risk.likelihood >= 1 else risk.likelihood
    return Impact(probability, low, high, risk.medium_impact)


def _team(request: SimulateRequest, ramp_percent: int) -> Team:
    total = request.total_contributors
    # A missing end follows the total, but never to the wrong side of the end that is given.
    low = request.min_contributors or min(total, request.max_contributors or total)
    high = request.max_contributors or max(total, low)
    history = request.historical_team_size or request.legacy_team_size or total
    return Team(
        low=round_half_up(low * TEAM_SCALE),
        high=round_half_up(high * TEAM_SCALE),
        history=round_half_up(history * TEAM_SCALE),
        ramp_percent=ramp_percent,
        focus=round_half_up(request.team_focus * SAMPLE_SCALE),
    )

"""What a forecast took for granted and what speaks against it, as sentences for whoever reads the answer."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.sim.calendar import DAYS_PER_WEEK, FULL
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.outlook import Outlook
from chalicelib.sim.project import LEAD_TIME_SCALE, SAMPLE_SCALE, TEAM_SCALE, Plan, has_backlog_range, round_half_up
from chalicelib.sim.trend import trend
from chalicelib.sim.weibull import Weibull

FEWEST_WEEKS, MOST_WEEKS = 7, 24
FEWEST_LEAD_TIMES = 5
# An interval whose ends differ by this factor is told in words.
WIDE = 1.5


def assumptions(request: SimulateRequest, project: Plan) -> list[str]:
    """What was assumed, most consequential first."""
    return [*team_assumptions(request, project), *_work(request, project)]


def team_assumptions(request: SimulateRequest, project: Plan) -> Iterator[str]:
    """Those about the team and its calendar, which hold whatever is asked."""
    yield from _team(request, project)
    yield from _calendar(project)


def warnings(request: SimulateRequest, project: Plan, outlook: Outlook) -> list[str]:
    """What makes the forecast less certain than it looks, or differs from what was sent."""
    return [*history_warnings(request), *_outlook(request, outlook), *_unused(request, project), *_rounded(request)]


def _team(request: SimulateRequest, project: Plan) -> Iterator[str]:
    team = project.team
    is_given = request.historical_team_size or request.legacy_team_size
    source = "historicalTeamSize" if is_given else "totalContributors, as no historicalTeamSize was given"
    yield f"The throughput samples were produced by {_people(team.history)} ({source})."
    if team.is_constant:
        yield f"{_people(team.high)} {'works' if team.high == TEAM_SCALE else 'work'} every week."
    else:
        yield (
            f"{_people(team.low)} at both ends and {_people(team.high)} in the middle do the work; "
            f"each ramp takes {team.ramp_percent} % of the tasks."
        )
    if team.focus < SAMPLE_SCALE:
        yield f"The team gives this project {team.focus / 10:g} % of its time."
    yield _week(project.weibull)


def _people(hundredths: int) -> str:
    return f"{hundredths / TEAM_SCALE:g} {'person' if hundredths == TEAM_SCALE else 'people'}"


def _week(law: Weibull | None) -> str:
    if law is None:
        return "Every week is like one of the past weeks, drawn independently; idle weeks are drawn too."
    return (
        f"A busy week follows a Weibull law of shape {law.shape:.3g} and scale {law.scale:.3g} tasks, rounded to whole "
        f"tasks; {100 * (1 - law.busy):.3g} % of the weeks are idle. Weeks are drawn independently."
    )


def _calendar(project: Plan) -> Iterator[str]:
    calendar = project.calendar
    if calendar.cadence_days != DAYS_PER_WEEK:
        days = calendar.cadence_days
        yield f"A sample covers {days} days, so everything that is told in weeks is in periods of {days} days."
    if calendar.blackouts:
        yield f"Nothing is done on {len(calendar.blackouts)} blackout days; each one moves what follows by a day."
    if any(each != FULL for each in calendar.capacity):
        yield "Months with less (or more) than the usual capacity stretch (or shorten) the calendar, waiting included."


def _work(request: SimulateRequest, project: Plan) -> Iterator[str]:
    if project.is_in_progress and project.calendar.start:
        yield f"The project is in progress: {project.backlog_low} tasks are left from {project.calendar.start} on."
        if request.completed_tasks:
            yield "Work has begun, so lead times add no start delay."
    if project.backlog_low < project.backlog_high:
        yield (
            f"The backlog is any whole number from {project.backlog_low} to {project.backlog_high}, equally likely, "
            "instead of numberOfTasks."
        )
    if 0 < sum(count for _, count in project.lead_times) < FEWEST_LEAD_TIMES:
        yield f"With fewer than {FEWEST_LEAD_TIMES} lead times a part of the cases starts without any."


def history_warnings(request: SimulateRequest) -> Iterator[str]:
    """What the throughput samples themselves say against a forecast."""
    count = len(request.tp_samples)
    if count < FEWEST_WEEKS:
        yield f"Only {count} throughput samples: {FEWEST_WEEKS} to {MOST_WEEKS} weeks are advised."
    idle = sum(1 for value in request.tp_samples if value == 0)
    if 2 * idle > count:
        yield f"{idle} of {count} weeks were idle: the forecast spreads widely and depends on the few busy weeks."
    if count > 1 and len(set(request.tp_samples)) == 1:
        yield f"All {count} weeks finished {request.tp_samples[0]:g} tasks: the forecast has no spread from throughput."
    found = trend(request.tp_samples)
    if found:
        is_rising = found.newer_mean > found.older_mean
        yield (
            f"Throughput {'rose' if is_rising else 'fell'} from {found.older_mean:.3g} to {found.newer_mean:.3g} tasks "
            "a week between the older and the newer half (oldest first; Mann-Kendall test, p = "
            f"{found.p_value:.2g}): drawing all weeks alike makes the forecast too {'late' if is_rising else 'early'}."
        )


def _outlook(request: SimulateRequest, outlook: Outlook) -> Iterator[str]:
    found = outlook.history_interval
    if found and found.p85.high is None:
        yield (
            f"The history is too thin to say how late it may become: p85 is {found.p85.low} weeks or more, without an "
            f"upper end; {found.never_done} of {found.resamples} resampled histories never finish a task."
        )
    elif found and found.p85.high and found.p85.high >= WIDE * found.p85.low:
        yield f"The history leaves p85 anywhere from {found.p85.low} to {found.p85.high} weeks; more weeks narrow it."
    if request.history_interval and not found:
        yield "How far the history may mislead (history_interval) was not computed: it takes too long here."
    if not outlook.burn_down:
        yield "The burn-down fan (burn_down) was not computed: it takes too long here."


def _unused(request: SimulateRequest, project: Plan) -> Iterator[str]:
    if request.sampling == "weibull" and project.weibull is None:
        yield (
            "The past weeks themselves were drawn (bootstrap): a Weibull law needs two different busy weeks, and weeks "
            "that are not all but certain to finish less than half a task."
        )
    low, high = request.backlog_adjusted_min, request.backlog_adjusted_max
    if has_backlog_range(request) and project.is_in_progress:
        yield "backlogAdjustedMin and backlogAdjustedMax were not used: remainingTasks says what is left."
    elif bool(low) != bool(high):
        yield "The backlog range was not used: both ends must be given and above 0."
    if request.max_contributors and request.max_contributors > request.total_contributors:
        yield "maxContributors is more than totalContributors."
    if not 0 <= request.s_curve_size <= 50:
        yield f"sCurveSize {request.s_curve_size} was taken as {max(0, min(50, request.s_curve_size))}."


def _rounded(request: SimulateRequest) -> Iterator[str]:
    sizes = [
        request.total_contributors,
        request.min_contributors or 0,
        request.max_contributors or 0,
        request.historical_team_size or request.legacy_team_size or 0,
    ]
    for sentence, values, scale in (
        ("tpSamples were rounded to 3 decimals.", request.tp_samples, SAMPLE_SCALE),
        ("ltSamples were rounded to 1 decimal.", request.lt_samples, LEAD_TIME_SCALE),
        ("splitRateSamples were rounded to 3 decimals.", request.split_rate_samples, SAMPLE_SCALE),
        ("Team sizes were rounded to 2 decimals.", sizes, TEAM_SCALE),
        ("teamFocus was rounded to 3 decimals.", [request.team_focus], SAMPLE_SCALE),
    ):
        # 0.29 * 100 is 28.999999999999996; only what a client wrote in more decimals counts.
        if any(abs(value * scale - round_half_up(value * scale)) > 1e-6 for value in values):
            yield sentence

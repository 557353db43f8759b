"""How much work the exact engine would have with a request, told from the request alone and without numpy.

The unit is one cell update of the changing-team recurrence; large requests took 1 to 3.5 ns of CPU per unit of the
estimate. It is meant to be somewhat high: a request refused for nothing costs less than a worker that runs out.
"""

from __future__ import annotations

import math

from msgspec import Struct

from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.project import (
    LEAD_TIME_SCALE,
    SAMPLE_SCALE,
    TEAM_SCALE,
    Impact,
    Plan,
    Samples,
    divisor_of,
    most_tasks,
    plan,
)

# Work of at most about 60 s, and of at most about 5 s, of CPU; measured on random large requests and
# with bench/simulate.py --limits.
EXACT_LIMIT = 16_000_000_000
SYNC_LIMIT = 1_400_000_000
# A convolution in cell updates: per output cell by FFT, per product by np.convolve, per product of a shifted sum and
# per shift; measured.
FFT_COST, DENSE_COST, SHIFT_COST, SHIFT_OVERHEAD = 20.0, 0.06, 0.3, 400.0
# Interpreter and numpy overhead of one step, in cell updates.
STEP_OVERHEAD = 5_000.0
# One look-up in a cumulative law with the whole-number division before it.
LOOK_UP = 8.0
# Trials that are drawn side by side: their arrays stay in the cache.
TRIALS_PER_BLOCK = 16_384
# Parts of a trial, in cell updates: itself, a risk or dependency, a draw for an average, a week; and a week of a block.
_TRIAL, _RARE_DRAW, _DRAW, _CONSTANT_WEEK, _CHANGING_WEEK = 60.0, 20.0, 5.0, 3.0, 7.0
_WEEK_OVERHEAD = 6_000.0
# States of a project, and weeks that it may last: the sum of two such laws takes 0.9 GB, half of what a worker has.
_MOST_STATES = 8_000_000
# States of one batch of a changing team, times slots or samples, in three arrays of eight bytes each.
_MOST_MOVES = 30_000_000
# A law is followed until 1e-15 is left, which is 8 standard deviations to either side of a sum.
_WIDTH, _LOG_LEFT = 16.0, 34.5
_BINS = 24


class Spread(Struct, frozen=True):
    """First two moments, extent and greatest common divisor of a list of samples, in lattice units."""

    mean: float
    deviation: float
    extent: float
    taps: int
    divisor: int


def estimate(request: SimulateRequest) -> int:
    """Cell updates that `forecast` would do for a checked request; compare with EXACT_LIMIT and SYNC_LIMIT.

    Below 1 ms for any valid request, since no law is computed, except that a Weibull law takes 1 to 60 ms. Within a
    factor of about 5 of the work done, mostly above it. A request that would need too much memory is reported as twice
    EXACT_LIMIT.
    """
    return estimate_plan(plan(request))


def estimate_plan(project: Plan) -> int:
    """The same for a normalised project."""
    low, high = task_range(project)
    work = _split_work(project, high - low + 1) + _lead_time_work(project) + _delay_work(project)
    if project.team.is_constant:
        work += _constant_work(project, high)
    else:
        work += _changing_work(project, low, high)
    return math.ceil(min(work, 2.0 * EXACT_LIMIT * 1_000))


def most_weeks(project: Plan) -> float:
    """Weeks of work after which a project is unfinished with a chance below about 1e-15."""
    _, high = task_range(project)
    return weeks_until_done(project.throughput, high / float(project.team.progress_per_sample()) / project.team.low)


def trials_work(project: Plan, trials: int) -> int:
    """The work of as many random trials, in the same unit, mostly above it; within a factor of about 3.

    Twice EXACT_LIMIT where a histogram would not fit into memory, or progress not into whole numbers.
    """
    team, longest = project.team, most_weeks(project)
    if longest > _MOST_STATES or _parts(project) > (2**62 if team.is_constant else 2**45):
        return 2 * EXACT_LIMIT
    people = team.high if team.is_constant else _usual_people(project)
    low, high = task_range(project)
    weeks = (low + high) / 2 / float(team.progress_per_sample()) / people / spread(project.throughput).mean + 1
    draws = 1.5 * sum(count for _, count in project.split_rates) + sum(count for _, count in project.lead_times) / 2
    each = _TRIAL + _RARE_DRAW * (len(project.impacts) + len(project.dependencies)) + _DRAW * draws
    each += weeks * (_CONSTANT_WEEK if team.is_constant else _CHANGING_WEEK)
    steps = longest * math.ceil(trials / TRIALS_PER_BLOCK) * _WEEK_OVERHEAD
    return math.ceil(min(trials * each + steps + _delay_work(project), 2.0 * EXACT_LIMIT))


def convolution_work(large: float, small: float, taps: float) -> float:
    """Cost of summing two independent values whose laws have `large` and `small` cells, `taps` of the latter not 0."""
    return min(shifts_work(large, taps), large * small * DENSE_COST, (large + small) * FFT_COST)


def shifts_work(large: float, taps: float) -> float:
    """Cost of adding `taps` shifted copies of `large` cells."""
    return taps * (large * SHIFT_COST + SHIFT_OVERHEAD)


def task_range(project: Plan) -> tuple[int, int]:
    """The fewest and the most tasks that are likely enough to be computed."""
    added = [_moments(impact) for impact in project.impacts]
    likely = sum(mean for mean, _ in added) + _WIDTH / 2 * math.sqrt(sum(variance for _, variance in added))
    most = min(
        sum(impact.high for impact in project.impacts), likely + max((i.high for i in project.impacts), default=0)
    )
    low, high = float(project.backlog_low), project.backlog_high + most
    if project.split_rates:
        low *= project.split_rates[0][0] / SAMPLE_SCALE
        high *= project.split_rates[-1][0] / SAMPLE_SCALE
    return math.floor(low), math.ceil(high)


def weeks_until_done(throughput: Samples, work: float) -> float:
    """Weeks after which `work`, in units of the samples, is unfinished with a chance below 1e-15.

    Chernoff's bound, P(sum of w draws < M) <= exp(t M) * E[exp(-t x)] ** w, for the best t of a grid.
    """
    bins = throughput if len(throughput) <= _BINS else _coarse(throughput)
    total = sum(count for _, count in bins)
    mean = sum(value * count for value, count in bins) / total
    best = math.inf
    for power in range(-10, 7):
        tilt = 2.0**power / mean
        decay = -math.log(sum([count * math.exp(-tilt * value) for value, count in bins]) / total)
        best = min(best, (tilt * work + _LOG_LEFT) / decay)
    return min(best, work / bins[0][0] + 1) if bins[0][0] else best


def _parts(project: Plan) -> int:
    """The whole numbers in which progress is counted to the end of the largest backlog, at most."""
    team = project.team
    people = team.high if team.is_constant else math.gcd(TEAM_SCALE, team.low, team.high)
    divisor = divisor_of(project.throughput)
    return most_tasks(project) * (team.progress_per_sample() * people * divisor).denominator


def _coarse(samples: Samples) -> Samples:
    """Neighbouring samples put together at the lowest of them, which can only make a project slower."""
    size = -(-len(samples) // _BINS)
    groups = [samples[first : first + size] for first in range(0, len(samples), size)]
    return tuple((group[0][0], sum([count for _, count in group])) for group in groups)


def _moments(impact: Impact) -> tuple[float, float]:
    middle, width = (impact.low + impact.high) / 2, impact.high - impact.low
    square = middle**2 + width**2 / 12
    mean = impact.probability * middle
    return mean, max(0.0, impact.probability * square - mean**2)


def spread(samples: Samples) -> Spread:
    """Of one draw from the samples; cheap also where its law has more cells than fit into memory."""
    total = sum([count for _, count in samples])
    mean = sum([value * count for value, count in samples]) / total
    square = sum([value * value * count for value, count in samples]) / total
    divisor = divisor_of(samples)
    return Spread(
        mean, math.sqrt(max(0.0, square - mean * mean)), samples[-1][0] - samples[0][0] + 1.0, len(samples), divisor
    )


def _sums_work(samples: Samples, most: int) -> float:
    """Cost of the laws of the sums of 1 .. most draws."""
    draw = spread(samples)
    cells = min(most * draw.extent, draw.extent + _WIDTH * draw.deviation * math.sqrt(most))
    return most * (convolution_work(cells, draw.extent, draw.taps) + STEP_OVERHEAD)


def _split_work(project: Plan, tasks: int) -> float:
    impact_cells = sum(impact.high - impact.low + 1.0 for impact in project.impacts)
    planned = project.backlog_high - project.backlog_low + 1 + impact_cells
    work = len(project.impacts) * planned * FFT_COST
    if project.split_rates:
        most = 3 * sum(count for _, count in project.split_rates)
        work += _sums_work(project.split_rates, most) + LOOK_UP * most * planned * tasks
    return work


def _lead_time_work(project: Plan) -> float:
    if not project.lead_times:
        return 0.0
    most = (9 * sum(count for _, count in project.lead_times) + 5) // 10
    longest_days = project.lead_times[-1][0] / LEAD_TIME_SCALE
    return _sums_work(project.lead_times, most) + LOOK_UP * most * longest_days


def _delay_work(project: Plan) -> float:
    longest = [
        max(each.delay_impact_distribution, default=0.0) or 1.3 * each.delay_impact_days or 15.0
        for each in project.dependencies
    ]
    steps = 100 if sum(longest) <= 10_000 else 10
    # The sum grows evenly, so half of its final length is convolved on average.
    return len(longest) * sum(longest) / 2 * steps * 2 * FFT_COST


def _constant_work(project: Plan, most_tasks: int) -> float:
    draw = spread(project.throughput)
    divisor = draw.divisor
    needed = most_tasks / float(project.team.progress_per_sample() * project.team.high)
    weeks = weeks_until_done(project.throughput, needed)
    # The law of a week ends where all is done, too.
    extent = min(draw.extent, needed) / divisor
    cells = min(_WIDTH * draw.deviation * math.sqrt(weeks) / divisor + extent, needed / divisor + 1)
    if max(needed / divisor, weeks) > _MOST_STATES:
        return 2.0 * EXACT_LIMIT
    return weeks * (convolution_work(cells, extent, draw.taps) + STEP_OVERHEAD)


def _changing_work(project: Plan, low: int, high: int) -> float:
    """Simpson's rule over the task counts, whose cost grows like a power of the count."""
    count, draw = high - low + 1, spread(project.throughput)
    ends = [_passage_work(project, draw, tasks, count) for tasks in (low, (low + high) / 2, high)]
    return (ends[0] + 4 * ends[1] + ends[2]) / 6 * count


def _passage_work(project: Plan, draw: Spread, tasks: float, count: int) -> float:
    """Cost of the duration and of the effort for one task count among `count` of them."""
    team, taps = project.team, draw.taps
    # Sizes on the ramp are rounded to whole people; the smallest shows through only where that would round it down.
    person = math.gcd(TEAM_SCALE, team.low if team.low % TEAM_SCALE < TEAM_SCALE / 2 else 0, team.high)
    rows = tasks / float(team.progress_per_sample() * person * draw.divisor) + 1
    if rows * max(taps, team.high // person) > _MOST_MOVES:
        return 2.0 * EXACT_LIMIT
    needed = tasks / float(team.progress_per_sample())
    usual = _usual_people(project)
    weeks = weeks_until_done(project.throughput, needed / usual)
    person_weeks = max(weeks * usual, weeks_until_done(project.throughput, needed / team.high) * team.high)
    typical = max(1.0, needed / usual / draw.mean)
    band = min(1.0, _WIDTH * draw.deviation / draw.mean / math.sqrt(typical) + 4 / typical)
    columns = max(1.0, min(count, 200_000 / (taps * rows)))
    return (weeks + person_weeks / person) * (rows * band * taps + STEP_OVERHEAD / columns)


def _usual_people(project: Plan) -> float:
    """The constant team that needs as long as the changing one, from a straight ramp."""
    low, high = project.team.low, project.team.high
    ramp = 2 * project.team.ramp_percent / 100
    return 1 / (ramp * math.log(high / low) / (high - low) + (1 - ramp) / high)

"""First passage of a project whose team changes with its progress: what is spent until the work is done.

Let open(e, r) be the probability that more than e is spent from r units of work before the end. Then
open(e, r) = sum over samples x of p(x) * open(e - c(r), r - x * c(r)), with 1 below e = 0 and 0 at r <= 0. With a
spend of 1 a week, e is the duration; with a spend of c(r), the effort in person-weeks. Task counts are solved side
by side in batches, because c depends on the share of the task count that is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from msgspec import Struct

from chalicelib.sim.cost import STEP_OVERHEAD
from chalicelib.sim.lattice import Floats, Ints, Law
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import Plan, divisor_of

# The recurrence stops when less than this is unfinished.
UNFINISHED = 1e-15
# A state this close to 0 or 1 counts as decided, which keeps the band of open states narrow.
DECIDED = 1e-16
# Task counts rarer than this are left out (1e-10 in all at most); the others are scaled up to make 1 again.
RARE = 1e-14
# Look-ups in one batch: indices and values then stay in the cache.
BATCH_LOOK_UPS = 200_000


class Pacing(Struct, frozen=True, eq=False):
    """One week's progress on its lattice.

    unit: tasks per unit of work; people: shape (100,), the team at each percent in the greatest common divisor of
    its sizes; steps: shape (samples,), units per such part of a person; chances: shape (samples,).
    """

    unit: Fraction
    people: Ints
    steps: Ints
    chances: Floats

    @staticmethod
    def of(project: Plan, people: list[int], person: int) -> Pacing:
        """The lattice for a team of `people` at each percent, counted in `person` hundredths."""
        values = [value for value, _ in project.throughput]
        counts = np.array([count for _, count in project.throughput], dtype=np.float64)
        divisor = divisor_of(project.throughput)
        return Pacing(
            unit=project.team.progress_per_sample() * person * divisor,
            people=np.array(people, dtype=np.int64),
            steps=np.array(values, dtype=np.int64) // divisor,
            chances=counts / counts.sum(),
        )


class Batch(Struct, frozen=True, eq=False):
    """A few task counts side by side; state (r, t) = r units left of task count t, flat at r * columns + t.

    people: shape (rows * columns,), the team in each state; targets: shape (samples, rows * columns), the state a
    week later; chances: shape (samples,); begins: the state of each task count at 0 %; weights: its probability.
    """

    columns: int
    people: Ints
    targets: Ints
    chances: Floats
    begins: Ints
    weights: Floats

    @property
    def reach(self) -> int:
        """The most rows that one week can move."""
        states = np.arange(self.people.size, dtype=np.int64)
        return int(np.max(states // self.columns - self.targets.min(axis=0) // self.columns, initial=1))


def batches(tasks: Law, pacing: Pacing) -> Iterator[Batch]:
    """The positive task counts, in ascending order, in batches of about equal cost."""
    points, chances = tasks.points(), tasks.mass
    kept = (points > 0) & (chances > RARE)
    weights = chances[kept] * (chances[points > 0].sum() / max(chances[kept].sum(), UNFINISHED))
    counts = points[kept].tolist()
    lengths = [-(-count * pacing.unit.denominator // pacing.unit.numerator) for count in counts]
    first = 0
    for last in range(1, len(counts) + 1):
        if last == len(counts) or _is_full(lengths[first : last + 1], pacing.steps.size):
            yield _batch(counts[first:last], lengths[first:last], weights[first:last], pacing)
            first = last


def _is_full(lengths: list[int], samples: int) -> bool:
    """Whether the last length is too much for the batch: too many look-ups, or mostly rows that others leave empty."""
    return samples * lengths[-1] * len(lengths) > BATCH_LOOK_UPS or lengths[-1] > 1.5 * lengths[0] + 10


def _batch(counts: list[int], lengths: list[int], weights: Floats, pacing: Pacing) -> Batch:
    rows, columns = lengths[-1] + 1, len(counts)
    people = np.full((rows, columns), pacing.people[0], dtype=np.int64)
    for column, (count, length) in enumerate(zip(counts, lengths, strict=True)):
        # Row r has length - r units done; row 0 is the end.
        people[length:0:-1, column] = _people_by_units_done(count, length, pacing)
    left = np.arange(rows, dtype=np.int64)[:, None]
    column_of = np.arange(columns, dtype=np.int64)
    targets = np.empty((pacing.steps.size, rows * columns), dtype=np.int64)
    for index, step in enumerate(pacing.steps.tolist()):
        targets[index] = (np.maximum(left - step * people, 0) * columns + column_of).ravel()
    begins = np.array(lengths, dtype=np.int64) * columns + column_of
    return Batch(columns, people.ravel(), targets, pacing.chances, begins, weights)


def _people_by_units_done(count: int, length: int, pacing: Pacing) -> Ints:
    """The team after 0, 1, .. length - 1 units; the percentage is rounded half up and at most 99.

    Percent k begins where 100 * done * unit / count >= k - 1/2, solved in whole numbers of any size.
    """
    above, below = count * pacing.unit.denominator, 200 * pacing.unit.numerator
    begins = [0, *(-(-above * (2 * percent - 1) // below) for percent in range(1, 100)), length]
    spans = np.diff(np.minimum(begins, length))
    return np.repeat(pacing.people, spans)


def survival(batch: Batch, spend: Ints, pace: Pace) -> Floats:
    """P(more than e is spent) summed over the batch with its weights, for e = 0, 1, .. until UNFINISHED.

    spend: shape (rows * columns,), >= 1: what a week costs in each state. Cost: levels * open states * samples.
    """
    columns, states = batch.columns, spend.size
    rows, reach = states // columns, batch.reach
    slots = int(spend.max()) + 1
    # Row e % slots holds level e; later levels are written ahead of time, because spend >= 1.
    ring = np.ones((slots, states))
    ring[:, :columns] = 0.0
    flat, cells = ring.reshape(-1), np.arange(states, dtype=np.int64)
    low = high = 1
    open_after: list[float] = []
    level = 0
    while True:
        now = ring[level % slots]
        open_after.append(float(batch.weights @ now[batch.begins]))
        if open_after[-1] < UNFINISHED:
            return np.asarray(open_after)
        first, last = low * columns, min(high + reach, rows) * columns
        reached = batch.chances @ now[batch.targets[:, first:last]]
        flat[(level + spend[first:last]) % slots * states + cells[first:last]] = reached
        pace.advance(batch.chances.size * (last - first) + STEP_OVERHEAD)
        level += 1
        low, high = _open_rows(ring[level % slots], columns, first, last)
        ring[:, first : low * columns] = 0.0


def _open_rows(now: Floats, columns: int, first: int, last: int) -> tuple[int, int]:
    """The rows between which some state is neither done nor certainly open; outside first..last nothing changed."""
    band = now[first:last]
    alive = band > DECIDED
    low = first + int(alive.argmax()) if alive.any() else last
    doubtful = band[::-1] < 1 - 10 * DECIDED
    high = last - int(doubtful.argmax()) if doubtful.any() else first
    return low // columns, -(-high // columns)

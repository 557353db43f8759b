"""The questions worked out the slow way: every outcome enumerated in fractions, days counted one by one.

Nothing of the product is used here. One trial is that of the reference model: tasks = round half up((backlog + risks) x
split rate), start = round half up(average lead time / period), then a draw of the history each period.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from math import comb, floor

Law = dict[Fraction, Fraction]
HALF = Fraction(1, 2)
ONE = Fraction(1)


def draw(values: Iterable[object]) -> Law:
    """Each of the values equally likely; texts are exact decimals."""
    listed = [Fraction(str(value)) for value in values]
    law: Law = {}
    for value in listed:
        law[value] = law.get(value, Fraction(0)) + Fraction(1, len(listed))
    return law


def plus(left: Law, right: Law) -> Law:
    law: Law = {}
    for a, p in left.items():
        for b, q in right.items():
            law[a + b] = law.get(a + b, Fraction(0)) + p * q
    return law


def mean_of(one: Law, fewest: int, most: int) -> Law:
    """The average of n draws, n equally likely from fewest to most; none at all is 0."""
    law: Law = {}
    total: Law = {Fraction(0): ONE}
    for n in range(most + 1):
        if n:
            total = plus(total, one)
        if n >= fewest:
            for value, p in total.items():
                key = value / n if n else Fraction(0)
                law[key] = law.get(key, Fraction(0)) + p / (most - fewest + 1)
    return law


def half_up(value: Fraction) -> int:
    return floor(value + HALF)


def tasks(backlog: int, risks: Iterable[tuple[str, int, int]] = (), rates: Iterable[object] = ()) -> Law:
    """The law of the task count; a risk is (probability, low, high)."""
    law: Law = {Fraction(backlog): ONE}
    for chance, low, high in risks:
        p = Fraction(chance)
        law = plus(law, maybe(p, draw(range(low, high + 1))))
    rates = list(rates)
    if not rates:
        return law
    split = mean_of(draw(rates), 1, 3 * len(rates))
    out: Law = {}
    for planned, p in law.items():
        for rate, q in split.items():
            key = Fraction(half_up(planned * rate))
            out[key] = out.get(key, Fraction(0)) + p * q
    return out


def maybe(p: Fraction, size: Law) -> Law:
    """The law of something that happens with chance p, and is nothing otherwise."""
    law = {k: p * q for k, q in size.items()}
    law[Fraction(0)] = law.get(Fraction(0), Fraction(0)) + 1 - p
    return law


def wait(lead_times: Iterable[object], period_days: int = 7) -> Law:
    """The law of the periods before work begins."""
    listed = list(lead_times)
    if not listed:
        return {Fraction(0): ONE}
    average = mean_of(draw(listed), half_up(Fraction(len(listed), 10)), half_up(Fraction(9 * len(listed), 10)))
    law: Law = {}
    for days, p in average.items():
        key = Fraction(half_up(days / period_days))
        law[key] = law.get(key, Fraction(0)) + p
    return law


def done_within(
    history: Iterable[object], todo: Law, idle: Law, pace: Fraction = ONE, most: int = 60
) -> list[Fraction]:
    """P(everything is done within 0, 1, 2, .. most periods)."""
    one = {value * pace: p for value, p in draw(history).items()}
    worked: Law = {Fraction(0): ONE}
    finished = []
    for _ in range(most + 1):
        finished.append(sum((p * sum((q for k, q in worked.items() if k >= t), Fraction(0)) for t, p in todo.items()),
                            Fraction(0)))  # fmt: skip
        # What is beyond the last task is as good as the last task.
        top = max(todo)
        worked = plus(worked, one)
        capped: Law = {}
        for value, p in worked.items():
            capped[min(value, top)] = capped.get(min(value, top), Fraction(0)) + p
        worked = capped
    return [sum((p * finished[n - int(w)] for w, p in idle.items() if w <= n), Fraction(0)) for n in range(most + 1)]


def quantile(cumulative: list[Fraction], level: Fraction) -> int:
    """The fewest periods with at least that chance."""
    return next(n for n, p in enumerate(cumulative) if p >= level)


def items(history: Iterable[int], whole: int, share: Fraction = Fraction(0), idle: Law | None = None) -> Law:
    """Items of so many whole periods and a share of one more, after a wait; whole samples."""
    listed = list(history)
    begun: Law = {}
    for value in listed:
        for kept in range(value + 1):
            chance = comb(value, kept) * share**kept * (1 - share) ** (value - kept) / len(listed)
            begun[Fraction(kept)] = begun.get(Fraction(kept), Fraction(0)) + chance
    law: Law = {}
    for w, p in (idle or {Fraction(0): ONE}).items():
        total: Law = {Fraction(0): ONE}
        for _ in range(whole - int(w)):
            total = plus(total, draw(listed))
        if w <= whole:
            total = plus(total, begun)
        for count, q in total.items():
            law[count] = law.get(count, Fraction(0)) + p * q
    return law


def at_least(law: Law, level: Fraction) -> int:
    """The most items of which at least so many are finished with that chance."""
    return max(int(n) for n in law if sum((p for k, p in law.items() if k >= n), Fraction(0)) >= level)


def day_after(start: date, days: int, off: Iterable[date] = ()) -> date:
    """The day before which so many days of work have passed."""
    closed, day = set(off), start
    while days > 0:
        days -= day not in closed
        day += timedelta(days=1)
    return day

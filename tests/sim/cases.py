"""Requests for the tests, and a slow model of one project written down from its description, state by state."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from chalicelib.sim.forecast import forecast
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.lattice import Law
from chalicelib.sim.laws import Laws, solve
from chalicelib.sim.project import plan
from chalicelib.sim.result import SimulateResult

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "montecarlo.json").read_text())
CASES: dict[str, dict[str, Any]] = {case["name"]: case for case in GOLDEN["cases"]}


def request(**fields: Any) -> SimulateRequest:
    """A decoded request; 5 tasks a week and 50 tasks unless said otherwise. Fields have their wire names."""
    return msgspec.convert({"tpSamples": [5], "numberOfTasks": 50, **fields}, SimulateRequest)


def silent(_fraction: float, _stage: str) -> None:
    """A progress report that nobody reads."""


def answer(**fields: Any) -> SimulateResult:
    return forecast(request(**fields), progress=silent)


def laws(**fields: Any) -> Laws:
    return solve(plan(request(**fields)), progress=silent)


def as_dict(law: Law) -> dict[float, float]:
    """Value to probability, without the values that are as good as impossible."""
    values = [float(point * law.unit) for point in law.points().tolist()]
    return {value: p for value, p in zip(values, law.mass.tolist(), strict=True) if p > 1e-13}


def largest_gap(left: dict[float, float], right: dict[float, float]) -> float:
    """The most that two laws differ at any value."""
    return max(abs(left.get(value, 0.0) - right.get(value, 0.0)) for value in {*left, *right})


def burn_down_by_states(
    tasks: int, samples: Sequence[str], curve: Sequence[str], history: str
) -> tuple[dict[float, float], dict[float, float]]:
    """The laws of weeks and effort, by following every (tasks left, weeks, effort) in rational arithmetic."""
    steps = [(Fraction(sample), 1 / len(samples)) for sample in samples]
    people, baseline = [Fraction(size) for size in curve], Fraction(history)
    live = {(Fraction(tasks), Fraction(0)): 1.0}
    weeks: dict[float, float] = defaultdict(float)
    effort: dict[float, float] = defaultdict(float)
    for week in itertools.count(1):
        following: dict[tuple[Fraction, Fraction], float] = defaultdict(float)
        for (left, spent), chance in live.items():
            done = 100 * (tasks - left) / tasks
            size = people[min(99, int(done + Fraction(1, 2)))]
            for sample, p in steps:
                following[left - sample * size / baseline, spent + size] += chance * p
        live = {}
        for (left, spent), chance in following.items():
            if left > 0:
                live[left, spent] = chance
            else:
                weeks[week] += chance
                effort[float(spent)] += chance
        if sum(live.values()) < 1e-12:
            return dict(weeks), dict(effort)
    raise AssertionError

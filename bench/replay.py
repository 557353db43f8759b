"""Whether past forecasts would have come true: a real project replayed week by week, as JSON.

Run: python -m bench.replay [closed-items.csv] (a minute). At each week the next items are forecast from the weeks
before it alone and compared with what then happened. Without a file, whose column `closed_date` is read, it replays the
weekly counts in bench/data. Forecasts of neighbouring weeks overlap, so the shares are rougher than their number says.
"""

from __future__ import annotations

import csv
import json
import math
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import accumulate, product
from pathlib import Path
from typing import Any

import msgspec

from chalicelib.sim.forecast import forecast
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.trend import trend

WEEKS = Path(__file__).parent / "data" / "closed-per-week-httpx.json"
# p85_upper: the upper end of the interval that the history leaves for p85.
COLUMNS = ("p50", "p85", "p95", "p85_upper")
WINDOWS, BACKLOGS = (12, 20, 26), (5, 10, 20, 40)
# Teams whose weeks are known for certain, each week alike: (population, tasks).
TEAMS = {"calm": ((3, 4, 5, 6, 7), 50), "uneven": ((0, 0, 0, 1, 2, 5), 30)}
HISTORIES = 200


class Origin(msgspec.Struct, frozen=True):
    """One forecast: weeks by column, the weeks that it took (None: more than the data have), and the data's."""

    forecast: dict[str, float]
    actual: int | None
    weeks_left: int
    has_trend: bool

    def holds(self, column: str) -> bool | None:
        """Whether it took at most the forecast weeks; None if the data end before one can tell."""
        if self.actual is not None:
            return self.actual <= self.forecast[column]
        return False if self.forecast[column] <= self.weeks_left else None


def per_week(days: Sequence[date]) -> list[int]:
    """Items per ISO week, Monday to Sunday, empty weeks as 0, without the first and the last week, half observed."""
    mondays = Counter(day - timedelta(days=day.weekday()) for day in days)
    first, last = min(mondays), max(mondays)
    return [mondays[first + timedelta(weeks=week)] for week in range(1, (last - first).days // 7)]


def replay(weeks: Sequence[int], *, window: int, backlog: int, with_upper: bool = True) -> Iterator[Origin]:
    """A forecast at each week that has `window` weeks before it with an item in them."""
    totals = [0, *accumulate(weeks)]
    for week in range(window, len(weeks)):
        history = weeks[week - window : week]
        if max(history) < 1:
            continue
        done = [total - totals[week] for total in totals[week:]]
        actual = next((index for index, total in enumerate(done) if total >= backlog), None)
        weeks_of = weeks_ahead(history, backlog, with_upper=with_upper)
        yield Origin(weeks_of, actual, len(weeks) - week, trend(history) is not None)


def weeks_ahead(history: Sequence[int], backlog: int, *, with_upper: bool = True) -> dict[str, float]:
    """Weeks for the next `backlog` items, by column; infinite for an interval without an upper end."""
    body = {"tpSamples": list(history), "numberOfTasks": backlog, "historyInterval": with_upper}
    result = forecast(msgspec.convert(body, SimulateRequest), progress=lambda _fraction, _stage: None)
    upper = result.history_interval.p85.high if result.history_interval else None
    found = result.percentiles
    return {"p50": found.p50, "p85": found.p85, "p95": found.p95, "p85_upper": upper or math.inf}


def coverage(origins: Sequence[Origin]) -> dict[str, Any]:
    """Share of the origins that took at most the forecast weeks, for each column, and how many cannot be told yet."""
    found: dict[str, Any] = {"origins": len(origins)}
    for column in COLUMNS if origins else ():
        held = [each.holds(column) for each in origins]
        known = [each for each in held if each is not None]
        found[column] = round(sum(known) / max(1, len(known)), 3)
        found[f"{column}_undecided"] = len(held) - len(known)
    return found


def interval_coverage(team: str, window: int) -> float:
    """Share of the intervals for p85, each from `window` weeks of a known team, that hold its true p85."""
    population, tasks = TEAMS[team]
    truth = weeks_ahead(population, tasks, with_upper=False)["p85"]
    draw, hits = random.Random(window), 0
    for number in range(HISTORIES):
        body = {"tpSamples": draw.choices(population, k=window), "numberOfTasks": tasks, "seed": number}
        found = forecast(
            msgspec.convert(body, SimulateRequest), progress=lambda _fraction, _stage: None
        ).history_interval
        hits += found is not None and found.p85.low <= truth <= (found.p85.high or math.inf)
    return hits / HISTORIES


def read(path: str) -> list[int]:
    with open(path, newline="") as file:
        return per_week([date.fromisoformat(row["closed_date"]) for row in csv.DictReader(file)])


def main() -> None:
    weeks = read(sys.argv[1]) if len(sys.argv) > 1 else json.loads(WEEKS.read_text())["weeks"]
    setups = []
    for window, backlog in product(WINDOWS, BACKLOGS):
        origins = list(replay(weeks, window=window, backlog=backlog))
        steady = [each for each in origins if not each.has_trend]
        moving = [each for each in origins if each.has_trend]
        parts = {"all": coverage(origins), "without_trend": coverage(steady), "with_trend": coverage(moving)}
        setups.append({"window": window, "backlog": backlog, **parts})
    intervals = [
        {"team": team, "window": window, "p85_in_interval": interval_coverage(team, window)}
        for team, window in product(TEAMS, WINDOWS)
    ]
    data = {"weeks": len(weeks), "idle_weeks": weeks.count(0)}
    print(json.dumps({**data, "setups": setups, "known_teams": intervals}, indent=2))


if __name__ == "__main__":
    main()

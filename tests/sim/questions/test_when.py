"""When a backlog is done: golden cases confirmed by enumeration in fractions, dates, and what is saved."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from chalicelib.sim.questions.inputs import WhenRequest, check_when
from chalicelib.sim.questions.result import WhenResult
from chalicelib.sim.questions.when import summarise_when, tell_when
from tests.sim import by_hand
from tests.sim.cases import silent

HISTORY = [3, 0, 5, 4, 6, 2, 7, 4]
LEVELS = {"p10": 10, "p25": 25, "p50": 50, "p75": 75, "p85": 85, "p90": 90, "p95": 95}


def read(**fields: Any) -> WhenRequest:
    body = {"tpSamples": HISTORY, "backlog": 30, "startDate": "05/01/2026", "historyInterval": False, **fields}
    request = msgspec.convert(body, WhenRequest)
    assert check_when(request) == []
    return request


def answer(**fields: Any) -> WhenResult:
    return tell_when(read(**fields), silent)


def weeks_by_hand(done: list[Fraction]) -> dict[str, float]:
    return {name: by_hand.quantile(done, Fraction(level, 100)) for name, level in LEVELS.items()}


def test_weeks_and_dates_are_those_worked_out_by_hand() -> None:
    done = by_hand.done_within(HISTORY, by_hand.tasks(30), by_hand.wait([]))
    found, expected = answer(), weeks_by_hand(done)
    assert msgspec.structs.asdict(found.monte_carlo.percentile_stats) == expected
    assert (found.monte_carlo.weeks_p50, found.monte_carlo.weeks_p85) == (expected["p50"], expected["p85"])
    last = by_hand.day_after(date(2026, 1, 5), 7 * int(expected["p85"]))
    assert found.monte_carlo.date_p85 == last.strftime("%d/%m/%Y")
    assert found.dates
    assert found.dates.p85 == last.isoformat()
    assert (found.monte_carlo.start_date, found.monte_carlo.backlog) == ("05/01/2026", 30)


def test_lead_times_split_rates_and_team_are_those_worked_out_by_hand() -> None:
    done = by_hand.done_within(
        HISTORY, by_hand.tasks(30, rates=["1.2", "0.8"]), by_hand.wait([4, 11, 18, 6, 9]), Fraction(3, 2)
    )
    found = answer(
        splitRateSamples=[1.2, 0.8], ltSamples=[4, 11, 18, 6, 9], teamSize=3, historicalTeamSize=2, teamFocus=1
    )
    assert msgspec.structs.asdict(found.monte_carlo.percentile_stats) == weeks_by_hand(done)


def test_fortnights_are_told_in_calendar_weeks() -> None:
    done = by_hand.done_within(HISTORY, by_hand.tasks(30), by_hand.wait([]))
    found = answer(throughputCadenceDays=14)
    assert found.percentiles.p85 == by_hand.quantile(done, Fraction(85, 100))
    assert found.monte_carlo.weeks_p85 == 2 * found.percentiles.p85
    assert any("samples covers" in text or "A sample covers 14 days" in text for text in found.assumptions)


def test_shutdown_is_in_the_weeks_and_in_the_days() -> None:
    plain = answer()
    shut = answer(blackoutPeriods=[{"start": "2026-01-12", "end": "2026-01-25"}])
    assert shut.monte_carlo.weeks_p85 == plain.monte_carlo.weeks_p85 + 2
    assert shut.percentiles == plain.percentiles
    assert any("14 blackout days" in text for text in shut.assumptions)


def test_half_capacity_all_year_takes_twice_as_long() -> None:
    plain, half = answer(), answer(monthlyCapacity=[0.5] * 12)
    assert half.monte_carlo.weeks_p85 == 2 * plain.monte_carlo.weeks_p85


def test_forecasters_stand_beside_from_eight_samples_on() -> None:
    found = answer()
    assert found.machine_learning
    assert set(found.machine_learning.blend.weights) == {"bootstrap", "recent", "smoothing", "ridge"}
    assert sum(found.machine_learning.blend.weights.values()) == pytest.approx(1)
    assert found.machine_learning.weeks_p85 == pytest.approx(found.monte_carlo.weeks_p85, abs=3)
    assert answer(tpSamples=HISTORY[:7]).machine_learning is None


def test_forecasters_that_see_no_end_say_null_and_how_often() -> None:
    dying = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    found = answer(tpSamples=dying, backlog=400).machine_learning
    assert found
    assert found.unfinished_share > 0.2
    assert (found.weeks_p95, found.date_p95) == (None, None)


def test_same_request_gives_the_same_answer_and_a_seed_repeats_it() -> None:
    first = answer()
    assert answer() == first
    assert answer(seed=first.seed).machine_learning == first.machine_learning


def test_words_are_those_of_the_request() -> None:
    found = answer(teamSize=1)
    assert "The throughput samples were produced by 1 person (teamSize, as no historicalTeamSize was given)." in (
        found.assumptions
    )


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        ({"startDate": "soon"}, ["/startDate"]),
        ({"startDate": " "}, ["/startDate"]),
        ({"startDate": ""}, ["/startDate"]),
        ({"tpSamples": [0.2]}, ["/tpSamples"]),
        ({"monthlyCapacity": [1]}, ["/monthlyCapacity"]),
        ({"historicalTeamSize": 0.01}, ["/historicalTeamSize"]),
    ],
)
def test_broken_rules_are_named_where_they_stand(fields: dict[str, Any], pointers: list[str]) -> None:
    body = {"tpSamples": HISTORY, "backlog": 30, "startDate": "2026-01-05"} | fields
    assert [error.pointer for error in check_when(msgspec.convert(body, WhenRequest))] == pointers


def test_summary_has_the_weeks_and_the_backlog() -> None:
    request = read(blackoutPeriods=[{"start": "2026-01-12", "end": "2026-01-25"}])
    result = tell_when(request, silent)
    found = summarise_when(request, result)
    assert (found.forecast_type, found.backlog, found.start_date) == ("when", 30, date(2026, 1, 5))
    assert found.projected_weeks_p85 == result.percentiles.p85 + 2

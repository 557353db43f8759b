"""How many items in a time: golden cases confirmed by enumeration in fractions, right way round."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.sim.questions.how_many import summarise_how_many, tell_how_many
from chalicelib.sim.questions.inputs import HowManyRequest, check_how_many
from chalicelib.sim.questions.result import HowManyResult
from tests.sim import by_hand
from tests.sim.cases import silent

HISTORY = [3, 0, 5, 4, 6, 2, 7, 4]


def read(**fields: Any) -> HowManyRequest:
    body = {"tpSamples": HISTORY, "startDate": "2026-01-05", "endDate": "2026-02-09", **fields}
    request = msgspec.convert(body, HowManyRequest)
    assert check_how_many(request) == []
    return request


def answer(**fields: Any) -> HowManyResult:
    return tell_how_many(read(**fields), silent)


def test_five_weeks_are_the_ones_worked_out_by_hand() -> None:
    law, view = by_hand.items(HISTORY, 5), answer().monte_carlo
    assert [view.items_p50, view.items_p85, view.items_p95] == [
        by_hand.at_least(law, Fraction(level, 100)) for level in (50, 85, 95)
    ]
    assert view.items_p95 < view.items_p85 < view.items_p50
    assert view.items_mean == pytest.approx(5 * 31 / 8)
    assert {row.items: row.probability for row in view.distribution} == {
        int(count): pytest.approx(float(p), abs=1e-12) for count, p in law.items() if p
    }


def test_fifteen_days_are_two_weeks_and_a_day_and_not_three_weeks() -> None:
    found = answer(endDate="2026-01-20")
    law = by_hand.items(HISTORY, 2, Fraction(1, 7))
    assert found.monte_carlo.days == 15
    assert found.monte_carlo.weeks == pytest.approx(15 / 7, abs=1e-3)
    assert found.monte_carlo.items_p50 == by_hand.at_least(law, Fraction(1, 2))
    assert found.monte_carlo.items_mean == pytest.approx(31 / 8 * 15 / 7)
    assert any("1 days of one more" in text for text in found.assumptions)


def test_days_off_and_fortnights_are_left_out_of_the_time() -> None:
    off = answer(blackoutPeriods=[{"start": "2026-01-12", "end": "2026-01-18"}])
    assert off.monte_carlo.items_p85 == by_hand.at_least(by_hand.items(HISTORY, 4), Fraction(85, 100))
    fortnights = answer(throughputCadenceDays=14)
    law = by_hand.items(HISTORY, 2, Fraction(1, 2))
    assert fortnights.monte_carlo.items_p85 == by_hand.at_least(law, Fraction(85, 100))


def test_any_confidence_can_be_asked_for() -> None:
    law = by_hand.items(HISTORY, 5)
    found = answer(confidenceLevel=70)
    assert (found.confidence.level, found.confidence.items) == (70, by_hand.at_least(law, Fraction(70, 100)))


def test_no_time_finishes_nothing() -> None:
    view = answer(endDate="2026-01-05").monte_carlo
    assert (view.days, view.items_p50, view.items_mean) == (0, 0, 0.0)


def test_forecasters_stand_beside_and_count_from_the_same_side() -> None:
    found = answer().machine_learning
    assert found
    assert found.items_p95 <= found.items_p85 <= found.items_p50
    assert found.items_mean == pytest.approx(5 * 31 / 8, rel=0.35)
    assert answer(tpSamples=[1, 2, 3]).machine_learning is None


def test_forecasters_see_a_growing_team_finish_more() -> None:
    growing = answer(tpSamples=[1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9])
    assert growing.machine_learning
    assert growing.machine_learning.items_mean > growing.monte_carlo.items_mean
    assert any("Throughput rose" in text for text in growing.warnings)


@pytest.mark.parametrize(
    ("fields", "pointer", "detail"),
    [
        ({"endDate": "2026-01-04"}, "/endDate", "must not be before startDate (2026-01-05), got 2026-01-04"),
        ({"endDate": "soon"}, "/endDate", "got 'soon'"),
        ({"startDate": "soon"}, "/startDate", "got 'soon'"),
        ({"endDate": "2200-01-05"}, "/endDate", "at most 3660 periods of 7 days"),
        ({"tpSamples": [0, 0.3]}, "/tpSamples", "at least one value must be 1 or more"),
    ],
)
def test_broken_rules_are_named_with_value_and_bound(fields: dict[str, Any], pointer: str, detail: str) -> None:
    body = {"tpSamples": HISTORY, "startDate": "2026-01-05", "endDate": "2026-02-09"} | fields
    (error,) = check_how_many(msgspec.convert(body, HowManyRequest))
    assert error.pointer == pointer
    assert detail in error.detail


def test_rows_of_a_wide_law_are_merged_and_keep_their_chances() -> None:
    view = answer(tpSamples=[100, 900, 350, 720], endDate="2026-12-28").monte_carlo
    assert 200 < len(view.distribution) <= 300
    assert sum(row.probability for row in view.distribution) == pytest.approx(1)
    assert view.distribution[0].at_least == pytest.approx(1)


def test_summary_is_the_number_of_85_percent_due_at_the_end() -> None:
    request = read()
    result = tell_how_many(request, silent)
    found = summarise_how_many(request, result)
    assert (found.backlog, found.projected_weeks_p85, found.deadline_date) == (
        result.monte_carlo.items_p85,
        5.0,
        date(2026, 2, 9),
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any), st.integers(0, 60), st.integers(0, 30))
def test_more_time_finishes_at_least_as_many(history: list[int], days: int, more: int) -> None:
    first = date(2026, 1, 5).toordinal()
    short, long = (
        answer(tpSamples=history, endDate=date.fromordinal(first + days + later).isoformat()).monte_carlo
        for later in (0, more)
    )
    assert short.items_p85 <= long.items_p85
    assert short.items_mean <= long.items_mean + 1e-9

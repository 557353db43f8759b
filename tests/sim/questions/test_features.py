"""Features in priority order, worked out by hand in fractions, and where the line is cut."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.sim.questions.features import forecast_features, summarise_features
from chalicelib.sim.questions.features_inputs import FeaturesRequest, check_features
from chalicelib.sim.questions.features_result import FeaturesResult
from tests.sim import by_hand
from tests.sim.cases import silent

HISTORY = [3, 0, 5, 4]
LIST = [{"name": "a", "low": 2, "high": 4}, {"name": "b", "low": 5}, {"name": "c", "low": 0, "high": 6}]


def read(**fields: Any) -> FeaturesRequest:
    body = {"tpSamples": HISTORY, "features": LIST, "startDate": "2026-01-05", "deadlineDate": "2026-01-26", **fields}
    request = msgspec.convert(body, FeaturesRequest)
    assert check_features(request) == []
    return request


def answer(**fields: Any) -> FeaturesResult:
    return forecast_features(read(**fields), silent)


def test_each_feature_is_done_when_all_up_to_it_are() -> None:
    todo = {Fraction(0): Fraction(1)}
    for feature, found in zip(LIST, answer().features, strict=True):
        low, high = int(str(feature["low"])), int(str(feature.get("high", feature["low"])))
        todo = by_hand.plus(todo, by_hand.draw(range(low, high + 1)))
        done = by_hand.done_within(HISTORY, todo, by_hand.wait([]))
        assert found.probability_by_deadline == pytest.approx(float(done[3]), abs=1e-9)
        assert [found.weeks_p50, found.weeks_p85, found.weeks_p95] == [
            by_hand.quantile(done, Fraction(level, 100)) for level in (50, 85, 95)
        ]


def test_line_is_cut_before_the_first_feature_below_the_confidence() -> None:
    found = answer(confidenceLevel=70)
    chances = [each.probability_by_deadline or 0 for each in found.features]
    assert [line.confidence for line in found.cut_lines] == [50, 70, 85, 95]
    for line in found.cut_lines:
        above = [name for name, chance in zip("abc", chances, strict=True) if chance >= line.confidence / 100]
        assert (line.features, line.last) == (len(above), above[-1] if above else None)
        assert line.first_below == ("abc"[len(above)] if len(above) < 3 else None)


def test_standing_follows_from_the_chance() -> None:
    sure = answer(deadlineDate="2027-01-04")
    assert [each.standing for each in sure.features] == ["safe"] * 3
    none = answer(deadlineDate="2026-01-05")
    assert [each.standing for each in none.features] == ["unlikely"] * 3
    assert [line.last for line in none.cut_lines] == [None, None, None]


def test_range_of_items_up_to_each_feature_is_told() -> None:
    assert [each.items_up_to_here for each in answer().features] == ["2 to 4", "7 to 9", "7 to 15"]
    assert [each.date_p50 for each in answer(tpSamples=[5], features=[{"name": "a", "low": 5}]).features] == [
        "2026-01-12"
    ]


def test_without_a_date_there_is_no_line() -> None:
    found = answer(startDate=None, deadlineDate=None)
    assert found.cut_lines == []
    assert {(each.standing, each.probability_by_deadline, each.date_p85) for each in found.features} == {
        (None, None, None)
    }


@pytest.mark.parametrize(
    ("fields", "pointer", "detail"),
    [
        ({"features": [{"name": "a", "low": 4, "high": 3}]}, "/features/0/high", "must be at least low (4), got 3"),
        (
            {"features": [{"name": "a", "low": 9000}, {"name": "b", "low": 1000}]},
            "/features",
            "at most 9999 items, got 10000",
        ),
        ({"deadlineDate": "soon"}, "/deadlineDate", "got 'soon'"),
        ({"startDate": None}, "/startDate", "is required with deadlineDate"),
        ({"tpSamples": [0]}, "/tpSamples", "at least one value"),
    ],
)
def test_broken_rules_are_named(fields: dict[str, Any], pointer: str, detail: str) -> None:
    body = {"tpSamples": HISTORY, "features": LIST, "startDate": "2026-01-05", "deadlineDate": "2026-01-26"} | fields
    (error,) = check_features(msgspec.convert(body, FeaturesRequest))
    assert error.pointer == pointer
    assert detail in error.detail


def test_saved_figures_are_those_of_the_last_feature_and_of_what_is_safe() -> None:
    request = read(
        features=[{"name": "a", "low": 3}, {"name": "b", "low": 9}], tpSamples=[3], deadlineDate="2026-01-19"
    )
    found = summarise_features(request, forecast_features(request, silent))
    assert (found.backlog, found.projected_weeks_p85, found.can_meet_deadline) == (12, 4.0, False)
    assert found.scope_completion_pct == 25.0


features = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5)), min_size=1, max_size=5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any), features)
def test_later_feature_is_never_done_sooner_or_likelier(history: list[int], items: list[tuple[int, int]]) -> None:
    body = [{"name": str(index), "low": low, "high": low + more} for index, (low, more) in enumerate(items)]
    found = answer(tpSamples=history, features=body).features
    weeks = [each.weeks_p85 for each in found]
    chances = [each.probability_by_deadline or 0 for each in found]
    assert weeks == sorted(weeks)
    assert all(later <= earlier + 1e-12 for earlier, later in itertools.pairwise(chances))

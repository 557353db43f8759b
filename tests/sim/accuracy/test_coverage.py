"""How often percentiles held: shares, intervals and what they say. Intervals are from published Wilson tables."""

from __future__ import annotations

import pytest

from chalicelib.sim.accuracy.coverage import level_coverage


@pytest.mark.parametrize(
    ("held", "of", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (20, 20, 0.8389, 1.0),
        (1, 2, 0.0945, 0.9055),
    ],
)
def test_interval_is_wilsons(held: int, of: int, low: float, high: float) -> None:
    found = level_coverage(85, [(9.0, 8.0)] * held + [(9.0, 10.0)] * (of - held))
    assert [found.interval_low, found.interval_high] == pytest.approx([low, high], abs=5e-5)


def test_forecast_holds_up_to_and_including_its_week() -> None:
    found = level_coverage(85, [(9, 9), (9, 9.1), (9, 63 / 7), (9, 2)])
    assert (found.expected, found.held, found.of, found.share) == (0.85, 3, 4, 0.75)


def test_level_that_no_forecast_has_is_unknown() -> None:
    found = level_coverage(95, [])
    assert (found.held, found.of, found.share, found.interval_low, found.interval_high) == (0, 0, None, None, None)
    assert found.verdict == "No forecast with an actual has a P95."


@pytest.mark.parametrize(
    ("level", "held", "missed", "verdict"),
    [
        (
            85,
            10,
            10,
            "The P85 held in 10 of 20, which is less often than promised: these forecasts are too optimistic.",
        ),
        (50, 20, 0, "The P50 held in 20 of 20, which is more often than promised: these forecasts are too cautious."),
        (
            85,
            17,
            3,
            "The P85 held in 17 of 20, which fits the promise of 85 %; the true share may be anything from 64 to 95 %.",
        ),
        (85, 1, 1, "The P85 held in 1 of 2, which says little yet: the true share may be anything from 9 to 91 %."),
    ],
)
def test_verdict_says_what_the_share_means(level: int, held: int, missed: int, verdict: str) -> None:
    assert level_coverage(level, [(9.0, 8.0)] * held + [(9.0, 10.0)] * missed).verdict == verdict

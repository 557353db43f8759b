"""Scenarios and sensitivities as they go over the wire. No numpy."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.sim.fields import SavedFields
from chalicelib.sim.result import EngineName, Percentiles


class ScenarioForecast(Struct, frozen=True, kw_only=True):
    """One scenario, beside the base."""

    name: str
    engine: EngineName
    mean_weeks: float
    weeks_p50: float
    weeks_p85: float
    weeks_p95: float
    percentiles: Annotated[Percentiles[int], Meta(description="Duration in weeks, or in periods of the cadence.")]
    date_p85: Annotated[str | None, Meta(description="ISO day; null without a start.")]
    effort_p85: Annotated[float, Meta(description="Person-weeks.")]
    probability_met: Annotated[float | None, Meta(description="P(done by deadlineDate); null without one.")]
    weeks_p85_less_base: Annotated[float, Meta(description="Against the base; negative is sooner.")]
    sooner_than_base: Annotated[
        float, Meta(description="Chance to be done sooner than the base, if the two are independent; ties count half.")
    ]


class ScenariosResult(SavedFields, frozen=True, kw_only=True):
    """The base first, then the scenarios in their order."""

    scenarios: list[ScenarioForecast]
    best: Annotated[str, Meta(description="The one with the earliest p85; of several the earliest mean.")]
    warnings: list[str]


class Influence(Struct, frozen=True, kw_only=True):
    """What one input does to the duration when it alone is changed."""

    input: Annotated[str, Meta(description="The field.")]
    change: Annotated[str, Meta(description="What was done to it, in words: first the worse, then the better.")]
    worse_weeks_p85: float
    better_weeks_p85: float
    worse_mean_weeks: float
    better_mean_weeks: float
    swing_weeks_p85: Annotated[float, Meta(description="Between the two p85.")]
    swing_mean_weeks: Annotated[float, Meta(description="Between the two means, which tells small influences apart.")]


class SensitivityResult(SavedFields, frozen=True, kw_only=True):
    """Which input moves the date most: the first one does."""

    base_weeks_p85: float
    base_mean_weeks: float
    influences: Annotated[list[Influence], Meta(description="Largest swing of p85 first, then of the mean.")]
    conclusion: Annotated[str, Meta(description="The first of them in plain words.")]
    warnings: list[str]

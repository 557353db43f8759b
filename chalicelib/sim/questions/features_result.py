"""Features and their dates as they go over the wire. No numpy."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.sim.fields import SavedFields

Standing = Literal["safe", "uncertain", "unlikely"]


class FeatureForecast(Struct, frozen=True, kw_only=True):
    """When one feature is done, with all before it done first."""

    rank: Annotated[int, Meta(description="Its place in the order, from 1.")]
    name: str
    low: int
    high: int
    items_up_to_here: Annotated[str, Meta(description='Items of all features up to here, such as "12" or "10 to 15".')]
    weeks_p50: float
    weeks_p85: float
    weeks_p95: float
    date_p50: Annotated[str | None, Meta(description="ISO day; null without a start.")]
    date_p85: str | None
    date_p95: str | None
    probability_by_deadline: Annotated[float | None, Meta(description="0 to 1; null without a deadline.")]
    standing: Annotated[
        Standing | None, Meta(description="safe from 85 % on, uncertain from 50 % on, else unlikely; by the deadline.")
    ]


class CutLine(Struct, frozen=True, kw_only=True):
    """Up to which feature everything is done by the deadline with a confidence."""

    confidence: Annotated[float, Meta(description="In %.")]
    features: Annotated[int, Meta(description="How many features are above the line.")]
    last: Annotated[str | None, Meta(description="The last one above it; null if there is none.")]
    first_below: Annotated[str | None, Meta(description="The first one below it; null if there is none.")]


class FeaturesResult(SavedFields, frozen=True, kw_only=True):
    """Features in their order, and where the line is cut for a date."""

    project_name: str | None
    features: list[FeatureForecast]
    cut_lines: Annotated[list[CutLine], Meta(description="For 50, 85 and 95 %, and confidenceLevel; with a deadline.")]
    deadline_date: str | None
    weeks_to_deadline: float | None
    assumptions: list[str]
    warnings: list[str]

"""The answer to a question about the steadiness of a team as it goes over the wire. No numpy."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Quality = Literal["Excellent", "Good", "Fair", "Poor", "Very Poor"]
Side = Literal["above", "below"]
Turn = Literal["increasing", "decreasing"]


class BeyondLimit(Struct, frozen=True, kw_only=True):
    """A sample outside the natural process limits."""

    index: int
    value: float
    type: Literal["above_unpl", "below_lnl"]
    limit: float
    deviation: Annotated[float, Meta(description="How far it is outside.")]


class RunSignal(Struct, frozen=True, kw_only=True):
    """Eight or more samples in a row on one side of the average."""

    start_index: int
    end_index: Annotated[int, Meta(description="The last sample of the run.")]
    length: int
    side: Side
    type: Annotated[Literal["run"], Meta(description="Always run.")]


class TrendSignal(Struct, frozen=True, kw_only=True):
    """Six or more samples in a row, each larger (or each smaller) than the one before."""

    start_index: int
    end_index: Annotated[int, Meta(description="The last sample of the trend.")]
    length: int
    direction: Turn
    type: Annotated[Literal["trend"], Meta(description="Always trend.")]


class Interpretation(Struct, frozen=True, kw_only=True):
    """The verdict in words."""

    process_state: Literal["Predictable", "Unpredictable"]
    quality: Annotated[Quality, Meta(description="By the score: from 90, 75, 60 and 40, else Very Poor.")]
    can_forecast: Annotated[bool, Meta(description="Whether the score is at least 60.")]


class XmrAnalysis(Struct, frozen=True, kw_only=True):
    """The chart's limits, and what breaks them."""

    data_points: int
    average: float
    unpl: Annotated[float, Meta(description="Upper natural process limit: average + 2.66 average_moving_range.")]
    lnl: Annotated[
        float, Meta(description="Lower natural process limit: average - 2.66 average_moving_range, at least 0.")
    ]
    average_moving_range: Annotated[float, Meta(description="Mean distance between neighbours in time.")]
    unpl_mr: Annotated[float, Meta(description="Upper limit of the moving ranges: 3.27 average_moving_range.")]
    is_predictable: Annotated[bool, Meta(description="Whether there is no signal.")]
    signals: Annotated[list[str], Meta(description="Every signal in words.")]
    points_beyond_limits: list[BeyondLimit]
    run_signals: list[RunSignal]
    trend_signals: list[TrendSignal]
    predictability_score: Annotated[
        float,
        Meta(
            description="100, less 15 a point beyond a limit, 10 a run, 8 a trend, and 10 below 10 samples or 5 below "
            "20; at least 0."
        ),
    ]
    recommendation: str
    interpretation: Interpretation


class Chart(Struct, frozen=True, kw_only=True):
    """One of the two charts."""

    values: list[float]
    average: float
    unpl: float
    lnl: float
    indices: Annotated[list[int], Meta(description="Samples that the values belong to; ranges begin with sample 1.")]


class Charts(Struct, frozen=True, kw_only=True):
    """The samples, and the distances between neighbours."""

    x_chart: Chart
    mr_chart: Chart


class XmrInput(Struct, frozen=True, kw_only=True):
    """What was read."""

    tp_samples: list[float]
    n_samples: int


class XmrReport(Struct, frozen=True, kw_only=True):
    """Whether the team is steady enough to be forecast from its past."""

    analysis: XmrAnalysis
    chart_data: Charts
    input_data: XmrInput
    warnings: Annotated[list[str], Meta(description="Fields that were not known and have been ignored.")]


class ProjectXmrReport(XmrReport, frozen=True, kw_only=True):
    """The same, under the name of a project."""

    project_id: int
    project_name: str

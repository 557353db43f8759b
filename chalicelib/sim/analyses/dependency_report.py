"""The answer to a question about dependencies: the analysis of a forecast, and beside it the old service's names."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, structs

from chalicelib.sim.result import CriticalDependency, DependencyAnalysis, Percentiles


class DependencySummary(DependencyAnalysis, frozen=True, kw_only=True):
    """What the dependencies add to the calendar, on their own."""

    delay_percentiles: Annotated[
        Percentiles[float],
        Meta(description="Delay in days given that at least one dependency is late; zeros when none can be."),
    ]
    on_time_probability_percentage: Annotated[float, Meta(description="on_time_probability in %, to 2 decimals.")]
    at_least_one_delayed_probability: Annotated[float, Meta(description="Chance that some dependency is late.")]
    at_least_one_delayed_probability_percentage: Annotated[float, Meta(description="The same in %, to 2 decimals.")]
    odds_ratio: Annotated[str, Meta(description='one_in in words: "1 in 4"; "0" when all cannot be on time.')]
    critical_path: Annotated[list[str], Meta(description="critical_dependencies as texts: id (name).")]
    recommendations: Annotated[list[str], Meta(description="The same as advice.")]
    warnings: Annotated[list[str], Meta(description="Fields that were not known and have been ignored.")]


def report(analysis: DependencyAnalysis) -> DependencySummary:
    """The analysis under both sets of names."""
    on_time = analysis.on_time_probability
    fields = structs.asdict(analysis)
    fields["delay_percentiles"] = analysis.delay_percentiles or Percentiles.of([0.0] * len(Percentiles.LEVELS))
    return DependencySummary(
        **fields,
        on_time_probability_percentage=round(100 * on_time, 2),
        at_least_one_delayed_probability=1 - on_time,
        at_least_one_delayed_probability_percentage=round(100 * (1 - on_time), 2),
        odds_ratio=f"1 in {analysis.one_in:.3g}" if analysis.one_in else "0",
        critical_path=[_name(each) for each in analysis.critical_dependencies],
        recommendations=analysis.advice,
        warnings=[],
    )


def _name(dependency: CriticalDependency) -> str:
    if dependency.id is None:
        return dependency.name or "unnamed"
    return f"{dependency.id} ({dependency.name})" if dependency.name else str(dependency.id)

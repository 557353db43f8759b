"""Several features in the order of priority: when each is done, and where the line is cut for a date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.sim.questions.features_inputs import FeaturesRequest
    from chalicelib.sim.questions.features_result import FeaturesResult


def contract() -> Contract[FeaturesRequest, FeaturesResult]:
    from chalicelib.sim.questions.features_inputs import Feature, FeaturesRequest, check_features
    from chalicelib.sim.questions.features_result import FeaturesResult

    example = FeaturesRequest(
        tp_samples=(5, 6, 7, 8, 4, 9, 6, 7),
        features=(
            Feature(name="Login", low=8, high=12),
            Feature(name="Search", low=15, high=30),
            Feature(name="Export", low=10, high=14),
        ),
        start_date="2026-01-05",
        deadline_date="2026-03-02",
    )
    return Contract(request=FeaturesRequest, result=FeaturesResult, example=example, check=check_features, weigh=weigh)


def weigh(request: FeaturesRequest, in_line: bool) -> None:
    """Refuses lists that take too long altogether, and in line those that take more than a request may."""
    from chalicelib.sim.cost import estimate
    from chalicelib.sim.questions.features_inputs import as_project
    from chalicelib.sim.weight import limit_work

    work = len(request.features) * estimate(as_project(request))
    finer = "fewer features, fewer items or fewer decimals"
    limit_work(work, KIND.path if in_line else "", what="a list of features", finer=finer)


def run(request: FeaturesRequest, progress: Progress) -> FeaturesResult:
    from chalicelib.saving import compute_and_keep
    from chalicelib.sim.questions.features import forecast_features, summarise_features

    return compute_and_keep(request, progress, compute=forecast_features, summarise=summarise_features)


KIND = JobKind(
    name="forecast_features",
    summary="Features in priority order, with a cut line",
    path="/api/async/forecast-features",
    sync_path="/api/forecast-features",
    queue="simulations",
    contract=contract,
    run=run,
    opened_by="public_forecasts",
)

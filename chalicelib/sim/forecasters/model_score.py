"""How one model did on the walk through past weeks, as it goes over the wire. No numpy: the API describes it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.sim.replay.point_errors import PointErrors


class ModelScore(Struct, frozen=True, kw_only=True):
    """One model's forecasts of each walk-forward week, made from the weeks before it alone."""

    name: Annotated[str, Meta(description="bootstrap, recent, smoothing or ridge; ensemble for all of them together.")]
    weight: Annotated[float, Meta(description="Share of the simulated paths that are this model's, 0 to 1.")]
    pinball: Annotated[
        float, Meta(description="Mean pinball loss at the levels 5 %, 15 %, .. 95 %; smaller is better.")
    ]
    coverage_p85: Annotated[
        float,
        Meta(
            description="Share of the weeks, 0 to 1, that finished no more than the model's P85: 0.85 is honest, and "
            "ties raise it."
        ),
    ]
    errors: Annotated[PointErrors, Meta(description="Errors of the predictive mean, in tasks a week.")]
    mae_pct: Annotated[
        float | None, Meta(description="Mean absolute error in % of the mean week; null if nothing was finished.")
    ]

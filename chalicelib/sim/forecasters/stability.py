"""Whether the weeks are steady enough to look for patterns in them. No numpy: the lists hold a thousand values."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.sim.statistics import percentile

# The bounds of the reference project's risk assessment.
HIGHEST_CV = 0.5
LARGEST_SHIFT = 0.3
MOST_OUTLIERS = 0.15
_RECENT_WEEKS = 8
# Tukey's fence, in interquartile ranges; from the median here, as in the reference project.
_FENCE = 1.5

RiskLevel = Literal["LOW", "MEDIUM", "HIGH"]

_ADVICE: dict[RiskLevel, str] = {
    "LOW": "The weeks are steady: model forecasts may be used beside the Monte Carlo forecast.",
    "MEDIUM": "Compare model forecasts with the Monte Carlo forecast and rely on the later date.",
    "HIGH": "Use Monte Carlo: the weeks vary too much for a model to have learned from them.",
}


class Stability(Struct, frozen=True, kw_only=True):
    """Three signals of unsteady weeks, and what they come to."""

    risk_level: Annotated[RiskLevel, Meta(description="LOW without a signal, MEDIUM with one, HIGH with two or three.")]
    cv: Annotated[
        float,
        Meta(description="Population standard deviation / mean; a signal above 0.5. 0 when nothing was finished."),
    ]
    recent_shift: Annotated[
        float,
        Meta(
            description="Mean of the last weeks (half of all, at most 8) / mean of all, less 1; a signal beyond "
            "-0.3..0.3. 0 when nothing was finished."
        ),
    ]
    outlier_share: Annotated[
        float,
        Meta(
            description="Share of weeks, 0 to 1, beyond 1.5 interquartile ranges from the median; a signal above 0.15."
        ),
    ]
    reasons: Annotated[list[str], Meta(description="One sentence for each signal.")]
    recommendation: str


def risk_assessment(samples: Sequence[float]) -> Stability:
    """How risky it is to let models learn from weekly samples, oldest first: at least one, >= 0 and finite.

    The signals and their bounds are the reference project's; quartiles are linear between neighbours. If more than
    three quarters of the weeks are equal, every other week is an outlier. Raises StatisticsError without samples.
    Cost: n log n.
    """
    cv, shift, outliers = _cv(samples), _recent_shift(samples), _outlier_share(samples)
    reasons = list(_reasons(cv, shift, outliers))
    risk_level: RiskLevel = "LOW" if not reasons else "MEDIUM" if len(reasons) == 1 else "HIGH"
    return Stability(
        risk_level=risk_level,
        cv=cv,
        recent_shift=shift,
        outlier_share=outliers,
        reasons=reasons,
        recommendation=_ADVICE[risk_level],
    )


def _cv(samples: Sequence[float]) -> float:
    mean = statistics.fmean(samples)
    return statistics.pstdev(samples) / mean if mean > 0 else 0.0


def _recent_shift(samples: Sequence[float]) -> float:
    mean = statistics.fmean(samples)
    recent = max(1, min(_RECENT_WEEKS, len(samples) // 2))
    return statistics.fmean(samples[-recent:]) / mean - 1 if mean > 0 else 0.0


def _outlier_share(samples: Sequence[float]) -> float:
    ordered = sorted(samples)
    fence = _FENCE * (percentile(ordered, 0.75) - percentile(ordered, 0.25))
    median = statistics.median(ordered)
    return sum(abs(value - median) > fence for value in ordered) / len(ordered)


def _reasons(cv: float, shift: float, outliers: float) -> Iterator[str]:
    if cv > HIGHEST_CV:
        yield f"The weeks vary by {100 * cv:.0f} % of their mean; above {100 * HIGHEST_CV:.0f} % is unsteady."
    if abs(shift) > LARGEST_SHIFT:
        direction = "above" if shift > 0 else "below"
        yield (
            f"The last weeks are {100 * abs(shift):.0f} % {direction} the mean of all; more than "
            f"{100 * LARGEST_SHIFT:.0f} % is a shift."
        )
    if outliers > MOST_OUTLIERS:
        yield (
            f"{100 * outliers:.0f} % of the weeks lie far from the median; more than {100 * MOST_OUTLIERS:.0f} % are "
            "too many to be exceptions."
        )

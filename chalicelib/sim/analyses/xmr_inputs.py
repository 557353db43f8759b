"""What a question about the steadiness of a team may say. No numpy: the API reads requests with this module."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from chalicelib.errors import FieldError
from chalicelib.sim.analyses.series import HOW, Sent, read_series

FEWEST_SAMPLES = 2


class XmrRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """A history to be put on a process behaviour chart."""

    tp_samples: Annotated[
        Sent | None,
        Meta(description=f"Tasks finished in each past week, oldest first, at least {FEWEST_SAMPLES}. {HOW}"),
    ] = None
    legacy_tp_samples: Annotated[Sent | None, Meta(description="Older spelling of tpSamples.")] = field(
        default=None, name="tp_samples"
    )


def read(request: XmrRequest) -> tuple[float, ...]:
    """The samples of a request that has passed `check`."""
    return read_series(request.tp_samples or request.legacy_tp_samples, "").values


def check(request: XmrRequest) -> list[FieldError]:
    """Every rule of the request that its schema cannot state; empty when it is sound."""
    new, old = request.tp_samples, request.legacy_tp_samples
    pointer = "/tp_samples" if old and not new else "/tpSamples"
    series = read_series(new or old, pointer)
    if series.errors:
        return list(series.errors)
    if new and old and series.values != read_series(old, "").values:
        return [FieldError("/tp_samples", "must equal tpSamples when both are given")]
    if len(series.values) < FEWEST_SAMPLES:
        return [FieldError(pointer, f"must have at least {FEWEST_SAMPLES} samples, got {len(series.values)}")]
    return []

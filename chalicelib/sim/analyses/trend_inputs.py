"""What a question about the trend of a team may say. No numpy: the API reads requests with this module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.errors import FieldError
from chalicelib.sim.analyses.anomalies import Method
from chalicelib.sim.analyses.series import HOW, Sent, Series, read_series
from chalicelib.sim.fields import Text

FEWEST_SAMPLES = 3


class TrendRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """Throughput, lead times or both, each in the order of time."""

    tp_samples: Annotated[
        Sent | None, Meta(description=f"Tasks finished in each past week, oldest first; more is better. {HOW}")
    ] = None
    lt_samples: Annotated[
        Sent | None,
        Meta(description=f"Lead times of past tasks in days, in the order of their ends; less is better. {HOW}"),
    ] = None
    lead_time_samples: Annotated[Sent | None, Meta(description="Older spelling of ltSamples.")] = None
    metric_name: Annotated[
        Text | None,
        Meta(description="How the first metric is called in the answer; throughput or lead_time if missing."),
    ] = None
    anomaly_method: Annotated[
        Method,
        Meta(
            description="How a sample that stands apart is told. iqr: more than 1.5 interquartile ranges beyond the "
            "quartiles; zscore: more than 3 standard deviations from the mean; mad: more than 3.5 deviations from the "
            "median, estimated from the median absolute deviation."
        ),
    ] = "iqr"


class Readings(Struct, frozen=True):
    """The series of a request as numbers; empty where nothing was sent."""

    throughput: Series
    lead_times: Series


def read(request: TrendRequest) -> Readings:
    """Both series as they were sent."""
    pointer = "/ltSamples" if request.lt_samples else "/leadTimeSamples"
    return Readings(
        read_series(request.tp_samples, "/tpSamples"),
        read_series(request.lt_samples or request.lead_time_samples, pointer),
    )


def check(request: TrendRequest) -> list[FieldError]:
    """Every rule of the request that its schema cannot state; empty when it is sound."""
    readings = read(request)
    broken = [*readings.throughput.errors, *readings.lead_times.errors, *_twice(request)]
    return broken or list(_few(request, readings))


def _twice(request: TrendRequest) -> Iterator[FieldError]:
    new, old = request.lt_samples, request.lead_time_samples
    if new and old and read_series(new, "").values != read_series(old, "").values:
        yield FieldError("/leadTimeSamples", "must equal ltSamples when both are given")


def _few(request: TrendRequest, readings: Readings) -> Iterator[FieldError]:
    series = (readings.throughput.values, readings.lead_times.values)
    if not any(series):
        yield FieldError("/tpSamples", "tpSamples or ltSamples must be given")
    elif max(map(len, series)) < FEWEST_SAMPLES:
        lead_times = "/ltSamples" if request.lt_samples else "/leadTimeSamples"
        for pointer, values in zip(("/tpSamples", lead_times), series, strict=True):
            if values:
                yield FieldError(pointer, f"must have at least {FEWEST_SAMPLES} samples, got {len(values)}")

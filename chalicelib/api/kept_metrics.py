"""The metrics of the local stage, which on AWS stand on CloudWatch's dashboard."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.api.auth import require
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE
from chalicelib.api.route import CALLER, Access, Doc, Reply
from chalicelib.clock import rfc3339
from chalicelib.errors import Unavailable
from chalicelib.telemetry import Metric

# What CloudWatch shows of a dashboard unless told otherwise.
WINDOW_S = 3 * 3600

_Median = Annotated[int | None, Meta(description="In ms, by nearest rank; null where nothing was measured.")]
_Tail = Annotated[int | None, Meta(description="95th percentile, in the same way.")]


class KindMetrics(Struct, frozen=True, kw_only=True):
    """What was measured of the jobs of one kind."""

    kind: str
    submitted: int
    succeeded: int
    failed: int
    revoked: int
    retried: int
    lag_p50_ms: _Median
    lag_p95_ms: _Tail
    run_p50_ms: _Median
    run_p95_ms: _Tail


class StageMetrics(Struct, frozen=True, kw_only=True):
    """What the functions have measured of late."""

    since: Annotated[str, Meta(description="RFC 3339 in UTC.")]
    kinds: Annotated[list[KindMetrics], Meta(description="By name; kinds without a job are left out.")]
    counts: Annotated[dict[str, int], Meta(description="Sums of what is counted for the stage as a whole, by name.")]


def show(call: Call) -> Answer:
    """GET /dev/metrics."""
    require(call, scope="admin")
    since_s = call.runtime.clock.now() - WINDOW_S
    counts: Counter[str] = Counter()
    kinds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for sample in call.runtime.kept_metrics.since(int(since_s * 1000)):
        if sample.kind:
            kinds[sample.kind][sample.metric].append(sample.value)
        elif Metric(sample.metric).unit == "Count":
            counts[sample.metric] += int(sample.value)
    body = StageMetrics(
        since=rfc3339(since_s), kinds=[_kind(name, kinds[name]) for name in sorted(kinds)], counts=dict(counts)
    )
    return Answer(body=body, headers=NO_STORE)


def _kind(name: str, values: Mapping[str, Sequence[float]]) -> KindMetrics:
    def total(metric: Metric) -> int:
        return int(sum(values.get(metric, ())))

    lags, runs = values.get(Metric.QUEUE_LAG, ()), values.get(Metric.RUN_TIME, ())
    return KindMetrics(
        kind=name,
        submitted=total(Metric.SUBMITTED),
        succeeded=total(Metric.SUCCEEDED),
        failed=total(Metric.FAILED),
        revoked=total(Metric.REVOKED),
        retried=total(Metric.RETRIED),
        lag_p50_ms=_percentile(lags, 0.5),
        lag_p95_ms=_percentile(lags, 0.95),
        run_p50_ms=_percentile(runs, 0.5),
        run_p95_ms=_percentile(runs, 0.95),
    )


def _percentile(values: Sequence[float], share: float) -> int | None:
    return int(sorted(values)[math.ceil(share * len(values)) - 1]) if values else None


DOCS: Mapping[str, Doc] = {
    "show": Doc(
        name="show_metrics",
        group="Service",
        summary="The metrics of jobs and events, on this machine alone",
        details=f"The last {WINDOW_S // 3600} hours, from the functions' logs. On AWS CloudWatch has them. Needs the "
        "scope admin.",
        access=Access.ACCOUNT,
        replies={200: Reply(summary="The metrics", body=StageMetrics)},
        refusals=(*CALLER, Unavailable),
    )
}

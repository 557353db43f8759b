"""Keeping a forecast in the caller's account, for every kind whose request and result have the fields for it.

A result that cannot be saved is still answered, with `save_error`. While the database is away the job is tried again,
for hours (the kind's `outage_s`): to compute a forecast twice is cheaper than to lose it, and than to wait here, which
would leave no worker to the forecasts that need no database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from chalicelib.errors import NotSaved, Unavailable
from chalicelib.jobs.kind import Progress
from chalicelib.telemetry import log

if TYPE_CHECKING:
    from chalicelib.db.forecasts import NewForecast
    from chalicelib.runtime import Runtime
    from chalicelib.sim.fields import SavedFields, SavingFields
    from chalicelib.sim.summary import Summary

Request = TypeVar("Request", bound="SavingFields")
Result = TypeVar("Result", bound="SavedFields")
Report = Callable[[float, str], None]

# How far a forecast that is to be saved has come when it is computed.
_COMPUTED = 0.9


def compute_and_keep(
    request: Request,
    progress: Progress,
    *,
    compute: Callable[[Request, Report], Result],
    summarise: Callable[[Request, Result], Summary],
) -> Result:
    """The answer to a request, saved with its figures if the request says so."""
    if not request.save:
        return compute(request, progress)
    result = compute(request, lambda fraction, stage: progress(_COMPUTED * fraction, stage))
    progress(_COMPUTED, "saving")
    return _saved(result, _row(request, result, summarise(request, result), progress), progress)


def _saved(result: Result, row: NewForecast, progress: Progress) -> Result:
    """The result with its forecast's id, or with why it has none; a long outage passes while there are attempts."""
    try:
        forecast_id = cast("Runtime", progress.parts).forecasts.save(row)
    except (NotSaved, Unavailable) as error:
        if isinstance(error, Unavailable) and not progress.is_last_attempt:
            raise
        log.warning("forecast not saved", job_id=progress.job_id, slug=error.slug, reason=error.detail)
        return msgspec.structs.replace(result, save_error=error.detail)
    log.info("forecast saved", job_id=progress.job_id, forecast_id=forecast_id)
    return msgspec.structs.replace(result, forecast_id=forecast_id)


def _row(request: SavingFields, result: SavedFields, figures: Summary, progress: Progress) -> NewForecast:
    from chalicelib.db.forecasts import NewForecast

    # Sent as it is kept, the request computes and does not save again.
    kept = msgspec.structs.replace(request, save=False)
    return NewForecast(
        job_id=progress.job_id,
        owner=progress.owner,
        project_id=_id(request.project_id),
        parent_forecast_id=_id(request.parent_forecast_id),
        forecast_data=msgspec.json.encode(result).decode(),
        input_data=msgspec.json.encode(kept).decode(),
        **msgspec.structs.asdict(figures),
    )


def _id(value: str | int | None) -> str:
    """An id as the client wrote it; empty for none."""
    return "" if value is None else str(value).strip()

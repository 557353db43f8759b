"""Pieces that the answers to when, how many and whether a deadline holds share: days, weeks, and who foretold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import reduce

from chalicelib.sim.calendar import WorkCalendar
from chalicelib.sim.forecast import Examined
from chalicelib.sim.forecasters.ensemble import Prediction
from chalicelib.sim.forecasters.futures import Ahead, Futures, foretell
from chalicelib.sim.forecasters.limits import FEWEST_SAMPLES
from chalicelib.sim.forecasters.result import METHOD, Blend, MaybeStats, ModelResult, model_result
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.result import Percentiles, PercentileStats

# The share of the work that the engine does; the forecasters are quick.
ENGINE_SHARE = 0.8
# Fields of a simulate request that the other requests have under another name.
_WORDS = (("totalContributors", "teamSize"), ("numberOfTasks", "backlog"), ("numberOfSimulations", "nSimulations"))
OLD_LEVELS = (10, 25, 50, 75, 85, 90, 95)


def d_m_y(day: date | None) -> str | None:
    """A day as the old service wrote it; None for none."""
    return f"{day.day:02}/{day.month:02}/{day.year:04}" if day else None


def written(day: date) -> str:
    """The same for a day that is there."""
    return f"{day.day:02}/{day.month:02}/{day.year:04}"


def weeks_of(calendar: WorkCalendar, periods: float | None) -> float | None:
    """Calendar weeks to one decimal; None for a time beyond the horizon."""
    return None if periods is None else round(calendar.elapsed_weeks(periods), 1)


def known_weeks(calendar: WorkCalendar, periods: float) -> float:
    """Calendar weeks to one decimal."""
    return round(calendar.elapsed_weeks(periods), 1)


def date_after(calendar: WorkCalendar, periods: float | None) -> str | None:
    """The day as the old service wrote it; None for a time beyond the horizon."""
    return None if periods is None else d_m_y(calendar.date_after(periods))


def stats_of(calendar: WorkCalendar, periods: Percentiles[int]) -> PercentileStats:
    """The percentiles of a duration in calendar weeks, under the old name."""
    names = [f"p{level}" for level in OLD_LEVELS]
    return PercentileStats(**{name: known_weeks(calendar, getattr(periods, name)) for name in names})


def maybe_stats(calendar: WorkCalendar, futures: Futures) -> MaybeStats:
    """The same from the forecasters."""
    return MaybeStats(**{f"p{level}": weeks_of(calendar, futures.quantile(level / 100)) for level in OLD_LEVELS})


def futures_of(examined: Examined, samples: tuple[float, ...]) -> Futures | None:
    """When the forecasters see the project done; None with too few samples for them."""
    if len(samples) < FEWEST_SAMPLES:
        return None
    longest = examined.laws.weeks.quantiles([0.99])[0]
    ahead = Ahead(examined.laws.tasks, examined.idle, longest, examined.engine.seed)
    return foretell(examined.project, samples, ahead)


def blend_of(prediction: Prediction) -> Blend:
    """How the forecasters were put together."""
    return Blend(
        weights=prediction.weights,
        fell_back=prediction.fell_back,
        note=prediction.note,
        held_out_weeks=prediction.held_out,
        pinball_ensemble=prediction.pinball_ensemble,
        pinball_bootstrap=prediction.pinball_bootstrap,
    )


def method_of(prediction: Prediction) -> str:
    """Who foretold, in a few words."""
    return "Bootstrap alone: the other forecasters were worse" if prediction.fell_back else METHOD


def models_of(prediction: Prediction) -> list[ModelResult]:
    """The forecasters, best first."""
    return [model_result(score) for score in sorted(prediction.models, key=lambda each: each.errors.mae)]


def days_later(day: date, days: int) -> date:
    """So many days later, or the last day that can be written."""
    return date.max if (date.max - day).days < days else day + timedelta(days=days)


def in_words_of(request: object, sentences: Iterable[str]) -> list[str]:
    """Sentences about a simulate request with the names that the field has in `request`."""
    if isinstance(request, SimulateRequest):
        return list(sentences)
    return [reduce(lambda text, pair: text.replace(*pair), _WORDS, sentence) for sentence in sentences]

"""A forecast of weekly throughput by four models together, each with the say that its past forecasts have earned.

Every model foretells past weeks from the weeks before them (walk-forward). Its weight falls exponentially with its
pinball loss: the exponentially weighted average forecaster of Cesa-Bianchi and Lugosi, Prediction, Learning, and
Games, 2006, section 2.2. The models' laws are mixed, not their figures, so that the spread of a week stays whole. If
the mixture does worse than the bootstrap on the held-out weeks, the bootstrap answers alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.sim.chance import Bits
from chalicelib.sim.forecasters.limits import (
    FEWEST_HELD_OUT,
    FEWEST_SAMPLES,
    FEWEST_TRAINED,
    MOST_ORIGINS,
    PATHS,
    TOLERANCE,
)
from chalicelib.sim.forecasters.model_score import ModelScore
from chalicelib.sim.forecasters.predictive import Draws, Forecaster, Predictive, pool
from chalicelib.sim.forecasters.resampling import FORECASTERS
from chalicelib.sim.lattice import Floats, Ints
from chalicelib.sim.project import round_half_up
from chalicelib.sim.replay.point_errors import point_errors
from chalicelib.sim.replay.scores import coverage, pinball_loss

LEVELS = np.arange(5, 100, 10) / 100
# Its place among them.
_P85 = 8
# How fast weights follow losses, which are counted in mean losses of the bootstrap: sqrt(8 ln 4 / 44), the rate that
# theorem 2.2 gives for 4 models and 44 weeks.
_RATE = 0.5
# The bootstrap's say before anything is known; the others share the rest. Of the rates 0.25 to 2 and the shares 1/4
# and 1/2, these two lose next to least where there is nothing to learn, and win hardly less elsewhere. For teams with
# independent weeks the loss on weeks never seen is 0.7 to 1.3 % above the bootstrap's with 8 samples, 0.2 to 0.3 %
# with 60 (2,000 teams each).
_FIRST_SHARE = 0.5
# One week in three of those walked through.
_HELD_OUT_SHARE = 3
# Differences below this are not worth a figure.
_EQUAL_PERCENT = 0.05
# Decimals to which samples are read, as everywhere.
_DECIMALS = 3
# Keeps these draws apart from those of the trials, which have the same seed.
_STREAM = 0x454E5342


class Prediction(Struct, frozen=True, eq=False, kw_only=True):
    """Simulated futures of a team, and what they rest on."""

    # Tasks finished a week, shape (paths, horizon), >= 0; rows of all models, in random order.
    paths: Floats
    # Each model's share of the paths before rounding to whole ones; they sum to 1.
    weights: dict[str, float]
    # Whether the bootstrap answers alone, because the models together were worse than it.
    fell_back: bool
    # The comparison with the bootstrap, as a sentence.
    note: str
    # Weeks walked through, and the newest of them, on which the models together were compared with the bootstrap.
    origins: int
    held_out: int
    # Mean losses on the held-out weeks, in tasks, each under the weights learned before its week.
    pinball_ensemble: float
    pinball_bootstrap: float
    # On all weeks walked through; `ensemble` keeps the score of the models together even if the bootstrap answers.
    models: list[ModelScore]
    ensemble: ModelScore


def predict(samples: Sequence[float], *, horizon: int, seed: int, paths: int = PATHS) -> Prediction:
    """Futures of `horizon` >= 1 weeks after weekly samples, oldest first, each 0..1e5 and read to 3 decimals.

    `paths` >= 1, seed >= 0. The same arguments give the same answer; between machines it may differ by rounding.
    Raises InvalidRequest for fewer than FEWEST_SAMPLES samples. Cost: 7 ms of CPU for 52 samples, 20 weeks and 2,000
    paths, 60 ms for 1,000 samples.
    """
    series = _series(samples)
    origins = np.arange(max(FEWEST_TRAINED, series.size - MOST_ORIGINS), series.size)
    models = {name: make(series) for name, make in FORECASTERS.items()}
    laws = [model.predictive(origins) for model in models.values()]
    losses = np.stack([_losses(law, series[origins]) for law in laws], axis=1)
    learned = learned_weights(losses)
    together = pool(laws, learned[:-1])
    trial = _Trial.of(_losses(together, series[origins]), losses[:, 0])
    weights = np.eye(len(laws))[0] if trial.is_failed else learned[-1]
    return Prediction(
        paths=_paths(list(models.values()), weights, _draws(seed, paths, horizon)),
        weights=dict(zip(models, weights.tolist(), strict=True)),
        fell_back=trial.is_failed,
        note=trial.note(),
        origins=origins.size,
        held_out=trial.weeks,
        pinball_ensemble=trial.ensemble,
        pinball_bootstrap=trial.bootstrap,
        models=[_score(*each, series[origins]) for each in zip(models, weights.tolist(), laws, strict=True)],
        ensemble=_score("ensemble", 1.0, together, series[origins]),
    )


def paths_by_model(samples: Sequence[float], *, horizon: int, seed: int, paths: int = PATHS) -> dict[str, Floats]:
    """Futures of each forecaster alone, shape (paths, horizon), after FEWEST_SAMPLES samples or more; see `predict`."""
    series, (draws, _) = _series(samples), _draws(seed, paths, horizon)
    return {name: make(series).paths(draws) for name, make in FORECASTERS.items()}


def learned_weights(losses: Floats) -> Floats:
    """Weights before the first and after each week, shape (weeks + 1, models), from losses, shape (weeks, models).

    Losses are >= 0, in any unit, the bootstrap's in the first column. Row t uses the weeks before t alone.
    """
    sums: Floats = np.concatenate((np.zeros((1, losses.shape[1])), np.cumsum(losses, axis=0)))
    mean = sums[:, :1] / np.maximum(1, np.arange(sums.shape[0]))[:, np.newaxis]
    regrets = (sums - sums.min(axis=1, keepdims=True)) / np.where(mean > 0, mean, 1.0)
    prior = np.full(losses.shape[1], (1 - _FIRST_SHARE) / (losses.shape[1] - 1))
    prior[0] = _FIRST_SHARE
    weights = prior * np.exp(-_RATE * regrets)
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


def path_counts(weights: Floats, paths: int) -> list[int]:
    """`paths` shared out by weights that sum to 1: largest remainder (Hamilton), the first of equal ones."""
    exact = weights * paths
    counts = [math.floor(share) for share in exact.tolist()]
    for favoured in np.argsort(counts - exact, kind="stable")[: paths - sum(counts)].tolist():
        counts[favoured] += 1
    return counts


class _Trial(Struct, frozen=True):
    """Mean losses on the held-out weeks."""

    weeks: int
    ensemble: float
    bootstrap: float

    @staticmethod
    def of(ensemble: Floats, bootstrap: Floats) -> _Trial:
        """From the losses of all weeks walked through: the newest third of them, at least FEWEST_HELD_OUT."""
        weeks = max(FEWEST_HELD_OUT, ensemble.size // _HELD_OUT_SHARE)
        return _Trial(weeks, float(ensemble[-weeks:].mean()), float(bootstrap[-weeks:].mean()))

    @property
    def is_failed(self) -> bool:
        return self.ensemble > TOLERANCE * self.bootstrap

    def note(self) -> str:
        """What the comparison came to, and what follows from it."""
        found = f"On the last {self.weeks} weeks the models together were {self._compared()}"
        if not self.is_failed:
            return f"{found}; their forecasts are mixed by weight."
        allowed = round_half_up(100 * (TOLERANCE - 1))
        return f"{found}, and at most {allowed} % worse is allowed: this forecast is the bootstrap's alone."

    def _compared(self) -> str:
        if self.bootstrap == 0:
            return "worse than the bootstrap, which was never wrong" if self.ensemble else "as good as the bootstrap"
        percent = 100 * (self.ensemble / self.bootstrap - 1)
        if abs(percent) < _EQUAL_PERCENT:
            return "as good as the bootstrap"
        return f"{abs(percent):.3g} % {'worse' if percent > 0 else 'better'} than the bootstrap (pinball loss)"


def _series(samples: Sequence[float]) -> Floats:
    if len(samples) < FEWEST_SAMPLES:
        detail = f"must have at least {FEWEST_SAMPLES} values to compare forecasters on, got {len(samples)}"
        raise InvalidRequest([FieldError("/tpSamples", detail)])
    series: Floats = np.asarray(samples, dtype=np.float64)
    return series.round(_DECIMALS)


def _losses(law: Predictive, actuals: Floats) -> Floats:
    return pinball_loss(actuals, law.quantiles(LEVELS), LEVELS)


def _draws(seed: int, paths: int, horizon: int) -> tuple[Draws, Ints]:
    """Uniform draws, shape (paths, horizon), and a random order of the paths."""
    bits = Bits(seed, _STREAM)
    order = np.argsort(bits.words(paths), kind="stable")
    raw = np.frombuffer(bits.octets(4 * paths * horizon), dtype="<u4", count=paths * horizon)
    return raw.astype(np.uint32, copy=False).reshape(paths, horizon), order


def _paths(models: Sequence[Forecaster], weights: Floats, drawn: tuple[Draws, Ints]) -> Floats:
    """Mixed, so that any part of the paths holds all models."""
    draws, order = drawn
    ends = np.cumsum(path_counts(weights, order.size))
    parts = np.split(draws, ends[:-1])
    return np.concatenate([model.paths(part) for model, part in zip(models, parts, strict=True)])[order]


def _score(name: str, weight: float, law: Predictive, actuals: Floats) -> ModelScore:
    """The means are the point forecasts: they are what adds up over the weeks of a project."""
    quantiles = law.quantiles(LEVELS)
    errors = point_errors(law.means().tolist(), actuals.tolist())
    mean = float(actuals.mean())
    return ModelScore(
        name=name,
        weight=weight,
        pinball=float(pinball_loss(actuals, quantiles, LEVELS).mean()),
        coverage_p85=coverage(actuals, quantiles[:, _P85]),
        errors=errors,
        mae_pct=100 * errors.mae / mean if mean > 0 else None,
    )

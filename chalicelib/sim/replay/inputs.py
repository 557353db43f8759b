"""What a backtest may be asked for, in the words of either of the two old endpoints. No numpy: the API reads this."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from chalicelib.errors import FieldError
from chalicelib.sim.fields import MAX_TASKS, MAX_TRIALS, SavingFields, Weekly

Level = Literal["P50", "P85", "P95"]
LEVELS: dict[Level, float] = {"P50": 0.50, "P85": 0.85, "P95": 0.95}
Method = Literal["walk_forward", "expanding_window"]

FIRST_TRAINED, WINDOW, HORIZON, LONG_HORIZON = 5, 10, 1, 2

_Samples = Annotated[tuple[Weekly, ...], Meta(min_length=1, max_length=1_000)]
_Weeks = Annotated[int, Meta(ge=1, le=1_000)]


class BacktestRequest(SavingFields, frozen=True, kw_only=True, rename="camel"):
    """How would past forecasts have done? `tpSamples` or `historicalData` is enough."""

    tp_samples: Annotated[
        _Samples | None, Meta(description="Throughput history, oldest first, idle weeks included as 0.")
    ] = None
    historical_data: Annotated[_Samples | None, Meta(description="Another name of tpSamples.")] = None
    backlog: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_TASKS)] | None,
        Meta(
            description="Items of each replayed project: how many weeks until they are done? Without it each forecast "
            "is of the items in the next weeks of the test."
        ),
    ] = None
    method: Annotated[
        Method | None,
        Meta(
            description="walk_forward: each forecast knows the trainWindow weeks before it. expanding_window: all "
            "weeks before it. walk_forward when missing."
        ),
    ] = None
    backtest_type: Annotated[Method | None, Meta(description="Another name of method.")] = field(
        default=None, name="backtest_type"
    )
    min_train_size: Annotated[
        _Weeks | None,
        Meta(description=f"Weeks before the first forecast; {FIRST_TRAINED}, or trainWindow if that is given."),
    ] = None
    initial_train_window: Annotated[_Weeks | None, Meta(description="Another name of minTrainSize.")] = None
    train_window: Annotated[
        _Weeks | None, Meta(description=f"Weeks that a walk_forward forecast knows; {WINDOW} when missing.")
    ] = None
    test_size: Annotated[
        _Weeks | None,
        Meta(
            description=f"Weeks of each test of a number of items; {HORIZON} when missing, {LONG_HORIZON} with "
            "historicalData. Not used with a backlog, whose test lasts until it is done."
        ),
    ] = None
    test_window: Annotated[_Weeks | None, Meta(description="Another name of testSize.")] = None
    fold_stride: Annotated[_Weeks, Meta(description="Weeks from one forecast to the next.")] = 1
    confidence_level: Annotated[Level, Meta(description="Which percentile the rows quote as the forecast.")] = "P85"
    compare_confidence_levels: Annotated[
        bool, Meta(description="Whether the answer has the summary of each of P50, P85 and P95.")
    ] = False
    n_simulations: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_TRIALS)] | None, Meta(description="Not needed: forecasts are exact.")
    ] = None


class Replay(Struct, frozen=True):
    """A backtest with its defaults applied.

    window: weeks that a forecast knows, None for all before it; horizon: weeks of a test of items.
    """

    samples: tuple[float, ...]
    backlog: int | None
    method: Method
    first: int
    window: int | None
    horizon: int
    stride: int
    level: Level

    @property
    def origins(self) -> range:
        """The weeks at which forecasts are made; each needs one week, or all of its test, after it."""
        after = 1 if self.backlog else self.horizon
        return range(self.first, len(self.samples) - after + 1, self.stride)


def replay_of(request: BacktestRequest) -> Replay:
    """The replay that a checked request asks for."""
    method = request.method or request.backtest_type or "walk_forward"
    window = (request.train_window or WINDOW) if method == "walk_forward" else None
    first = request.min_train_size or request.initial_train_window or request.train_window or FIRST_TRAINED
    if request.initial_train_window and request.train_window and method == "walk_forward":
        # The old page sends both; a walk begins when its window is full.
        first = request.min_train_size or request.train_window
    usual = LONG_HORIZON if request.historical_data else HORIZON
    return Replay(
        samples=request.tp_samples or request.historical_data or (),
        backlog=request.backlog,
        method=method,
        first=first,
        window=window,
        horizon=request.test_size or request.test_window or usual,
        stride=request.fold_stride,
        level=request.confidence_level,
    )


def check_backtest(request: BacktestRequest) -> list[FieldError]:
    """Every rule of the request that its schema cannot state, all broken ones at once."""
    return [FieldError(pointer, detail) for pointer, detail in _rules(request)]


def _rules(request: BacktestRequest) -> Iterator[tuple[str, str]]:
    name = "historicalData" if request.historical_data else "tpSamples"
    if not (request.tp_samples or request.historical_data):
        yield "/tpSamples", "is required, or historicalData"
        return
    for mine, other, values in (
        ("historicalData", "tpSamples", (request.historical_data, request.tp_samples)),
        ("backtest_type", "method", (request.backtest_type, request.method)),
        ("initialTrainWindow", "minTrainSize", (request.initial_train_window, request.min_train_size)),
        ("testWindow", "testSize", (request.test_window, request.test_size)),
    ):
        if values[0] is not None and values[1] is not None and values[0] != values[1]:
            yield f"/{mine}", f"must equal {other} when both are given"
    replay = replay_of(request)
    if not any(replay.samples):
        yield f"/{name}", "at least one value must be above 0: nothing was ever finished"
    if not len(replay.origins):
        needed = replay.first + (1 if replay.backlog else replay.horizon)
        yield f"/{name}", f"must have at least {needed} values, {replay.first} to learn from, got {len(replay.samples)}"

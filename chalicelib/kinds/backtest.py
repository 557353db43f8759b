"""How past forecasts would have done: a replay of a team's history, scored by how often each level held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.sim.replay.inputs import BacktestRequest
    from chalicelib.sim.replay.result import BacktestResult


def contract() -> Contract[BacktestRequest, BacktestResult]:
    from chalicelib.sim.replay.inputs import BacktestRequest, check_backtest
    from chalicelib.sim.replay.result import BacktestResult

    samples = (5, 6, 7, 8, 4, 9, 6, 7, 5, 8, 6, 7, 9, 4, 6, 8, 7, 5, 6, 7)
    example = BacktestRequest(tp_samples=samples, backlog=20, method="expanding_window")
    return Contract(request=BacktestRequest, result=BacktestResult, example=example, check=check_backtest, weigh=weigh)


def weigh(request: BacktestRequest, in_line: bool) -> None:
    """Refuses replays that take too long altogether, and in line those that take more than a request may."""
    from chalicelib.sim.cost import estimate
    from chalicelib.sim.inputs import SimulateRequest
    from chalicelib.sim.replay.inputs import replay_of
    from chalicelib.sim.weight import limit_work

    replay = replay_of(request)
    each = estimate(SimulateRequest(tp_samples=replay.samples, number_of_tasks=replay.backlog or 1))
    # The interpreter's part of one forecast, in cell updates.
    work = len(replay.origins) * (each + 500_000)
    finer = "a larger foldStride, a smaller backlog or fewer decimals"
    limit_work(work, KIND.path if in_line else "", what="a replay", finer=finer)


def run(request: BacktestRequest, progress: Progress) -> BacktestResult:
    from chalicelib.saving import compute_and_keep
    from chalicelib.sim.replay.backtest import backtest, summarise_backtest

    return compute_and_keep(request, progress, compute=backtest, summarise=summarise_backtest)


KIND = JobKind(
    name="backtest",
    summary="Replay of past forecasts",
    path="/api/async/backtest",
    sync_path="/api/backtest",
    queue="simulations",
    contract=contract,
    run=run,
    lenient=True,
    opened_by="public_forecasts",
)

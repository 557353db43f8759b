"""Which engine answers, why, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.errors import TooLarge
from chalicelib.sim.cost import EXACT_LIMIT, trials_work
from chalicelib.sim.engine import Engine, choose
from chalicelib.sim.fields import MAX_SEED
from chalicelib.sim.project import plan
from tests.sim.cases import answer, request

# 777 hundredths of a person times a thousand samples: a lattice too fine for an exact answer.
FINE: dict[str, Any] = {
    "tpSamples": [value / 1000 for value in range(5_001, 6_001)],
    "numberOfTasks": 900,
    "totalContributors": 7.77,
    "minContributors": 0.13,
    "maxContributors": 7.77,
}
# A task every thousand weeks.
SELDOM: dict[str, Any] = {"tpSamples": [0] * 999 + [1], "numberOfTasks": 9_999}


def chosen(**fields: Any) -> Engine:
    sent = request(**fields)
    return choose(sent, plan(sent))


def test_exact_is_taken_when_its_work_is_within_the_limit() -> None:
    engine = chosen()
    assert (engine.name, engine.work <= EXACT_LIMIT) == ("exact", True)
    assert engine.reason.startswith("An exact answer needs about ")
    assert engine.reason.endswith(" cell updates, within the limit of 1.6e+10.")


def test_trials_are_drawn_when_an_exact_answer_is_beyond_the_limit() -> None:
    result = answer(**FINE, numberOfSimulations=1_000)
    assert (result.engine, result.number_of_simulations) == ("monte_carlo", 1_000)
    assert result.engine_reason.startswith("An exact answer needs about ")
    assert result.engine_reason.endswith(" cell updates and may take 1.6e+10.")


@pytest.mark.parametrize("engine", ["exact", "monte_carlo"])
def test_engine_that_was_asked_for_answers(engine: str) -> None:
    result = answer(engine=engine)
    assert (result.engine, result.engine_reason) == (engine, f"Engine {engine} was asked for.")


def test_exact_answer_beyond_the_limit_is_refused_with_a_way_out() -> None:
    with pytest.raises(TooLarge, match=r"needs about \S+ cell updates and may take 1\.6e\+10; .* monte_carlo$"):
        chosen(**FINE, engine="exact")


def test_too_many_trials_are_refused_with_what_to_reduce() -> None:
    with pytest.raises(TooLarge, match=r"^10000000 trials need about \S+ cell updates and may take 1\.6e\+10; use"):
        chosen(**SELDOM, engine="monte_carlo", numberOfSimulations=10_000_000)


def test_what_neither_engine_can_answer_is_refused_with_both_reasons() -> None:
    slow = {**FINE, "tpSamples": [0.001] * 999 + [1], "numberOfTasks": 9_999}
    with pytest.raises(TooLarge, match=r"^an exact answer needs about .*, and 10000 trials need about .* cell updates"):
        chosen(**slow)


def test_progress_too_fine_for_whole_numbers_is_refused() -> None:
    fine = {**FINE, "teamFocus": 0.999, "historicalTeamSize": 9998.99, "numberOfTasks": 9_999}
    assert trials_work(plan(request(**fine)), 1) > EXACT_LIMIT


def test_ten_million_trials_of_a_usual_project_are_within_the_limit() -> None:
    assert chosen(engine="monte_carlo", numberOfSimulations=10_000_000).work < EXACT_LIMIT


@pytest.mark.parametrize("engine", ["exact", "monte_carlo"])
@pytest.mark.parametrize("seed", [0, 7, MAX_SEED])
def test_seed_is_repeated_in_the_answer(engine: str, seed: int) -> None:
    assert answer(engine=engine, seed=seed).seed == seed


def test_missing_seed_follows_from_what_is_drawn() -> None:
    seed = chosen(tpSamples=[3, 4]).seed
    assert 0 <= seed <= MAX_SEED
    assert chosen(tpSamples=[4, 3], projectName="x", save=True, engine="monte_carlo").seed == seed
    assert chosen(tpSamples=[3, 5]).seed != seed
    assert chosen(tpSamples=[3, 4], numberOfSimulations=77).seed != seed


def test_seed_from_the_answer_gives_the_same_trials() -> None:
    first = answer(tpSamples=[3, 4, 9], engine="monte_carlo")
    again = answer(tpSamples=[3, 4, 9], engine="monte_carlo", seed=first.seed)
    assert again == first

"""Which kinds a stage offers, and what a declaration must not do."""

from __future__ import annotations

import pytest

from chalicelib import kinds
from chalicelib.errors import ConfigurationError
from tests.doubles import echo_kind


@pytest.mark.parametrize(
    ("stage", "names"),
    [("local", ["ping", "simulate", "slow"]), ("test", ["ping", "simulate", "slow"]), ("prod", ["ping", "simulate"])],
)
def test_stage_offers_its_kinds(stage: str, names: list[str]) -> None:
    assert [kind.name for kind in kinds.registry(stage)] == names


def test_two_kinds_that_claim_one_path_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="kinds echo and other both claim /api/async/echo"):
        kinds.build([echo_kind(), echo_kind(name="other", sync_path="")], "test")


def test_kind_on_a_queue_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"kind echo: queue must be one of .*, got nowhere"):
        kinds.build([echo_kind(queue="nowhere")], "test")


@pytest.mark.parametrize("name", ["ping", "simulate", "slow"])
def test_example_of_a_kind_passes_its_own_checks(name: str) -> None:
    kind = kinds.registry("local").get(name)
    assert kind is not None
    assert kind.check(kind.example) == []
    if kind.weigh:
        kind.weigh(kind.example, True)

"""Which kinds a stage offers, and what a declaration must not do."""

from __future__ import annotations

import pytest

from chalicelib import kinds
from chalicelib.errors import ConfigurationError
from chalicelib.jobs.kind import AnyKind
from tests.doubles import echo_kind


@pytest.mark.parametrize(("stage", "is_offered"), [("local", True), ("test", True), ("prod", False)])
def test_stage_offers_its_kinds(stage: str, is_offered: bool) -> None:
    registry = kinds.registry(stage)
    assert registry.get("simulate") is not None
    assert (registry.get("slow") is not None) == is_offered


def test_two_kinds_that_claim_one_path_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="kinds echo and other both claim /api/async/echo"):
        kinds.build([echo_kind(), echo_kind(name="other", sync_path="")], "test")


def test_kind_on_a_queue_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"kind echo: queue must be one of .*, got nowhere"):
        kinds.build([echo_kind(queue="nowhere")], "test")


@pytest.mark.parametrize("kind", list(kinds.registry("local")), ids=lambda kind: kind.name)
def test_example_of_a_kind_passes_its_own_checks(kind: AnyKind) -> None:
    assert kind.check(kind.example) == []
    if kind.weigh:
        kind.weigh(kind.example, True)

"""The guide to the forecast keeps up with what the answer holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib.sim.result import SimulateResult

GUIDE = (Path(__file__).parents[2] / "docs" / "forecasting.md").read_text()
# Names of levels are explained together.
LEVEL = re.compile(r"p\d+")


def fields_of(schema: Any) -> Iterator[str]:
    """Every field name in a JSON schema and in the parts that it refers to."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from fields_of(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from fields_of(part)


FIELDS = sorted({name for name in fields_of(msgspec.json.schema(SimulateResult)) if not LEVEL.fullmatch(name)})


def test_answer_has_fields_on_every_level() -> None:
    assert {"percentiles", "Likelihood", "never_done", "weighted_delay_days", "above_q3_fence"} <= set(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_guide_explains_every_field_of_the_answer(name: str) -> None:
    assert f"`{name}`" in GUIDE


@pytest.mark.parametrize("level", ["p5", "p10", "p25", "p50", "p75", "p85", "p90", "p95", "p99"])
def test_guide_names_every_level(level: str) -> None:
    assert re.search(rf"\b{level}\b", GUIDE)

"""docs/cost.md and docs/scaling.md show what their measurement gives at the prices of now."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from bench.cost_bill import read_prices
from bench.cost_report import Inputs, table
from bench.queueing_scale import limits_table

COST, SCALING = (Path(name).read_text("utf-8") for name in ("docs/cost.md", "docs/scaling.md"))
KEPT = Path("bench/data/cost.json")


def kept() -> Inputs:
    """What was measured, with the prices of now; the stage as it was then."""
    inputs = msgspec.json.decode(KEPT.read_bytes(), type=Inputs)
    return msgspec.structs.replace(inputs, prices=read_prices())


def test_the_tables_of_dollars_are_those_of_the_measurement_that_is_kept() -> None:
    assert table(kept()) in COST


def test_the_table_of_limits_is_that_of_the_same_measurement() -> None:
    assert limits_table(kept()) in SCALING


def test_the_pages_name_commands_and_files_that_are_there() -> None:
    modules = re.findall(r"python -m (bench(?:\.\w+)+)", COST + SCALING)
    files = re.findall(r"`((?:bench|infra|tests|docs|chalicelib)/[\w./-]+)`", COST + SCALING)
    assert {"bench.cost", "bench.queueing"} <= set(modules)
    assert [name for name in modules if not Path(*name.split(".")).with_suffix(".py").exists()] == []
    assert [name for name in files if not Path(name).exists()] == []

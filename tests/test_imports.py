"""What a cold start pays for: checked in a fresh interpreter, because this one has loaded everything."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("numpy", "psycopg2", "aws_xray_sdk", "jsonschema", "jwt", "argon2")


def modules_of(statement: str) -> set[str]:
    """The modules that a statement loads into a fresh interpreter."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    environ = {"STAGE": "local", "AWS_DEFAULT_REGION": "us-east-1"}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    return set(json.loads(told.stdout))


def loaded_by(statement: str) -> set[str]:
    """The top-level ones among them."""
    return {name.split(".")[0] for name in modules_of(statement)}


def test_app_loads_nothing_heavy() -> None:
    loaded = loaded_by("import app")
    assert {"app", "chalice", "msgspec"} <= loaded
    assert loaded & set(HEAVY) == set()


def test_kinds_can_be_declared_without_numpy() -> None:
    assert loaded_by("from chalicelib import kinds; kinds.registry('local')") & set(HEAVY) == set()


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import chalicelib.sim.forecast", "numpy"),
        ("import chalicelib.db.connect", "psycopg2"),
        ("import chalicelib.api.refusal", "jsonschema"),
        ("import chalicelib.accounts.tokens", "jwt"),
        ("import chalicelib.accounts.passwords", "argon2"),
    ],
)
def test_the_check_sees_what_is_heavy(statement: str, heavy: str) -> None:
    assert heavy in loaded_by(statement)


def test_metrics_are_loaded_with_the_logger_and_cost_nothing_more() -> None:
    assert "aws_lambda_powertools.metrics.metrics" in modules_of("from aws_lambda_powertools import Logger")

"""Active tracing: by configuration alone, in every function, and found from a log line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.telemetry import log
from tests.infra.test_dashboard import FUNCTIONS
from tests.lines import Reader

TRACE = "1-5759e988-bd862e3fe1be46a994272793"


def test_every_function_of_the_package_is_traced(tmp_path: Path) -> None:
    environ = os.environ | {"AWS_DEFAULT_REGION": "us-east-1"}
    subprocess.run([sys.executable, "-m", "localstack.bundle", Path.cwd(), tmp_path, "prod"], check=True, env=environ)
    template = json.loads((tmp_path / "sam.json").read_text("utf-8"))
    functions = [one for one in template["Resources"].values() if one["Type"] == "AWS::Serverless::Function"]
    assert [one["Properties"]["Tracing"] for one in functions] == ["Active"] * len(FUNCTIONS)


def test_log_line_names_the_trace_that_it_belongs_to(monkeypatch: pytest.MonkeyPatch, written: Reader) -> None:
    # As Lambda hands it to a function.
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1")
    log.info("job moved")
    (line,) = written()
    assert line["xray_trace_id"] == TRACE

"""The real local environment, started once for the tests that need it, and what the service writes."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from chalicelib.telemetry import log
from localstack.run import LocalStack, local_stack
from localstack.settings import Settings, named_postgres
from tests.lines import Reader, read_lines

# How quick a machine is, is no property of the code. CI looks at the same examples each time, so that a change is
# judged by what it changed; `make fuzz` looks for new ones.
settings.register_profile(
    "sluice", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.register_profile("fuzz", settings.get_profile("sluice"), derandomize=False, max_examples=5_000)
settings.load_profile("fuzz" if "FUZZ" in os.environ else "sluice")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Postgres, emulator, both CloudFormation stacks and the front door, on free ports and a folder of their own."""
    state = tmp_path_factory.mktemp("local")
    ours = Settings(root=ROOT, state=state, postgres=named_postgres(), keep_data=False, record_calls=True)
    with local_stack(ours) as running:
        yield running


class _StandardOutput(io.TextIOBase):
    """Standard output as it is at each write; the logger keeps it as it was when the logger was made."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Reader]:
    """Answers the lines that were written to standard output since it was last asked."""
    handler = log.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(_StandardOutput())
    yield lambda: read_lines(capsys.readouterr().out)
    handler.setStream(before)

"""The real local environment, started once for the tests that need it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localstack.run import LocalStack, local_stack
from localstack.settings import Settings

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Postgres, emulator, both CloudFormation stacks and the front door, on free ports and a folder of their own."""
    state = tmp_path_factory.mktemp("local")
    with local_stack(Settings(root=ROOT, state=state, keep_data=False)) as running:
        yield running

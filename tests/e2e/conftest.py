"""What is asked of the whole run comes after the rest of it, whatever the random order."""

from __future__ import annotations

from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_LAST = "test_privileges.py"
_left_out: list[pytest.Item] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path == _HERE / _LAST)


def pytest_deselected(items: list[pytest.Item]) -> None:
    _left_out.extend(item for item in items if item.path.parent == _HERE)


@pytest.fixture
def is_whole(request: pytest.FixtureRequest) -> bool:
    """Whether everything in this folder is run."""
    run = {item.path for item in request.session.items}
    in_part = _left_out or any("::" in argument for argument in request.config.args)
    return not in_part and set(_HERE.glob("test_*.py")) <= run

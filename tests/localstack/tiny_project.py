"""A project with the tiny app in it, and what launcher tests need to run it."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_SOURCE = Path(__file__).with_name("tiny")


def write_project(folder: Path) -> Path:
    """Lay the tiny app out as the launcher expects a project."""
    for source, place in (
        ("function.py", "app.py"),
        ("config.json", ".chalice/config.json"),
        ("stack.yaml", "infra/stack.yaml"),
    ):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_SOURCE / source, folder / place)
    (folder / "chalicelib").mkdir()
    return folder


def launcher_command(command: str, *options: str) -> list[str]:
    """The command line of the launcher under this interpreter."""
    return [sys.executable, "-m", "localstack", command, *options]


def launcher_environment(**changes: str) -> dict[str, str]:
    """This environment with the repository importable and nothing set that would steer the launcher."""
    steering = ("PORT", "DATABASE_URL")
    kept = {k: v for k, v in os.environ.items() if k not in steering and not k.startswith(("SLUICE_", "AWS_"))}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **changes}


def wait_for(condition: Callable[[], bool], what: str, *, timeout_s: float = 20.0) -> None:
    """Return once the condition holds; fail when it does not within the time."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"{what}: not within {timeout_s} s"
        time.sleep(0.02)

"""What Python reads before anything else in the functions of the fault tests' stack: some of their clocks are wrong.

A file in the folder CLOCKS, named after a function, holds the errors of its processes' clocks in seconds. Processes
that start while it is there take them in turn, each making a folder beside it that counts them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path


def _turn(file: Path) -> int:
    """How many processes have taken one before; making a folder is atomic."""
    for number in count():
        try:
            Path(f"{file}.{number}").mkdir()
        except FileExistsError:
            continue
        return number
    raise AssertionError("numbers do not end")


def _wrong_by(seconds: float, right: Callable[[], float]) -> Callable[[], float]:
    return lambda: right() + seconds


_file = Path(os.environ.get("CLOCKS", "/nowhere")) / os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "none")
if _file.exists():
    _errors_s = [float(word) for word in _file.read_text().split()]
    time.time = _wrong_by(_errors_s[_turn(_file) % len(_errors_s)], time.time)

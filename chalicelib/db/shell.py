"""What commands on databases say in a shell, where no line may show a password."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from chalicelib.db.takeover.address import hide


class Parser(argparse.ArgumentParser):
    """A parser whose errors may be shown: what it does not understand may be an address with a password."""

    def error(self, message: str) -> NoReturn:
        super().error(hide(message))


def say(line: str) -> None:
    """A line for whoever watches."""
    sys.stdout.write(f"{hide(line)}\n")


def end(line: str, code: int) -> int:
    """The last line, of what went wrong; answers the exit code."""
    sys.stdout.flush()
    sys.stderr.write(f"{hide(line)}\n")
    return code

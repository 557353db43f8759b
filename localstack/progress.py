"""Progress lines with the seconds since the start, so that a slow step is seen while it runs."""

import sys
import time
from typing import TextIO


class Progress:
    """Writes one line per finished step; a closed terminal never ends the work."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._began_s = time.monotonic()

    @classmethod
    def shown(cls) -> "Progress":
        """Progress on standard output."""
        return cls(sys.stdout)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began_s

    def step(self, text: str) -> None:
        """Show that a step is done."""
        self.line(f"[{self.elapsed_s:5.1f}s] {text}")

    def line(self, text: str = "") -> None:
        """Show a line as it is."""
        if self._stream is None:
            return
        try:
            print(text, file=self._stream, flush=True)
        except (OSError, ValueError):
            # the reader is gone (closed terminal, `| head`): the children must still be ended in order
            self._stream = None

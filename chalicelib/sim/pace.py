"""Turns finished cell updates into progress reports, about ten a second and never by a clock."""

from __future__ import annotations

from collections.abc import Callable

# Roughly 0.05 s of work; a report may raise to cancel, so this bounds how late a cancel is seen.
WORK_PER_REPORT = 2e7

Report = Callable[[float, str], None]


class Pace:
    """Counts work against an estimate and calls the report between slices.

    The fraction stays below 1, however wrong the estimate was. What the report raises is not caught.
    """

    def __init__(self, report: Report, estimated_work: float) -> None:
        self._report = report
        self._estimated = max(1.0, estimated_work)
        self._done = 0.0
        self._reported = 0.0
        self._stage = ""

    def enter(self, stage: str) -> None:
        """Starts a stage and reports it at once."""
        self._stage = stage
        self._send()

    def advance(self, work: float) -> None:
        """Adds finished cell updates; reports when enough have come together."""
        self._done += work
        if self._done - self._reported >= WORK_PER_REPORT:
            self._send()

    def _send(self) -> None:
        self._reported = self._done
        self._report(min(0.99, self._done / self._estimated), self._stage)

"""What the service writes to standard output: its log lines and its metric lines, as data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

# Any JSON object: a line's keys differ by what it tells.
Line = dict[str, Any]
Reader = Callable[[], list[Line]]


def read_lines(text: str) -> list[Line]:
    return [json.loads(line) for line in text.splitlines()]


def moves(lines: list[Line]) -> list[tuple[str, str, int]]:
    """The moves that were logged: name, the state it led to, the attempt."""
    return [(line["move"], line["state"], line["attempt"]) for line in lines if line.get("message") == "job moved"]


def metrics(lines: list[Line]) -> dict[str, list[float]]:
    """The values of each metric in the order in which they were written."""
    found: dict[str, list[float]] = {}
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            for metric in directive["Metrics"]:
                found.setdefault(metric["Name"], []).extend(line[metric["Name"]])
    return found

"""The functions: what each stands beside, which secrets it reads, and the table of them in docs/operations.md.

`python -m infra.functions` prints the table; a test holds the page against it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

CONFIG = Path(".chalice/config.json")
# The decorator of a queue's worker, down to the name of the function below it.
_MAPPED = re.compile(r"@app\.on_sqs_message\((?:(?!@app).)*?maximum_concurrency=(\d+).*?\)\ndef (\w+)", re.DOTALL)


class Place(NamedTuple):
    """Where a function stands."""

    # Role of the database that it logs in as, from within the network; empty: outside of it, without a database.
    database: str = ""
    # Whether it reads the secret that signs tokens and derives ids.
    token: bool = False


PLACES = {
    "api_handler": Place("api", token=True),
    "work_simulations": Place("worker"),
    "work_searches": Place("worker"),
    "work_events": Place("worker"),
    # Loads, exports and upkeep make tables and indexes.
    "work_batch": Place("owner", token=True),
    # Asks each five minutes whether there is anything to count.
    "sweep": Place("api", token=True),
    "migrate": Place("owner"),
    # These call the internet or the WebSocket API, to which the network has no way.
    "work_emails": Place(),
    "push_changes": Place(),
    "push_events": Place(),
    "greet_connections": Place(),
    "websocket_connect": Place(token=True),
    "websocket_message": Place(),
    "websocket_disconnect": Place(),
}


def deployed_name(stage: str, name: str) -> str:
    """A function's name on AWS: Chalice gives the one behind the REST API the app's own."""
    return f"sluice-{stage}" if name == "api_handler" else f"sluice-{stage}-{name}"


def read_config() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CONFIG.read_text("utf-8"))
    return found


def table() -> Iterator[str]:
    """The table as lines of Markdown."""
    config = read_config()
    limits = concurrency()
    yield "| function | memory MB | timeout s | at once | network | database role | policy |"
    yield "|---|---:|---:|---|---|---|---|"
    for name, place in PLACES.items():
        own = config["lambda_functions"][name]
        memory = own.get("lambda_memory_size", config["lambda_memory_size"])
        timeout = own.get("lambda_timeout", config["lambda_timeout"])
        where = "inside" if place.database else "outside"
        role = place.database or "-"
        yield f"| {name} | {memory} | {timeout} | {limits[name]} | {where} | {role} | {own['iam_policy_file']} |"


def concurrency() -> dict[str, str]:
    """How many of each run at the same time, in words where no number is set."""
    limits = dict.fromkeys(PLACES, "by demand")
    limits |= {"sweep": "1", "migrate": "1", "push_changes": "1 a shard", "greet_connections": "1 a shard"}
    return limits | {name: str(most) for name, most in mapped().items()}


def mapped() -> dict[str, int]:
    """MaximumConcurrency of each queue's worker, as app.py declares it."""
    # Of its text: the app itself can be imported for the process's own stage only.
    return {name: int(most) for most, name in _MAPPED.findall(Path("app.py").read_text("utf-8"))}


if __name__ == "__main__":
    print("\n".join(table()))

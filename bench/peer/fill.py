"""Fills the peer's Redis with tasks of events, as its API would put them there: `python -m bench.peer.fill FILE`.

Runs in the peer's own virtual environment. Each line of the file has the arguments of a task as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.peer.tasks import store_event


def main() -> None:
    with Path(sys.argv[1]).open() as lines:
        for line in lines:
            store_event.apply_async(json.loads(line))


if __name__ == "__main__":
    main()

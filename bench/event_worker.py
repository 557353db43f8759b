"""A process of the worker of events, as Lambda runs it: `python -m bench.event_worker FILE`.

The file has an invocation in each line, as JSON, which is what Lambda hands to a runtime. The app is imported and the
database connected before `ready` is written; a line on standard input starts the work. What the function itself writes
is thrown away, as it would go to CloudWatch.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import msgspec


class Worked(msgspec.Struct, frozen=True, kw_only=True):
    """What one process has done; its own CPU time, without that of Postgres."""

    invocations: int
    cpu_s: float


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    import app

    with app.RUNTIME.database.transaction() as cursor:
        cursor.execute("SELECT 1")
    print("ready", file=answers, flush=True)
    if not sys.stdin.readline():
        return
    began_s, count = time.process_time(), 0
    with Path(sys.argv[1]).open("rb") as lines:
        for line in lines:
            # It raises where a message has to come again, and then the messages of the whole run do not add up.
            app.work_events(json.loads(line), SimpleNamespace(aws_request_id=f"bench-{count}"))
            count += 1
    worked = Worked(invocations=count, cpu_s=round(time.process_time() - began_s, 2))
    print(msgspec.json.encode(worked).decode(), file=answers, flush=True)


if __name__ == "__main__":
    main()

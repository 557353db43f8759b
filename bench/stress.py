"""Many questions about contracts at once, watched as they are worked off.

`python -m bench.stress --type search|analytics|export --tasks 20` brings up a local stack of its own with generated
awards (`--rows`), or asks one that runs (`--url`). Each task asks something else, so that none is answered by another's
result; a few that are not counted come first, for functions that have never run are slow to start.
A line each second says how many were submitted, are completed, processing and queued; at the end figures as JSON on
stdout. The exit code is 1 unless every task was completed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from localstack.emulator import forget_aws_settings
from localstack.errors import Interrupted, LocalStackError
from localstack.progress import Progress
from localstack.run import local_stack
from localstack.settings import Settings
from localstack.supervise import interruptible

ROOT = Path(__file__).parents[1]
STATE = ROOT / ".local" / "bench" / "stress"
TASKS = "/api/v1/data-processing/tasks"
MOST_TASKS, WARM_UP_TASKS, DEADLINE_S, LOOK_S = 1_000, 8, 900.0, 1.0
_WORDS = ("supply", "road", "school", "repair", "office", "medical", "construction", "delivery", "materials", "bridge")
_PLACES = {
    "SUCCESS": "completed",
    "FAILURE": "failed",
    "REVOKED": "failed",
    "STARTED": "processing",
    "PROGRESS": "processing",
}


class Watched(msgspec.Struct, kw_only=True):
    """One task as it was seen last."""

    number: int
    submitted_s: float | None = None
    place: str = "queued"
    took_s: float | None = None
    reason: str = ""
    task_id: str = ""


def question(kind: str, number: int) -> dict[str, Any]:  # a JSON object
    """The body of that task; no two of one kind are alike."""
    word, low = _WORDS[number % len(_WORDS)], 1 + number
    filters: dict[str, Any] = {"keywords": [word], "value_range": {"min": low}}
    return {"filters": filters, "format": "jsonl", "gzip": True} if kind == "export" else {"filters": filters}


class Crowd:
    """All tasks of a run."""

    def __init__(self, url: str, kind: str, numbers: Sequence[int]) -> None:
        self._url, self._kind = url, kind
        self.tasks = [Watched(number=number) for number in numbers]
        self._began_s = time.perf_counter()

    async def run(self) -> None:
        """Submits all, and looks once a second at those that have not ended."""
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(self._url, timeout=timeout) as self._http:
            submits = asyncio.gather(*(self._submit(task) for task in self.tasks))
            while time.perf_counter() - self._began_s < DEADLINE_S:
                await asyncio.sleep(LOOK_S)
                await asyncio.gather(*(self._look(task) for task in self.tasks if _is_open(task)))
                print(self._line(), file=sys.stderr, flush=True)
                if submits.done() and all(task.place in ("completed", "failed") for task in self.tasks):
                    break
            await submits

    def report(self) -> dict[str, Any]:  # a JSON object
        """How it went."""
        submits = [task.submitted_s for task in self.tasks if task.submitted_s is not None]
        took = [task.took_s for task in self.tasks if task.took_s is not None and task.place == "completed"]
        return {
            "type": self._kind,
            "tasks": len(self.tasks),
            "completed": len(took),
            "wall_s": round(time.perf_counter() - self._began_s, 2),
            "submit_p50_s": _middle(submits),
            "result_p50_s": _middle(took),
            "result_longest_s": round(max(took), 2) if took else None,
            "failures": dict(Counter(task.reason for task in self.tasks if task.place == "failed")),
        }

    async def _submit(self, task: Watched) -> None:
        began_s = time.perf_counter()
        status, body = await self._call("POST", f"{TASKS}/{self._kind}/", question(self._kind, task.number))
        task.submitted_s = time.perf_counter() - began_s
        if status not in (200, 202):
            task.place, task.reason = "failed", f"submit answered {status}"
            return
        task.task_id = body["task_id"]
        if status == 200:
            self._end(task, "completed")

    async def _look(self, task: Watched) -> None:
        status, body = await self._call("GET", f"{TASKS}/status/?task_id={task.task_id}")
        if status != 200:
            self._end(task, "failed", f"status answered {status}")
            return
        place = _PLACES.get(body["state"], "queued")
        if place in ("completed", "failed"):
            self._end(task, place, str(body["error"] or body["state"]))
        task.place = place

    def _end(self, task: Watched, place: str, reason: str = "") -> None:
        task.place, task.reason = place, reason
        task.took_s = time.perf_counter() - self._began_s

    async def _call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        try:
            async with self._http.request(method, path, json=body) as answer:
                return answer.status, await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, {"error": type(error).__name__}

    def _line(self) -> str:
        places = Counter(task.place for task in self.tasks if task.submitted_s is not None)
        counts = [
            ("submitted", places.total()),
            *((name, places[name]) for name in ("completed", "processing", "queued")),
        ]
        failed = f"  failed {places['failed']}" if places["failed"] else ""
        told = "  ".join(f"{name} {count:>4}" for name, count in counts)
        return f"[{time.perf_counter() - self._began_s:>5.0f} s]  {told}{failed}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.stress", description=__doc__.partition("\n")[0])
    parser.add_argument("--type", choices=("search", "analytics", "export"), default="search", help="what is asked for")
    parser.add_argument("--tasks", type=int, default=20, help=f"how many, 1 to {MOST_TASKS}; 20 by default")
    parser.add_argument("--url", default="", help="a stack that runs and may be asked without an account")
    parser.add_argument("--rows", type=int, default=20_000, help="awards of the stack that is brought up")
    options = parser.parse_args(arguments)
    if not 1 <= options.tasks <= MOST_TASKS:
        parser.error(f"--tasks must be from 1 to {MOST_TASKS}, got {options.tasks}")
    try:
        with interruptible():
            report = _measure(options)
    except Interrupted as interrupted:
        return interrupted.exit_code
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(report, indent=1))
    return 0 if report["completed"] == report["tasks"] else 1


def _measure(options: argparse.Namespace) -> dict[str, Any]:  # a JSON object
    if options.url:
        return _ask(options.url, options)
    forget_aws_settings()
    STATE.mkdir(parents=True, exist_ok=True)
    settings = Settings(root=ROOT, state=STATE, keep_data=False)
    with local_stack(settings, Progress(sys.stderr)) as stack:
        _load(stack.database_url, options.rows)
        return _ask(stack.url, options)


def _load(dsn: str, rows: int) -> None:
    with tempfile.TemporaryDirectory(dir=STATE) as folder:
        file = Path(folder) / "awards.csv"
        for module in (
            ("bench.contract_rows", str(rows), str(file)),
            ("chalicelib.db.contracts.import_file", str(file)),
        ):
            environ = os.environ | {"DATABASE_URL": dsn}
            command = [sys.executable, "-m", *module]
            subprocess.run(command, check=True, cwd=ROOT, env=environ, stdout=sys.stderr)


def _ask(url: str, options: argparse.Namespace) -> dict[str, Any]:  # a JSON object
    asyncio.run(Crowd(url, options.type, range(MOST_TASKS, MOST_TASKS + WARM_UP_TASKS)).run())
    crowd = Crowd(url, options.type, range(options.tasks))
    asyncio.run(crowd.run())
    return crowd.report()


def _is_open(task: Watched) -> bool:
    return bool(task.task_id) and task.place in ("queued", "processing")


def _middle(values: Sequence[float]) -> float | None:
    return round(statistics.median(values), 3) if values else None


if __name__ == "__main__":
    sys.exit(main())

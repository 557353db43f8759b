"""What a client waits for on this machine's local environment: a submit, and a submit until its result is there.

Everything runs beside the client here (front door, emulator, Lambdas, DynamoDB), so the figures are a ceiling for our
own code and say nothing about AWS. A bare GET /api/health through the same gateway is measured in turns with them.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

from localstack.run import local_stack
from localstack.settings import Settings

ROUNDS = 100
POLL_S = 0.01
DEADLINE_S = 30
FORECAST = {"tpSamples": [5, 6, 7, 8, 5, 6, 4, 7, 9, 6, 8, 5], "numberOfTasks": 50, "totalContributors": 5}


def call(url: str, body: object = None) -> dict[str, object]:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"})) as answer:
        document: dict[str, object] = json.load(answer)
        return document


def round_trip_ms(url: str) -> tuple[float, float, float]:
    """Milliseconds of a health check, of a submit, and from before the submit until the result was read."""
    began = time.perf_counter()
    call(f"{url}/api/health")
    healthy = time.perf_counter()
    task = call(f"{url}/api/async/simulate", FORECAST)
    submitted = time.perf_counter()
    while call(f"{url}{task['poll_url']}")["state"] != "SUCCESS":
        if time.perf_counter() - submitted > DEADLINE_S:
            raise SystemExit(f"task {task['task_id']} did not succeed in {DEADLINE_S} s")
        time.sleep(POLL_S)
    done = time.perf_counter()
    return 1000 * (healthy - began), 1000 * (submitted - healthy), 1000 * (done - healthy)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(root=Path(__file__).parent.parent, state=Path(folder), keep_data=False)
        with local_stack(settings) as stack:
            round_trip_ms(stack.url)  # cold starts
            rounds = [round_trip_ms(stack.url) for _ in range(ROUNDS)]
    for name, values in zip(("health", "submit", "submit to result"), zip(*rounds, strict=True), strict=True):
        twentieths = statistics.quantiles(values, n=20)
        print(f"{name:17} p50 {twentieths[9]:6.1f} ms   p95 {twentieths[18]:6.1f} ms   ({ROUNDS} rounds)")
    health, submit, result = (statistics.median(values) for values in zip(*rounds, strict=True))
    print(f"submit is {submit / health:.1f} x, submit to result {result / health:.1f} x a health check")


if __name__ == "__main__":
    main()

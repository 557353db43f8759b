# mypy: disable-error-code="import-not-found, untyped-decorator"
# Celery is in the peer's own virtual environment only.
"""Celery side of the peer: a forecast by drawing week after week, trial after trial; and events, a row in each task."""

from __future__ import annotations

import hashlib
import json
import os
import random
from typing import Any

from celery import Celery

from bench.peer.database import transaction

_REDIS = os.environ["REDIS_URL"]

celery = Celery("peer", broker=f"{_REDIS}/0", backend=f"{_REDIS}/1")
celery.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    result_expires=3600,
    worker_prefetch_multiplier=4,
    broker_connection_retry_on_startup=True,
)


@celery.task(name="peer.simulate", bind=True)
def simulate(self: Any, request: dict[str, Any]) -> dict[str, object]:  # JSON objects
    """Weeks to finish the tasks times a drawn split rate when each week's throughput is drawn from the samples."""
    trials, tasks = request["numberOfSimulations"], request["numberOfTasks"]
    samples, split_rates = request["tpSamples"], request["splitRateSamples"]
    rng, weeks = random.Random(request["seed"]), []
    for trial in range(trials):
        left, count = tasks * rng.choice(split_rates), 0
        while left > 0:
            left -= rng.choice(samples)
            count += 1
        weeks.append(count)
        if trial % (trials // 10) == 0:
            self.update_state(state="PROGRESS", meta={"progress": 100 * trial // trials})
    weeks.sort()
    levels = {f"p{p}": weeks[trials * p // 100] for p in (5, 10, 25, 50, 75, 85, 90, 95, 99)}
    return {"mean_weeks": sum(weeks) / trials, "percentiles": levels}


@celery.task(name="peer.store_event")
def store_event(app: int, event_name: str, body: dict[str, Any], status: str, results: list[Any]) -> dict[str, object]:
    """One row, one commit. Errors are raised; the old system answered them as a result, and the event was gone."""
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO log_entries "
            "(app_id, event_name, payload, payload_hash, validation_status, validation_results) "
            "VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
            (app, event_name, json.dumps(body), _hash(body), status, json.dumps(results)),
        )
        ((number,),) = cursor.fetchall()
    return {"status": "success", "log_entry_id": number}


def _hash(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

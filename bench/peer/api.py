# mypy: disable-error-code="import-not-found, untyped-decorator"
# Flask is in the peer's own virtual environment only.
"""HTTP side of the peer: gunicorn bench.peer.api:app."""

from __future__ import annotations

from typing import Any

from flask import Flask, request

from bench.peer.database import transaction
from bench.peer.rules import Rule, judge
from bench.peer.tasks import celery, simulate, store_event

app = Flask(__name__)


@app.get("/api/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.post("/api/async/simulate")
def submit() -> tuple[dict[str, str], int]:
    job = simulate.delay(request.get_json())
    return {"task_id": job.id, "status": "PENDING", "poll_url": f"/api/tasks/{job.id}"}, 202


@app.get("/api/tasks/<task_id>")
def status(task_id: str) -> dict[str, Any]:  # a JSON object
    found = celery.backend.get_task_meta(task_id)  # one read, where AsyncResult makes one for each property
    state, result = found["status"], found["result"]
    body = {"task_id": task_id, "state": state}
    if state == "SUCCESS":
        body["result"] = result
    elif state == "PROGRESS":
        body["progress"] = result["progress"]
    elif state == "FAILURE":
        body["error"] = str(result)
    return body


@app.post("/api/logs/<app_id>")
def take_event(app_id: str) -> tuple[dict[str, Any], int]:
    """Judges the event by the rules that Postgres has of it now, and leaves the row to a task."""
    body = request.get_json()
    name = str(body["eventName"]).strip().lower()
    found = _rules(app_id, name)
    if found is None:
        return {"error": "App not found"}, 444
    number, rules = found
    status, results = judge(name, body, rules)
    job = store_event.delay(number, name, body, status, results)
    return {"event_name": name, "status": status, "task_id": job.id, "message": "Event queued for processing"}, 202


def _rules(app_id: str, event_name: str) -> tuple[int, list[Rule]] | None:
    """The app's number and its rules for the event; None if there is no such app."""
    with transaction() as cursor:
        cursor.execute("SELECT id FROM apps WHERE app_id = %s", (app_id,))
        apps = cursor.fetchall()
        if not apps:
            return None
        ((number,),) = apps
        cursor.execute(
            "SELECT field_name, data_type FROM validation_rules WHERE app_id = %s AND event_name = %s",
            (number, event_name),
        )
        return number, cursor.fetchall()

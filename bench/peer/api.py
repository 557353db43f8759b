# mypy: disable-error-code="import-not-found, untyped-decorator"
# Flask is in the peer's own virtual environment only.
"""HTTP side of the peer: gunicorn bench.peer.api:app."""

from __future__ import annotations

from typing import Any

from flask import Flask, request

from bench.peer.tasks import celery, simulate

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

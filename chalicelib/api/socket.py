"""The WebSocket edge: whoever holds a task's id can ask for its state over one connection."""

from __future__ import annotations

from typing import Literal

import msgspec

from chalicelib.api.tasks import progress_of
from chalicelib.runtime import Runtime


class SocketRequest(msgspec.Struct, frozen=True):
    """A text message from a client."""

    action: Literal["check_status"]
    task_id: str


def answer(runtime: Runtime, connection_id: str, text: str) -> None:
    """Answers one text message on the connection it came from."""
    runtime.sockets.send(connection_id, msgspec.json.encode(_reply(runtime, text)))


def _reply(runtime: Runtime, text: str) -> dict[str, object]:
    try:
        request = msgspec.json.decode(text, type=SocketRequest)
    except (msgspec.MsgspecError, RecursionError) as error:
        return {"type": "error", "message": f'send {{"action": "check_status", "task_id": "..."}}: {error}'}
    found = runtime.engine.store.find(request.task_id)
    if found is None or found.job.expires_s <= runtime.clock.now():
        return {"type": "error", "task_id": request.task_id, "message": f"there is no task {request.task_id[:100]}"}
    # The result is fetched over HTTP: it can be larger than a WebSocket message may be.
    return {"type": "task_status", "task_id": request.task_id, "data": progress_of(found.job)}

"""The WebSocket edge: connections, and what a client can ask for: tasks are watched here, rows of apps by rooms.py.

A connection cannot be sent anything while it is being opened, so its first message, and the state of the task or the
room of the app that its address named, are sent by `greet`, which the stream of the connections' table calls as soon as
one is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from chalicelib.api.auth import who
from chalicelib.api.http import Call
from chalicelib.api.notices import Connected, Failed, Notice, Subscribed, Unsubscribed, reached, status_of, visible
from chalicelib.api.rooms import ENDED, is_good, join, leave
from chalicelib.aws.subscriptions import KEEP_S, Connection
from chalicelib.errors import NotFound, SluiceError, Unauthenticated, Unavailable
from chalicelib.jobs.sharing import look
from chalicelib.jobs.store import Job
from chalicelib.runtime import Runtime
from chalicelib.telemetry import log

_USAGE = (
    'send {"action": "subscribe" | "unsubscribe" | "check_status", "task_id": "..."} '
    'or {"action": "join" | "leave", "app_id": "..."}'
)
_OF_ROOMS: Mapping[str, Callable[[Runtime, str, str], Notice]] = {"join": join, "leave": leave}
# A task moves about once a second; a job that moved each time between sending and looking again would be a defect.
_LOOKS = 5
# For a connection that is stored but not open yet; longer than API Gateway takes to open one.
_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8)


class SocketRequest(msgspec.Struct, frozen=True):
    """A text message from a client; its action says what else is in it."""

    action: Literal["subscribe", "unsubscribe", "check_status", "join", "leave"]


class TaskRequest(msgspec.Struct, frozen=True):
    """A message about a task."""

    task_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class RoomRequest(msgspec.Struct, frozen=True):
    """A message about an app's rows."""

    app_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


def open_connection(
    runtime: Runtime, connection_id: str, *, query: Mapping[str, str], headers: Mapping[str, str]
) -> int:
    """Stores a new connection; answers the handshake's HTTP status.

    Browsers cannot set headers here, so a token may stand in the address as `?token=`. Without credentials a
    connection sees public tasks only; with bad ones it is refused.
    """
    named = {name.lower(): value for name, value in headers.items()}
    if query.get("token"):
        named["authorization"] = f"Bearer {query['token']}"
    # Not GET: a page of another origin must not open a connection with the cookie of whoever looks at it.
    call = Call(runtime=runtime, method="CONNECT", path="/ws/", headers=named)
    try:
        caller = who(call, scope="jobs:read")
        runtime.subscriptions.connect(
            Connection(
                id=connection_id,
                expires_s=int(runtime.clock.now()) + KEEP_S,
                user_id=caller.user_id,
                asked=query.get("task_id", "")[:200],
                asked_app=query.get("app_id", "")[:200],
                key_id=caller.key_id,
                ends_s=caller.ends_s,
                epoch=caller.epoch,
                is_admin="admin" in caller.scopes,
            )
        )
    except SluiceError as error:
        log.info("connection refused", connection_id=connection_id, slug=error.slug)
        return error.status
    return 200


def greet(runtime: Runtime, connection_ids: Sequence[str]) -> None:
    """Sends new connections their first message and the state of the task that their address named.

    Those that cannot be reached within some seconds are forgotten: raising would hold up all that came after them.
    """
    waiting = list(connection_ids)
    for pause_s in _PAUSES_S:
        waiting = [connection_id for connection_id in waiting if not _greet(runtime, connection_id)]
        if not waiting:
            return
        runtime.clock.sleep(pause_s)
    for connection_id in waiting:
        log.info("connection not reached", connection_id=connection_id)
        runtime.subscriptions.disconnect(connection_id)


def answer(runtime: Runtime, connection_id: str, text: str) -> None:
    """Answers one text message on the connection it came from."""
    try:
        action = msgspec.json.decode(text, type=SocketRequest).action
        named: type[RoomRequest | TaskRequest] = RoomRequest if action in _OF_ROOMS else TaskRequest
        request = msgspec.json.decode(text, type=named)
    except (msgspec.MsgspecError, RecursionError) as error:
        send(runtime, connection_id, Failed(f"{_USAGE}: {error}"))
        return
    if isinstance(request, RoomRequest):
        _enter(_OF_ROOMS[action], runtime, connection_id, request.app_id)
    else:
        act = {"subscribe": _subscribe, "unsubscribe": _unsubscribe, "check_status": _show}[action]
        _try(act, runtime, connection_id, request.task_id)


def send(runtime: Runtime, connection_id: str, notice: Notice) -> bool:
    """Sends one message; False if the client is gone. Raises Unavailable."""
    return runtime.sockets.send(connection_id, msgspec.json.encode(notice))


def _greet(runtime: Runtime, connection_id: str) -> bool:
    """Whether nothing is left to be done."""
    try:
        connection = runtime.subscriptions.connection(connection_id)
        if connection is None or connection.greeted:
            return True
        if not send(runtime, connection_id, Connected()):
            return False
        if connection.asked:
            _try(_subscribe, runtime, connection_id, connection.asked)
        if connection.asked_app:
            _enter(join, runtime, connection_id, connection.asked_app)
        runtime.subscriptions.note_greeted(connection_id)
    except Unavailable as error:
        log.warning("greeting failed", connection_id=connection_id, error=error.detail)
        return False
    return True


def _try(act: Callable[[Runtime, str, str], None], runtime: Runtime, connection_id: str, task_id: str) -> None:
    try:
        act(runtime, connection_id, task_id)
    except SluiceError as error:
        send(runtime, connection_id, Failed(error.detail, task_id))


def _enter(act: Callable[[Runtime, str, str], Notice], runtime: Runtime, connection_id: str, app_id: str) -> None:
    try:
        notice = act(runtime, connection_id, app_id)
    except SluiceError as error:
        notice = Failed(error.detail, app_id=app_id)
    send(runtime, connection_id, notice)


def _subscribe(runtime: Runtime, connection_id: str, task_id: str) -> None:
    job = _look(runtime, connection_id, task_id)
    # Stored before the state is shown: what changes after it was read finds the subscription.
    runtime.subscriptions.subscribe(connection_id, task_id, reached(job), job_id=job.follows)
    send(runtime, connection_id, Subscribed(task_id))
    _show(runtime, connection_id, task_id)


def _unsubscribe(runtime: Runtime, connection_id: str, task_id: str) -> None:
    found = runtime.engine.store.find(task_id)
    runtime.subscriptions.unsubscribe(connection_id, task_id, job_id=found.job.follows if found else "")
    send(runtime, connection_id, Unsubscribed(task_id))


def _show(runtime: Runtime, connection_id: str, task_id: str) -> None:
    """Sends the state, and again if it has changed meanwhile, so that an old state never stands last: whatever
    changes after the last look is pushed after it."""
    shown = None
    for _ in range(_LOOKS):
        job = _look(runtime, connection_id, task_id)
        if visible(job) == shown:
            return
        send(runtime, connection_id, status_of(job))
        shown = visible(job)


def _look(runtime: Runtime, connection_id: str, task_id: str) -> Job:
    """The task; raises NotFound if it is not there, has expired or is somebody else's, and Unauthenticated."""
    found = look(runtime.engine, task_id)
    if found is None or found.job.expires_s <= runtime.clock.now():
        raise NotFound(f"there is no task {task_id[:100]}")
    if found.job.owner:
        connection = runtime.subscriptions.connection(connection_id)
        if connection is None or connection.user_id != found.job.owner:
            raise NotFound(f"there is no task {task_id[:100]}")
        if not is_good(runtime, connection):
            raise Unauthenticated(ENDED)
    return found.job

"""Sockets and subscriptions in memory: the twins of API Gateway and of the DynamoDB table."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.aws.subscriptions import LIMIT, ROOM_LIMIT, Connection, Member, Subscriber, refusal, room_refusal
from chalicelib.errors import Unavailable


class MemorySubscriptions:
    """Subscriptions in dictionaries; while it `is_away`, who watches an app cannot be told."""

    def __init__(self) -> None:
        self.is_away = False
        self.reads = 0  # of who watches an app
        self._members: dict[tuple[str, str], Member] = {}
        self._connections: dict[str, Connection] = {}
        # By job, then by connection and the task that follows the job, if one does.
        self._subscribers: dict[str, dict[tuple[str, str], Subscriber]] = {}

    def connect(self, connection: Connection) -> None:
        self._connections[connection.id] = connection

    def connection(self, connection_id: str) -> Connection | None:
        return self._connections.get(connection_id)

    def note_greeted(self, connection_id: str) -> None:
        known = self._connections.get(connection_id)
        if known is not None:
            self._connections[connection_id] = msgspec.structs.replace(known, greeted=True)

    def disconnect(self, connection_id: str) -> None:
        self._connections.pop(connection_id, None)
        for watching in self._subscribers.values():
            for key in [key for key in watching if key[0] == connection_id]:
                del watching[key]
        self._members = {key: one for key, one in self._members.items() if one.connection_id != connection_id}

    def subscribe(self, connection_id: str, task_id: str, since: int, *, job_id: str = "") -> None:
        is_known = connection_id in self._connections
        key, watching = (connection_id, task_id if job_id else ""), self._subscribers.setdefault(job_id or task_id, {})
        count = sum(key[0] == connection_id for others in self._subscribers.values() for key in others)
        if not is_known or (count >= LIMIT and key not in watching):
            raise refusal(is_known=is_known)
        watching.setdefault(key, Subscriber(connection_id=connection_id, task_id=key[1], since=since))

    def unsubscribe(self, connection_id: str, task_id: str, *, job_id: str = "") -> None:
        self._subscribers.get(job_id or task_id, {}).pop((connection_id, task_id if job_id else ""), None)

    def subscribers(self, job_id: str) -> list[Subscriber]:
        watching = self._subscribers.get(job_id, {})
        return [watching[key] for key in sorted(watching)]

    def note_sent(self, connection_id: str, task_id: str, sent: int, *, job_id: str = "") -> None:
        watching = self._subscribers.get(job_id or task_id, {})
        known = watching.get(key := (connection_id, task_id if job_id else ""))
        if known is not None:
            watching[key] = msgspec.structs.replace(known, sent=sent)

    def join(self, member: Member) -> None:
        key, is_known = (str(member.app), member.connection_id), member.connection_id in self._connections
        count = sum(one.connection_id == member.connection_id for one in self._members.values())
        if not is_known or (count >= ROOM_LIMIT and key not in self._members):
            raise room_refusal(is_known=is_known)
        self._members[key] = member

    def leave(self, connection_id: str, app: int) -> None:
        self._members.pop((str(app), connection_id), None)

    def members(self, app: int | None = None) -> list[Member]:
        self.reads += 1
        if self.is_away:
            raise Unavailable("the subscription store cannot be reached")
        return [self._members[key] for key in sorted(self._members) if app is None or key[0] == str(app)]


class MemorySockets:
    """What was sent to each connection; `closed` ones are gone, sending to `broken` ones fails."""

    def __init__(self) -> None:
        self.sent: dict[str, list[Any]] = {}  # decoded messages
        self.closed: set[str] = set()
        self.broken: set[str] = set()

    def send(self, connection_id: str, message: bytes) -> bool:
        if connection_id in self.broken:
            raise Unavailable("the WebSocket gateway cannot be reached")
        if connection_id in self.closed:
            return False
        self.sent.setdefault(connection_id, []).append(msgspec.json.decode(message))
        return True

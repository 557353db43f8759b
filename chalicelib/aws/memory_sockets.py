"""Sockets and subscriptions in memory: the twins of API Gateway and of the DynamoDB table."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.aws.subscriptions import LIMIT, Connection, Subscriber, refusal
from chalicelib.errors import Unavailable


class MemorySubscriptions:
    """Subscriptions in dictionaries."""

    def __init__(self) -> None:
        self._connections: dict[str, Connection] = {}
        self._subscribers: dict[str, dict[str, Subscriber]] = {}

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
            watching.pop(connection_id, None)

    def subscribe(self, connection_id: str, task_id: str, since: int) -> None:
        is_known = connection_id in self._connections
        watched = [task for task, watching in self._subscribers.items() if connection_id in watching]
        if not is_known or (len(watched) >= LIMIT and task_id not in watched):
            raise refusal(is_known=is_known)
        new = Subscriber(connection_id=connection_id, since=since)
        self._subscribers.setdefault(task_id, {}).setdefault(connection_id, new)

    def unsubscribe(self, connection_id: str, task_id: str) -> None:
        self._subscribers.get(task_id, {}).pop(connection_id, None)

    def subscribers(self, task_id: str) -> list[Subscriber]:
        return sorted(self._subscribers.get(task_id, {}).values(), key=lambda one: one.connection_id)

    def note_sent(self, connection_id: str, task_id: str, sent: int) -> None:
        known = self._subscribers.get(task_id, {}).get(connection_id)
        if known is not None:
            self._subscribers[task_id][connection_id] = msgspec.structs.replace(known, sent=sent)


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

"""Rows that were stored just now, to the connections that watch their app: each message once, or not at all.

This stands outside the VPC and so reaches the sockets. What failed is not sent again: rows are a hint, and the queue
forgets a message before it would come a second time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import msgspec

from chalicelib.api.notices import Left, ValidationUpdate
from chalicelib.api.rooms import ENDED, is_good
from chalicelib.aws.subscriptions import Member
from chalicelib.errors import Unavailable
from chalicelib.live import LiveMessage, LiveRow, LiveRows
from chalicelib.runtime import Runtime
from chalicelib.telemetry import Metric, log

# Connections that are sent to at once, so that a slow one does not hold up the others.
_LINES = 16
_REMOVED = "the app was removed"

_Fate = Literal["sent", "gone", "failed"]


class _Mail(msgspec.Struct, frozen=True):
    """What one member is sent, and whether it is the last."""

    member: Member
    message: bytes
    is_last: bool


def push_rows(runtime: Runtime, bodies: Sequence[str]) -> None:
    """Sends what these messages of the queue tell of to who watches; what fails is told in the log alone."""
    for body in bodies:
        try:
            message = msgspec.json.decode(body, type=LiveMessage)
        except (msgspec.MsgspecError, RecursionError) as error:
            log.error("unreadable rows", error=str(error))
            continue
        try:
            _push(runtime, _mail(runtime, message))
        except Unavailable as error:
            log.warning("rows not pushed", app=message.app, error=error.detail)


def _mail(runtime: Runtime, message: LiveMessage) -> list[_Mail]:
    members = runtime.subscriptions.members(message.app)
    if not members:
        return []
    app_id = members[0].app_id
    end = msgspec.json.encode(Left(app_id, ENDED if isinstance(message, LiveRows) else _REMOVED))
    if not isinstance(message, LiveRows):
        return [_Mail(member, end, True) for member in members]
    update = msgspec.json.encode(_update(app_id, message))
    good = {member.connection_id for member in members if is_good(runtime, member)}
    return [
        _Mail(member, update, False) if member.connection_id in good else _Mail(member, end, True) for member in members
    ]


def _update(app_id: str, message: LiveRows) -> ValidationUpdate:
    return ValidationUpdate(
        app_id=app_id,
        logs=tuple(_show(app_id, row) for row in message.rows),
        stored=message.stored,
        is_complete=len(message.rows) == message.stored,
    )


def _show(app_id: str, row: LiveRow) -> msgspec.Struct:
    # Loaded here: it brings the database's driver, which the API must not pay for at its start.
    from chalicelib.api.event_watch_logs import LoggedEvent
    from chalicelib.db.events.writer import moment

    return LoggedEvent(
        id=row.id,
        app_id=app_id,
        event_name=row.name,
        message_id=row.message_id,
        validation_status=row.status,
        is_user=row.is_user,
        rules_version=row.rules_version,
        created_at=moment(row.accepted_ms),
        payload=row.body,
        is_body_kept=row.is_body_kept,
        validation_results=row.results,
    )


def _push(runtime: Runtime, mail: Sequence[_Mail]) -> None:
    if not mail:
        return
    # Taken here: in the threads it could be built twice.
    sockets = runtime.sockets

    def send(one: _Mail) -> _Fate:
        try:
            return "sent" if sockets.send(one.member.connection_id, one.message) else "gone"
        except Unavailable:
            return "failed"

    with ThreadPoolExecutor(min(_LINES, len(mail))) as lines:
        fates = list(lines.map(send, mail))
    counts = Counter(fates)
    runtime.meter.record({Metric.PUSHED: counts["sent"], Metric.GONE: counts["gone"]})
    app = mail[0].member.app
    log.info("rows pushed", app=app, sent=counts["sent"], gone=counts["gone"], failed=counts["failed"])
    for one, fate in zip(mail, fates, strict=True):
        if fate == "gone" or one.is_last:
            _forget(runtime, one.member, is_gone=fate == "gone")


def _forget(runtime: Runtime, member: Member, *, is_gone: bool) -> None:
    """Removes who watches no more, with its connection where that is gone; the next push finds it if that fails."""
    try:
        runtime.subscriptions.leave(member.connection_id, member.app)
        if is_gone:
            # Not this alone: what was joined while its connection was being removed is in no connection's set.
            runtime.subscriptions.disconnect(member.connection_id)
    except Unavailable as error:
        log.warning("member not removed", connection_id=member.connection_id, error=error.detail)

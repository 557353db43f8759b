"""Rooms: an app's live rows, which its owner and admins may watch, as long as their connection's credential is good.

Whose an app is, is read where it was published, as by ingest: a message on a socket never waits for Postgres.
"""

from __future__ import annotations

from chalicelib.api.notices import Joined, Left
from chalicelib.aws.subscriptions import Connection, Member
from chalicelib.errors import NotFound, Unauthenticated
from chalicelib.runtime import Runtime

# What is said to a connection whose credential is good no more.
ENDED = "the token or API key of this connection has expired or was revoked; connect again with a new one"


def join(runtime: Runtime, connection_id: str, app_id: str) -> Joined:
    """Has the app's rows be sent to the connection; raises NotFound, Unauthenticated, Conflict or Unavailable.

    An app that is somebody else's is answered like one that is not there.
    """
    connection = runtime.subscriptions.connection(connection_id)
    if connection is None:
        raise NotFound("this connection is not known any more; connect again")
    if not connection.user_id:
        raise Unauthenticated("rows are shown to accounts only; connect with a token, an API key or the login's cookie")
    if 0 < connection.ends_s <= runtime.clock.now():
        raise Unauthenticated("the token or API key of this connection has expired; connect again with a new one")
    app = runtime.event_records.app(app_id)
    if app is None or not (connection.is_admin or (app.owner and str(app.owner) == connection.user_id)):
        raise NotFound(f"there is no app {app_id[:40]}")
    runtime.subscriptions.join(
        Member(
            connection_id=connection_id,
            app=app.id,
            app_id=app.app_id,
            user_id=connection.user_id,
            key_id=connection.key_id,
            epoch=connection.epoch,
            ends_s=connection.ends_s,
        )
    )
    return Joined(app.app_id)


def leave(runtime: Runtime, connection_id: str, app_id: str) -> Left:
    """Has no more rows of the app be sent to the connection, whether or not it had joined."""
    app = runtime.event_records.app(app_id)
    if app is not None:
        runtime.subscriptions.leave(connection_id, app.id)
    return Left(app_id)


def is_good(runtime: Runtime, member: Member | Connection) -> bool:
    """Whether the credential that it came with is still good, as a request would find; raises Unavailable."""
    now_s = runtime.clock.now()
    if 0 < member.ends_s <= now_s:
        return False
    if member.key_id:
        key = runtime.keys.find(member.key_id)
        return key is not None and not key.revoked_s
    return member.epoch >= runtime.epochs.of(member.user_id, now_s=now_s)

"""Publishing apps: what ingest knows of them, which never asks Postgres, where they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.aws.event_records import PublishedApp
from chalicelib.errors import Unavailable

if TYPE_CHECKING:
    from chalicelib.db.events.apps import App
    from chalicelib.runtime import Runtime


def publish(runtime: Runtime, app: App, rules: bytes | None = None) -> None:
    """Has ingest use this state of an app within seconds; `rules` are those of a version that is new.

    Raises Unavailable with the advice to do it again: what was changed is kept, and is published with the next change.
    """
    published = PublishedApp(
        id=app.id,
        app_id=app.app_id,
        owner=app.user_id,
        policy=app.policy,
        optional_absent_is_invalid=app.optional_absent_is_invalid,
        integer_for_float=app.integer_for_float,
        ingest_key_digest=app.ingest_key_digest,
        keep_bodies_per_minute=app.keep_bodies_per_minute,
        salt=app.salt,
        rules_version=app.rules_version,
        revision=app.revision,
    )
    try:
        if rules is not None:
            runtime.event_records.publish_sheet(app.id, app.rules_version, rules)
        runtime.event_records.publish(published)
    except Unavailable as error:
        raise _not_yet(app, error) from error


def withdraw(runtime: Runtime, app: App) -> None:
    """Has ingest take no more events of an app that was removed; raises Unavailable in the same way."""
    try:
        runtime.event_records.withdraw(app.app_id, app.revision, now_s=int(runtime.clock.now()))
    except Unavailable as error:
        raise _not_yet(app, error) from error


def _not_yet(app: App, error: Unavailable) -> Unavailable:
    detail = (
        f"app {app.app_id} was changed, but events are not taken by it yet ({error.detail}); send the request again"
    )
    return Unavailable(detail, retry_after_s=error.retry_after_s)

"""API keys: what a program sends instead of somebody's password. Shown once, listed without their secret, revocable."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.accounts.keys import PREFIX, ApiKey, digest, write_key
from chalicelib.api.auth import require_login
from chalicelib.api.body import read_body
from chalicelib.api.http import Answer, Call
from chalicelib.clock import rfc3339
from chalicelib.errors import Conflict, FieldError, Forbidden, InvalidRequest, NotFound
from chalicelib.model import Caller, Scope
from chalicelib.telemetry import log

# Per account: more are a sign of keys that nobody revokes, and a list of them is one answer without pages.
MAX_KEYS = 50
_DAY_S = 24 * 3600


class KeyRequest(msgspec.Struct, frozen=True):
    name: Annotated[
        str, msgspec.Meta(description="What the key is for, as its owner will know it.", min_length=1, max_length=100)
    ]
    scopes: Annotated[
        tuple[Scope, ...],
        msgspec.Meta(description="What the key is good for; admin is for admin accounts.", min_length=1, max_length=10),
    ]
    expires_in_days: (
        Annotated[int, msgspec.Meta(description="Days that the key is good for; for ever if null.", ge=1, le=3650)]
        | None
    ) = None


class KeyInfo(msgspec.Struct, frozen=True, kw_only=True):
    id: Annotated[str, msgspec.Meta(description="Names the key in DELETE /api/keys/{key_id}.")]
    prefix: Annotated[str, msgspec.Meta(description="How the key begins, to recognise it by.")]
    name: Annotated[str, msgspec.Meta(description="What the key is for.")]
    scopes: Annotated[tuple[Scope, ...], msgspec.Meta(description="What the key is good for.")]
    created_at: Annotated[str, msgspec.Meta(description="When it was made.")]
    last_used_at: Annotated[str | None, msgspec.Meta(description="When it was used last, to the hour; null if never.")]
    expires_at: Annotated[
        str | None,
        msgspec.Meta(description="When it ends: at the latest when the account's access did as of the login."),
    ]


class NewKey(KeyInfo, frozen=True, kw_only=True):
    key: Annotated[str, msgspec.Meta(description="The key itself. It is shown in this answer and never again.")]


class KeyList(msgspec.Struct, frozen=True):
    keys: Annotated[list[KeyInfo], msgspec.Meta(description="The caller's keys that are not revoked, newest first.")]
    limit: Annotated[int, msgspec.Meta(description="How many an account may have.")]


class RevokedKey(msgspec.Struct, frozen=True):
    message: Annotated[str, msgspec.Meta(description="What was done.")]
    id: Annotated[str, msgspec.Meta(description="The key's id.")]
    revoked_at: Annotated[str, msgspec.Meta(description="When it was revoked, the first time.")]


def create(call: Call) -> Answer:
    """POST /api/keys: 201 with the key, which nobody can be shown again."""
    caller = require_login(call)
    request, _ = read_body(call, KeyRequest)
    _check(caller, request)
    runtime = call.runtime
    if len(runtime.keys.of(caller.user_id)) >= MAX_KEYS:
        raise Conflict(f"an account has at most {MAX_KEYS} API keys, expired ones included; revoke one first")
    now_s = int(runtime.clock.now())
    secret = runtime.ids.secret()
    key = ApiKey(
        id=runtime.ids.key(),
        digest=digest(secret),
        name=request.name.strip(),
        owner=caller.user_id,
        role=caller.role,
        scopes=tuple(sorted(set(request.scopes))),
        created_s=now_s,
        expires_s=_end(caller, request, now_s),
    )
    runtime.keys.add(key)
    log.info("API key created", key_id=key.id, user_id=key.owner, scopes=key.scopes)
    body = NewKey(**msgspec.structs.asdict(_describe(key)), key=write_key(key.id, secret))
    return Answer(status=201, body=body, headers={"Cache-Control": "no-store"})


def list_own(call: Call) -> Answer:
    """GET /api/keys: the caller's keys, without what opens anything."""
    caller = require_login(call)
    keys = [_describe(key) for key in call.runtime.keys.of(caller.user_id)]
    return Answer(body=KeyList(keys, MAX_KEYS), headers={"Cache-Control": "no-store"})


def revoke(call: Call) -> Answer:
    """DELETE /api/keys/{key_id}: refused from the next request on; may be repeated."""
    caller = require_login(call)
    key_id = call.params["key_id"]
    runtime = call.runtime
    key = runtime.keys.revoke(key_id, owner=caller.user_id, at_s=int(runtime.clock.now()))
    if key is None:
        raise NotFound(f"there is no API key {key_id[:100]}")
    log.info("API key revoked", key_id=key.id, user_id=key.owner)
    return Answer(body=RevokedKey("The key is revoked", key.id, rfc3339(key.revoked_s)))


def _check(caller: Caller, request: KeyRequest) -> None:
    if not request.name.strip():
        raise InvalidRequest([FieldError("/name", "must not be blank")])
    lacking = sorted(set(request.scopes) - caller.scopes)
    if lacking:
        raise Forbidden(f"the scope {', '.join(lacking)} is not for accounts of the role {caller.role}")


def _end(caller: Caller, request: KeyRequest, now_s: int) -> int:
    """When the key ends; a key must not outlive its owner's access, which nobody would ask Postgres about."""
    asked = now_s + request.expires_in_days * _DAY_S if request.expires_in_days else 0
    return min((end for end in (asked, caller.access_ends_s) if end), default=0)


def _describe(key: ApiKey) -> KeyInfo:
    return KeyInfo(
        id=key.id,
        prefix=f"{PREFIX}{key.id}",
        name=key.name,
        scopes=key.scopes,
        created_at=rfc3339(key.created_s),
        last_used_at=rfc3339(key.last_used_s) if key.last_used_s else None,
        expires_at=rfc3339(key.expires_s) if key.expires_s else None,
    )

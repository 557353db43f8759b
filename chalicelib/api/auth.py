"""Who is calling: bearer token, cookie or API key; and how tokens end.

A credential costs one read of DynamoDB at most and never one of Postgres: a key its record, a token the user's epoch,
which a process remembers for a short time. A credential that cannot be checked is answered 503, never let through.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.accounts.epochs import REMEMBERED_S
from chalicelib.accounts.keys import PREFIX, USE_GRAIN_S, ApiKey, is_opened, read_key
from chalicelib.api.body import read_body
from chalicelib.api.http import Answer, Call
from chalicelib.clock import rfc3339
from chalicelib.errors import Forbidden, RequestError, SluiceError, Unauthenticated, Unavailable
from chalicelib.model import ANONYMOUS, Caller, Scope, scopes_of
from chalicelib.runtime import Runtime
from chalicelib.telemetry import log

COOKIE = "sluice_token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class LogoutResult(msgspec.Struct, frozen=True):
    message: Annotated[str, msgspec.Meta(description="What was done.")]
    effective_within_s: Annotated[int, msgspec.Meta(description="Seconds until it holds everywhere.")]


class NoFields(msgspec.Struct, frozen=True):
    """The body of a request that has nothing to say; it may be left out."""


def who(call: Call, *, scope: Scope | None = None) -> Caller:
    """The caller, ANONYMOUS without credentials.

    Raises Unauthenticated on bad credentials, Forbidden on a foreign Origin and on a credential without the scope:
    jobs:read for safe methods and jobs:write for others unless one is named, so that no route is open by omission.
    """
    caller = _identify(call)
    needed: Scope = scope or ("jobs:read" if call.method in _SAFE else "jobs:write")
    if caller.is_anonymous or needed in caller.scopes:
        return caller
    if caller.key_id:
        raise Forbidden(f"the API key lacks the scope {needed}; it has {', '.join(sorted(caller.scopes)) or 'none'}")
    raise Forbidden(f"the scope {needed} is not for accounts of the role {caller.role}")


def require(call: Call, *, public: bool = False, scope: Scope | None = None) -> Caller:
    """The caller of a route that is open to everybody (`public`) or to accounts only."""
    caller = who(call, scope=scope)
    if caller.is_anonymous and not public:
        raise Unauthenticated(
            "log in at POST /api/auth/login and send the token, or an API key, as Authorization: Bearer"
        )
    return caller


def require_login(call: Call) -> Caller:
    """The caller of a route on the account itself: a person's token, for a stolen key must not make more keys."""
    caller = _identify(call)
    if caller.key_id:
        raise Forbidden("an API key cannot do this; log in and send the token")
    if caller.is_anonymous:
        raise Unauthenticated("log in at POST /api/auth/login and send the token as Authorization: Bearer")
    return caller


def identified(call: Call) -> tuple[Call, Caller]:
    """The call, which is not looked at again for who makes it, and its caller: ANONYMOUS too on bad credentials.

    These are refused, if need be, by the route: some do not ask who is calling.
    """
    try:
        caller = _identify(call)
    except (RequestError, Unavailable) as refusal:
        return msgspec.structs.replace(call, caller=refusal), ANONYMOUS
    return msgspec.structs.replace(call, caller=caller), caller


def identify(runtime: Runtime, credential: str) -> Caller:
    """Whom a token or an API key speaks for; raises Unauthenticated, or Unavailable if it cannot be checked."""
    if credential.startswith(PREFIX):
        return _read_key(runtime, credential)
    return _read_token(runtime, credential)


def logout(call: Call) -> Answer:
    """POST /api/auth/logout: clears the cookie, also one that is good for nothing any more."""
    _refuse_fields(call)
    body = LogoutResult("The cookie is cleared", 0)
    return Answer(body=body, headers={"Cache-Control": "no-store"}, cookies=(write_cookie(call, COOKIE, "", 0),))


def logout_everywhere(call: Call) -> Answer:
    """POST /api/auth/logout-everywhere: revokes every token of the caller; API keys stay."""
    caller = require_login(call)
    _refuse_fields(call)
    runtime = call.runtime
    epoch = runtime.keys.raise_epoch(caller.user_id)
    runtime.epochs.remember(caller.user_id, epoch, now_s=runtime.clock.now())
    log.info("tokens revoked", user_id=caller.user_id, epoch=epoch)
    body = LogoutResult("All tokens of the account are revoked", REMEMBERED_S)
    return Answer(body=body, headers={"Cache-Control": "no-store"}, cookies=(write_cookie(call, COOKIE, "", 0),))


def read_cookie(call: Call, name: str) -> str:
    """The cookie's value; empty if there is none."""
    for part in call.headers.get("cookie", "").split(";"):
        found, _, value = part.strip().partition("=")
        if found == name:
            return value
    return ""


def write_cookie(call: Call, name: str, value: str, max_age_s: int) -> str:
    """A line that sets the cookie, for our own pages and out of their scripts' reach."""
    # Plain http is for the local environment; everywhere else the cookie must not travel unencrypted.
    secure = "" if call.runtime.settings.public_url.startswith("http://") else "; Secure"
    return f"{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}"


def _identify(call: Call) -> Caller:
    if isinstance(call.caller, SluiceError):
        raise call.caller
    if call.caller is not None:
        return call.caller
    scheme, _, credential = call.headers.get("authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer":
            raise Unauthenticated(f"the Authorization header must be a Bearer token, got {scheme[:20]}")
        return identify(call.runtime, credential.strip())
    key = call.headers.get("x-api-key", "").strip()
    if key:
        return _read_key(call.runtime, key)
    token = read_cookie(call, COOKIE)
    if not token:
        return ANONYMOUS
    check_origin(call)
    return _read_token(call.runtime, token)


def _read_token(runtime: Runtime, text: str) -> Caller:
    # PyJWT and what it loads are paid for by callers with a token only.
    from chalicelib.accounts.tokens import read_token

    secret = runtime.token_secret
    if not secret:
        raise Unauthenticated("tokens are not accepted here: TOKEN_SECRET is empty")
    now_s = runtime.clock.now()
    token = read_token(text, secret=secret, now_s=int(now_s))
    if token.epoch < runtime.epochs.of(token.caller.user_id, now_s=now_s):
        raise Unauthenticated("the token was revoked; log in again")
    return token.caller


def _read_key(runtime: Runtime, text: str) -> Caller:
    parts = read_key(text)
    key = runtime.keys.find(parts[0]) if parts else None
    if parts is None or key is None or not is_opened(key, parts[1]):
        raise Unauthenticated("the API key is not valid")
    now_s = int(runtime.clock.now())
    if key.revoked_s:
        raise Unauthenticated(f"the API key was revoked at {rfc3339(key.revoked_s)}")
    if key.is_expired(now_s):
        raise Unauthenticated(f"the API key expired at {rfc3339(key.expires_s)}")
    _record_use(runtime, key, now_s)
    return Caller(key.owner, key.role, frozenset(key.scopes) & scopes_of(key.role), key.id, ends_s=key.expires_s)


def _record_use(runtime: Runtime, key: ApiKey, now_s: int) -> None:
    if now_s - key.last_used_s < USE_GRAIN_S:
        return
    try:
        runtime.keys.touch(key.id, at_s=now_s)
    except Unavailable:
        # The key is good; when it was used last is not worth a refusal.
        log.warning("use of an API key was not recorded", key_id=key.id)


def check_origin(call: Call) -> None:
    """A cookie is honoured on unsafe methods, and set, for our own pages only; other clients send no Origin."""
    origin = call.headers.get("origin", "")
    ours = call.runtime.settings.public_url or f"https://{call.headers.get('host', '')}"
    if call.method not in _SAFE and origin and origin != ours:
        raise Forbidden(f"a cookie is accepted from {ours} only, got a request from {origin[:200]}")


def _refuse_fields(call: Call) -> None:
    if call.body.strip():
        read_body(call, NoFields)

"""Who is calling: bearer token or cookie; and the login that issues them."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

import msgspec

from chalicelib.api.body import read_body
from chalicelib.api.http import Answer, Call
from chalicelib.errors import Forbidden, Unauthenticated, Unavailable
from chalicelib.model import ANONYMOUS, Caller
from chalicelib.telemetry import log

COOKIE = "sluice_token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class LoginRequest(msgspec.Struct, frozen=True):
    email: Annotated[str, msgspec.Meta(description="The account's address; case does not matter.", max_length=200)]
    password: Annotated[str, msgspec.Meta(description="The account's password.", max_length=1000)]


class LoginResult(msgspec.Struct, frozen=True):
    token: Annotated[str, msgspec.Meta(description="Send it as `Authorization: Bearer <token>`.")]
    token_type: Annotated[str, msgspec.Meta(description="Always Bearer.")]
    expires_in: Annotated[int, msgspec.Meta(description="Seconds that the token is good for.")]
    user: Annotated[dict[str, str], msgspec.Meta(description="id, email, name and role of the account.")]


def who(call: Call) -> Caller:
    """The caller, ANONYMOUS without credentials; raises Unauthenticated on bad ones, Forbidden on a foreign Origin."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer":
            raise Unauthenticated(f"the Authorization header must be a Bearer token, got {scheme[:20]}")
        return _read(call, token.strip())
    token = _cookie(call)
    if not token:
        return ANONYMOUS
    _check_origin(call)
    return _read(call, token)


def require(call: Call, *, public: bool) -> Caller:
    """The caller of a route that is open to everybody (`public`) or to accounts only."""
    caller = who(call)
    if caller.is_anonymous and not public:
        raise Unauthenticated("log in at POST /api/auth/login and send the token as Authorization: Bearer")
    return caller


def login(call: Call) -> Answer:
    """POST /api/auth/login: a token for an address and a password."""
    from chalicelib.accounts import passwords, tokens

    runtime, settings = call.runtime, call.runtime.settings
    request, _ = read_body(call, LoginRequest)
    if not settings.token_secret:
        raise Unavailable("logins are not configured: TOKEN_SECRET is empty")
    account = runtime.accounts.find(request.email.strip())
    if not passwords.verify_password(account.password_hash if account else passwords.NOBODY, request.password):
        log.info("login refused", user_id=account.id if account else "")
        raise Unauthenticated("the e-mail address or the password is wrong")
    assert account is not None  # NOBODY verifies no password
    now = runtime.clock.utcnow()
    if not account.is_active:
        raise Forbidden("the account is not active")
    if account.access_expires_at <= now:
        raise Forbidden(f"the account's access ended on {account.access_expires_at.astimezone(UTC):%Y-%m-%d}")
    renewed = passwords.hash_password(request.password) if passwords.is_outdated(account.password_hash) else None
    runtime.accounts.record_login(account, at=now, password_hash=renewed)
    token = tokens.issue_token(
        Caller(account.id, account.role),
        secret=settings.token_secret,
        now_s=int(now.timestamp()),
        ttl_s=settings.token_ttl_s,
    )
    user = {"id": account.id, "email": account.email, "name": account.name, "role": account.role}
    body = LoginResult(token, "Bearer", settings.token_ttl_s, user)
    return Answer(body=body, headers={"Set-Cookie": _set_cookie(call, token), "Cache-Control": "no-store"})


def _read(call: Call, token: str) -> Caller:
    # PyJWT and what it loads are paid for by callers with a token only.
    from chalicelib.accounts.tokens import read_token

    secret = call.runtime.settings.token_secret
    if not secret:
        raise Unauthenticated("tokens are not accepted here: TOKEN_SECRET is empty")
    return read_token(token, secret=secret, now_s=int(call.runtime.clock.now()))


def _cookie(call: Call) -> str:
    for part in call.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def _check_origin(call: Call) -> None:
    """A cookie is honoured on unsafe methods from our own pages only; clients that are no browsers send no Origin."""
    origin = call.headers.get("origin", "")
    ours = call.runtime.settings.public_url or f"https://{call.headers.get('host', '')}"
    if call.method not in _SAFE and origin and origin != ours:
        raise Forbidden(f"a cookie is accepted from {ours} only, got a request from {origin[:200]}")


def _set_cookie(call: Call, token: str) -> str:
    settings = call.runtime.settings
    # Plain http is for the local environment; everywhere else the cookie must not travel unencrypted.
    secure = "" if settings.public_url.startswith("http://") else "; Secure"
    return f"{COOKIE}={token}; Path=/; Max-Age={settings.token_ttl_s}; HttpOnly; SameSite=Lax{secure}"

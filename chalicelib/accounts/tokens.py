"""Bearer tokens: JWTs signed with HMAC-SHA256, good for a stated time."""

from __future__ import annotations

import jwt

from chalicelib.errors import Unauthenticated
from chalicelib.model import Caller

ALGORITHM = "HS256"
ISSUER = "sluice"


def issue_token(caller: Caller, *, secret: str, now_s: int, ttl_s: int) -> str:
    """A token that speaks for the caller from `now_s` for `ttl_s` seconds."""
    claims = {"iss": ISSUER, "sub": caller.user_id, "role": caller.role, "iat": now_s, "exp": now_s + ttl_s}
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def read_token(token: str, *, secret: str, now_s: int) -> Caller:
    """Whom a token speaks for; raises Unauthenticated if it is forged, foreign or expired."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            # The clock is ours, so the times are compared here and not by the library.
            options={"require": ["sub", "exp"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        raise Unauthenticated("the token is not valid") from None
    if not isinstance(claims["exp"], int) or claims["exp"] <= now_s:
        raise Unauthenticated("the token has expired; log in again")
    return Caller(user_id=str(claims["sub"]), role=str(claims.get("role", "")))

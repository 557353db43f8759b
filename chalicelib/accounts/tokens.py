"""Bearer tokens: JWTs signed with HMAC-SHA256, good for a stated time."""

from __future__ import annotations

import jwt
import msgspec

from chalicelib.errors import Unauthenticated
from chalicelib.model import Caller, scopes_of

ALGORITHM = "HS256"
ISSUER = "sluice"


class Token(msgspec.Struct, frozen=True):
    """What a token says: whom it speaks for, and the user's epoch when it was issued."""

    caller: Caller
    epoch: int


def issue_token(caller: Caller, *, secret: str, now_s: int, ttl_s: int, epoch: int = 0) -> str:
    """A token that speaks for the caller from `now_s` for `ttl_s` seconds, unless the user's epoch is raised."""
    claims = {"iss": ISSUER, "sub": caller.user_id, "role": caller.role, "iat": now_s, "exp": now_s + ttl_s}
    claims |= {"epoch": epoch, "access_ends": caller.access_ends_s}
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def read_token(token: str, *, secret: str, now_s: int) -> Token:
    """What a token says; raises Unauthenticated if it is forged, foreign or expired. Its epoch is left to check."""
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
    role = str(claims.get("role", ""))
    caller = Caller(
        user_id=str(claims["sub"]),
        role=role,
        scopes=scopes_of(role),
        access_ends_s=int(claims.get("access_ends", 0)),
        ends_s=claims["exp"],
        # Tokens from before there were epochs have none and are of the first.
        epoch=int(claims.get("epoch", 0)),
    )
    return Token(caller, caller.epoch)

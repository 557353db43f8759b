"""Plain types that several layers speak of."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

# What a credential is good for. The set is closed: a new one is a new line in the docs of API keys.
Scope = Literal["jobs:read", "jobs:write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

ADMIN_ROLE = "admin"


class Caller(msgspec.Struct, frozen=True):
    """Who asks: a user's id and role, or nobody (`user_id` empty) on routes that allow it."""

    user_id: str = ""
    role: str = ""
    # What the caller's credential is good for; a token has all that its role may have.
    scopes: frozenset[Scope] = frozenset()
    # Of the API key that was sent; empty for tokens.
    key_id: str = ""
    # When the account's access ends, in seconds since the epoch; 0 if the credential does not say. An API key outlives
    # logins, so it must know.
    access_ends_s: int = 0
    # When the credential itself ends, in the same terms; 0: not by itself.
    ends_s: int = 0
    # Of the user when the token was issued: a higher one revokes it. API keys are revoked by themselves.
    epoch: int = 0

    @property
    def is_anonymous(self) -> bool:
        return not self.user_id


ANONYMOUS = Caller()


def scopes_of(role: str) -> frozenset[Scope]:
    """All scopes that an account of the role may have."""
    return frozenset(scope for scope in SCOPES if scope != "admin" or role == ADMIN_ROLE)

"""The routes of accounts: sign-up, logins, forgotten passwords, API keys; and what the local stage alone shows."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.accounts.epochs import REMEMBERED_S
from chalicelib.api import auth, keys
from chalicelib.api.resources import resource_routes
from chalicelib.api.route import BODY, CALLER, Access, Doc, Param, Reply, Route
from chalicelib.errors import Conflict, NotFound, Unavailable

_KEY_ID = Param(name="key_id", where="path", summary="The id of the key, which its text has behind `slk_`.")
# The names of the old service lead to the same.
_LOGINS = (
    ("POST", "/api/auth/register", "sign_up", "register"),
    ("POST", "/auth/api/register", "sign_up", "old_register"),
    ("POST", "/api/auth/verify", "sign_up", "verify"),
    ("POST", "/auth/api/verify-otp", "sign_up", "old_verify"),
    ("GET", "/api/auth/session", "session", "show"),
    ("POST", "/api/auth/login", "login", "login"),
    ("POST", "/auth/api/login", "login", "old_login"),
    ("POST", "/api/auth/forgot", "password_reset", "forgot"),
    ("POST", "/auth/api/forgot-password", "password_reset", "old_forgot"),
    ("POST", "/api/auth/reset", "password_reset", "reset"),
    ("POST", "/auth/api/reset-password", "password_reset", "old_reset"),
)
_LOCAL = (
    ("GET", "/dev/mail", "kept_mail", "show"),
    ("GET", "/dev/metrics", "kept_metrics", "show"),
)
_CLEARED = {"Set-Cookie": "Clears the cookie of the login."}


def account_routes() -> Iterator[Route]:
    """Sign up, log in and out, get a new password."""
    yield from resource_routes(_LOGINS)
    yield Route(
        "/api/auth/logout",
        "POST",
        auth.logout,
        lambda: Doc(
            name="logout",
            group="Accounts",
            summary="Clear the cookie of a login",
            details="The token itself stays good until it expires; `/api/auth/logout-everywhere` revokes it.",
            access=Access.OPEN,
            replies={200: Reply(summary="Cleared", body=auth.LogoutResult, headers=_CLEARED)},
            refusals=BODY,
        ),
    )
    yield Route(
        "/api/auth/logout-everywhere",
        "POST",
        auth.logout_everywhere,
        lambda: Doc(
            name="logout_everywhere",
            group="Accounts",
            summary="Revoke every token of the account",
            details=f"All tokens that were issued so far are refused with 401 within {REMEMBERED_S} s; a new login "
            "works at once. API keys are not touched.",
            access=Access.LOGIN,
            replies={200: Reply(summary="Revoked", body=auth.LogoutResult, headers=_CLEARED)},
            refusals=(*BODY, *CALLER, Unavailable),
        ),
    )


def local_routes(stage: str) -> Iterator[Route]:
    """The mail and the metrics that the emulator keeps: of the local stage, and of no other."""
    if stage == "local":
        yield from resource_routes(_LOCAL)


def key_routes() -> Iterator[Route]:
    """API keys."""
    yield Route(
        "/api/keys",
        "POST",
        keys.create,
        lambda: Doc(
            name="create_key",
            group="Accounts",
            summary="Make an API key",
            details="For programs: `Authorization: Bearer slk_...` or `X-API-Key: slk_...`. The key is in this answer "
            "and never shown again. It acts as the account with the role of this login, within its scopes: jobs:read "
            f"for GET, jobs:write for other methods. An account has at most {keys.MAX_KEYS}.",
            access=Access.LOGIN,
            request=keys.KeyRequest,
            example=keys.KeyRequest(name="nightly forecast", scopes=("jobs:read", "jobs:write"), expires_in_days=90),
            replies={201: Reply(summary="The key, shown once", body=keys.NewKey)},
            refusals=(*BODY, *CALLER, Conflict, Unavailable),
        ),
    )
    yield Route(
        "/api/keys",
        "GET",
        keys.list_own,
        lambda: Doc(
            name="list_keys",
            group="Accounts",
            summary="The account's API keys, without their secrets",
            details="What was made or revoked in the last moment may be late.",
            access=Access.LOGIN,
            replies={200: Reply(summary="The keys, newest first", body=keys.KeyList)},
            refusals=(*CALLER, Unavailable),
        ),
    )
    yield Route(
        "/api/keys/{key_id}",
        "DELETE",
        keys.revoke,
        lambda: Doc(
            name="revoke_key",
            group="Accounts",
            summary="Revoke an API key",
            details="It is refused from the next request on. May be repeated.",
            access=Access.LOGIN,
            params=(_KEY_ID,),
            replies={200: Reply(summary="Revoked", body=keys.RevokedKey)},
            refusals=(*CALLER, NotFound, Unavailable),
        ),
    )

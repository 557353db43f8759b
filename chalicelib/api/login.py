"""The login: a token for an address and a password, and a slower answer to those who guess."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct

from chalicelib.accounts import pace
from chalicelib.accounts.addresses import network_of
from chalicelib.accounts.devices import read_device, write_device
from chalicelib.api.account_answers import (
    Email,
    Ignored,
    Said,
    Success,
    User,
    read_account_body,
    show,
    telling,
    under_both_names,
)
from chalicelib.api.auth import COOKIE, check_origin, read_cookie, write_cookie
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import BODY, CALLER, Access, Doc, Reply
from chalicelib.db.accounts import Account
from chalicelib.errors import Forbidden, TooManyRequests, Unauthenticated, Unavailable
from chalicelib.model import Caller
from chalicelib.runtime import Runtime
from chalicelib.telemetry import log

DEVICE_COOKIE = "sluice_device"
_DEVICE_S = 365 * 24 * 3600


class LoginRequest(Struct, frozen=True):
    email: Email
    password: Annotated[str, Meta(description="The account's password.", max_length=1000)]


class LoginResult(Struct, frozen=True, kw_only=True):
    success: Success = True
    message: Said = "Logged in"
    token: Annotated[str, Meta(description="Send it as `Authorization: Bearer <token>`.")]
    token_type: Annotated[str, Meta(description="Always Bearer.")] = "Bearer"  # noqa: S105
    expires_in: Annotated[int, Meta(description="Seconds that the token is good for.")]
    user: User
    warnings: Ignored = UNSET


@telling
def login(call: Call) -> Answer:
    """POST /api/auth/login: a token for an address and a password."""
    runtime, settings = call.runtime, call.runtime.settings
    # A page of another site must not log its visitor in as somebody else.
    check_origin(call)
    request, warnings = read_account_body(call, LoginRequest)
    if not runtime.token_secret:
        raise Unavailable("logins are not configured: TOKEN_SECRET is empty")
    address, now = request.email.strip().lower(), runtime.clock.utcnow()
    device_id = read_device(runtime.token_secret, address, read_cookie(call, DEVICE_COOKIE))
    of_caller, of_network = _counted(call, address, device_id)
    runtime.tries.charge([*of_caller, *of_network], now=now)
    try:
        account, token = _admit(runtime, address, request.password, now)
    except Unavailable:
        # Nothing was learned of the password.
        runtime.tries.settle(refund=[*of_caller, *of_network], now=now)
        raise
    runtime.tries.settle(forget=of_caller, refund=of_network, now=now)
    body = LoginResult(token=token, expires_in=settings.token_ttl_s, user=show(account), warnings=warnings)
    device = write_device(runtime.token_secret, address, device_id or runtime.ids.key())
    cookies = (
        write_cookie(call, COOKIE, token, settings.token_ttl_s),
        write_cookie(call, DEVICE_COOKIE, device, _DEVICE_S),
    )
    return Answer(body=body, cookies=cookies)


old_login = login


def _counted(call: Call, address: str, device_id: str) -> tuple[list[pace.Tries], list[pace.Tries]]:
    """The tries of the caller at this address, and those of its network at all; a known device has its own alone."""
    secret, network = call.runtime.token_secret, network_of(call.client)
    if device_id:
        return [pace.tries_of(secret, pace.PASSWORDS, address, "device", device_id)], []
    of_network = pace.tries_of(secret, pace.NETWORK, network)
    return [pace.tries_of(secret, pace.PASSWORDS, address, "network", network)], [of_network]


def _admit(runtime: Runtime, address: str, password: str, now: datetime) -> tuple[Account, str]:
    """The account and a token for it; raises Unauthenticated, Forbidden."""
    from chalicelib.accounts import passwords

    # Twice at most: another login may make the hash anew between the look and the note of this one.
    for _ in range(2):
        account = _check(runtime, address, password, now)
        # Read before the login is noted: whoever resets the password after that raises it, and ends this token.
        epoch = runtime.keys.epoch_of(account.id)
        renewed = passwords.hash_password(password) if passwords.is_outdated(account.password_hash) else None
        if runtime.accounts.record_login(account, at=now, renewed=renewed):
            return account, _token(runtime, account, epoch, now)
    raise _wrong()


def _check(runtime: Runtime, address: str, password: str, now: datetime) -> Account:
    """The account of the address, if the password is its own and it may log in."""
    from chalicelib.accounts import passwords

    # Postgres knows no NUL.
    account = None if "\0" in address else runtime.accounts.find(address)
    if account is not None and account.email != address:
        # Postgres takes more letters for one than Python does; each spelling would be counted by itself.
        account = None
    if not passwords.verify_password(account.password_hash if account else passwords.NOBODY, password):
        log.info("login refused", user_id=account.id if account else "")
        raise _wrong()
    assert account is not None  # NOBODY verifies no password
    if not account.is_active:
        raise Forbidden("the account is not active")
    if account.access_expires_at <= now:
        raise Forbidden(f"the account's access ended on {account.access_expires_at.astimezone(UTC):%Y-%m-%d}")
    return account


def _token(runtime: Runtime, account: Account, epoch: int, now: datetime) -> str:
    from chalicelib.accounts.tokens import issue_token

    settings = runtime.settings
    return issue_token(
        Caller(account.id, account.role, access_ends_s=int(account.access_expires_at.timestamp())),
        secret=runtime.token_secret,
        now_s=int(now.timestamp()),
        ttl_s=settings.token_ttl_s,
        epoch=epoch,
    )


def _wrong() -> Unauthenticated:
    return Unauthenticated("the e-mail address or the password is wrong")


DOCS: Mapping[str, Doc] = under_both_names(
    "login",
    Doc(
        name="login",
        group="Accounts",
        summary="A token for an address and a password",
        details=f"After {pace.PASSWORDS.free} wrong passwords from one network at one account each further one has to "
        f"wait, twice as long each time and at most {pace.PASSWORDS.longest_s // 60} minutes. Other networks, and "
        f"browsers that have logged in before (by the cookie `{DEVICE_COOKIE}`), are not slowed down by them.",
        access=Access.OPEN,
        request=LoginRequest,
        example=LoginRequest(email="someone@example.com", password="a long password"),  # noqa: S106
        replies={
            200: Reply(
                summary="Logged in",
                body=LoginResult,
                headers={"Set-Cookie": "The same token for browsers, HttpOnly; and one by which the browser is known."},
            )
        },
        refusals=(*BODY, *CALLER, TooManyRequests, Unavailable),
    ),
    "/api/auth/login",
)

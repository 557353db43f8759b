"""Signing up: an address is mailed a code, and with the code and a password it becomes an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import UNSET, Meta, Struct

from chalicelib.accounts import letters
from chalicelib.accounts.addresses import read_address
from chalicelib.accounts.codes import LIFE_S, MOST_TRIES, PAUSE_S
from chalicelib.api.account_answers import (
    Again,
    Code,
    Email,
    Ignored,
    Password,
    Said,
    Success,
    User,
    find_address_faults,
    find_password_faults,
    read_account_body,
    refuse,
    show,
    telling,
    under_both_names,
)
from chalicelib.api.codes import find_code_faults, mail_code, prove, redeeming, wrong_code
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import BODY, Access, Doc, Reply
from chalicelib.db.accounts import Account
from chalicelib.errors import FieldError, TooManyRequests, Unavailable
from chalicelib.kinds.account_mail import mail_of, post
from chalicelib.telemetry import log

Name = Annotated[str, Meta(max_length=200)]


class RegisterRequest(Struct, frozen=True, kw_only=True):
    """An address that wants an account."""

    email: Email


class RegisterResult(Struct, frozen=True, kw_only=True):
    """A mail is on its way."""

    success: Success = True
    message: Said
    email: Annotated[str, Meta(description="The address that it goes to.")]
    warnings: Ignored = UNSET


class VerifyRequest(Struct, frozen=True, kw_only=True):
    """The code of the mail, and the password that the account is to have."""

    email: Email
    otp: Code
    password: Password
    password_confirm: Again
    username: Annotated[
        Name | None, Meta(description="The account's name; the part of the address before the @ if left out.")
    ] = None


class VerifyResult(Struct, frozen=True, kw_only=True):
    """The account is there."""

    success: Success = True
    message: Said
    user: User
    warnings: Ignored = UNSET


@telling
def register(call: Call) -> Answer:
    """POST /api/auth/register: mails a code, or to an account that it is one already."""
    request, warnings = read_account_body(call, RegisterRequest)
    refuse(find_address_faults(request.email))
    address = read_address(request.email) or ""
    mail_code(call, "sign_up", address, write=letters.code_to_sign_up, otherwise=letters.account_exists)
    return Answer(body=RegisterResult(message="A code was mailed to the address", email=address, warnings=warnings))


@telling
def verify(call: Call) -> Answer:
    """POST /api/auth/verify: makes the account."""
    from chalicelib.accounts.passwords import hash_password

    request, warnings = read_account_body(call, VerifyRequest)
    address, name = read_address(request.email) or "", _name(request)
    refuse(
        [
            *find_address_faults(request.email),
            *find_code_faults(request.otp),
            *find_password_faults(request.password, request.password_confirm),
            *([] if name.isprintable() else [FieldError("/username", "must be one line of printable characters")]),
        ]
    )
    code = prove(call, "sign_up", address, request.otp)

    def hand_on(account: Account) -> None:
        post(call.runtime, mail_of(letters.welcome(account.name), address), key=code.digest)

    password_hash = hash_password(request.password)
    with redeeming(call, code):
        account = call.runtime.one_time_codes.open_account(
            code, name=name, password_hash=password_hash, hand_on=hand_on
        )
        if account is None:
            raise wrong_code()
    log.info("account opened", user_id=account.id)
    return Answer(body=VerifyResult(message="The account is ready; log in", user=show(account), warnings=warnings))


old_register, old_verify = register, verify


def _name(request: VerifyRequest) -> str:
    return (request.username or "").strip() or request.email.strip().lower().partition("@")[0]


_MAILED = (
    f"The code is good for {LIFE_S // 60} minutes, once and for {MOST_TRIES} tries; a newer one takes its place. A "
    f"mail goes to one address at most each {PAUSE_S} s."
)
_EXAMPLE = VerifyRequest(
    email="ann@example.org",
    otp="123456",
    password="A-long-passw0rd!",  # noqa: S106 - an example
    password_confirm="A-long-passw0rd!",  # noqa: S106 - an example
    username="Ann",
)

DOCS: Mapping[str, Doc] = {
    **under_both_names(
        "register",
        Doc(
            name="register",
            group="Accounts",
            summary="Ask for an account: a code goes by mail",
            details="The answer is the same for an address that has an account; its mail says so instead. " + _MAILED,
            access=Access.OPEN,
            request=RegisterRequest,
            example=RegisterRequest(email="ann@example.org"),
            replies={200: Reply(summary="The mail is queued", body=RegisterResult)},
            refusals=(*BODY, TooManyRequests, Unavailable),
        ),
        "/api/auth/register",
    ),
    **under_both_names(
        "verify",
        Doc(
            name="verify_code",
            group="Accounts",
            summary="Make the account, with the code of the mail",
            details="All that is wrong with the password is said at once. Every code that opens nothing is answered "
            "the same: wrong, used, expired, tried too often, or for an address that has none.",
            access=Access.OPEN,
            request=VerifyRequest,
            example=_EXAMPLE,
            replies={200: Reply(summary="The account", body=VerifyResult)},
            refusals=(*BODY, TooManyRequests, Unavailable),
        ),
        "/api/auth/verify",
    ),
}

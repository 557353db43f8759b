"""Forgotten passwords: an account is mailed a code, and with the code it gets a new password."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from chalicelib.accounts import letters
from chalicelib.accounts.addresses import read_address
from chalicelib.accounts.epochs import REMEMBERED_S
from chalicelib.api.account_answers import (
    Again,
    Code,
    Done,
    Email,
    Password,
    find_address_faults,
    find_password_faults,
    read_account_body,
    refuse,
    telling,
    under_both_names,
)
from chalicelib.api.codes import find_code_faults, mail_code, prove, redeeming, wrong_code
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import BODY, Access, Doc, Reply
from chalicelib.db.accounts import Account
from chalicelib.errors import TooManyRequests, Unavailable
from chalicelib.kinds.account_mail import mail_of, post
from chalicelib.telemetry import log


class ForgotRequest(Struct, frozen=True, kw_only=True):
    """An account whose password is forgotten."""

    email: Email


class ResetRequest(Struct, frozen=True, kw_only=True):
    """The code of the mail, and the new password."""

    email: Email
    otp: Code
    password: Password
    password_confirm: Again


@telling
def forgot(call: Call) -> Answer:
    """POST /api/auth/forgot: mails a code, or to an address without an account that it has none."""
    request, warnings = read_account_body(call, ForgotRequest)
    refuse(find_address_faults(request.email))
    address = read_address(request.email) or ""
    mail_code(call, "reset", address, write=letters.code_to_reset, otherwise=letters.no_account)
    return Answer(body=Done(message="If the address has an account, a code was mailed to it", warnings=warnings))


@telling
def reset(call: Call) -> Answer:
    """POST /api/auth/reset: changes the password and revokes every token of the account."""
    from chalicelib.accounts.passwords import hash_password

    request, warnings = read_account_body(call, ResetRequest)
    refuse(
        [
            *find_address_faults(request.email),
            *find_code_faults(request.otp),
            *find_password_faults(request.password, request.password_confirm),
        ]
    )
    runtime = call.runtime
    code = prove(call, "reset", read_address(request.email) or "", request.otp)

    def hand_on(account: Account) -> None:
        # Before the change can be seen: a login that is under way with the old password is then refused or revoked.
        epoch = runtime.keys.raise_epoch(account.id)
        runtime.epochs.remember(account.id, epoch, now_s=runtime.clock.now())
        post(runtime, mail_of(letters.password_changed(account.name), account.email), key=code.digest)

    password_hash = hash_password(request.password)
    with redeeming(call, code):
        account = runtime.one_time_codes.change_password(code, password_hash=password_hash, hand_on=hand_on)
        if account is None:
            raise wrong_code()
    log.info("password reset", user_id=account.id)
    return Answer(body=Done(message="The password was changed; log in with it", warnings=warnings))


old_forgot, old_reset = forgot, reset

_EXAMPLE = ResetRequest(
    email="ann@example.org",
    otp="123456",
    password="A-l0nger-password!",  # noqa: S106 - an example
    password_confirm="A-l0nger-password!",  # noqa: S106 - an example
)

DOCS: Mapping[str, Doc] = {
    **under_both_names(
        "forgot",
        Doc(
            name="forgot_password",
            group="Accounts",
            summary="Ask for a new password: a code goes by mail",
            details="The answer is the same for an address without an account; its mail says so instead. The code is "
            "as that of a sign-up, and neither is good for the other.",
            access=Access.OPEN,
            request=ForgotRequest,
            example=ForgotRequest(email="ann@example.org"),
            replies={200: Reply(summary="A mail is queued", body=Done)},
            refusals=(*BODY, TooManyRequests, Unavailable),
        ),
        "/api/auth/forgot",
    ),
    **under_both_names(
        "reset",
        Doc(
            name="reset_password",
            group="Accounts",
            summary="Set a new password, with the code of the mail",
            details=f"Every token of the account is refused within {REMEMBERED_S} s, and a mail tells of the change. "
            "API keys are not touched. Codes that open nothing are answered as at a sign-up.",
            access=Access.OPEN,
            request=ResetRequest,
            example=_EXAMPLE,
            replies={200: Reply(summary="The password was changed", body=Done)},
            refusals=(*BODY, TooManyRequests, Unavailable),
        ),
        "/api/auth/reset",
    ),
}

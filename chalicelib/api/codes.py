"""One-time codes over HTTP: how one is mailed, and how it is shown to have arrived.

Nothing here depends on whether an address has an account but the words of its mail: each address gets a row, a mail and
the same answer, after the same calls of Postgres and of the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chalicelib.accounts import codes
from chalicelib.accounts.addresses import network_of
from chalicelib.accounts.letters import Letter
from chalicelib.accounts.pace import CODES, MAILS, Tries, tries_of
from chalicelib.api.http import Call
from chalicelib.db.one_time_codes import CodeRow
from chalicelib.errors import FieldError, InvalidRequest, Unavailable
from chalicelib.kinds.account_mail import mail_of, post
from chalicelib.telemetry import log

WRONG = "is wrong, used or expired; ask for a new one"


def mail_code(
    call: Call, purpose: codes.Purpose, address: str, *, write: Callable[[str], Letter], otherwise: Callable[[], Letter]
) -> None:
    """Mails a code to the address, in the letter that `write` makes of it; or, where it has no use, `otherwise`.

    A code to sign up has a use without an account, one to reset a password with one. Raises TooManyRequests, and
    Unavailable where the mail cannot be queued: no code is valid then, and it may be asked for again at once.
    """
    runtime, settings = call.runtime, call.runtime.settings
    if not runtime.token_secret or not settings.mail_from:
        raise Unavailable("mail is not configured: TOKEN_SECRET or MAIL_FROM is empty")
    now = runtime.clock.utcnow()
    runtime.tries.charge([tries_of(runtime.token_secret, MAILS, network_of(call.client))], now=now)
    is_of_use = (runtime.accounts.find(address) is None) == (purpose == "sign_up")
    code = runtime.ids.code()
    letter = write(code) if is_of_use else otherwise()
    # 64 digits are no code: what has no use is opened by no guess.
    kept = code if is_of_use else runtime.ids.secret()
    row = CodeRow(purpose, address, codes.digest(runtime.token_secret, purpose, address, kept))
    mail = mail_of(letter, address, until_s=int(now.timestamp()) + codes.LIFE_S)
    runtime.one_time_codes.issue(row, lambda: post(runtime, mail), now=now)
    log.info("code mailed", purpose=purpose)


def prove(call: Call, purpose: codes.Purpose, address: str, code: str) -> CodeRow:
    """The address's code, if it is the one that was sent; raises InvalidRequest, TooManyRequests."""
    runtime, secret = call.runtime, call.runtime.token_secret
    if not secret:
        raise Unavailable("codes are not configured: TOKEN_SECRET is empty")
    now = runtime.clock.utcnow()
    runtime.tries.charge([_counted(call)], now=now)
    stored = runtime.one_time_codes.spend_try(purpose, address, now=now)
    typed = codes.read_code(code) or code
    if not codes.is_opened(stored, codes.digest(secret, purpose, address, typed)):
        log.info("code refused", purpose=purpose)
        raise wrong_code()
    return CodeRow(purpose, address, stored)


@contextmanager
def redeeming(call: Call, code: CodeRow) -> Iterator[None]:
    """The block that redeems a proven code: an outage in it costs no try, so that the request may be sent again."""
    try:
        yield
    except Unavailable:
        call.runtime.one_time_codes.give_back(code)
        _settle(call)
        raise
    _settle(call)


def wrong_code() -> InvalidRequest:
    """What is said of every code that opens nothing, whatever the reason."""
    return InvalidRequest([FieldError("/otp", WRONG)])


def find_code_faults(text: str) -> list[FieldError]:
    """What is wrong with a code by its looks, which costs none of its tries."""
    return [] if codes.read_code(text) else [FieldError("/otp", "must be the six digits of the mail")]


def _settle(call: Call) -> None:
    """Takes the try of a right code back from the network's."""
    try:
        call.runtime.tries.settle(refund=[_counted(call)], now=call.runtime.clock.utcnow())
    except Unavailable:
        # What the code was for is done; one try of its network's is not worth a refusal.
        log.warning("try not taken back")


def _counted(call: Call) -> Tries:
    return tries_of(call.runtime.token_secret, CODES, network_of(call.client))

"""A mail to an account, or to an address that wants to be one: codes, and what else accounts are told.

The request is the whole mail, for its worker stands where the internet can be reached and neither our database nor our
secret can. So a code is in it, and it is nobody's: no route submits it, shows it or tells its task's id, and what is
stored of it is gone a day later, long after the code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import msgspec
from msgspec import Meta

from chalicelib.errors import Gone, JobFailed, KeyReused
from chalicelib.jobs.kind import AnyKind, Contract, JobKind, Progress
from chalicelib.jobs.submit import Asker, submit

if TYPE_CHECKING:
    from chalicelib.accounts.letters import Letter
    from chalicelib.aws.mail import Mail
    from chalicelib.runtime import Runtime

# Who owns the jobs: no account has this id, so that nobody's credentials open them.
OWNER = "account-mail"


class AccountMailResult(msgspec.Struct, frozen=True):
    """The mail was handed over."""

    channel: Annotated[str, Meta(description="Always email.")] = "email"


def contract() -> Contract[Mail, AccountMailResult]:
    from chalicelib.aws.mail import Mail

    example = Mail(to="ann@example.org", subject="Welcome", text="Hello.\n", html="<p>Hello.</p>")
    return Contract(request=Mail, result=AccountMailResult, example=example)


def mail_of(letter: Letter, to: str, *, until_s: int = 0) -> Mail:
    """The letter on its way to an address; from `until_s` on it is of no use any more, 0: it always is."""
    from chalicelib.aws.mail import Mail

    return Mail(to=to, subject=letter.subject, text=letter.text, html=letter.html, until_s=until_s)


def post(runtime: Runtime, mail: Mail, key: str = "") -> None:
    """Queues the mail, under a key once however often this is called; raises Unavailable, and then it is not queued."""
    try:
        submit(runtime.engine, cast("AnyKind", KIND), mail, Asker(owner=OWNER, key=key))
    except (Gone, KeyReused):
        # It was queued before, perhaps with another name in it.
        return


def run(mail: Mail, progress: Progress) -> AccountMailResult:
    runtime = cast("Runtime", progress.parts)
    if 0 < mail.until_s <= runtime.clock.now():
        raise JobFailed("what the mail says had expired before it could be sent")
    runtime.mailbox.send(mail)
    return AccountMailResult()


KIND = JobKind(
    name="account_mail",
    summary="Mail to an account",
    path="",
    queue="emails",
    contract=contract,
    run=run,
    time_limit_s=50,
    keep_s=60,
    wait_s=24 * 3600,
    # With the pauses between them five minutes at most: what a code's mail is worth sending for.
    max_attempts=7,
    outage_s=0,
)

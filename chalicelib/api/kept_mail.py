"""The mail of the local stage, which the emulator takes and sends nowhere: as a page and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from msgspec import Struct

from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE
from chalicelib.api.route import Access, Doc, Param, Reply
from chalicelib.aws.kept_mail import ReceivedMail
from chalicelib.errors import Unavailable

_HTML = "text/html; charset=utf-8"
# The mails' own HTML is shown in frames that run nothing and load nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'"
_PAGE = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Mail of the local stage</title></head>\n'
    '<body style="font-family: sans-serif; max-width: 60em; margin: 2em auto"><h1>Mail</h1>\n{mails}\n</body></html>\n'
)
_MAIL = (
    "<details><summary>{sent_at} <b>{subject}</b> to {to}</summary>\n"
    '<pre style="white-space: pre-wrap">{text}</pre>\n{frame}</details>\n'
)
_FRAME = '<iframe sandbox="" srcdoc="{html}" style="width: 100%; height: 24em; border: 1px solid #ccc"></iframe>\n'


class KeptMails(Struct, frozen=True):
    """What was sent, the newest first."""

    mails: list[ReceivedMail]


def show(call: Call) -> Answer:
    """GET /dev/mail: the mails as a page, or as JSON to those who accept that and no HTML."""
    mails = call.runtime.kept_mail.newest(call.query.get("to", ""))
    accepted = call.headers.get("accept", "")
    if "application/json" in accepted and "text/html" not in accepted:
        return Answer(body=KeptMails(mails), headers=NO_STORE)
    body = _PAGE.format(mails="".join(map(_render, mails)) or "<p>None yet.</p>").encode()
    return Answer(body=body, headers={**NO_STORE, "Content-Security-Policy": _POLICY}, content_type=_HTML)


def _render(mail: ReceivedMail) -> str:
    return _MAIL.format(
        sent_at=escape(mail.sent_at),
        subject=escape(mail.subject),
        to=escape(", ".join(mail.to)),
        text=escape(mail.text),
        frame=_FRAME.format(html=escape(mail.html)) if mail.html else "",
    )


DOCS: Mapping[str, Doc] = {
    "show": Doc(
        name="show_mail",
        group="Service",
        summary="The mail that was sent, on this machine alone",
        details="The local stage sends no mail: its emulator keeps what was sent until it ends. A page, or JSON with "
        "`Accept: application/json`.",
        access=Access.OPEN,
        params=(Param(name="to", where="query", summary="Only mails to this address."),),
        replies={200: Reply(summary="The newest first", body=KeptMails, also=("text/html",))},
        refusals=(Unavailable,),
    )
}

"""The mail that the emulator took in place of SES: it sends none, and keeps all of it until it ends."""

from __future__ import annotations

import urllib.request
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.clock import rfc3339
from chalicelib.errors import Unavailable
from chalicelib.jobs.clients import PROMPT_S, client

_MOST = 100


class ReceivedMail(msgspec.Struct, frozen=True, kw_only=True):
    """One mail as it was sent."""

    sent_at: Annotated[str, Meta(description="RFC 3339 in UTC.")]
    sender: str
    to: list[str]
    subject: str
    text: str
    html: str


class _Message(msgspec.Struct, rename="pascal"):
    source: str
    to: list[str]
    subject: str
    timestamp: float
    body_text: str | None = None
    body_html: str | None = None


class _Messages(msgspec.Struct):
    messages: dict[str, list[_Message]]


class KeptMail:
    """Reads what the emulator keeps; for the local stage alone."""

    def newest(self, to: str = "") -> list[ReceivedMail]:
        """The newest mails first, to one address if it is given; raises Unavailable."""
        # boto3 knows where the emulator is; a client of SES itself does not list what was sent.
        address = f"{client('sesv2', read_timeout_s=PROMPT_S).meta.endpoint_url}/_ministack/ses/messages"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - http, of our own emulator
                kept = msgspec.json.decode(answer.read(), type=_Messages)
        except OSError as error:
            raise Unavailable("the emulator does not answer", retry_after_s=5) from error
        found = [each for account in kept.messages.values() for each in account if not to or to in each.to]
        return [_received(each) for each in sorted(found, key=lambda each: -each.timestamp)[:_MOST]]


def _received(message: _Message) -> ReceivedMail:
    return ReceivedMail(
        sent_at=rfc3339(message.timestamp),
        sender=message.source,
        to=message.to,
        subject=message.subject,
        text=message.body_text or "",
        html=message.body_html or "",
    )

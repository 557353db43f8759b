"""Mail by SES: short texts to one address each, with the same as HTML where it was written."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

import msgspec
from botocore.exceptions import ClientError

from chalicelib.errors import JobFailed, SluiceError, Unavailable
from chalicelib.jobs.clients import PATIENT_S, client, outages

# SES has more to send than it may just now, or was paused: another attempt may do.
_LATER = frozenset({"TooManyRequestsException", "LimitExceededException", "SendingPausedException"})


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to one address."""

    to: str
    subject: str
    text: str
    # The same for readers of HTML; empty: there is the text alone.
    html: str = ""
    # Where the reader can say that no more are wanted; empty: nowhere.
    unsubscribe_url: str = ""
    # Seconds since the epoch from when it is of no use any more; 0: it always is.
    until_s: int = 0


class Mailbox(Protocol):
    """Sends mail."""

    def send(self, mail: Mail) -> None:
        """Hands the mail over; raises JobFailed where it is refused, and Unavailable where another attempt may do."""


class SesMailbox:
    """Mail by SES, from an address that it may send from."""

    def __init__(self, sender: str) -> None:
        self._sender = sender

    def send(self, mail: Mail) -> None:
        if not self._sender:
            raise JobFailed("mail cannot be sent: MAIL_FROM is empty")
        try:
            with outages("the mail service"):
                self._ses.send_email(
                    FromEmailAddress=self._sender,
                    Destination={"ToAddresses": [mail.to]},
                    Content={"Simple": _content(mail)},
                )
        except ClientError as error:
            raise _meaning(error) from error

    @cached_property
    def _ses(self) -> Any:  # the client of a service whose types are not installed
        return client("sesv2", read_timeout_s=PATIENT_S)


def _content(mail: Mail) -> dict[str, object]:
    headers = [{"Name": "List-Unsubscribe", "Value": f"<{mail.unsubscribe_url}>"}] if mail.unsubscribe_url else []
    body = {"Text": _text(mail.text)} | ({"Html": _text(mail.html)} if mail.html else {})
    return {"Subject": _text(mail.subject), "Body": body, "Headers": headers}


def _text(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


def _meaning(error: ClientError) -> SluiceError:
    """What a refusal, which is no outage, means to the mail."""
    code = error.response.get("Error", {}).get("Code", "")
    if code in _LATER:
        return Unavailable("the mail service takes no more mail for now")
    return JobFailed(f"the mail service refuses the mail: {code}")


class MemoryMailbox:
    """The twin in memory for tests: what was sent; while it `is_away`, nothing is."""

    def __init__(self, sender: str) -> None:
        self.sent: list[Mail] = []
        self.is_away = False
        self._sender = sender

    def send(self, mail: Mail) -> None:
        if not self._sender:
            raise JobFailed("mail cannot be sent: MAIL_FROM is empty")
        if self.is_away:
            raise Unavailable("the mail service cannot be reached")
        self.sent.append(mail)

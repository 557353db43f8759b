"""One suite for both ways to send mail: SES (moto) and the memory twin; and what SES says is told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import boto3
import msgspec
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from chalicelib.aws.mail import Mail, Mailbox, MemoryMailbox, SesMailbox
from chalicelib.errors import JobFailed, Unavailable

SENDER = "alerts@example.org"
MAIL = Mail(
    to="ann@example.org",
    subject="3 new awards for Brücken",
    text="Three.\n",
    unsubscribe_url="https://sluice.test/api/v1/contracts/saved-searches/7",
)


class Sending(NamedTuple):
    """A mailbox, and what it has sent: receiver, subject, text."""

    mailbox: Mailbox
    sent: Callable[[], list[tuple[str, str, str]]]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture(params=["ses", "memory"])
def sending(request: pytest.FixtureRequest, account: None) -> Iterator[Callable[[str], Sending]]:
    """Makes a mailbox with a sender."""
    if request.param == "memory":
        yield in_memory
        return
    with mock_aws():
        boto3.client("sesv2").create_email_identity(EmailIdentity=SENDER)
        yield by_ses


def in_memory(sender: str) -> Sending:
    twin = MemoryMailbox(sender)
    return Sending(twin, lambda: [(mail.to, mail.subject, mail.text) for mail in twin.sent])


def by_ses(sender: str) -> Sending:
    backend = ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]
    return Sending(
        SesMailbox(sender),
        lambda: [(each.destinations["ToAddresses"][0], each.subject, each.body) for each in backend.sent_messages],
    )


def test_mail_is_sent_to_its_one_address(sending: Callable[[str], Sending]) -> None:
    mailbox, sent = sending(SENDER)
    mailbox.send(MAIL)
    assert sent() == [("ann@example.org", "3 new awards for Brücken", "Three.\n")]


def test_mailbox_without_a_sender_sends_nothing(sending: Callable[[str], Sending]) -> None:
    mailbox, sent = sending("")
    with pytest.raises(JobFailed, match=r"^mail cannot be sent: MAIL_FROM is empty$"):
        mailbox.send(MAIL)
    assert sent() == []


@pytest.fixture
def stubbed(account: None) -> Iterator[tuple[SesMailbox, Stubber]]:
    """SES's API with answers of the test's own, held against its model."""
    mailbox = SesMailbox(SENDER)
    with Stubber(mailbox._ses) as stub:
        yield mailbox, stub


def parameters(**content: object) -> dict[str, Any]:  # as SES has them
    return {
        "FromEmailAddress": SENDER,
        "Destination": {"ToAddresses": ["ann@example.org"]},
        "Content": {
            "Simple": {
                "Subject": {"Data": "3 new awards for Brücken", "Charset": "UTF-8"},
                "Body": {"Text": {"Data": "Three.\n", "Charset": "UTF-8"}},
                **content,
            }
        },
    }


def test_mail_says_where_no_more_can_be_asked_for(stubbed: tuple[SesMailbox, Stubber]) -> None:
    mailbox, stub = stubbed
    value = "<https://sluice.test/api/v1/contracts/saved-searches/7>"
    headers = [{"Name": "List-Unsubscribe", "Value": value}]
    stub.add_response("send_email", {"MessageId": "1"}, parameters(Headers=headers))
    mailbox.send(MAIL)
    stub.assert_no_pending_responses()


def test_mail_has_its_html_beside_its_text(stubbed: tuple[SesMailbox, Stubber]) -> None:
    mailbox, stub = stubbed
    text = {"Data": "Three.\n", "Charset": "UTF-8"}
    html = {"Data": "<p>Drei Brücken.</p>", "Charset": "UTF-8"}
    stub.add_response("send_email", {"MessageId": "1"}, parameters(Body={"Text": text, "Html": html}, Headers=[]))
    mailbox.send(msgspec.structs.replace(MAIL, unsubscribe_url="", html="<p>Drei Brücken.</p>"))
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "error", "detail"),
    [
        ("MessageRejected", 400, JobFailed, "the mail service refuses the mail: MessageRejected"),
        ("MailFromDomainNotVerifiedException", 400, JobFailed, "MailFromDomainNotVerifiedException"),
        ("AccountSuspendedException", 400, JobFailed, "AccountSuspendedException"),
        ("TooManyRequestsException", 429, Unavailable, "takes no more mail for now"),
        ("LimitExceededException", 400, Unavailable, "takes no more mail for now"),
        ("SendingPausedException", 400, Unavailable, "takes no more mail for now"),
        ("ThrottlingException", 400, Unavailable, "the mail service is overloaded or failing"),
        ("InternalFailure", 500, Unavailable, "the mail service is overloaded or failing"),
    ],
)
def test_what_may_pass_is_told_from_what_does_not(
    stubbed: tuple[SesMailbox, Stubber], code: str, status: int, error: type[Exception], detail: str
) -> None:
    mailbox, stub = stubbed
    stub.add_client_error("send_email", code, "No.", http_status_code=status)
    with pytest.raises(error, match=detail) as raised:
        mailbox.send(MAIL)
    assert isinstance(raised.value.__cause__, ClientError)

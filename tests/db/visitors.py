"""Visitors without an account, who call the API over a real database and read their mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import msgspec

from chalicelib.api.http import Answer
from chalicelib.aws.mail import Mail
from chalicelib.db.connect import Database
from chalicelib.errors import Unavailable
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.memory import MemoryQueues
from chalicelib.jobs.queue import Delivery, Message
from chalicelib.jobs.worker import Worker
from chalicelib.kinds.account_mail import KIND
from tests.api.calls import Api, document
from tests.doubles import registry

ANN = "ann@example.org"
PASSWORD, OTHER_PASSWORD = "A-l0ng-password!", "An0ther-password!"


class Queues(MemoryQueues):
    """Queues that may be away, or have something happen once they have taken a message."""

    is_away = False
    then: Callable[[], object] | None = None

    def send(self, queue: str, message: Message, *, delay_s: int = 0) -> None:
        if self.is_away:
            raise Unavailable("the job queue cannot be reached", retry_after_s=5)
        super().send(queue, message, delay_s=delay_s)
        if self.then is not None:
            self.then()


@dataclass(frozen=True)
class Visitor:
    """Somebody at one API."""

    api: Api
    queues: Queues

    def ask(self, path: str, **body: object) -> Answer:
        return self.api.call("POST", path, body)

    def said(self, path: str, **body: object) -> tuple[int, str]:
        """The status of the answer and its message."""
        answer = self.ask(path, **body)
        return answer.status, document(answer)["message"]

    def register(self, email: str = ANN) -> str:
        """The code that comes by mail."""
        assert self.said("/api/auth/register", email=email)[0] == 200
        return self.code()

    def verify(self, code: str, email: str = ANN, **changes: object) -> Answer:
        body: dict[str, object] = {"email": email, "otp": code, "password": PASSWORD, "password_confirm": PASSWORD}
        return self.ask("/api/auth/verify", **(body | changes))

    def reset(self, code: str, email: str = ANN, password: str = OTHER_PASSWORD) -> Answer:
        return self.ask("/api/auth/reset", email=email, otp=code, password=password, password_confirm=password)

    def login(self, password: str = PASSWORD, email: str = ANN, **headers: str) -> Answer:
        return self.api.call("POST", "/api/auth/login", {"email": email, "password": password}, **headers)

    def mails(self) -> list[Mail]:
        """What has come by mail since it was last asked."""
        worker = Worker(self.api.runtime.engine, registry(cast("AnyKind", KIND)), "emails")
        while self.queues.sent.get("emails"):
            body = msgspec.json.encode(self.queues.sent["emails"].popleft()).decode()
            worker.settle([Delivery(message_id="message-1", body=body, receipt="receipt-1")])
        mails = list(self.api.runtime.outbox.sent)
        self.api.runtime.outbox.sent.clear()
        return mails

    def code(self) -> str:
        """The code in the one mail that has come."""
        (mail,) = self.mails()
        (code,) = re.findall(r"^[0-9]{6}$", mail.text, re.MULTILINE)
        return str(code)

    def subjects(self) -> list[tuple[str, str]]:
        """To whom mails have come, and their subjects."""
        return [(mail.to, mail.subject) for mail in self.mails()]

    def advance(self, seconds: float) -> None:
        self.api.parts.clock.advance(seconds)


def visitor(database: Database) -> Visitor:
    """A visitor of an API of its own."""
    api = Api(mail_from="alerts@sluice.test")
    queues = Queues()
    api.runtime.__dict__["database"] = database
    api.runtime.__dict__["engine"] = replace(api.runtime.engine, queues=queues)
    return Visitor(api, queues)


def member(database: Database) -> Visitor:
    """A visitor who has made Ann's account, and has no mail that is not read."""
    ann = visitor(database)
    answer = ann.verify(ann.register(), username="Ann")
    assert answer.status == 200, answer
    ann.mails()
    ann.advance(60)
    return ann


def problem(answer: Answer) -> Any:  # a JSON object
    """A refusal without what names the single request."""
    body = document(answer)
    del body["request_id"]
    return body

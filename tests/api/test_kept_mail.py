"""The mail of the local stage: shown there and on no other stage, and harmless to look at."""

from __future__ import annotations

import pytest

from chalicelib import kinds
from chalicelib.api.routes import routes
from chalicelib.aws.kept_mail import ReceivedMail
from tests.api.calls import Api, document
from tests.api.published import broken, published

MAIL = ReceivedMail(
    sent_at="2026-01-31T12:00:00.000Z",
    sender="alerts@sluice.test",
    to=["ann@example.org"],
    subject="<b>Code</b>",
    text="142857 </pre><script>alert(1)</script>",
    html='<p class="x">142857</p><script>alert(2)</script>',
)


class Kept:
    """What the emulator would have kept."""

    def newest(self, to: str = "") -> list[ReceivedMail]:
        return [MAIL] if to in ("", *MAIL.to) else []


@pytest.fixture
def api() -> Api:
    local = Api(stage="local")
    local.runtime.__dict__["kept_mail"] = Kept()
    return local


@pytest.mark.parametrize(("stage", "is_there"), [("local", True), ("prod", False), ("staging", False), ("", False)])
def test_mail_and_metrics_are_shown_on_the_local_stage_and_on_no_other(stage: str, is_there: bool) -> None:
    paths = {route.path for route in routes(kinds.registry(stage))}
    assert ("/dev/mail" in paths, "/dev/metrics" in paths) == (is_there, is_there)
    assert "/api/auth/register" in paths


def test_mail_is_json_to_those_who_accept_that(api: Api) -> None:
    answer = api.call("GET", "/dev/mail?to=ann@example.org", accept="application/json")
    assert broken(published(api), "KeptMails", document(answer)) == []
    assert [mail["text"] for mail in document(answer)["mails"]] == [MAIL.text]
    assert document(api.call("GET", "/dev/mail?to=bob@example.org", accept="application/json")) == {"mails": []}


def test_mail_is_a_page_that_runs_nothing_of_it(api: Api) -> None:
    answer = api.call("GET", "/dev/mail", accept="text/html,application/json")
    assert isinstance(answer.body, bytes)
    page = answer.body.decode()
    assert answer.content_type == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "&lt;b&gt;Code&lt;/b&gt;" in page
    assert ("<script" in page, 'sandbox=""' in page) == (False, True)


def test_no_mail_is_said(api: Api) -> None:
    assert b"None yet." in (api.call("GET", "/dev/mail?to=bob@example.org").body or b"")  # type: ignore[operator]

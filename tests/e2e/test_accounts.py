"""An account through the whole stack: its mail goes through the queue, the worker and SES, and is read at /dev/mail."""

from __future__ import annotations

import re
import time
import urllib.request
from typing import Any

from localstack.run import LocalStack
from tests.e2e.client import Client

PASSWORD, OTHER_PASSWORD = "A-l0ng-password!", "An0ther-password!"


def mail(client: Client, email: str, subject: str) -> Any:  # a mail as JSON
    """The mail with the subject once it has come."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        mails = client.call("GET", f"/dev/mail?to={email}", Accept="application/json").body["mails"]
        for each in mails:
            if each["subject"] == subject:
                return each
        time.sleep(0.1)
    raise AssertionError(f"no mail {subject!r}: {mails}")


def code_in(text: str) -> str:
    (code,) = re.findall(r"^[0-9]{6}$", text, re.MULTILINE)
    return str(code)


def test_account_is_made_used_and_given_a_new_password_by_mail(stack: LocalStack) -> None:
    client, email = Client(stack.url), f"ann-{time.monotonic_ns()}@example.org"
    passwords = {"password": PASSWORD, "password_confirm": PASSWORD}
    assert client.call("POST", "/auth/api/register/", {"email": email}).status == 200
    came = mail(client, email, "Your code for Sluice")
    assert (came["sender"], code_in(came["text"]) in came["html"]) == ("alerts@sluice.test", True)
    code = {"email": email, "otp": code_in(came["text"])}
    assert client.call("POST", "/auth/api/verify-otp", code | passwords).status == 200
    mail(client, email, "Welcome to Sluice")

    reply = client.call("POST", "/auth/api/login", {"email": email, "password": PASSWORD})
    cookies = reply.headers.get_all("Set-Cookie") or []
    assert [cookie.partition("=")[0] for cookie in cookies] == ["sluice_token", "sluice_device"]
    assert Client(stack.url, reply.body["token"]).call("GET", "/api/tasks").body == {"tasks": [], "next_cursor": None}

    assert client.call("POST", "/api/auth/forgot", {"email": email}).status == 200
    code = {"email": email, "otp": code_in(mail(client, email, "Your code to reset your password at Sluice")["text"])}
    passwords = {"password": OTHER_PASSWORD, "password_confirm": OTHER_PASSWORD}
    assert client.call("POST", "/api/auth/reset", code | passwords).status == 200
    mail(client, email, "Your password at Sluice was changed")
    assert client.call("POST", "/api/auth/login", {"email": email, "password": PASSWORD}).status == 401
    client.login(email, OTHER_PASSWORD)


def test_mail_is_shown_as_a_page(stack: LocalStack) -> None:
    email = f"bob-{time.monotonic_ns()}@example.org"
    client = Client(stack.url)
    assert client.call("POST", "/api/auth/forgot", {"email": email}).status == 200
    mail(client, email, "You have no account at Sluice")
    with urllib.request.urlopen(f"{stack.url}/dev/mail?to={email}", timeout=20) as page:
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "You have no account at Sluice" in page.read().decode()

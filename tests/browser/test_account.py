"""The account's pages: sign-up by a code, logins, keys, a new password, as a person does them."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from localstack.demo import EMAIL
from localstack.demo import PASSWORD as DEMO_PASSWORD
from localstack.run import LocalStack
from tests.browser.conftest import NARROW, Opened, shoot
from tests.e2e.client import Client
from tests.e2e.test_accounts import code_in, mail

PASSWORD, OTHER_PASSWORD = "A-l0ng-password!", "An0ther-password!"
# What the browser says of refusals that a test provokes.
REFUSED = ("status of 400", "status of 401", "status of 403")


def log_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()


def test_account_is_made_with_the_code_of_the_mail_and_its_key_works_until_it_is_revoked(
    opened: Opened, stack: LocalStack
) -> None:
    email, client = f"ann-{time.monotonic_ns()}@example.org", Client(stack.url)
    page = opened("/#/account/login", expects=REFUSED)
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Send me a code").click()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    # A reload loses nothing: the address knows for whom the code is.
    page.reload()
    expect(page.get_by_label("E-mail address")).to_have_value(email)
    link = page.get_by_role("link", name="Mail of this local stage").get_attribute("href")
    assert link == f"dev/mail?to={email.replace('@', '%40')}"

    page.get_by_label("Code", exact=True).fill(code_in(mail(client, email, "Your code for Sluice")["text"]))
    page.get_by_label("Name, if you like").fill("Ann <b>")
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_role("button", name="Make the account").click()
    expect(page.locator(".wrong:visible")).to_contain_text("must have 8 to 128 characters, got 5")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", name="Ann <b>")).to_be_visible()
    expect(page.locator("#account")).to_have_text("Ann <b>")
    expect(page.get_by_text("You have no keys.")).to_be_visible()

    page.get_by_label("Name", exact=True).fill("nightly <i>")
    page.get_by_role("button", name="Make a key").click()
    key = page.get_by_role("region", name="nightly <i>").inner_text()
    assert key.startswith("slk_")
    assert Client(stack.url, key).call("GET", "/api/tasks").status == 200
    expect(page.get_by_role("region", name="API keys")).to_contain_text("jobs:read, jobs:write")
    page.reload()
    expect(page.get_by_role("button", name="Revoke: nightly <i>")).to_be_visible()
    assert key not in page.content()
    shoot(page, "account")
    page.get_by_role("button", name="Revoke: nightly <i>").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("You have no keys.")).to_be_visible()
    assert Client(stack.url, key).call("GET", "/api/tasks").status == 401


def test_forgotten_password_is_replaced_and_every_browser_is_logged_out(opened: Opened, stack: LocalStack) -> None:
    email, client = f"bob-{time.monotonic_ns()}@example.org", Client(stack.url)
    assert client.call("POST", "/api/auth/register", {"email": email}).status == 200
    code = code_in(mail(client, email, "Your code for Sluice")["text"])
    verify = {"email": email, "otp": code, "password": PASSWORD, "password_confirm": PASSWORD}
    assert client.call("POST", "/api/auth/verify", verify).status == 200

    page = opened("/#/account/login?next=%23%2Fjobs", width=NARROW, expects=REFUSED)
    log_in(page, email, "Wr0ng-password!")
    wrong = page.get_by_text("the e-mail address or the password is wrong")
    expect(wrong).to_be_visible()
    described = page.get_by_label("Password", exact=True).get_attribute("aria-describedby") or ""
    assert wrong.get_attribute("id") in described.split()
    # What was typed stays.
    expect(page.get_by_label("E-mail address")).to_have_value(email)

    page.get_by_role("link", name="Password forgotten?").click()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Send me a code").click()
    subject = "Your code to reset your password at Sluice"
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_label("New password", exact=True).fill(OTHER_PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("is wrong, used or expired; ask for a new one")).to_be_visible()
    page.get_by_label("Code", exact=True).fill(code_in(mail(client, email, subject)["text"]))
    page.get_by_role("button", name="Set the password").click()
    # It goes on where the login was asked for.
    expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
    assert page.url.endswith("#/jobs")
    assert client.call("POST", "/api/auth/login", {"email": email, "password": PASSWORD}).status == 401

    page.goto(f"{stack.url}/#/account")
    page.get_by_role("button", name=f"Log out: {email}").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(page.locator("#account")).to_have_text("Log in")
    log_in(page, email, OTHER_PASSWORD)
    expect(page.get_by_role("heading", name="bob", level=1)).to_be_visible()


def test_too_many_wrong_passwords_are_told_with_the_time_to_wait(opened: Opened) -> None:
    page = opened("/#/account/login", expects=(*REFUSED, "status of 429"))
    email = f"nobody-{time.monotonic_ns()}@example.org"
    for _ in range(6):
        with page.expect_response(re.compile("/api/auth/login")):
            log_in(page, email, "Wr0ng-password!")
    expect(page.get_by_text(re.compile(r"try again in \d+ s"))).to_be_visible()


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "javascript:alert(1)", "//example.org"])
def test_login_leads_to_no_other_site(opened: Opened, stack: LocalStack, elsewhere: str) -> None:
    page = opened(f"/#/account/login?next={elsewhere.replace('/', '%2F').replace(':', '%3A')}")
    log_in(page, EMAIL, DEMO_PASSWORD)
    expect(page.get_by_role("heading", name="API keys")).to_be_visible()
    assert page.url == f"{stack.url}/#/account"


def test_token_of_a_login_is_out_of_reach_of_scripts(opened: Opened) -> None:
    page = opened("/#/account")
    log_in(page, EMAIL, DEMO_PASSWORD)
    expect(page.get_by_role("heading", name="API keys")).to_be_visible()
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    token = cookies["sluice_token"]["value"]
    assert cookies["sluice_token"]["httpOnly"] is True
    kept = str(page.evaluate("JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])"))
    assert token not in kept


def test_log_out_everywhere_is_asked_for_and_ends_other_logins(opened: Opened, stack: LocalStack) -> None:
    email, client = f"eve-{time.monotonic_ns()}@example.org", Client(stack.url)
    assert client.call("POST", "/api/auth/register", {"email": email}).status == 200
    code = code_in(mail(client, email, "Your code for Sluice")["text"])
    verify = {"email": email, "otp": code, "password": PASSWORD, "password_confirm": PASSWORD}
    assert client.call("POST", "/api/auth/verify", verify).status == 200
    other = client.login(email, PASSWORD)
    page = opened("/#/account", login=(email, PASSWORD))
    page.get_by_role("button", name="Log out everywhere: ").click()
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", name="API keys")).to_be_visible()
    page.get_by_role("button", name="Log out everywhere: ").click()
    page.get_by_role("button", name="Log out all").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    deadline = time.monotonic() + 60
    while other.call("GET", "/api/tasks").status != 401:
        assert time.monotonic() < deadline

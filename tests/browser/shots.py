"""The pictures of the README: a stack of its own, some life on it, and each page as a person sees it.

make shots
"""

from __future__ import annotations

import re
import tempfile
import time
import uuid
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from localstack.progress import Progress
from localstack.run import local_stack
from localstack.settings import Settings
from tests.browser.conftest import FLAGS, browser_path
from tests.e2e.client import Client

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
SIZE = (1280, 800)
DEMO = ("demo@sluice.test", "demo-password")
ADMIN = ("admin@sluice.test", "admin-password")


def take() -> None:
    """Takes all pictures anew."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sluice-shots-") as state, sync_playwright() as playwright:
        settings = Settings(root=ROOT, state=Path(state), keep_data=False)
        browser = playwright.chromium.launch(executable_path=browser_path(), args=list(FLAGS))
        with local_stack(settings, Progress.shown()) as stack:
            for login in (DEMO, ADMIN):
                context = browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]}, locale="en-GB")
                client = Client(stack.url).login(*login)
                context.add_cookies([{"name": "sluice_token", "value": client.token, "url": stack.url}])
                page = context.new_page()
                if login is DEMO:
                    _forecast(page, stack.url)
                    _contracts(page, stack.url)
                    _events(page, stack.url, client)
                else:
                    _jobs(page, stack.url, client)
        browser.close()


def _forecast(page: Page, url: str) -> None:
    page.goto(f"{url}/#/forecast")
    page.get_by_role("button", name="Forecast", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("^85 % likely by"))).to_be_visible()
    _shoot(page, "forecast")


def _contracts(page: Page, url: str) -> None:
    page.goto(f"{url}/#/contracts")
    page.get_by_role("checkbox", name=re.compile("^Metro Manila")).check()
    page.get_by_role("button", name="Charts").click()
    expect(page.get_by_role("heading", name="Top suppliers")).to_be_visible()
    _shoot(page, "contracts")


def _events(page: Page, url: str, client: Client) -> None:
    page.goto(f"{url}/#/events/test-app/live")
    expect(page.get_by_text("Live", exact=True).last).to_be_visible()
    page.get_by_text("How events are sent").click()
    for number in range(12):
        body = {"userId": number} if number % 4 else {"userId": "abc"}
        event = {"eventName": "user_login", "messageId": str(uuid.uuid4()), "payload": body}
        client.call("POST", "/api/logs/test-app", event)
    expect(page.get_by_role("table").get_by_text("user_login")).to_have_count(12)
    _shoot(page, "events")


def _jobs(page: Page, url: str, client: Client) -> None:
    for _ in range(3):
        client.submit("/api/async/slow", {"seconds": 60})
    page.goto(f"{url}/#/jobs/all")
    expect(page.get_by_text(re.compile("^[4-9] of 60 s"))).to_be_visible()
    _shoot(page, "jobs")


def _shoot(page: Page, name: str) -> None:
    # Charts are drawn in frames, and the pointer is over none of them.
    page.mouse.move(0, 0)
    time.sleep(0.5)
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    take()

"""A real browser before the running stack: Debian's or any other Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from localstack.run import LocalStack
from tests.e2e.client import Client

# `make browser` runs these; a machine without a browser runs everything else.
collect_ignore_glob = [] if os.environ.get("BROWSER") else ["test_*.py"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nobody but the stack is talked to, and a container has no sandbox and little shared memory.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # Pages that a test makes up come from no address, and may not connect to this machine otherwise.
    "--disable-features=LocalNetworkAccessChecks",
)  # fmt: skip
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)
NARROW, WIDE = 360, 1280
SHOTS = Path(".local") / "browser"

Opened = Callable[..., Page]


def browser_path() -> str:
    """Where the browser is."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise RuntimeError("no Chromium was found: apt-get install chromium, or name one in CHROMIUM")
    return found


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Browser, stack: LocalStack) -> Iterator[Opened]:
    """Opens pages of the console; what the browser complains about fails the test."""
    complaints: list[str] = []

    def open_page(
        address: str | None = "/",
        *,
        width: int = WIDE,
        scheme: Literal["light", "dark"] = "light",
        login: tuple[str, str] | None = None,
        expects: tuple[str, ...] = (),
    ) -> Page:
        """`expects` are parts of complaints that belong to the test, such as a refusal that it provokes."""

        def note(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                complain(f"{message.type}: {message.text} {message.location.get('url', '')}")

        def complain(text: str) -> None:
            if not any(part in text for part in expects):
                complaints.append(text)

        context = cleanup.enter_context(
            chromium.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-GB", accept_downloads=True
            )
        )
        context.set_default_timeout(PATIENCE_MS)
        if login is not None:
            token = Client(stack.url).login(*login).token
            context.add_cookies([{"name": "sluice_token", "value": token, "url": stack.url}])
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complain(f"uncaught: {error}"))
        if address is not None:
            page.goto(stack.url + address)
        return page

    with ExitStack() as cleanup:
        yield open_page
    assert complaints == []


def shoot(page: Page, name: str) -> None:
    """Keeps a picture of the whole page, to be looked at."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)

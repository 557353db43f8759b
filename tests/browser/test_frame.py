"""The frame of the console, and what holds for all of its pages: painted soon, usable by keyboard, narrow and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from localstack.run import LocalStack
from tests.browser.conftest import NARROW, WIDE, Opened, shoot
from tests.e2e.client import Client

DEMO = ("demo@sluice.test", "demo-password")
ADMIN = ("admin@sluice.test", "admin-password")
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
UPLOT = Path(__file__).parent / "node_modules" / "uplot" / "dist" / "uPlot.iife.min.js"
STATIC = Path("chalicelib/console/static")

PAGES = {
    "forecast": "/#/forecast",
    "compare": "/#/forecast/compare",
    "saved": "/#/forecast/saved",
    "accuracy": "/#/forecast/accuracy",
    "contracts": "/#/contracts?q=road",
    "events": "/#/events",
    "live": "/#/events/test-app/live",
    "overview": "/#/events/test-app/overview",
    "rules": "/#/events/test-app/rules",
    "logs": "/#/events/test-app/logs",
    "quarantine": "/#/events/test-app/quarantine",
    "settings": "/#/events/test-app/settings",
    "jobs": "/#/jobs",
    "account": "/#/account",
}


def test_page_is_painted_without_its_scripts(opened: Opened, stack: LocalStack) -> None:
    page = opened(None, expects=("ERR_FAILED",))
    page.route("**/static/js/**", lambda route: route.abort())
    page.goto(stack.url)
    expect(page.get_by_role("navigation", name="Sections").get_by_role("link")).to_have_text(
        ["Forecast", "Contracts", "Events", "Jobs"]
    )


def test_sections_are_reached_by_keyboard_alone(opened: Opened) -> None:
    page = opened()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Contracts", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Contracts", exact=True)).to_have_attribute("aria-current", "page")
    # Whoever reads on hears the new page, not the menu.
    expect(page.locator("main")).to_be_focused()
    page.go_back()
    expect(page.get_by_role("link", name="Forecast", exact=True)).to_have_attribute("aria-current", "page")


def test_page_that_is_not_there_says_so(opened: Opened) -> None:
    page = opened("/#/nowhere")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()


def test_login_that_has_ended_leaves_public_pages_usable(opened: Opened, stack: LocalStack) -> None:
    page = opened(login=DEMO, expects=("401",))
    expect(page.get_by_role("link", name="Demo")).to_be_visible()
    page.context.add_cookies([{"name": "sluice_token", "value": "not-a-token", "url": stack.url}])
    page.reload()
    expect(page.get_by_text("Your login has ended")).to_be_visible()
    expect(page.get_by_role("link", name="Log in", exact=True)).to_be_visible()
    assert "sluice_token" not in {str(cookie.get("name")) for cookie in page.context.cookies()}


def test_running_task_is_shown_on_every_page_and_after_a_reload(opened: Opened) -> None:
    page = opened()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.evaluate(
        """async () => {
          const { Sluice } = await import('/static/js/sluice.js');
          const sluice = new Sluice();
          await sluice.submit('/api/async/slow', { seconds: 60 },
            { remember: 'console', about: { label: 'A long task', back: '#/jobs' } });
        }"""
    )
    page.reload()
    running = page.locator("#running")
    expect(running).to_contain_text("A long task")
    page.get_by_role("link", name="Contracts", exact=True).click()
    expect(running.get_by_role("progressbar")).to_be_visible()
    running.get_by_role("button", name="Cancel").click()
    expect(page.locator("#toasts")).to_contain_text("A long task was cancelled")
    expect(running).to_be_hidden()


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_used_by_everybody(
    opened: Opened, stack: LocalStack, width: int, scheme: Literal["light", "dark"]
) -> None:
    """No serious finding of axe-core, and nothing that is wider than the window."""
    demo = Client(stack.url).login(*DEMO)
    demo.call("POST", "/api/logs/test-app", {"eventName": "user_login", "payload": {"userId": "abc"}})
    page = opened(width=width, scheme=scheme, login=DEMO)
    findings = []
    for name, address in PAGES.items():
        page.goto(stack.url + address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("main .loading")).to_have_count(0)
        page.evaluate(AXE.read_text("utf-8"))
        report = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        findings += [
            (name, each["id"], each["impact"], [node["html"] for node in each["nodes"]][:3])
            for each in report["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            findings.append((name, "wider than the window", f"{wide} px", []))
        shoot(page, f"{name}-{width}-{scheme}")
    assert findings == []


def test_admin_sees_operations_that_can_be_used_by_everybody(opened: Opened) -> None:
    page = opened("/#/jobs", login=ADMIN)
    expect(page.locator("main .loading")).to_have_count(0)
    page.evaluate(AXE.read_text("utf-8"))
    report = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert [each["id"] for each in report["violations"] if each["impact"] in ("serious", "critical")] == []


def test_motion_is_reduced_where_that_is_wished(opened: Opened) -> None:
    page = opened()
    page.emulate_media(reduced_motion="reduce")
    moving = page.evaluate(
        """() => {
          const shown = document.createElement('p');
          shown.className = 'loading';
          document.body.append(shown);
          return getComputedStyle(shown, '::before').animationName;
        }"""
    )
    assert moving == "none"


def test_chart_library_is_the_published_one() -> None:
    shipped = (STATIC / "js" / "uplot.js").read_text("utf-8")
    assert shipped == UPLOT.read_text("utf-8") + "\nexport default uPlot;\n"

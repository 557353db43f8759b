"""Somebody who has never seen the product: from the first page to a forecast, a contract chart and a live event."""

from __future__ import annotations

import csv
import re

import pytest
from playwright.sync_api import expect

from localstack.demo import CONTRACTS
from localstack.run import LocalStack
from tests.browser.conftest import Opened
from tests.e2e.test_contracts import administrator, send

AREA = "Metro Manila"


@pytest.fixture(scope="module")
def awards(stack: LocalStack) -> int:
    """The demo's contracts, which other tests may have replaced; how many of them are of the area."""
    with CONTRACTS.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert send(administrator(stack), rows)["state"] == "SUCCESS"
    return sum(AREA.lower() in row["area_of_delivery"].lower() for row in rows)


@pytest.mark.parametrize("has_sockets", [True, False])
def test_first_visit_gets_to_a_forecast_a_chart_and_a_live_event_without_typing(
    opened: Opened, stack: LocalStack, awards: int, has_sockets: bool
) -> None:
    """Polling alone is enough for all of it."""
    page = opened(None)
    if not has_sockets:
        page.route_web_socket("**/ws/**", lambda socket: socket.close())
    page.goto(stack.url)
    # One press: the form has an example in it.
    page.get_by_role("button", name="Forecast", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile(r"^85 % likely by \d+ \w+ 20\d\d$"))).to_be_visible()

    # Three: the section, a filter with its count, the charts.
    page.get_by_role("link", name="Contracts", exact=True).click()
    page.get_by_role("checkbox", name=re.compile(f"^{AREA}")).check()
    expect(page.get_by_role("heading", name=re.compile(f"^{awards} awards"))).to_be_visible()
    page.get_by_role("button", name="Charts").click()
    expect(page.get_by_role("heading", name="Top suppliers")).to_be_visible()

    # Four: events belong to an account, and a local stage offers one.
    page.get_by_role("link", name="Events", exact=True).click()
    page.get_by_role("link", name="Log in or sign up").click()
    page.get_by_role("button", name="Use the demo account").click()
    page.get_by_role("link", name="Demo app").click()
    page.get_by_role("button", name="Send a test event").click()
    expect(page.get_by_role("table").get_by_text("Valid", exact=True).first).to_be_visible()

"""The page of forecasts: from samples to a date, to a saved forecast, and to what came of it."""

from __future__ import annotations

import json
import re
import time
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from localstack.run import LocalStack
from tests.browser.conftest import NARROW, WIDE, Opened, shoot
from tests.e2e.client import Client
from tests.e2e.test_accounts import code_in, mail

# Two weeks of 4 and 6 items are drawn alike. Ten items take two weeks unless both finish 4, so with 3/4; else three.
SAMPLES, BACKLOG, START = "4, 6", "10", "2026-01-05"
TWO_WEEKS, THREE_WEEKS = "19 Jan 2026", "26 Jan 2026"
# About a minute of work, which is cancelled: as many trials of as many weeks as the service takes.
LONG = {
    "projectName": "Long one", "tpSamples": [5, 6, 7], "numberOfTasks": 9000, "engine": "monte_carlo",
    "numberOfSimulations": 1_200_000, "historyInterval": False, "minContributors": 2, "maxContributors": 6,
    "totalContributors": 5,
}  # fmt: skip
IMAGE = '<img src="x" onerror="alert(1)">'


def linked(body: object) -> str:
    return f"/#/forecast?{urlencode({'share': json.dumps(body)})}"


def ask(page: Page, *, name: str = "Two weeks", deadline: str = "") -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Items finished in each past week").fill(SAMPLES)
    page.get_by_label("Backlog, items").fill(BACKLOG)
    page.get_by_label("Start", exact=True).fill(START)
    page.get_by_label("Deadline (optional)").fill(deadline)
    page.get_by_role("button", name="Forecast", exact=True).click()


def headline(page: Page) -> Locator:
    return page.get_by_role("heading", name=re.compile("% likely by"))


def rows(page: Page, region: str) -> list[list[str]]:
    found = page.get_by_role("region", name=region).locator("tbody tr")
    expect(found.first).to_be_visible()
    return [found.nth(n).locator("th, td").all_inner_texts() for n in range(found.count())]


def test_first_visit_is_one_press_away_from_a_forecast(opened: Opened) -> None:
    page = opened()
    page.get_by_role("button", name="Forecast", exact=True).click()
    expect(headline(page)).to_be_focused()
    expect(page.get_by_text("P(deadline met)")).to_be_visible()
    shoot(page, "forecast")


def test_forecast_tells_dates_chances_and_what_speaks_against_it(opened: Opened) -> None:
    page = opened()
    ask(page, deadline="2026-01-19")
    expect(headline(page)).to_have_text(f"85 % likely by {THREE_WEEKS}")
    expect(page.get_by_text("P(deadline met): 75 %")).to_be_visible()
    expect(page.get_by_text("Only 2 throughput samples: 7 to 24 weeks are advised.")).to_be_visible()
    told = {row[0]: row[1:] for row in rows(page, "Percentiles of the duration")}
    assert told["50 %"] == ["2 weeks", TWO_WEEKS]
    assert told["75 %"] == ["2 weeks", TWO_WEEKS]
    assert told["85 %"] == ["3 weeks", THREE_WEEKS]

    page.get_by_text("As a table").first.click()
    assert rows(page, "Chance of each duration") == [["2", "75 %"], ["3", "25 %"]]
    page.get_by_text("What it rests on").click()
    expect(page.get_by_text("Engine: exact")).to_be_visible()


def test_link_and_reload_show_the_same_forecast(opened: Opened) -> None:
    page = opened()
    ask(page)
    expect(headline(page)).to_have_text(f"85 % likely by {THREE_WEEKS}")
    page.get_by_role("button", name="Share link").click()
    link = page.get_by_role("region", name="Link to this forecast").inner_text()
    page.reload()
    expect(headline(page)).to_have_text(f"85 % likely by {THREE_WEEKS}")

    other = opened(link.removeprefix(page.url.split("/#")[0]))
    expect(headline(other)).to_have_text(f"85 % likely by {THREE_WEEKS}")
    expect(other.get_by_label("Items finished in each past week")).to_have_value(SAMPLES)
    expect(other.get_by_label("Name", exact=True)).to_have_value("Two weeks")


def test_link_that_was_cut_is_told_and_leaves_an_example(opened: Opened) -> None:
    page = opened("/#/forecast?share=%7B%22tpSam")
    expect(page.get_by_text("This link cannot be read")).to_be_visible()
    expect(page.get_by_label("Backlog, items")).to_have_value("50")


def test_errors_stand_beside_their_fields_and_nothing_is_lost(opened: Opened) -> None:
    page = opened(expects=("status of 400", "status of 422"))
    page.get_by_label("Items finished in each past week").fill("5, six")
    page.get_by_label("Backlog, items").fill("")
    page.get_by_role("button", name="Forecast", exact=True).click()
    expect(page.locator(".wrong:visible")).to_have_text(["“six” is not a number", "How many items are left?"])
    expect(page.get_by_label("Items finished in each past week")).to_be_focused()

    page.get_by_label("Items finished in each past week").fill("Done\n5\n6\n")
    page.get_by_label("Backlog, items").fill("10000")
    page.get_by_role("button", name="Forecast", exact=True).click()
    # The service's own rule.
    expect(page.locator(".wrong:visible")).to_contain_text("9999")
    expect(page.get_by_label("Backlog, items")).to_have_value("10000")


def test_deadline_before_the_start_is_refused(opened: Opened) -> None:
    page = opened()
    ask(page, deadline=START)
    expect(page.locator(".wrong:visible")).to_have_text("Must be after the start")


def test_file_of_closed_items_becomes_samples(opened: Opened) -> None:
    closed = ("01-05", "01-11", "01-12", "01-20", "01-21", "01-22", "02-01")
    # Four weeks back from 1 February: two items, one, three, one.
    text = "Key,Closed\n" + "".join(f"A-{n},2026-{day}\n" for n, day in enumerate(closed)) + "A-99,soon\n"
    page = opened()
    page.locator("input[type=file]").set_input_files(
        {"name": "items.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    expect(page.get_by_label("Items finished in each past week")).to_have_value("2, 1, 3, 1")
    expect(page.get_by_text("7 closed items up to 2026-02-01.")).to_be_visible()
    expect(page.get_by_text("Line 9 was left out")).to_be_visible()


def test_more_options_reach_the_service(opened: Opened) -> None:
    page = opened()
    page.get_by_text("More options").click()
    # A team that is twice that of the past finishes 8 or 12 a week: ten items are done in one week with 1/2, else two.
    page.get_by_label("Team, people").fill("4")
    page.get_by_label("Team in the past").fill("2")
    page.get_by_label("Confidence, %").fill("40")
    page.get_by_label("Risks").fill("100 %, 0, nothing, really")
    ask(page)
    expect(page.get_by_role("heading", name="40 % likely by 12 Jan 2026")).to_be_visible()


def test_running_forecast_survives_leaving_and_reload_and_is_cancelled(opened: Opened) -> None:
    page = opened(linked(LONG))
    submitted: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and "/api/async/" in request.url:
            submitted.append(request.url)

    expect(page.get_by_text("Working on it…")).to_be_visible()
    expect(page).to_have_url(re.compile("task="))
    page.on("request", note)
    page.get_by_role("link", name="Jobs", exact=True).click()
    expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
    page.locator("#running").get_by_role("link", name="Forecast Long one").click()
    expect(page.get_by_text("Working on it…")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Working on it…")).to_be_visible()
    page.locator("main").get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled. The form is as it was.")).to_be_visible()
    expect(page.get_by_label("Backlog, items")).to_have_value("9000")
    assert submitted == []


def test_scenarios_are_compared(opened: Opened) -> None:
    page = opened("/#/forecast/compare")
    names = page.get_by_role("group")
    for n in range(3):
        card = names.nth(n)
        card.get_by_label("Items finished in each past week").fill("5, 5")
        card.get_by_label("Team, people").fill("10" if n == 1 else "5")
        card.get_by_label("Backlog, items").fill("40" if n == 2 else "50")
        card.get_by_label("Start", exact=True).fill(START)
    page.get_by_label("Deadline (optional)").fill("2026-03-09")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", name="Soonest: One more person, 85 % likely by 9 Feb 2026")).to_be_focused()
    # 50 items at 5 a week, at 10 a week, and 40 at 5 a week; nine weeks fit before the deadline.
    assert rows(page, "Comparison of the scenarios") == [
        ["As planned", "10", "10", "16 Mar 2026", "–", "–", "0 %"],
        ["One more person", "5", "5", "9 Feb 2026", "-5", "100 %", "100 %"],
        ["Smaller scope", "8", "8", "2 Mar 2026", "-2", "100 %", "100 %"],
    ]
    page.reload()
    expect(page.get_by_role("heading", name="Soonest: One more person")).to_be_visible()
    shoot(page, "compare")


def test_forecast_is_added_to_the_comparison(opened: Opened) -> None:
    page = opened()
    ask(page)
    page.get_by_role("button", name="Add to comparison").click()
    expect(page.get_by_role("group", name="Compared with").get_by_label("Backlog, items")).to_have_value(BACKLOG)
    expect(page.get_by_role("group", name="Scenario").get_by_label("Name", exact=True)).to_have_value("Scenario 1")


def test_saving_needs_an_account(opened: Opened) -> None:
    page = opened()
    ask(page)
    page.get_by_role("button", name="Save", exact=True).click()
    link = page.get_by_role("link", name="Log in or sign up").get_attribute("href")
    assert link is not None
    assert link.startswith("#/account/login?next=%23%2Fforecast%3Fshare%3D")


def test_saved_forecasts_are_judged_by_what_came_of_them(opened: Opened, stack: LocalStack) -> None:
    page = opened("/#/forecast/accuracy", login=new_account(stack), expects=("status of 400",))
    expect(page.get_by_text("Not enough to compare yet")).to_be_visible()
    page.get_by_role("link", name="Record what came of saved ones").click()
    expect(page.get_by_text("Nothing is saved yet")).to_be_visible()
    for _ in range(2):
        page.get_by_role("link", name="New", exact=True).click()
        ask(page, name=IMAGE)
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("button", name="Save forecast").click()
        page.get_by_role("link", name="saved forecasts").click()
        page.get_by_role("link", name=IMAGE).first.click()
        page.get_by_role("button", name="Record", exact=True).click()
        page.get_by_label("Done on").fill("2026-01-01")
        page.get_by_role("button", name="Record it").click()
        expect(page.locator(".wrong:visible")).to_contain_text("must not be before the forecast's start")
        # Two weeks after the start.
        page.get_by_label("Done on").fill("2026-01-19")
        page.get_by_role("button", name="Record it").click()
        expect(page.get_by_text("1 weeks before 85 %")).to_be_visible()
    shoot(page, "saved")
    assert page.locator("main img").count() == 0

    page.get_by_role("link", name="Accuracy").click()
    expect(page.get_by_text("The P85 held in 2 of 2")).to_be_visible()
    assert rows(page, "Forecasts and actuals") == 2 * [[IMAGE, TWO_WEEKS, "2", "3", "2", "yes"]]
    shoot(page, "accuracy")

    page.get_by_role("link", name=IMAGE).first.click()
    expect(headline(page)).to_have_text(f"85 % likely by {THREE_WEEKS}")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Project").select_option("Next version of the one opened")
    page.get_by_role("button", name="Save forecast").click()
    page.get_by_role("link", name="saved forecasts").click()
    page.get_by_role("row").nth(1).get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("link", name=IMAGE)).to_have_count(1)


@pytest.mark.parametrize(
    "address", ["/#/forecast", "/#/forecast/compare", linked({"tpSamples": [4, 6], "numberOfTasks": 10})]
)
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_nothing_scrolls_the_page_sideways(opened: Opened, address: str, width: int) -> None:
    page = opened(address, width=width)
    expect(page.get_by_role("heading", name="Forecast", level=1)).to_be_visible()
    expect(page.locator(".loading")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def new_account(stack: LocalStack) -> tuple[str, str]:
    email, password, client = f"manager-{time.monotonic_ns()}@example.org", "A-l0ng-password!", Client(stack.url)
    assert client.call("POST", "/api/auth/register", {"email": email}).status == 200
    code = code_in(mail(client, email, "Your code for Sluice")["text"])
    body = {"email": email, "otp": code, "password": password, "password_confirm": password}
    assert client.call("POST", "/api/auth/verify", body).status == 200
    return email, password

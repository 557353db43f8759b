"""The page of contracts: awards found, narrowed down, drawn, followed to who got them, and taken away as files."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

import pytest
from playwright.sync_api import Page, Route, expect

from localstack.run import LocalStack
from tests.browser.conftest import NARROW, WIDE, Opened, shoot
from tests.e2e.test_contracts import administrator, send

SEARCH = "**/api/v1/data-processing/tasks/search/"
COLUMNS = (
    "contract_number", "award_date", "award_title", "notice_title", "contract_amount", "awardee_name",
    "organization_name", "area_of_delivery", "business_category",
)  # fmt: skip
HOSTILE = "Bridge <img src=x onerror=alert(1)>"
# 24 of rice, 300,000 pesos in all; and four others, 4,100,000.50 in all.
RICE = [
    (f"R-{n}", f"2023-01-{n:02}", f"Supply of rice, lot {n}", "", f"{n}000", "RICE TRADING", "CITY OF CEBU", "Cebu",
     "Food Stuff")
    for n in range(1, 25)
]  # fmt: skip
ROADS = [
    ("W-1", "2022-03-05", "Road and bridge in Leyte", "Bids for it", "2000000", "ALPHA BUILDERS", "DPWH", "Leyte",
     "Construction Projects"),
    ("W-2", "2022-04-05", "Road in the south", "", "1500000", "ALPHA BUILDERS", "DPWH", "Southern Leyte",
     "Construction Projects"),
    ("W-3", "2021-02-03", HOSTILE, "", "500000.50", "BETA & SONS <b>", "DPWH", "Leyte", "Construction Projects"),
    ("W-4", "2022-05-05", "Road signs", "", "100000", "Alpha Builders", "DPWH", "Leyte", "Furniture"),
]  # fmt: skip
ALL = "28 awards, ₱4.4m in all"


@pytest.fixture(scope="module", autouse=True)
def _awards(stack: LocalStack) -> None:
    task = send(administrator(stack), [dict(zip(COLUMNS, row, strict=True)) for row in RICE + ROADS])
    assert task["state"] == "SUCCESS", task
    assert task["result"]["rows_loaded"] == 28


def found(page: Page, text: str) -> None:
    """Waits until so much is found and counted."""
    expect(page.get_by_role("heading", level=2, name=text, exact=True)).to_be_visible()


def search(page: Page, text: str) -> None:
    box = page.get_by_role("searchbox", name="Words in the title")
    box.fill(text)
    box.press("Enter")


def titles(page: Page) -> list[str]:
    return page.get_by_role("region", name="Awards").locator("tbody button").all_inner_texts()


def test_first_sight_is_of_the_newest_awards_and_back_undoes_a_turn(opened: Opened) -> None:
    page = opened("/#/contracts")
    found(page, ALL)
    assert titles(page) == [f"Supply of rice, lot {n}" for n in range(24, 4, -1)]
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    expect(page.get_by_role("heading", name=ALL)).to_be_focused()
    assert titles(page)[4:] == ["Road signs", "Road in the south", "Road and bridge in Leyte", HOSTILE]
    assert page.url.endswith("#/contracts?page=2")
    page.go_back()
    expect(page.get_by_text("Page 1 of 2")).to_be_visible()


def test_words_are_looked_for_and_a_link_reproduces_the_view(opened: Opened) -> None:
    page = opened("/#/contracts")
    search(page, "road && bridge")
    found(page, "1 award, ₱2m in all")
    assert titles(page) == ["Road and bridge in Leyte"]
    search(page, "bridge || signs")
    found(page, "3 awards, ₱2.6m in all")
    page.get_by_role("button", name="Amount (₱)").click()
    expect(page.get_by_role("columnheader", name="Amount (₱)")).to_have_attribute("aria-sort", "descending")
    expect(page.get_by_role("button", name="Amount (₱)")).to_be_focused()
    page.get_by_role("checkbox", name="Contract number").check()
    expect(page.get_by_role("columnheader", name="Contract number")).to_be_visible()
    again = opened(page.url.removeprefix("http://").partition("/")[2].join(("/", "")))
    found(again, "3 awards, ₱2.6m in all")
    assert titles(again) == ["Road and bridge in Leyte", HOSTILE, "Road signs"]
    assert again.get_by_role("region", name="Awards").locator("td:last-child").all_inner_texts() == [
        "W-1",
        "W-3",
        "W-4",
    ]
    again.get_by_role("button", name="Remove Words: signs").click()
    found(again, "2 awards, ₱2.5m in all")
    again.get_by_role("button", name="Remove Words: bridge").click()
    found(again, ALL)


def test_facets_count_what_is_left_and_apply_at_once(opened: Opened) -> None:
    page = opened("/#/contracts")
    leyte = page.get_by_role("checkbox", name=re.compile("^Leyte"))
    expect(page.locator("label", has=leyte)).to_have_text("Leyte3")
    leyte.check()
    # A filter takes all names that have its text.
    found(page, "4 awards, ₱4.1m in all")
    expect(leyte).to_be_focused()
    expect(page.locator("label", has=page.get_by_role("checkbox", name="Construction Projects"))).to_have_text(
        "Construction Projects3"
    )
    page.get_by_role("checkbox", name="2022").check()
    found(page, "3 awards, ₱3.6m in all")
    least, most = page.get_by_label("At least (₱)"), page.get_by_label("At most (₱)")
    least.fill("1,600,000")
    least.press("Enter")
    found(page, "1 award, ₱2m in all")
    for wrong, told in (("much", "must be pesos"), ("1000", "no amount is both")):
        most.fill(wrong)
        most.press("Enter")
        expect(page.get_by_text(told)).to_be_visible()
    most.fill("₱2,000,000")
    most.press("Enter")
    expect(page.get_by_role("button", name="Remove At most ₱2,000,000")).to_be_visible()
    assert page.url.endswith("#/contracts?area=Leyte&year=2022&min=1600000&max=2000000")
    page.get_by_role("button", name="Remove all").click()
    found(page, ALL)
    expect(leyte).not_to_be_checked()


def test_names_are_found_by_a_part(opened: Opened) -> None:
    page = opened("/#/contracts")
    found(page, ALL)
    page.get_by_text("Suppliers", exact=True).click()
    page.get_by_role("searchbox", name="Find suppliers").fill("beta")
    expect(page.get_by_text("1 found")).to_be_visible()
    page.get_by_role("checkbox", name="BETA & SONS <b>").check()
    found(page, "1 award, ₱500k in all")
    assert titles(page) == [HOSTILE]


def test_charts_are_pressed_to_narrow_down(opened: Opened) -> None:
    page = opened("/#/contracts")
    page.get_by_role("button", name="Charts").click()
    expect(page.get_by_role("img", name="Value of the awards of each month")).to_be_visible()
    suppliers = page.get_by_role("group", name="Top suppliers")
    assert suppliers.get_by_role("button").all_inner_texts() == [
        "ALPHA BUILDERS", "BETA & SONS <b>", "RICE TRADING", "Alpha Builders",
    ]  # fmt: skip
    expect(suppliers).to_contain_text("₱3.5m · 2")
    page.get_by_role("group", name="Top categories").get_by_role("button", name="Construction Projects").click()
    found(page, "3 awards, ₱4m in all")
    page.get_by_role("group", name="By year").get_by_role("button", name="2022").click()
    found(page, "2 awards, ₱3.5m in all")
    page.go_back()
    found(page, "3 awards, ₱4m in all")
    assert page.url.endswith("#/contracts?category=Construction+Projects&tab=charts")


def test_award_leads_to_all_about_who_got_it(opened: Opened) -> None:
    page = opened("/#/contracts?q=road+%26%26+bridge")
    page.get_by_role("button", name="Road and bridge in Leyte").click()
    expect(page.get_by_text("Bids for it")).to_be_visible()
    expect(page.get_by_text("W-1")).to_be_visible()
    page.get_by_role("link", name="ALPHA BUILDERS").first.click()
    expect(page.get_by_role("heading", level=1, name="ALPHA BUILDERS")).to_be_visible()
    expect(page.locator(".stats")).to_contain_text("₱3.5m")
    expect(page.get_by_role("region", name="Name").get_by_role("link", name="Alpha Builders")).to_be_visible()
    assert page.get_by_role("region", name="Areas (2)").locator("td:first-child").all_inner_texts() == [
        "Leyte", "Southern Leyte",
    ]  # fmt: skip
    amounts = page.get_by_role("region", name="Largest awards").locator("td:last-child")
    expect(amounts).to_have_text(["2,000,000.00", "1,500,000.00"])
    page.get_by_role("link", name="DPWH").first.click()
    expect(page.get_by_role("heading", level=1, name="DPWH")).to_be_visible()
    expect(page.locator(".stats")).to_contain_text("₱4.1m")
    page.get_by_role("link", name="Search its awards").click()
    found(page, "4 awards, ₱4.1m in all")


def test_name_that_is_not_there_is_told(opened: Opened) -> None:
    page = opened("/#/contracts/entity/contractor?name=Nobody", expects=("404",))
    expect(page.get_by_text("There is no such name in the current data")).to_be_visible()


@pytest.mark.parametrize(("format", "ending"), [("CSV", "csv"), ("JSON Lines", "jsonl"), ("Excel (XLSX)", "xlsx")])
def test_export_is_there_after_a_reload(opened: Opened, format: str, ending: str) -> None:
    name = f"contracts_export.{ending}"
    page = opened("/#/contracts?q=road&tab=export")
    page.get_by_label("Format").select_option(format)
    page.get_by_role("button", name="Export").last.click()
    expect(page.get_by_role("link", name=f"Download {name}")).to_be_visible()
    expect(page.get_by_text("3 rows, ")).to_be_visible()
    page.reload()
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Download {name}").click()
    content = download.value.path().read_bytes()
    expect(page.get_by_text(f"SHA-256 {hashlib.sha256(content).hexdigest()}")).to_be_visible()
    assert content.startswith({"csv": b"\xef\xbb\xbf", "jsonl": b"{", "xlsx": b"PK"}[ending])
    page.get_by_role("button", name="Remove from this list").click()
    page.reload()
    found(page, "3 awards, ₱3.6m in all")
    expect(page.get_by_role("link", name=f"Download {name}")).to_have_count(0)


def test_running_export_tells_its_progress_and_can_be_cancelled(opened: Opened) -> None:
    page = opened("/#/contracts?tab=export")
    found(page, ALL)
    state = {"state": "PROGRESS", "status": "Working", "progress": 40, "total": 100, "stage": "writing", "ready": False}

    def answer(route: Route) -> None:
        if route.request.method == "DELETE":
            state.update(state="REVOKED", ready=True)
        route.fulfill(json={"task_id": route.request.url.rpartition("/")[2], **state})

    page.route(re.compile(r"/api/tasks/[^/]+$"), answer)
    page.get_by_role("button", name="Export").last.click()
    card = page.locator("section", has=page.get_by_role("heading", name="The awards as CSV: all")).last
    expect(card.get_by_role("progressbar")).to_have_attribute("value", "40")
    expect(page.locator("#running")).to_contain_text("Export of contracts")
    card.get_by_role("button", name="Cancel").click()
    expect(card).to_contain_text("It was cancelled")
    expect(page.locator("#running")).to_be_hidden()


def test_newer_search_outruns_an_older_one(opened: Opened) -> None:
    page = opened("/#/contracts")
    found(page, ALL)
    held: list[Route] = []
    page.route(
        SEARCH, lambda route: held.append(route) if "road" in (route.request.post_data or "") else route.continue_()
    )
    before = titles(page)
    search(page, "road")
    expect(page.locator("main [aria-busy=true]")).to_be_visible()
    assert titles(page) == before
    search(page, "lot 7")
    found(page, "1 award, ₱7k in all")
    held[0].continue_()
    page.get_by_role("button", name="Date").click()
    expect(page.get_by_role("columnheader", name="Date")).to_have_attribute("aria-sort", "ascending")
    assert titles(page) == ["Supply of rice, lot 7"]


def test_refusal_is_told_and_can_be_tried_again(opened: Opened) -> None:
    page = opened("/#/contracts", expects=("418",))
    found(page, ALL)
    page.route(SEARCH, lambda route: route.fulfill(status=418, json={"detail": "not today"}))
    search(page, "signs")
    expect(page.get_by_role("alert")).to_contain_text("not today")
    page.unroute(SEARCH)
    page.get_by_role("button", name="Try again").click()
    found(page, "1 award, ₱100k in all")


def test_typing_error_is_met_with_what_may_have_been_meant(opened: Opened) -> None:
    page = opened("/#/contracts?q=brigde")
    expect(page.get_by_text("No award fits these filters")).to_be_visible()
    page.get_by_role("button", name="bridge", exact=True).click()
    found(page, "2 awards, ₱2.5m in all")


def test_page_behind_the_last_one_leads_back(opened: Opened) -> None:
    page = opened("/#/contracts?page=9")
    page.get_by_role("button", name="To the first page").click()
    expect(page.get_by_text("Page 1 of 2")).to_be_visible()


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_views_fit_the_window(opened: Opened, width: int, scheme: Literal["light", "dark"]) -> None:
    page = opened("/#/contracts", width=width, scheme=scheme)
    for tab in ("Results", "Charts", "Export"):
        page.get_by_role("navigation", name="Views").get_by_role("button", name=tab).click()
        found(page, ALL)
        shoot(page, f"contracts-{tab.lower()}-{width}-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

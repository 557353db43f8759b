"""Events in the console: an app is made, events arrive live, rules are tried, faults are found and judged again."""

from __future__ import annotations

import re
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Locator, Page, WebSocketRoute, expect

from localstack.run import LocalStack
from tests.browser.conftest import NARROW, Opened, shoot
from tests.e2e.client import Client

DEMO = ("demo@sluice.test", "demo-password")
HTML = "<img src=x onerror=alert(1)>"
RULES = b"eventName,eventPayload,dataType,required\npurchase,total,number,true\n"


@pytest.fixture
def demo(stack: LocalStack) -> Client:
    return Client(stack.url).login(*DEMO)


def make_app(demo: Client, rules: bytes | dict[str, object] = b"") -> str:
    """A new app of the demo account, with rules if there are any."""
    app_id = f"shop-{uuid.uuid4().hex[:8]}"
    assert demo.call("POST", "/api/apps", {"app_id": app_id, "name": "Shop"}).status == 201
    if rules:
        named = {"Content_Type": "text/csv"} if isinstance(rules, bytes) else {}
        assert demo.call("POST", f"/api/apps/{app_id}/rules", rules, **named).status == 201
    return app_id


def store(demo: Client, app_id: str, *events: Mapping[str, object]) -> None:
    """Sends events and waits until they have their rows."""
    task_id = demo.call("POST", f"/api/logs/{app_id}/batch", list(events)).body["task_id"]
    assert demo.wait(task_id)["state"] == "SUCCESS"


def stat(page: Page, name: str) -> Locator:
    """The number on a card."""
    return page.locator(".stat").filter(has=page.get_by_text(name, exact=True)).locator("b")


def line(page: Page, name: str) -> Locator:
    """The button of the only event of that name in a table."""
    return page.locator("tr.act").get_by_role("button", name=name, exact=True)


def test_who_is_not_logged_in_is_told_what_this_is_and_comes_back_after_a_login(opened: Opened) -> None:
    page = opened("/#/events")
    expect(page.get_by_text("as it arrives")).to_be_visible()
    link = page.get_by_role("link", name="Log in or sign up")
    expect(link).to_have_attribute("href", "#/account/login?next=%23%2Fevents")


def test_person_makes_an_app_and_sees_a_first_event_arrive(opened: Opened) -> None:
    page = opened("/#/events", login=DEMO)
    app_id = f"first-{uuid.uuid4().hex[:8]}"
    page.get_by_label("Name").fill("Corner shop")
    page.get_by_label("ID").fill(app_id)
    page.get_by_role("button", name="Create the app").click()
    expect(page.get_by_role("heading", level=1, name="Corner shop")).to_be_visible()
    assert page.url.endswith(f"#/events/{app_id}/live")
    expect(page.get_by_text("Waiting for events")).to_be_visible()
    send = page.get_by_role("button", name="Send a test event")
    send.press("Enter")
    expect(page.get_by_text(re.compile(r"Here after \d"))).to_be_visible()
    expect(send).to_be_focused()
    expect(stat(page, "Arrived")).to_have_text("1")
    line(page, "user_login").click()
    # Nothing says yet what the event must have.
    expect(page.get_by_role("region", name="Results by field")).to_contain_text("Extra event (not in sheet)")
    expect(page.get_by_role("region", name="Body")).to_contain_text('"userId": 123')


def test_line_of_curl_works_as_printed(opened: Opened, demo: Client) -> None:
    app_id = make_app(demo)
    page = opened(f"/#/events/{app_id}", login=DEMO)
    printed = page.get_by_role("region", name="curl").inner_text()
    answer = subprocess.run(["/bin/sh", "-c", f"{printed} -sS"], capture_output=True, text=True, check=True)
    assert '"status":"valid"' in answer.stdout
    expect(line(page, "user_login")).to_be_visible()


def test_app_whose_id_is_taken_is_told_beside_the_field(opened: Opened) -> None:
    page = opened("/#/events", login=DEMO, expects=("409",))
    page.get_by_label("Name").fill("Another")
    page.get_by_label("ID").fill("test-app")
    page.get_by_role("button", name="Create the app").click()
    field = page.get_by_label("ID")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value("Another")


def test_hundred_events_a_second_are_shown_and_counted_without_freezing(opened: Opened, demo: Client) -> None:
    app_id = make_app(demo, RULES)
    page = opened(f"/#/events/{app_id}/live", login=DEMO)
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    page.evaluate(
        """() => {
          let last = performance.now();
          window.longest = 0;
          const look = (now) => {
            window.longest = Math.max(window.longest, now - last);
            last = now;
            requestAnimationFrame(look);
          };
          requestAnimationFrame(look);
        }"""
    )
    # Every fifth event breaks the rule, every tenth has none.
    batch = [
        {"eventName": "purchase", "total": "much"} if n in (0, 5) else {"eventName": "visit" if n == 9 else "purchase",
        "total": n, "note": "x" * 200} for n in range(10)
    ]  # fmt: skip
    statuses: list[int] = []

    def send() -> None:
        paced = threading.Event()
        began_s = time.monotonic()
        for n in range(60):
            statuses.append(demo.call("POST", f"/api/logs/{app_id}/batch", batch).status)
            paced.wait(max(0.0, began_s + 0.1 * (n + 1) - time.monotonic()))

    sending = threading.Thread(target=send)
    sending.start()
    answers_ms = []
    while sending.is_alive():
        for name in ("Pause", "Resume"):
            began_s = time.monotonic()
            page.get_by_role("button", name=name).click()
            expect(page.get_by_role("button", name="Resume" if name == "Pause" else "Pause")).to_be_visible()
            answers_ms.append(1000 * (time.monotonic() - began_s))
    sending.join()
    assert statuses == [202] * 60
    expect(stat(page, "Arrived")).to_have_text("600")
    expect(stat(page, "Valid")).to_have_text("420")
    expect(stat(page, "Invalid")).to_have_text("120")
    expect(stat(page, "Without rules")).to_have_text("60")
    # What has no room is counted and left out.
    expect(page.get_by_text("300 of 600 events are shown")).to_be_visible()
    assert page.locator("tr.act").count() == 300
    longest_ms = page.evaluate("window.longest")
    # A frozen page would be one for seconds; how quick this machine is, is no property of the code.
    assert longest_ms < 1_500
    assert max(answers_ms) < 5_000


def test_user_and_system_events_are_told_apart_and_the_address_keeps_the_filter(opened: Opened, demo: Client) -> None:
    app_id = make_app(demo, RULES)
    store(demo, app_id, {"eventName": "purchase", "total": 1}, {"eventName": "purchase", "total": "much", "eventId": 7})
    page = opened(f"/#/events/{app_id}/live", login=DEMO)
    expect(page.locator("tr.act")).to_have_count(2)
    page.get_by_role("button", name="System", exact=True).click()
    expect(page.locator("tr.act")).to_have_count(1)
    expect(page.locator("tr.act")).to_contain_text("total: number expected, text came")
    assert "source=system" in page.url
    page.reload()
    expect(page.locator("tr.act")).to_have_count(1)
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_label("Verdict").select_option("Valid")
    expect(page.locator("tr.act")).to_have_count(1)
    expect(page.locator("tr.act")).not_to_contain_text("expected")


def test_events_that_came_while_an_event_is_read_are_counted_and_wait(opened: Opened, demo: Client) -> None:
    app_id = make_app(demo)
    store(demo, app_id, {"eventName": "first of all"})
    store(demo, app_id, {"eventName": "first"})
    page = opened(f"/#/events/{app_id}/live", login=DEMO)
    line(page, "first").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Body")).to_be_visible()
    store(demo, app_id, {"eventName": "second"})
    page.get_by_role("button", name="Resume (1 new)").click()
    expect(page.locator("tr.act")).to_have_count(3)
    # What was open stays open, below the event that is new.
    expect(page.locator("tbody tr").nth(0)).to_contain_text("second")
    expect(page.get_by_role("region", name="Body")).to_be_visible()
    page.get_by_label("Name contains").fill("first")
    expect(page.locator("tr.act")).to_have_count(2)
    expect(page.locator("tr.act + tr:not(.act)")).to_contain_text('"eventName": "first"')
    expect(page.locator("tr.act").nth(1)).to_contain_text("first of all")
    assert page.locator("tr.act").nth(0).evaluate("line => line.nextElementSibling.className") == ""
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Waiting for events")).to_be_visible()


def test_events_arrive_without_a_socket(opened: Opened, demo: Client) -> None:
    app_id = make_app(demo)
    page = opened("/#/events", login=DEMO)
    page.add_init_script("delete window.WebSocket")
    page.goto(page.url.replace("#/events", f"#/events/{app_id}"))
    page.reload()
    expect(page.get_by_role("status").filter(has_text="Polling every 2 s")).to_be_visible()
    store(demo, app_id, *({"eventName": "polled", "n": n} for n in range(3)))
    expect(page.locator("tr.act")).to_have_count(3)
    expect(stat(page, "Arrived")).to_have_text("3")


def test_what_a_lost_socket_and_a_full_message_leave_out_is_read(opened: Opened, demo: Client) -> None:
    app_id = make_app(demo)
    sockets: list[WebSocketRoute] = []

    def lead(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    page = opened("/#/account", login=DEMO)
    page.route_web_socket(re.compile("/ws/events/"), lead)
    page.goto(page.url.replace("#/account", f"#/events/{app_id}"))
    page.reload()
    live = page.get_by_role("status").filter(has_text="Live")
    expect(live).to_be_visible()
    sockets[-1].close()
    expect(page.get_by_role("status").filter(has_text="Polling every 2 s")).to_be_visible()
    store(demo, app_id, {"eventName": "meanwhile"})
    expect(stat(page, "Arrived")).to_have_text("1")
    expect(live).to_be_visible()
    # More than a message has room for.
    store(demo, app_id, *({"eventName": "many", "n": n, "text": "x" * 150} for n in range(1_000)))
    expect(stat(page, "Arrived")).to_have_text("1,001")
    assert page.locator("tr.act").count() == 300


def test_sheet_is_tried_before_it_judges_and_older_rules_come_back(opened: Opened, demo: Client) -> None:
    app_id = make_app(demo)
    store(demo, app_id, *({"eventName": "purchase", "total": total} for total in (1, 2, "much")))
    page = opened(f"/#/events/{app_id}/rules", login=DEMO, expects=("dry_run",))
    expect(page.get_by_role("heading", name="No rules yet")).to_be_visible()
    sheet = page.get_by_label("Rule sheet")

    sheet.set_input_files({"name": "bad.csv", "mimeType": "text/csv", "buffer": RULES.replace(b"number", b"numbr")})
    expect(page.get_by_role("alert")).to_contain_text("This sheet cannot be taken")
    expect(page.get_by_role("alert")).to_contain_text("/line 2/dataType")

    sheet.set_input_files({"name": "plan.csv", "mimeType": "text/csv", "buffer": RULES})
    expect(page.get_by_role("heading", name="What would change compatible")).to_be_visible()
    expect(page.get_by_text("1 would turn invalid and 0 valid")).to_be_visible()
    assert demo.call("GET", f"/api/apps/{app_id}").body["rules_version"] == 0
    page.get_by_role("button", name="Make it version 1").click()
    expect(page.get_by_role("region", name="Rules", exact=True)).to_contain_text("total")

    wider = RULES + b",coupon,text,true\n"
    sheet.set_input_files({"name": "plan.csv", "mimeType": "text/csv", "buffer": wider})
    expect(page.get_by_role("heading", name="What would change breaking")).to_be_visible()
    expect(page.get_by_text("purchase: coupon is new and required")).to_be_visible()
    page.get_by_role("button", name="Make it version 2").click()
    expect(page.get_by_role("region", name="Rules", exact=True)).to_contain_text("coupon")

    page.get_by_role("button", name="To 1").click()
    page.get_by_role("button", name="Roll back", exact=True).click()
    expect(page.get_by_role("heading", name="Version 3")).to_be_visible()
    expect(page.get_by_role("region", name="Rules", exact=True)).not_to_contain_text("coupon")
    with page.expect_download() as saved:
        page.get_by_role("row", name=re.compile("^2 ")).get_by_role("link", name="csv").click()
    assert b"coupon" in Path(saved.value.path()).read_bytes()
    with page.expect_download() as schema:
        page.get_by_role("row", name=re.compile("^2 ")).get_by_role("link", name="schema").click()
    page.get_by_label("Rule sheet").set_input_files(
        {"name": "plan.json", "mimeType": "application/json", "buffer": Path(schema.value.path()).read_bytes()}
    )
    expect(page.get_by_role("button", name="Make it version 4")).to_be_visible()


def test_logs_are_filtered_and_saved_as_they_are_shown(opened: Opened, demo: Client) -> None:
    app_id = make_app(demo, RULES)
    store(
        demo, app_id, {"eventName": "purchase", "total": 1}, {"eventName": "purchase", "total": "much"},
        *({"eventName": "visit", "page": n} for n in range(60)),
    )  # fmt: skip
    page = opened(f"/#/events/{app_id}/logs", login=DEMO)
    expect(page.get_by_text("62 events fit")).to_be_visible()
    expect(page.locator("tr.act")).to_have_count(50)
    page.get_by_role("button", name="Load older events").click()
    expect(page.locator("tr.act")).to_have_count(62)
    page.get_by_label("Verdict").select_option("Invalid")
    expect(page.locator("tr.act")).to_have_count(1)
    page.reload()
    expect(page.get_by_label("Verdict")).to_have_value("invalid")
    expect(page.locator("tr.act")).to_have_count(1)
    for name in ("CSV of these rows", "CSV of all that fit"):
        with page.expect_download() as saved:
            page.get_by_role("button", name=name).click()
        expect(page.get_by_text("Saved validation_results")).to_be_visible()
        assert Path(saved.value.path()).read_text("utf-8-sig").splitlines() == [
            "eventName,key,value,expectedType,receivedType,validationStatus,comment",
            "purchase,total,much,number,text,Invalid/Wrong datatype/value,must be a number",
        ]
    with page.expect_download() as summary:
        page.get_by_role("button", name="CSV of the last day").click()
    assert Path(summary.value.path()).read_text("utf-8-sig").startswith("Event Name,Latest Timestamp,")


def test_fault_is_found_mended_and_judged_again(opened: Opened, demo: Client) -> None:
    app_id = make_app(demo, RULES)
    store(demo, app_id, *({"eventName": "purchase", "total": "much"} for _ in range(3)))
    page = opened(f"/#/events/{app_id}/quarantine", login=DEMO)
    faults = page.get_by_role("region", name="Faults")
    expect(faults.get_by_role("row").nth(1)).to_contain_text(re.compile("purchase.*total.*must be a number"))
    faults.get_by_role("link", name="purchase").click()
    expect(page.locator("tr.act")).to_have_count(3)
    page.go_back()
    mended = RULES.replace(b"number", b"text")
    assert demo.call("POST", f"/api/apps/{app_id}/rules", mended, Content_Type="text/csv").status == 201
    page.get_by_role("button", name="Judge stored events again").click()
    expect(page.get_by_role("heading", name="What would turn")).to_be_visible()
    expect(stat(page, "Turned valid")).to_have_text("3")
    expect(faults).to_be_visible()
    page.get_by_role("button", name="Store these verdicts").click()
    expect(page.get_by_role("heading", name="What has turned")).to_be_visible()
    expect(page.get_by_text("Nothing is wrong")).to_be_visible()
    # The address shows the same again.
    page.reload()
    expect(page.get_by_role("heading", name="What has turned")).to_be_visible()


def test_overview_shows_what_is_missing_of_the_plan(opened: Opened, demo: Client) -> None:
    app_id = make_app(demo, RULES + b"refund,total,number,true\n")
    store(demo, app_id, {"eventName": "purchase", "total": 1}, {"eventName": "visit"})
    page = opened(f"/#/events/{app_id}/overview", login=DEMO)
    expect(stat(page, "Seen")).to_have_text("2")
    expect(stat(page, "Valid")).to_have_text("1")
    expect(stat(page, "Without rules")).to_have_text("1")
    expect(page.get_by_text("1 of 2 events were seen")).to_be_visible()
    expect(page.get_by_role("heading", name="Not seen yet: 1")).to_be_visible()
    expect(page.get_by_role("link", name="refund")).to_be_visible()
    page.get_by_role("link", name="visit").click()
    expect(page.locator("tr.act")).to_have_count(1)


def test_key_is_needed_once_it_is_made(opened: Opened, demo: Client) -> None:
    app_id = make_app(demo)
    page = opened(f"/#/events/{app_id}/settings", login=DEMO)
    page.get_by_label("Events that break rules").select_option("drop")
    expect(page.get_by_text("Saved; it holds within seconds")).to_be_visible()
    assert demo.call("GET", f"/api/apps/{app_id}").body["policy"] == "drop"
    page.get_by_role("button", name="Make a new key").click()
    key = page.get_by_role("region", name="X-Ingest-Key, shown this once").inner_text()
    page.get_by_role("link", name="Live").click()
    page.get_by_label("Ingest key").fill(key)
    expect(page.get_by_role("region", name="curl")).to_contain_text(f"'X-Ingest-Key: {key}'")
    page.get_by_role("button", name="Send a test event").click()
    expect(line(page, "user_login")).to_be_visible()

    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Delete the app").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the app").click()
    expect(page.get_by_role("heading", level=1, name="Events")).to_be_visible()
    assert demo.call("GET", f"/api/apps/{app_id}").status == 404


def test_alerts_sampling_and_name_are_set_and_a_bad_value_is_told_beside_it(opened: Opened, demo: Client) -> None:
    app_id = make_app(demo)
    page = opened(f"/#/events/{app_id}/settings", login=DEMO, expects=("400",))
    page.get_by_label("Mail when clearly more events than usual are invalid").check()
    factor, pause = page.get_by_label("More than so many times the usual"), page.get_by_label("Minutes without another")
    factor.fill("4.5")
    factor.press("Tab")
    page.get_by_label("Bodies of valid events kept in a minute").fill("100")
    page.get_by_label("Name", exact=True).fill("Shop of tests")
    pause.fill("14")
    pause.press("Tab")
    expect(pause).to_have_accessible_description(re.compile("15"))
    pause.fill("30")
    pause.press("Tab")
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    said = {"spike_alerts": True, "spike_factor": 4.5, "spike_pause_minutes": 30, "keep_bodies_per_minute": 100}
    stored = demo.call("GET", f"/api/apps/{app_id}").body
    assert {name: stored[name] for name in (*said, "name")} == {**said, "name": "Shop of tests"}


def test_markup_in_events_is_shown_as_text_everywhere(opened: Opened, demo: Client) -> None:
    rule = {"event": HTML, "path": "note", "type": "integer", "required": True}
    app_id = make_app(demo, {"rules": [rule]})
    assert demo.call("PUT", f"/api/apps/{app_id}", {"name": HTML}).status == 200
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page = opened(f"/#/events/{app_id}/live", login=DEMO, width=NARROW)
    page.on("dialog", note)
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    store(demo, app_id, {"eventName": HTML, "note": HTML, HTML: HTML, "messageId": f"{HTML}{uuid.uuid4()}"})
    for tab in ("Live", "Logs"):
        page.get_by_role("link", name=tab, exact=True).click()
        line(page, HTML).click()
        expect(page.get_by_role("region", name="Results by field")).to_contain_text(HTML)
        expect(page.get_by_role("region", name="Body")).to_contain_text(HTML)
        assert page.locator("img").count() == 0
        shoot(page, f"events-markup-{tab.lower()}")
    for tab, place in (("Quarantine", "Faults"), ("Rules", "Rules")):
        page.get_by_role("link", name=tab, exact=True).click()
        expect(page.get_by_role("region", name=place, exact=True)).to_contain_text(HTML)
        assert page.locator("img").count() == 0
    page.get_by_role("link", name="Overview", exact=True).click()
    expect(page.get_by_text("1 of 1 events were seen")).to_be_visible()
    page.goto(page.url.split("#")[0] + "#/events")
    expect(page.get_by_role("link", name=HTML)).to_be_visible()
    assert page.locator("img").count() == 0
    assert dialogs == []

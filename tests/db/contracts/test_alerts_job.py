"""From an import to an alert and its delivery, as clients see it; on a real Postgres."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from chalicelib.alerting import AlertsResult
from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from chalicelib.errors import Unavailable
from chalicelib.jobs.kind import Continue, Progress
from chalicelib.jobs.memory import MemoryQueues
from chalicelib.jobs.queue import Message
from chalicelib.jobs.worker import ComeAgain
from chalicelib.kinds.contracts_alerts import KIND, AlertsRequest, run
from chalicelib.kinds.contracts_import import KIND as IMPORT
from tests.api.calls import document
from tests.api.test_tasks import bearer
from tests.db.contracts.desk import ADMIN, THREE, Desk
from tests.db.test_database import query

SEARCHES = "/api/v1/contracts/saved-searches"
ALERTS = "/api/async/contracts/alerts"
# Another one that fits, another one like A-1, and one that does not fit.
MORE = (
    THREE
    + "A-9,2024-06-01,Repair of a school,10,Acme Builders,Cebu,Cebu,Construction\n"
    + "A-1,2024-03-01,Repair of the bridge,1000.50,Acme Builders,City of Manila,Manila,Construction\n"
    + "A-8,2024-06-02,Supply of pens,5,Paper & Co,Cebu,Cebu,Office\n"
)
HOOK = "https://hooks.example.org/sluice?a=1"


@pytest.fixture
def desk(dsn: str) -> Desk:
    return Desk(dsn, mail_from="alerts@example.org", public_url="https://sluice.test")


@pytest.fixture
def ann(desk: Desk, dsn: str) -> str:
    """The credential of an account."""
    with closing(Database(dsn)) as database:
        account = Accounts(database).put(email="ann@example.org", name="Ann", password_hash="hash", role="student")
    return bearer(account)


def save(desk: Desk, credential: str, **fields: object) -> Any:  # a saved search
    body = {"name": "Repairs", "filters": {"keywords": ["repair"]}} | fields
    answer = desk.api.call("POST", SEARCHES, body, authorization=credential)
    assert answer.status == 201, document(answer)
    return document(answer)


def alerts(desk: Desk, credential: str, search: Any) -> Any:  # a list of alerts
    answer = desk.api.call("GET", f"{SEARCHES}/{search['id']}/alerts", authorization=credential)
    assert answer.status == 200, document(answer)
    return document(answer)


def test_import_that_brings_matches_ends_in_an_alert_and_a_signed_call_of_the_webhook(desk: Desk, ann: str) -> None:
    desk.import_text(THREE)
    search = save(desk, ann, channel="webhook", target=HOOK)
    desk.import_text(MORE)
    desk.work("emails")
    (alert,) = alerts(desk, ann, search)
    counts = [alert[name] for name in ("dataset_version", "base_version", "new_matches", "delivery")]
    assert counts == [2, 1, 2, "sent"]
    assert [row["contract_no"] for row in alert["contracts"]] == ["A-9", "A-1"]
    (sent,) = desk.api.runtime.hooks.sent
    said = msgspec.json.decode(sent.body)
    assert sent.url == HOOK
    assert said["type"] == "contracts.alert"
    assert (said["new_matches"], said["dataset_version"], said["base_version"]) == (2, 2, 1)
    assert said["contracts"] == alert["contracts"]
    assert sent.headers["X-Sluice-Delivery"] == said["id"] == str(alert["id"])
    signed = f"{sent.headers['X-Sluice-Timestamp']}.{sent.body}".encode()
    digest = hmac.new(search["secret"].encode(), signed, hashlib.sha256).hexdigest()
    assert sent.headers["X-Sluice-Signature"] == f"sha256={digest}"


def start_again(desk: Desk, body: object) -> Any:  # a task
    accepted = desk.api.call("POST", ALERTS, body, authorization=ADMIN)
    assert accepted.status == 202, document(accepted)
    desk.work("batch")
    return document(desk.api.call("GET", accepted.headers["Location"], authorization=ADMIN))


def test_alert_by_mail_goes_to_the_accounts_own_address(desk: Desk, ann: str) -> None:
    desk.import_text(THREE)
    search = save(desk, ann, name="Repairs of\nbridges", channel="email")
    assert search["target"] == "ann@example.org"
    assert "secret" not in search
    desk.import_text(MORE)
    desk.work("emails")
    (mail,) = desk.api.runtime.outbox.sent
    address = f"https://sluice.test{SEARCHES}/{search['id']}"
    assert (mail.to, mail.subject) == ("ann@example.org", "2 new awards for Repairs of bridges")
    assert mail.unsubscribe_url == address
    assert mail.text == (
        "2 new awards for Repairs of bridges\n\n"
        "2024-06-01  10.00 PHP  Acme Builders: Repair of a school\n"
        "2024-03-01  1,000.50 PHP  Acme Builders: Repair of the bridge\n\n"
        f"The search and its alerts: {address}\n"
        "To get no more of these mails, log in and switch the search off there, or remove it.\n"
    )
    assert [alert["delivery"] for alert in alerts(desk, ann, search)] == ["sent"]


@pytest.mark.parametrize("body", [{}, {"version": 2}])
def test_work_that_is_done_again_makes_no_second_alert_and_no_second_delivery(
    desk: Desk, ann: str, body: object
) -> None:
    desk.import_text(THREE)
    search = save(desk, ann, channel="webhook", target=HOOK)
    desk.import_text(MORE)
    task = start_again(desk, body)
    counts = {name: task["result"][name] for name in ("dataset_version", "searches", "alerts", "failed")}
    assert counts == {"dataset_version": 2, "searches": 0, "alerts": 0, "failed": 0}
    desk.work("emails")
    assert len(alerts(desk, ann, search)) == len(desk.api.runtime.hooks.sent) == 1


def test_alert_that_was_made_and_not_handed_on_is_handed_on_once(desk: Desk, ann: str, dsn: str) -> None:
    desk.import_text(THREE)
    search = save(desk, ann, channel="webhook", target=HOOK)
    desk.import_text(MORE)
    # As after a worker that died when the delivery was submitted and not yet noted.
    (first,) = alerts(desk, ann, search)
    query(dsn, "UPDATE search_alerts SET delivery = 'due', task_id = NULL RETURNING id")
    # And its search was changed meanwhile, so that the message would be another one.
    desk.api.call("PUT", f"{SEARCHES}/{search['id']}", {"name": "Other"}, authorization=ann)
    start_again(desk, {})
    (again,) = alerts(desk, ann, search)
    assert again["task_id"] == first["task_id"]
    desk.work("emails")
    assert len(desk.api.runtime.hooks.sent) == 1


class Interrupted(MemoryQueues):
    """Takes no messages while `is_away`."""

    is_away = False

    def send(self, queue: str, message: Message, *, delay_s: int = 0) -> None:
        if self.is_away:
            raise Unavailable("the job queue cannot be reached")
        super().send(queue, message, delay_s=delay_s)


@pytest.fixture
def queues(desk: Desk) -> Interrupted:
    """The desk's queues, which may be away."""
    parts, runtime, queues = desk.api.parts, desk.api.runtime, Interrupted()
    parts.queues, parts.engine = queues, replace(parts.engine, queues=queues)
    runtime.__dict__["engine"] = runtime.__dict__["background"] = parts.serving(runtime)
    return queues


@pytest.mark.parametrize("steps_before", [1, 2], ids=["when the alerts are to start", "when one is to be delivered"])
def test_queue_that_is_away_delays_an_alert_and_loses_none(
    desk: Desk, ann: str, queues: Interrupted, steps_before: int
) -> None:
    desk.import_text(THREE)
    search = save(desk, ann, channel="webhook", target=HOOK)
    path = desk.submit({"upload_id": desk.upload(MORE)})
    desk.work("batch", steps=steps_before)
    queues.is_away, message = True, queues.sent["batch"][0]
    with pytest.raises(ComeAgain):
        desk.work("batch", steps=1)
    queues.is_away = False
    queues.sent["batch"].append(message)
    desk.work("batch")
    assert document(desk.api.call("GET", path, authorization=ADMIN))["state"] == "SUCCESS"
    desk.work("emails")
    assert [(each["new_matches"], each["delivery"]) for each in alerts(desk, ann, search)] == [(2, "sent")]
    assert len(desk.api.runtime.hooks.sent) == 1


def test_import_does_not_fail_for_alerts_that_cannot_be_started(desk: Desk, ann: str, queues: Interrupted) -> None:
    desk.import_text(THREE)
    search = save(desk, ann)
    path = desk.submit({"upload_id": desk.upload(MORE)})
    desk.work("batch", steps=1)
    queues.is_away = True
    desk.work("batch", steps=1, kind=msgspec.structs.replace(IMPORT, max_attempts=1, outage_s=0))
    assert document(desk.api.call("GET", path, authorization=ADMIN))["state"] == "SUCCESS"
    queues.is_away = False
    # An admin starts them when the queue is there again.
    assert start_again(desk, {})["result"]["alerts"] == 1
    assert [alert["new_matches"] for alert in alerts(desk, ann, search)] == [2]


def test_steps_go_on_where_the_one_before_ended(desk: Desk, ann: str) -> None:
    desk.import_text(THREE)
    searches = [save(desk, ann, name=name, channel="webhook", target=HOOK) for name in "abc"]
    path = desk.submit({"upload_id": desk.upload(MORE)})
    desk.work("batch", steps=2)
    assert document(desk.api.call("GET", path, authorization=ADMIN))["state"] == "SUCCESS"

    def one_at_a_time(request: AlertsRequest, progress: Progress) -> AlertsResult | Continue:
        return run(request, progress, step_s=0)

    stepwise = msgspec.structs.replace(KIND, run=one_at_a_time)
    made = []
    while desk.api.parts.queues.sent["batch"]:
        desk.work("batch", steps=1, kind=stepwise)
        made.append(sum(len(alerts(desk, ann, search)) for search in searches))
    assert made == [1, 2, 3, 3]
    desk.work("emails")
    assert len(desk.api.runtime.hooks.sent) == 3


def test_version_without_news_makes_no_alert_and_is_noted(desk: Desk, ann: str) -> None:
    desk.import_text(THREE)
    search = save(desk, ann, filters={"keywords": ["pens"]})
    assert (search["last_version"], search["last_matches"]) == (1, None)
    desk.import_text(THREE)
    assert alerts(desk, ann, search) == []
    noted = document(desk.api.call("GET", f"{SEARCHES}/{search['id']}", authorization=ann))
    assert (noted["last_version"], noted["last_matches"]) == (2, 0)


def test_alert_without_a_channel_is_kept(desk: Desk, ann: str) -> None:
    desk.import_text(THREE)
    search = save(desk, ann)
    desk.import_text(MORE)
    assert [(each["delivery"], each["task_id"]) for each in alerts(desk, ann, search)] == [("kept", None)]
    assert "emails" not in desk.api.parts.queues.sent


def test_search_that_was_saved_before_there_was_anything_finds_all_of_the_first_version_new(
    desk: Desk, ann: str
) -> None:
    search = save(desk, ann)
    assert search["last_version"] == 0
    desk.import_text(THREE)
    (alert,) = alerts(desk, ann, search)
    assert (alert["dataset_version"], alert["base_version"], alert["new_matches"]) == (1, 0, 2)


@pytest.mark.parametrize(
    "change", [{"filters": {"keywords": ["supply"]}}, {"is_active": False}], ids=["asks for something else", "is off"]
)
def test_search_begins_anew_when_it_asks_for_something_else_or_is_switched_on_again(
    desk: Desk, ann: str, change: object
) -> None:
    desk.import_text(THREE)
    search = save(desk, ann, is_active=False)
    desk.import_text(MORE)
    path = f"{SEARCHES}/{search['id']}"
    changed = document(desk.api.call("PUT", path, {"is_active": True} | change, authorization=ann))  # type: ignore[operator]
    assert changed["last_version"] == (1 if change == {"is_active": False} else 2)
    start_again(desk, {})
    assert alerts(desk, ann, search) == []


def test_alerts_of_a_version_that_was_replaced_meanwhile_are_made_up_for(desk: Desk, ann: str, dsn: str) -> None:
    desk.import_text(THREE)
    search = save(desk, ann)
    desk.import_text(MORE)
    # As where the alerts of version 2 had compared and then waited until version 3 was there.
    query(dsn, "DELETE FROM search_alerts RETURNING id")
    query(dsn, "UPDATE saved_searches SET last_version = 1, last_matches = NULL RETURNING id")
    desk.import_text(MORE + "A-7,2024-07-01,Repair of a pump,10,Acme Builders,Cebu,Cebu,Construction\n")
    found = [(each["dataset_version"], each["base_version"], each["new_matches"]) for each in alerts(desk, ann, search)]
    assert found == [(3, 2, 1), (2, 1, 2)]


def test_search_that_cannot_be_asked_does_not_stop_the_others(desk: Desk, ann: str, dsn: str) -> None:
    desk.import_text(THREE)
    broken, sound = save(desk, ann, name="Broken"), save(desk, ann)
    query(dsn, f"UPDATE saved_searches SET filters = '{{\"keywords\": 7}}' WHERE id = {broken['id']} RETURNING id")
    desk.import_text(MORE)
    assert [len(alerts(desk, ann, search)) for search in (broken, sound)] == [0, 1]
    result = start_again(desk, {})["result"]
    assert (result["searches"], result["failed"]) == (0, 1)


def test_account_that_may_not_log_in_is_told_nothing(desk: Desk, ann: str, dsn: str) -> None:
    desk.import_text(THREE)
    search = save(desk, ann, channel="email")
    query(dsn, "UPDATE users SET is_active = false RETURNING id")
    desk.import_text(MORE)
    assert alerts(desk, ann, search) == []
    assert "emails" not in desk.api.parts.queues.sent


def test_webhook_that_fails_for_a_while_is_called_again_with_the_same_message(desk: Desk, ann: str) -> None:
    desk.import_text(THREE)
    search = save(desk, ann, channel="webhook", target=HOOK)
    desk.import_text(MORE)
    desk.api.runtime.hooks.answers += [503, 429]
    message = desk.api.parts.queues.sent["emails"][0]
    states = []
    for _ in range(3):
        with suppress(ComeAgain):
            desk.work("emails")
        states += [alert["delivery"] for alert in alerts(desk, ann, search)]
        desk.api.parts.queues.sent["emails"].append(message)
    assert states == ["waiting", "waiting", "sent"]
    assert len(desk.api.runtime.hooks.sent) == 1


def test_webhook_that_refuses_an_alert_is_not_called_again_until_its_owner_says_so(desk: Desk, ann: str) -> None:
    desk.import_text(THREE)
    search = save(desk, ann, channel="webhook", target=HOOK)
    desk.import_text(MORE)
    desk.api.runtime.hooks.answers.append(410)
    desk.work("emails")
    (alert,) = alerts(desk, ann, search)
    assert (alert["delivery"], alert["error"]) == ("failed", "the webhook answered 410")
    again = desk.api.call("POST", f"/api/tasks/{alert['task_id']}/retry", authorization=ann)
    assert again.status == 202
    desk.work("emails")
    assert [each["delivery"] for each in alerts(desk, ann, search)] == ["sent"]


def test_deployment_that_sends_no_mail_says_so_and_keeps_alerts(dsn: str, ann: str) -> None:
    desk = Desk(dsn)
    desk.import_text(THREE)
    search = save(desk, ann, channel="email")
    assert search["warnings"] == ["e-mails are not sent by this deployment: alerts are kept and listed"]
    desk.import_text(MORE)
    assert [each["delivery"] for each in alerts(desk, ann, search)] == ["kept"]


@pytest.mark.parametrize(("credential", "status"), [("", 401), (bearer("7"), 403)])
def test_nobody_but_an_admin_starts_alerts(desk: Desk, credential: str, status: int) -> None:
    headers = {"authorization": credential} if credential else {}
    assert desk.api.call("POST", ALERTS, {}, **headers).status == status


def test_alerts_before_the_first_import_and_of_a_version_that_is_not_there_fail_by_name(desk: Desk) -> None:
    assert start_again(desk, {})["error"].startswith("no contracts have been imported yet")
    desk.import_text(THREE)
    assert (
        start_again(desk, {"version": 7})["error"] == "version 7 of the contracts, or the one before it, is not there"
    )


def test_newest_alerts_are_kept_and_told_by_page(desk: Desk, ann: str, dsn: str) -> None:
    desk.import_text(THREE)
    search = save(desk, ann)
    query(
        dsn,
        "INSERT INTO search_alerts (saved_search_id, version, base_version, matches, first_rows, created_at, delivery) "
        f"SELECT {search['id']}, -n, 0, 1, '[]', now() - n * interval '1 day', 'kept' "
        "FROM generate_series(1, 100) AS n RETURNING id",
    )
    desk.import_text(MORE)
    (kept,) = query(dsn, "SELECT count(*), min(version), max(version) FROM search_alerts")
    assert kept == (100, -99, 2)
    first = desk.api.call("GET", f"{SEARCHES}/{search['id']}/alerts?limit=2", authorization=ann)
    assert [each["dataset_version"] for each in document(first)] == [2, -1]
    following = first.headers["Link"].partition("<")[2].partition(">")[0]
    second = desk.api.call("GET", following, authorization=ann)
    assert [each["dataset_version"] for each in document(second)] == [-2, -3]

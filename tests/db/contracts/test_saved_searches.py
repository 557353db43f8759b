"""Saved searches over HTTP on a real Postgres: each account its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import msgspec
import pytest

from chalicelib.db.connect import Database
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.worker import Worker
from chalicelib.kinds.alert_delivery import KIND
from tests.api.calls import details, document
from tests.api.published import broken, published
from tests.db.contracts.loading import load_text
from tests.db.desks import Desk, desk, expect
from tests.db.test_database import query
from tests.doubles import registry

SEARCHES = "/api/v1/contracts/saved-searches"
FILTERS: dict[str, object] = {"keywords": ["Bridge && repair"], "time_ranges": [{"type": "yearly", "year": 2024}]}
BODY: dict[str, object] = {"name": "Bridges", "filters": FILTERS}
HOOK = {"channel": "webhook", "target": "https://hooks.example.org/a"}
ONE = "contract_number,contract_amount,awardee_name\n1,1,Ann\n"


@pytest.fixture
def ann(database: Database) -> Desk:
    return desk(database, "Ann")


@pytest.fixture
def bob(database: Database) -> Desk:
    return desk(database, "Bob", "admin")


def test_search_is_kept_as_it_was_given(ann: Desk) -> None:
    answer = ann.call("POST", SEARCHES, BODY)
    made = expect(answer, 201)
    assert answer.headers["Location"] == f"{SEARCHES}/{made['id']}"
    kept = {name: value for name, value in made.items() if name not in ("id", "created_at", "updated_at")}
    assert kept == {
        "name": "Bridges",
        "filters": FILTERS,
        "channel": "none",
        "target": None,
        "is_active": True,
        "last_version": 0,
        "last_matches": None,
    }
    assert ann.get(f"{SEARCHES}/{made['id']}") == made
    assert ann.get(SEARCHES) == [made]
    assert broken(published(ann.api), "SavedSearch", made) == []


def test_unknown_field_is_warned_of_or_refused_if_strict(ann: Desk) -> None:
    assert ann.post(SEARCHES, BODY | {"colour": 1})["warnings"] == ["/colour is not known and was ignored"]
    strict = ann.call("POST", f"{SEARCHES}?strict=1", BODY | {"colour": 1})
    assert (strict.status, details(strict)) == (400, [("/colour", "is not known")])


def test_secret_is_shown_once_for_each_webhook(ann: Desk) -> None:
    made = ann.post(SEARCHES, BODY | HOOK)
    path, first = f"{SEARCHES}/{made['id']}", made.pop("secret")
    assert ann.get(path) == made
    assert "secret" not in ann.put(path, {"name": "Other"})
    moved = ann.put(path, {"target": "https://hooks.example.org/b"})
    assert len({first, moved["secret"]}) == 2
    assert all(len(secret) == 64 for secret in (first, moved["secret"]))
    assert "secret" not in ann.get(path)


def test_secret_is_gone_with_its_webhook(ann: Desk, dsn: str) -> None:
    path = f"{SEARCHES}/{ann.post(SEARCHES, BODY | HOOK)['id']}"
    changed = ann.put(path, {"channel": "email"})
    assert (changed["channel"], changed["target"], "secret" in changed) == ("email", "ann@example.org", False)
    assert query(dsn, "SELECT target, secret FROM saved_searches") == [(None, None)]


def test_change_is_held_against_the_rules_with_what_stays_as_it_is(ann: Desk) -> None:
    path = f"{SEARCHES}/{ann.post(SEARCHES, BODY)['id']}"
    refused = ann.call("PUT", path, {"channel": "webhook"})
    assert (refused.status, details(refused)) == (400, [("/target", "is required where channel is webhook")])
    refused = ann.call("PUT", path, {"target": HOOK["target"]})
    assert details(refused) == [("/target", "is for the channel webhook alone, and channel is none")]
    assert ann.put(path, HOOK)["target"] == HOOK["target"]
    assert ann.put(path, {"is_active": False})["is_active"] is False


def test_search_begins_with_the_version_that_is_current_when_it_is_made(ann: Desk, dsn: str) -> None:
    path = f"{SEARCHES}/{ann.post(SEARCHES, BODY)['id']}"
    version = load_text(dsn, ONE)
    assert ann.post(SEARCHES, BODY | {"name": "Later"})["last_version"] == version
    assert (
        ann.put(path, {"name": "Same question", "filters": {"keywords": ["REPAIR && bridge "], **_year()}})[
            "last_version"
        ]
        == 0
    )
    assert ann.put(path, {"filters": {"keywords": ["road"]}})["last_version"] == version


def _year() -> dict[str, object]:
    return {"time_ranges": [{"type": "custom", "startDate": "2024-01-01", "endDate": "2024-12-31"}]}


def test_lists_are_told_by_page_newest_first(ann: Desk) -> None:
    made = [ann.post(SEARCHES, BODY | {"name": name})["id"] for name in "abc"]
    first = ann.call("GET", f"{SEARCHES}?limit=2")
    assert [search["id"] for search in document(first)] == made[:0:-1]
    following = first.headers["Link"].partition("<")[2].partition(">")[0]
    assert [search["id"] for search in ann.get(following)] == made[:1]


@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"name": "x"}),
        ("DELETE", "", None),
        ("GET", "/alerts", None),
        ("POST", "/test", None),
    ],
)
def test_search_of_somebody_else_is_answered_like_none_even_to_an_admin(
    ann: Desk, bob: Desk, method: str, tail: str, body: object
) -> None:
    made = ann.post(SEARCHES, BODY | HOOK)
    made.pop("secret")
    for search_id in (made["id"], 987654321, "x"):
        answer = bob.call(method, f"{SEARCHES}/{search_id}{tail}", body)
        assert (answer.status, document(answer)["error"]) == (404, f"there is no saved search {search_id}")
    assert (ann.get(f"{SEARCHES}/{made['id']}"), bob.get(SEARCHES)) == (made, [])


def test_name_is_one_of_its_own_within_the_account(ann: Desk, bob: Desk) -> None:
    first, other = ann.post(SEARCHES, BODY), ann.post(SEARCHES, BODY | {"name": "Other"})
    detail = f"name must be one of its own, and saved search {first['id']} is called 'Bridges'"
    for answer in (ann.call("POST", SEARCHES, BODY), ann.call("PUT", f"{SEARCHES}/{other['id']}", {"name": "Bridges"})):
        assert (answer.status, document(answer)["error"]) == (409, detail)
    assert ann.put(f"{SEARCHES}/{first['id']}", {"name": "Bridges"})["name"] == "Bridges"
    assert bob.post(SEARCHES, BODY)["name"] == "Bridges"


def _fill(dsn: str, account: str, count: int) -> None:
    query(
        dsn,
        "INSERT INTO saved_searches (user_id, name, filters, canonical, channel, last_version) "
        f"SELECT {account}, 'n' || n, '{{}}', '{{}}', 'none', 0 FROM generate_series(1, {count}) AS n RETURNING id",
    )


def test_account_saves_a_hundred_searches_and_no_more_also_at_once(ann: Desk, dsn: str) -> None:
    _fill(dsn, ann.account, 98)

    def save(number: int) -> tuple[int, Any]:
        with closing(Database(dsn)) as database:
            ann_again = desk(database, "Ann")
            answer = ann_again.call("POST", SEARCHES, BODY | {"name": f"new {number}"})
            return answer.status, document(answer).get("error")

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(save, range(4)), key=str)
    refused = (409, "an account may save at most 100 searches, and has 100; remove one")
    assert answers == [(201, None), (201, None), refused, refused]


def test_search_that_is_removed_takes_its_alerts_with_it(ann: Desk, dsn: str) -> None:
    search_id = ann.post(SEARCHES, BODY)["id"]
    query(
        dsn,
        "INSERT INTO search_alerts (saved_search_id, version, base_version, matches, first_rows, delivery) "
        f"VALUES ({search_id}, 1, 0, 1, '[]', 'kept') RETURNING id",
    )
    (alert,) = ann.get(f"{SEARCHES}/{search_id}/alerts")
    assert broken(published(ann.api), "SearchAlert", alert) == []
    expect_gone = ann.call("DELETE", f"{SEARCHES}/{search_id}")
    assert (expect_gone.status, expect_gone.body) == (204, None)
    assert query(dsn, "SELECT count(*) FROM search_alerts") == [(0,)]
    assert ann.call("GET", f"{SEARCHES}/{search_id}").status == 404


def test_account_that_is_removed_takes_its_searches_with_it(ann: Desk, dsn: str) -> None:
    ann.post(SEARCHES, BODY)
    query(dsn, "DELETE FROM users RETURNING id")
    assert query(dsn, "SELECT count(*) FROM saved_searches") == [(0,)]
    gone = ann.call("POST", SEARCHES, BODY)
    assert (gone.status, document(gone)["error"]) == (404, f"there is no account {ann.account}")


def work(ann: Desk) -> None:
    """Settles what stands in the queue of deliveries."""
    worker = Worker(ann.api.parts.serving(ann.api.runtime), registry(KIND), "emails")  # type: ignore[arg-type]
    sent = ann.api.parts.queues.sent["emails"]
    while sent:
        body = msgspec.json.encode(sent.popleft()).decode()
        worker.settle([Delivery(message_id="message-1", body=body, receipt="receipt-1")])


def test_test_of_a_webhook_is_sent_once_a_minute(ann: Desk) -> None:
    search = ann.post(SEARCHES, BODY | HOOK)
    path = f"{SEARCHES}/{search['id']}/test"
    accepted, again = ann.call("POST", path), ann.call("POST", path)
    assert (accepted.status, again.status) == (202, 202)
    assert again.headers["Idempotency-Replayed"] == "true"
    work(ann)
    task = ann.get(accepted.headers["Location"])
    assert (task["state"], task["result"]["channel"], task["result"]["status"]) == ("SUCCESS", "webhook", 204)
    (sent,) = ann.api.runtime.hooks.sent
    said = msgspec.json.decode(sent.body)
    assert said["saved_search"]["name"] == "Bridges"
    assert (said["type"], said["new_matches"], said["contracts"]) == ("contracts.test", 0, [])
    ann.api.parts.clock.advance(60)
    assert "Idempotency-Replayed" not in ann.call("POST", path).headers
    ann.put(f"{SEARCHES}/{search['id']}", {"name": "Roads"})
    assert "Idempotency-Replayed" not in ann.call("POST", path).headers


@pytest.mark.parametrize(
    ("channel", "reason"),
    [
        ("none", "its channel is none"),
        ("email", "e-mails are not sent by this deployment: alerts are kept and listed"),
    ],
)
def test_search_with_nowhere_to_send_to_sends_no_test(ann: Desk, channel: str, reason: str) -> None:
    search = ann.post(SEARCHES, BODY | {"channel": channel})
    answer = ann.call("POST", f"{SEARCHES}/{search['id']}/test")
    detail = f"saved search {search['id']} has nowhere to send a test to: {reason}"
    assert (answer.status, document(answer)["error"]) == (409, detail)

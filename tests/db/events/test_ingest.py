"""Ingest over HTTP: what an app is answered, what the queue carries, and what rows come of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import msgspec
import pytest

from chalicelib import kinds
from chalicelib.api.http import Answer
from chalicelib.aws.event_records import PublishedApp
from chalicelib.db.connect import Database
from chalicelib.errors import Unavailable
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.worker import ComeAgain
from chalicelib.storing import EventWorker
from tests.api.calls import Api, details, document
from tests.db.events.conftest import NewApp
from tests.db.test_database import query

RULES = b"""{"rules": [
    {"event": "user_login", "path": "userId", "type": "integer", "required": true},
    {"event": "user_login", "path": "email", "type": "text", "pii": "hash"}
]}"""
LOGIN = {"eventName": "user_login", "userId": 123}
WRONG = {"eventName": "User_Login", "payload": {"userId": "x"}}


class Phone:
    """An app's device: what it sends, and the service behind it."""

    def __init__(self, database: Database, app: int) -> None:
        self.api = Api(*kinds.registry("local"))
        self.runtime = self.api.runtime
        self.runtime.__dict__["database"] = database
        self.queues = self.api.parts.queues
        self._app = app
        self.publish(revision=1)

    def publish(self, *, rules: bytes = RULES, **said: Any) -> None:
        shop = PublishedApp(id=self._app, app_id="shop", salt=b"s" * 32, rules_version=1, revision=0)
        app = msgspec.structs.replace(shop, **said)
        self.runtime.records.publish_sheet(self._app, app.rules_version, rules)
        self.runtime.records.publish(app)
        self.api.parts.clock.sleep(10)

    def send(self, body: object, path: str = "/api/logs/shop", **headers: str) -> Answer:
        return self.api.call("POST", path, body, **headers)

    def work(self) -> None:
        """Has the worker settle what is in the queue, as one batch."""
        posted = [body for _, body in self.queues.posted]
        jobs = [msgspec.json.encode(message).decode() for message in self.queues.sent.get("events", ())]
        self.queues.posted.clear()
        self.queues.sent.clear()
        deliveries = [Delivery(f"d-{place}", body, f"r-{place}") for place, body in enumerate([*posted, *jobs])]
        EventWorker(self.runtime, kinds.registry("local")).settle(deliveries)

    def task(self, answer: Answer) -> Any:  # a JSON object
        return document(self.api.call("GET", f"/api/tasks/{document(answer)['task_id']}"))


@pytest.fixture
def phone(database: Database, new_app: NewApp) -> Iterator[Phone]:
    phone = Phone(database, new_app("shop"))
    yield phone
    phone.runtime.database.close()


def rows(dsn: str) -> list[tuple[object, ...]]:
    return query(dsn, "SELECT message_id, event_name, status, rules_version, body FROM log_entries ORDER BY id")


def test_task_of_an_event_can_be_asked_for_while_the_database_is_away(phone: Phone) -> None:
    answer = phone.send(LOGIN)
    with closing(Database("postgresql://127.0.0.1:9/sluice")) as away:
        phone.runtime.__dict__["database"] = away
        task = phone.task(answer)
    assert (task["state"], task["ready"]) == ("PENDING", False)
    assert task["status"] == "Accepted; whether it is stored cannot be told while the database is away"


def test_event_is_queued_and_then_a_row(phone: Phone, dsn: str) -> None:
    answer = phone.send(LOGIN)
    said = document(answer)
    message_id, task_id = said["message_id"], said["task_id"]
    assert (answer.status, answer.headers["Location"]) == (202, f"/api/tasks/{task_id}")
    assert said == {
        "event_name": "user_login",
        "status": "valid",
        "task_id": task_id,
        "message_id": message_id,
        "message": "The event is valid and was queued",
    }
    assert phone.task(answer)["state"] == "PENDING"
    assert rows(dsn) == []
    phone.work()
    assert rows(dsn) == [(message_id, "user_login", "valid", 1, LOGIN)]
    told = phone.task(answer)
    assert (told["state"], told["result"]["validation_status"], told["result"]["rules_version"]) == (
        "SUCCESS",
        "valid",
        1,
    )


@pytest.mark.parametrize("body", [LOGIN, LOGIN | {"timestamp": "2026-11-25T10:00:00Z"}])
@pytest.mark.parametrize("rules", [RULES, b'{"rules": []}'])
def test_flat_body_is_valid_with_matching_rules_and_without(phone: Phone, body: object, rules: bytes) -> None:
    phone.publish(rules=rules, revision=2, rules_version=2)
    answer = phone.send(body)
    assert (answer.status, document(answer)["status"]) == (202, "valid")


@pytest.mark.parametrize(
    ("policy", "code", "message", "stored"),
    [
        ("record", 422, "The event breaks rules; it is kept as invalid", 1),
        ("accept", 202, "The event breaks rules; it is kept as invalid", 1),
        ("drop", 422, "The event breaks rules; it is not kept", 0),
    ],
)
def test_invalid_event_is_answered_and_kept_by_the_policy(
    phone: Phone, dsn: str, policy: str, code: int, message: str, stored: int
) -> None:
    phone.publish(policy=policy, revision=2)
    answer = phone.send(WRONG)
    said = document(answer)
    assert (answer.status, said["status"], said["message"]) == (code, "invalid", message)
    assert [(each["key"], each["validationStatus"]) for each in said["results"]] == [
        ("userId", "Invalid/Wrong datatype/value")
    ]
    assert said.get("error") == (None if code == 202 else "Validation failed")
    assert (said.get("task_id") is not None) is bool(stored)
    phone.work()
    assert [row[1:3] for row in rows(dsn)] == [("user_login", "invalid")] * stored


def test_message_that_is_sent_again_has_one_row(phone: Phone, dsn: str) -> None:
    for _ in range(3):
        assert phone.send(LOGIN | {"messageId": "m-1"}).status == 202
    phone.work()
    answer = phone.send(LOGIN | {"messageId": "m-1"})
    assert document(answer)["message_id"] == "m-1"
    phone.work()
    assert [row[0] for row in rows(dsn)] == ["m-1"]
    assert phone.task(answer)["state"] == "SUCCESS"


def test_unknown_app_is_444_and_asked_for_once(phone: Phone) -> None:
    reads = phone.runtime.records.reads
    answers = [phone.send(LOGIN, "/api/logs/other") for _ in range(5)]
    assert [(answer.status, document(answer)["error"]) for answer in answers] == [(444, "App not found")] * 5
    assert phone.runtime.records.reads == reads + 1


def test_known_app_is_not_asked_for_with_every_event(phone: Phone) -> None:
    phone.send(LOGIN)
    reads = phone.runtime.records.reads
    for _ in range(20):
        phone.send(LOGIN)
    assert phone.runtime.records.reads == reads
    phone.api.parts.clock.sleep(6)
    phone.send(LOGIN)
    assert phone.runtime.records.reads == reads + 1


def test_app_is_taken_as_it_was_while_the_store_is_away(phone: Phone) -> None:
    phone.send(LOGIN)
    phone.runtime.records.is_away = True
    phone.api.parts.clock.sleep(600)
    reads = phone.runtime.records.reads
    assert [phone.send(LOGIN).status for _ in range(3)] == [202] * 3
    # Each look is a wait while it is away.
    assert phone.runtime.records.reads == reads + 1
    phone.api.parts.clock.sleep(4_000)
    answer = phone.send(LOGIN)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert phone.send(LOGIN, "/api/logs/other").status == 503


def test_ingest_does_not_need_postgres(phone: Phone) -> None:
    phone.runtime.__dict__["database"] = Database("host=127.0.0.1 port=1 dbname=none")
    assert phone.send(LOGIN).status == 202
    assert phone.send([LOGIN, LOGIN], "/api/logs/shop/batch").status == 202


@pytest.mark.parametrize(("key", "code"), [("right", 202), ("wrong", 401), ("", 401)])
def test_app_with_a_key_takes_events_with_it_only(phone: Phone, key: str, code: int) -> None:
    # SHA-256 of "right".
    digest = "27042f4e6eca7d0b2a7ee4026df2ecfa51d3339e6d122aa099118ecd8563bad9"
    phone.publish(ingest_key_digest=digest, revision=2)
    assert phone.send(LOGIN, **{"x_ingest_key": key} if key else {}).status == code


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"{", {}, 400),
        (b"", {}, 400),
        ({"name": "x"}, {}, 400),
        (LOGIN, {"content_type": "image/png"}, 415),
        (b" " * 600_000, {}, 413),
    ],
)
def test_mistakes_of_a_client_are_told_as_such(
    phone: Phone, body: object, headers: Mapping[str, str], code: int
) -> None:
    answer = phone.send(body, **headers)
    assert answer.status == code
    assert document(answer)["error"]
    assert phone.queues.posted == []


def test_missing_name_is_told(phone: Phone) -> None:
    assert details(phone.send({"userId": 1})) == [("", "eventName is missing; it must be a text that is not blank")]


def test_too_many_events_are_put_off(phone: Phone) -> None:
    batch = [LOGIN] * 2_500
    assert phone.send(batch, "/api/logs/shop/batch").status == 202
    answer = phone.send([LOGIN] * 1_000, "/api/logs/shop/batch")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
    phone.api.parts.clock.sleep(2)
    assert phone.send([LOGIN] * 1_000, "/api/logs/shop/batch").status == 202


def test_batch_is_judged_one_by_one_and_its_task_says_what_became_of_each(phone: Phone, dsn: str) -> None:
    batch = [LOGIN | {"messageId": "a"}, WRONG | {"messageId": "b"}, 5, LOGIN | {"messageId": "a"}, {"x": 1}]
    answer = phone.send(batch, "/api/logs/shop/batch")
    said = document(answer)
    assert (answer.status, said["processed"], said["accepted"]) == (202, 5, 3)
    assert [each["code"] for each in said["results"]] == [202, 422, 400, 202, 400]
    assert (said["results"][2]["error"], said["results"][2]["data"]) == ("must be a JSON object", "5")
    phone.work()
    result = phone.task(answer)["result"]
    assert [(each["message_id"], each["outcome"]) for each in result["items"]] == [
        ("a", "stored"),
        ("b", "stored"),
        ("a", "duplicate"),
    ]
    assert (result["stored"], result["duplicates"], result["conflicts"], result["given_up"]) == (2, 1, 0, 0)
    assert [row[:3] for row in rows(dsn)] == [("a", "user_login", "valid"), ("b", "user_login", "invalid")]
    other = phone.send([{"eventName": "user_login", "userId": 9, "messageId": "a"}], "/api/logs/shop/batch")
    phone.work()
    assert phone.task(other)["result"]["conflicts"] == 1


@pytest.mark.parametrize(
    ("policy", "batch", "code"), [("drop", [WRONG], 422), ("drop", [5], 400), ("record", [WRONG], 202)]
)
def test_batch_of_which_nothing_is_kept_says_why(phone: Phone, policy: str, batch: list[object], code: int) -> None:
    phone.publish(policy=policy, revision=2)
    answer = phone.send(batch, "/api/logs/shop/batch")
    assert (answer.status, document(answer)["task_id"] is None) == (code, code != 202)


def test_personal_values_are_neither_answered_nor_queued_nor_stored(phone: Phone, dsn: str) -> None:
    secret = "ann@example.org"
    answer = phone.send({"eventName": "user_login", "email": secret, "userId": "x"})
    assert secret not in str(document(answer))
    assert secret not in str(phone.queues.posted)
    phone.work()
    ((_, _, _, _, body),) = rows(dsn)
    assert isinstance(body, dict)
    assert body["email"].startswith("sha256:")
    assert secret not in str(query(dsn, "SELECT body, results FROM log_entries"))


def test_event_that_cannot_be_stored_is_given_up_by_name_and_takes_no_other_with_it(phone: Phone, dsn: str) -> None:
    good, bad = phone.send(LOGIN | {"messageId": "good"}), phone.send(LOGIN | {"messageId": "bad"})
    # As no request can bring it: Postgres has no place for U+0000.
    queue, body = phone.queues.posted[1]
    phone.queues.posted[1] = queue, body.replace('"userId":123', '"userId":"\\\\u0000"'.replace("\\\\", "\\"))
    phone.work()
    assert [row[0] for row in rows(dsn)] == ["good"]
    assert phone.task(good)["state"] == "SUCCESS"
    told = phone.task(bad)
    assert (told["state"], told["error"]) == (
        "FAILURE",
        "the database refuses the event: unsupported Unicode escape sequence",
    )
    ((queue, buried, reason),) = phone.queues.buried
    assert (queue, '"bad"' in buried, '"good"' in buried, reason) == ("events", True, False, told["error"])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[[", "[" * 3000 + "]" * 3000 + ",[[", "not a job message"),
        ('"userId":123', '"userId":1e400', "not a job message"),
        ('"accepted_ms":', '"accepted_ms":9999999', "the database refuses the event: it has no such time"),
    ],
)
def test_message_that_no_worker_can_read_takes_no_event_with_it(
    phone: Phone, dsn: str, old: str, new: str, reason: str
) -> None:
    phone.send(LOGIN | {"messageId": "good"})
    phone.send(LOGIN | {"messageId": "bad"})
    queue, body = phone.queues.posted[1]
    assert old in body
    phone.queues.posted[1] = queue, body.replace(old, new)
    phone.work()
    assert [row[0] for row in rows(dsn)] == ["good"]
    assert [(queue, '"bad"' in body, told) for queue, body, told in phone.queues.buried] == [("events", True, reason)]


def test_events_wait_while_postgres_is_away(phone: Phone, dsn: str) -> None:
    database = phone.runtime.database
    answer = phone.send(LOGIN)
    kept = list(phone.queues.posted)
    phone.runtime.__dict__["database"] = Database("host=127.0.0.1 port=1 dbname=none")
    with pytest.raises(ComeAgain):
        phone.work()
    assert phone.queues.postponed == [("events", "r-0", 5)]
    phone.runtime.__dict__["database"] = database
    del phone.runtime.__dict__["event_writer"]
    phone.queues.posted[:] = kept
    phone.work()
    assert len(rows(dsn)) == 1
    phone.runtime.__dict__.pop("event_log", None)
    assert phone.task(answer)["state"] == "SUCCESS"


def test_message_of_a_newer_version_is_left_to_a_newer_worker(phone: Phone, dsn: str) -> None:
    phone.send(LOGIN | {"messageId": "old"})
    phone.send(LOGIN | {"messageId": "new"})
    queue, body = phone.queues.posted[1]
    assert '"v":1' in body
    phone.queues.posted[1] = queue, body.replace('"v":1', '"v":2')
    with pytest.raises(ComeAgain, match="1 messages are of a version that this worker does not know"):
        phone.work()
    assert [row[0] for row in rows(dsn)] == ["old"]
    assert phone.queues.deleted == [("events", "r-0")]
    assert phone.queues.postponed == [("events", "r-1", 5)]


def test_event_that_was_removed_since_was_stored(phone: Phone, dsn: str) -> None:
    answer = phone.send(LOGIN)
    phone.work()
    assert phone.task(answer)["result"]["is_removed"] is False
    query(dsn, "DELETE FROM log_entries RETURNING 1")
    told = phone.task(answer)
    assert (told["state"], told["result"]["is_removed"], told["result"]["id"]) == ("SUCCESS", True, None)


def test_task_id_that_nobody_signed_is_unknown(phone: Phone) -> None:
    task_id = document(phone.send(LOGIN))["task_id"]
    assert phone.api.call("GET", f"/api/tasks/{task_id[:-2]}AA").status == 404


def test_who_waits_is_answered_when_the_event_is_stored(phone: Phone) -> None:
    answer = phone.send(LOGIN | {"messageId": "m"}, prefer="wait=5")
    assert answer.status == 202
    phone.work()
    answer = phone.send(LOGIN | {"messageId": "m"}, prefer="wait=5")
    assert (answer.status, document(answer)["message"]) == (200, "The event is stored")
    assert answer.headers["Preference-Applied"] == "wait=5"


def test_queue_that_is_away_takes_nothing(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def post(self, queue: str, body: str) -> None:
            raise Unavailable("the job queue cannot be reached", retry_after_s=5)

    object.__setattr__(phone.runtime.engine, "queues", Away())
    assert phone.send(LOGIN).status == 503

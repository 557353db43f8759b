"""Valid events whose body is left out: they are stored, known and counted like all others, and told to have none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.api.http import Answer
from chalicelib.db.connect import Database
from chalicelib.events.taken import EventMessage, TakenEvent
from chalicelib.jobs.context import Unwatched
from chalicelib.replaying import ReplayRequest, ReplayResult, Verdicts, replay
from tests.db.desks import Desk, desk, expect
from tests.db.events.test_ingest import LOGIN, Phone
from tests.db.events.test_watch_removal import LATEST, NEWEST
from tests.db.test_database import query

RULES = {"rules": [{"event": "user_login", "path": "userId", "type": "integer", "required": True}]}
KEPT = "SELECT message_id, is_body_kept, body FROM log_entries ORDER BY message_id"


class Sampled:
    """An app that keeps no body of a valid event, its owner and its phone."""

    def __init__(self, database: Database, most: int | None) -> None:
        self.ann: Desk = desk(database, "Ann")
        self.ann.post("/api/apps", {"name": "Shop", "app_id": "shop", "keep_bodies_per_minute": most})
        expect(self.ann.call("POST", "/api/apps/shop/rules", RULES), 201)
        published = self.ann.api.runtime.records.app("shop")
        assert published is not None
        self.app = published.id
        self.phone = Phone(database, self.app)
        said = msgspec.structs.asdict(published) | {"revision": 10**6}
        self.phone.publish(rules=msgspec.json.encode(RULES), **said)

    def send(self, message_id: str, user: object = 1, **more: Any) -> Answer:
        answer = self.phone.send({"eventName": "user_login", "userId": user, "messageId": message_id} | more)
        self.phone.work()
        return answer


@pytest.fixture
def sampled(database: Database) -> Sampled:
    return Sampled(database, 0)


def test_valid_event_above_the_rate_is_stored_without_its_body(sampled: Sampled, dsn: str) -> None:
    good, bad = sampled.send("good"), sampled.send("wrong", "x")
    assert (good.status, bad.status) == (202, 422)
    sampled.phone.send([LOGIN | {"messageId": "of a batch"}], "/api/logs/shop/batch")
    sampled.phone.work()
    body = {"eventName": "user_login", "userId": "x", "messageId": "wrong"}
    assert query(dsn, KEPT) == [("good", False, {}), ("of a batch", False, {}), ("wrong", True, body)]
    assert sampled.phone.task(good)["state"] == "SUCCESS"
    assert query(dsn, LATEST) == query(dsn, NEWEST)
    assert sampled.ann.get("/app/shop/stats?hours=8784")["total"] == 1


def test_events_up_to_the_rate_keep_their_body(database: Database, dsn: str) -> None:
    sampled = Sampled(database, 2)
    for number in range(2):
        sampled.send(str(number))
    assert [row[1] for row in query(dsn, KEPT)] == [True, True]


def test_app_that_keeps_all_does_so(database: Database, dsn: str) -> None:
    Sampled(database, None).send("m")
    assert [row[1] for row in query(dsn, KEPT)] == [True]


def test_event_without_its_body_is_known_by_it(sampled: Sampled, dsn: str) -> None:
    sampled.send("m")
    sampled.phone.api.parts.clock.sleep(1)
    again = sampled.phone.send([LOGIN | {"messageId": "m", "userId": 1}], "/api/logs/shop/batch")
    other = sampled.phone.send([LOGIN | {"messageId": "m", "userId": 2}], "/api/logs/shop/batch")
    sampled.phone.work()
    outcomes = [sampled.phone.task(answer)["result"]["items"][0]["outcome"] for answer in (again, other)]
    assert (outcomes, len(query(dsn, KEPT))) == (["duplicate", "conflict"], 1)


def test_event_without_its_body_is_told_to_have_none(sampled: Sampled) -> None:
    sampled.send("good")
    sampled.send("wrong", "x")
    wrong, good = sampled.ann.get("/app/shop/logs")["logs"]
    assert (good["payload"], good["is_body_kept"]) == (None, False)
    assert (wrong["payload"]["userId"], wrong["is_body_kept"]) == ("x", True)
    # What was found about its fields is there.
    assert [each["key"] for each in good["validation_results"]] == ["userId"]
    assert sampled.ann.get(f"/api/logs/shop/{good['id']}") == good
    rows = expect(sampled.ann.call("POST", "/app/shop/filter-logs", {"field_names": ["userId"]}), 200)
    assert [row["value"] for row in rows] == ["x", "1"]


def test_file_has_an_empty_cell_for_a_body_that_is_not_kept(sampled: Sampled, dsn: str) -> None:
    sampled.send("good")
    query(dsn, "UPDATE log_entries SET accepted_at = '2025-06-15T15:00:00Z' RETURNING 1")
    query(dsn, "UPDATE latest_event SET accepted_at = '2025-06-15T15:00:00Z' RETURNING 1")
    answer = sampled.ann.call("POST", "/app/shop/download-valid-events")
    assert isinstance(answer.body, bytes)
    assert answer.body.decode().splitlines()[1:] == ["user_login,2025-06-15 15:00:00,userId,1,integer,integer,Valid,"]


def test_replay_and_dry_run_leave_events_without_a_body_as_they_are(sampled: Sampled, dsn: str) -> None:
    sampled.send("good")
    sampled.send("wrong", "x")
    texts = {"rules": [RULES["rules"][0] | {"type": "text"}]}
    trial = expect(sampled.ann.call("POST", "/api/apps/shop/rules?dry_run=1", texts), 200)["trial"]
    assert (trial["events"], trial["skipped"], trial["turned_valid"], trial["turned_invalid"]) == (1, 1, 1, 0)
    expect(sampled.ann.call("POST", "/api/apps/shop/rules", texts), 201)
    runtime = sampled.ann.api.runtime
    runtime.__dict__["settings"] = msgspec.structs.replace(runtime.settings, database_url=dsn)
    request = ReplayRequest(app=sampled.app, app_id="shop", is_applied=True)
    found = replay(request, Unwatched(runtime, "1", job_id="job"))
    assert isinstance(found, ReplayResult)
    assert (found.without_body, found.events, found.stored, found.after) == (1, 1, 1, Verdicts(valid=1))
    versions = "SELECT message_id, status, rules_version FROM log_entries ORDER BY message_id"
    assert query(dsn, versions) == [("good", "valid", 1), ("wrong", "valid", 2)]
    assert query(dsn, LATEST) == query(dsn, NEWEST)


def test_message_of_an_older_process_keeps_its_body(sampled: Sampled, dsn: str) -> None:
    sampled.phone.send(LOGIN | {"messageId": "m"})
    queue, body = sampled.phone.queues.posted[0]
    message = msgspec.json.decode(body, type=EventMessage)
    assert (message.events[0].is_body_kept, message.request_id) == (False, "request-1")
    # Older ones do not say what becomes of the body.
    said = msgspec.json.decode(body)
    said["events"][0] = said["events"][0][: len(TakenEvent.__struct_fields__) - 1]
    sampled.phone.queues.posted[0] = queue, msgspec.json.encode(said).decode()
    sampled.phone.work()
    assert [row[:2] for row in query(dsn, KEPT)] == [("m", True)]

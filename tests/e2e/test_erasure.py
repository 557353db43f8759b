"""An account is erased by the commands of docs/runbook.md, as printed, and no table, item or file has a trace of it."""

from __future__ import annotations

import re
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql

from chalicelib.accounts.passwords import hash_password
from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from localstack.emulator import aws_session
from localstack.run import LocalStack
from tests.e2e.client import Client
from tests.e2e.test_runbook import run
from tests.faults.site import wait_for
from tests.infra.runbook import blocks, sections

TABLES = ("sluice-local-jobs", "sluice-local-keys", "sluice-local-sockets")
# A result of this one is a file of its own, and so is an export.
FORECAST = {"tpSamples": [3, 5, 4], "numberOfTasks": 20}


class User:
    """An account with something in every place."""

    def __init__(self, stack: LocalStack, name: str) -> None:
        # A mark that nothing else has, in the address and in everything that is made.
        self.mark = f"{name}-{uuid.uuid4().hex}"
        self.email = f"{self.mark}@sluice.test"
        with closing(Database(stack.database_url)) as database:
            accounts = Accounts(database)
            self.id = accounts.put(
                email=self.email, name=self.mark, password_hash=hash_password("a-Password-1!"), role="student"
            )
        self.client = Client(stack.url).login(self.email, "a-Password-1!")
        made = self.client.call("POST", "/api/keys", {"name": self.mark, "scopes": ["jobs:read"]})
        assert made.status == 201, made
        self.key = Client(stack.url, made.body["key"])
        self.key_id = made.body["id"]
        self.task = self.client.submit("/api/async/simulate?save=true", FORECAST | {"projectName": self.mark})
        assert self.client.wait(self.task)["state"] == "SUCCESS"
        self._send_events(stack)
        self._upload()
        assert Client(stack.url).call("POST", "/api/auth/forgot", {"email": self.email}).status == 200

    def _send_events(self, stack: LocalStack) -> None:
        self.app = self.client.call("POST", "/api/apps", {"app_id": self.mark, "name": self.mark}).body["app_id"]
        rules = "event,key,type,required\nlogin,user,string,yes\n"
        self.client.call("POST", f"/api/apps/{self.app}/rules", rules.encode(), Content_Type="text/csv")
        event = {"eventName": "login", "messageId": "1", "payload": {"user": self.email}}
        assert Client(stack.url).call("POST", f"/api/logs/{self.app}", event).status == 202

    def _upload(self) -> None:
        offer = self.client.call("POST", "/api/uploads", {"size": 5}).body
        request = urllib.request.Request(offer["url"], b"hello", offer["headers"], method=offer["method"])
        urllib.request.urlopen(request, timeout=20).close()

    @property
    def trace(self) -> re.Pattern[str]:
        """What cannot be there by chance: the mark; and the id where an item or a key has it alone."""
        return re.compile(re.escape(self.mark))


def items(stack: LocalStack) -> Iterator[dict[str, Any]]:  # DynamoDB's wire format
    db = aws_session().client("dynamodb", endpoint_url=stack.endpoint)
    for table in TABLES:
        for page in db.get_paginator("scan").paginate(TableName=table):
            yield from page["Items"]


def traces(stack: LocalStack, user: User) -> list[str]:
    """Where there is anything of the user."""
    found = []
    for item in items(stack):
        if user.trace.search(repr(item)) or {"S": user.id} in item.values() or user.task in repr(item):
            found.append(f"item {item['id']['S']}")
    with closing(psycopg2.connect(stack.database_url)) as connection, connection.cursor() as cursor:
        # Tables as a whole: upkeep may move rows from one partition to another meanwhile.
        cursor.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("SELECT row::text FROM {} AS row").format(sql.Identifier(table)))
            found += [f"row of {table}" for (row,) in cursor.fetchall() if user.trace.search(row)]
    s3 = aws_session().client("s3", endpoint_url=stack.endpoint)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=stack.outputs["ResultBucketName"]):
        for each in page.get("Contents", []):
            if f"/{user.id}/" in each["Key"] or user.task in each["Key"]:
                found.append(f"file {each['Key']}")
    return sorted(set(found))


@pytest.fixture
def ada(stack: LocalStack) -> User:
    return User(stack, "ada")


def test_account_is_erased_as_printed_and_nobody_elses(stack: LocalStack, ada: User) -> None:
    bob = User(stack, "bob")
    shared = _shared_search(ada, bob)
    _wait_for_events(stack, ada, bob)
    before, kept = traces(stack, ada), traces(stack, bob)
    # Each place has something, else this would show nothing.
    for place in ("row of users", "row of forecasts", "row of apps", "row of one_time_codes", "row of log_entries",
                  f"item key#{ada.key_id}", f"item {ada.task}", f"item app#{ada.app}", "file uploads/"):  # fmt: skip
        assert [trace for trace in before if trace.startswith(place)], (place, before)
    look, do = (blocks(sections()["erase"], mark) for mark in ("look", "do"))
    shown = run(stack, look[0].replace("admin@sluice.test", ada.email), {})
    assert '"erased": false' in shown
    assert traces(stack, ada) == before
    told = run(stack, do[0], {"ACCOUNT": ada.email})
    assert '"erased": true' in told
    # The end of the app is remembered for a day, and that its tokens are revoked while one could live.
    assert traces(stack, ada) == [f"item app#{ada.app}"]
    assert traces(stack, bob) == kept
    assert bob.client.call("GET", f"/api/tasks/{bob.task}").body["state"] == "SUCCESS"
    # Ada's search was found for both.
    answer = bob.client.call("GET", f"/api/tasks/{shared}").body
    assert (answer["state"], "result" in answer) == ("SUCCESS", True)


def test_nothing_opens_to_who_was_erased(stack: LocalStack, ada: User) -> None:
    _wait_for_events(stack, ada)
    run(stack, blocks(sections()["erase"], "do")[0], {"ACCOUNT": ada.id})
    login = {"email": ada.email, "password": "a-Password-1!"}
    assert Client(stack.url).call("POST", "/api/auth/login", login).status == 401
    assert ada.key.call("GET", "/api/tasks").status == 401
    event = {"eventName": "login", "messageId": "2", "payload": {}}
    # Processes remember apps for 5 s and revoked tokens for 30 s.
    wait_for(
        lambda: Client(stack.url).call("POST", f"/api/logs/{ada.app}", event).status == 444, "the app is not known"
    )
    wait_for(lambda: ada.client.call("GET", "/api/tasks").status == 401, "the token is refused", timeout_s=40)
    # A second time there is nothing left, and it is no error: it may have broken off.
    again = run(stack, blocks(sections()["erase"], "do")[0], {"ACCOUNT": ada.id})
    assert '"erased": true' in again


def test_account_that_is_not_there_is_told(stack: LocalStack) -> None:
    told = run(stack, "make ops CMD=erase ACCOUNT=nobody@sluice.test CONFIRM=yes", {}, may_fail=True)
    assert "there is no account nobody@sluice.test" in told


def _shared_search(first: User, second: User) -> str:
    """Has both ask for the same; answers the task of the second, which follows that of the first."""
    question = {"keywords": [f"bridge{uuid.uuid4().hex}"]}
    tasks = [user.client.submit("/api/async/contracts/search", question) for user in (first, second)]
    for user, task in zip((first, second), tasks, strict=True):
        assert user.client.wait(task)["state"] == "SUCCESS"
    assert len(set(tasks)) == 2
    return tasks[1]


def _wait_for_events(stack: LocalStack, *users: User) -> None:
    def stored() -> bool:
        with closing(psycopg2.connect(stack.database_url)) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM log_entries JOIN apps ON apps.id = app WHERE app_id = ANY(%s)",
                ([user.app for user in users],),
            )
            (count,) = cursor.fetchone() or (0,)
            return bool(count == len(users))

    wait_for(stored, "the events are stored")

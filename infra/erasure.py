"""Erasing an account everywhere: `make ops CMD=erase ACCOUNT=ada@example.org`, and CONFIRM=yes to do it.

Postgres is asked through the function that stands in its network; tables and files are reached from here, with the
rights of whoever runs this, so that no function may delete what it does not make. Each step may be done again: if it
breaks off, run it again, and once the account itself is gone, with the id that it printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import boto3
import msgspec

from chalicelib.db.erasure import Holding
from chalicelib.errors import Conflict
from chalicelib.jobs.items import META, Item
from chalicelib.runtime import Runtime
from infra import looks

# Longer than any token is good for: what revokes them is kept so long, a number and nothing else.
EPOCH_KEPT_S = 90 * 24 * 3600
# Workers may have finished something while it was removed.
_ROUNDS = 5


def erase(runtime: Runtime, account: str, *, confirmed: bool) -> dict[str, object]:
    """What there is of the account, by place; removed if confirmed. Raises looks.Failing, Conflict, Unavailable."""
    stage = runtime.settings.stage
    if account.isdecimal() and not _exists(stage, account):
        # Broken off after its last row was gone.
        holding = Holding(id=account, email="", apps=[], rows={})
    else:
        step = "close" if confirmed else "count"
        holding = msgspec.convert(looks.ask_inside(stage, {"erase": account, "step": step}), Holding)
    outside = Outside(runtime, holding)
    told: dict[str, object] = {"account": holding.id, "rows": holding.rows, "outside": outside.count()}
    if not confirmed:
        return told | {"erased": False, "next": "CONFIRM=yes erases it, for good"}
    outside.shut()
    outside.remove()
    while holding.rows and not looks.ask_inside(stage, {"erase": holding.id, "step": "remove"})["is_done"]:
        pass
    for _ in range(_ROUNDS):
        if not any(outside.count().values()):
            return told | {"erased": True}
        outside.remove()
    raise Conflict(f"something goes on writing for account {holding.id}: run this again in a minute")


class Outside:
    """What there is of an account in DynamoDB and S3."""

    def __init__(self, runtime: Runtime, holding: Holding) -> None:
        self._runtime = runtime
        self._holding = holding
        self._db: Any = boto3.client("dynamodb")
        self._s3: Any = boto3.client("s3")

    def count(self) -> dict[str, int]:
        """How many items and files there are, without what is kept on purpose."""
        settings = self._runtime.settings
        return {
            "jobs": len(self._jobs()),
            "keys": len(list(self._own_keys())),
            "rules_and_lost_events": len(list(self._of_apps())),
            "connections": len(list(self._items(settings.socket_table, "user_id"))),
            "uploads": len(list(self._files(f"uploads/{self._holding.id}/"))),
        }

    def shut(self) -> None:
        """Revokes all tokens, and has no more events be taken."""
        table, now_s = self._runtime.settings.key_table, int(self._runtime.clock.now())
        self._runtime.keys.raise_epoch(self._holding.id)
        self._db.update_item(
            TableName=table, Key={"id": {"S": f"epoch#{self._holding.id}"}}, UpdateExpression="SET #ttl = :ttl",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={":ttl": {"N": str(now_s + EPOCH_KEPT_S)}},
        )  # fmt: skip
        for app in self._holding.apps:
            self._runtime.event_records.withdraw(app.app_id, app.revision, now_s=now_s)

    def remove(self) -> None:
        """Removes all that is counted."""
        settings = self._runtime.settings
        for item in (*self._own_keys(), *self._of_apps()):
            self._db.delete_item(TableName=settings.key_table, Key={"id": item["id"]})
        for item in list(self._items(settings.socket_table, "user_id")):
            self._runtime.subscriptions.disconnect(item["id"]["S"].removeprefix("connection#"))
            self._db.delete_item(TableName=settings.socket_table, Key={"id": item["id"], "part": item["part"]})
        for job_id in self._jobs():
            self._remove_job(job_id)
        for name in self._files(f"uploads/{self._holding.id}/"):
            self._s3.delete_object(Bucket=self._bucket, Key=name)

    def _remove_job(self, job_id: str) -> None:
        """Removes a job; one that others follow is left to them, and is nobody's then."""
        table = self._runtime.settings.job_table
        parts = self._parts(job_id)
        if any(int(item.get("followers", {"N": "0"})["N"]) for item in parts):
            self._db.update_item(
                TableName=table, Key={"id": {"S": job_id}, "part": {"S": META}},
                UpdateExpression="REMOVE #owner SET detached = :yes", ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":yes": {"BOOL": True}},
            )  # fmt: skip
            return
        for name in [f"files/{job_id}", *(item["file"]["S"] for item in parts if "file" in item)]:
            self._s3.delete_object(Bucket=self._bucket, Key=name)
        for item in parts:
            self._db.delete_item(TableName=table, Key={"id": item["id"], "part": item["part"]})

    def _jobs(self) -> set[str]:
        """Ids of its jobs, and of mails to it, which are nobody's."""
        address = self._holding.email.encode()
        return {
            item["id"]["S"]
            for item in self._scan(self._runtime.settings.job_table)
            if item.get("owner", {}).get("S") == self._holding.id
            or (address and address in item.get("body", {}).get("B", b""))
        }

    def _parts(self, job_id: str) -> list[Item]:
        answer = self._db.query(
            TableName=self._runtime.settings.job_table, KeyConditionExpression="id = :id",
            ExpressionAttributeValues={":id": {"S": job_id}}, ConsistentRead=True,
        )  # fmt: skip
        return list(answer["Items"])

    def _own_keys(self) -> Iterator[Item]:
        yield from self._items(self._runtime.settings.key_table, "owner")

    def _of_apps(self) -> Iterator[Item]:
        """Published rules of its apps, and what is known of their events that were not stored."""
        prefixes = tuple(f"{what}#{app.number}#" for app in self._holding.apps for what in ("rules", "lost"))
        for item in self._scan(self._runtime.settings.key_table):
            if prefixes and item["id"]["S"].startswith(prefixes):
                yield item

    def _items(self, table: str, attribute: str) -> Iterator[Item]:
        for item in self._scan(table):
            if item.get(attribute, {}).get("S") == self._holding.id:
                yield item

    def _scan(self, table: str) -> Iterator[Item]:
        for page in self._db.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]

    def _files(self, prefix: str) -> Iterator[str]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            yield from (each["Key"] for each in page.get("Contents", []))

    @cached_property
    def _bucket(self) -> str:
        account = boto3.client("sts").get_caller_identity()["Account"]
        return f"sluice-{self._runtime.settings.stage}-results-{account}"


def _exists(stage: str, account: str) -> bool:
    try:
        looks.ask_inside(stage, {"erase": account, "step": "count"})
    except looks.Failing as failing:
        if f"there is no account {account}" in failing.detail:
            return False
        raise
    return True

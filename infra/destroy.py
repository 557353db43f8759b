"""Deletes a stage, after asking for its name: the stacks, the app, and what lies in the bucket.

What cannot be made again stays, and is named: a last snapshot of the database, the table of API keys, the secrets and
the notes of the deploys. While they are there no new stage can have the name, so they can be deleted too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from infra import deploy, stacks

_SECRETS = ("token", "database-owner", "database-api", "database-worker")


def destroy(plan: deploy.Plan, *, ask: Callable[[str], str], keep: bool) -> bool:
    """Deletes the stage if `ask` answers its name; answers whether it did. Raises Stopped."""
    found = stacks.find(plan.client("cloudformation"), plan.named("stack"))
    outputs = stacks.outputs_of(found) if found else {}
    print(f"This deletes stage {plan.stage} with its database (a snapshot is kept), its jobs and its files.")
    if ask("Type the stage's name to delete it: ").strip() != plan.stage:
        print("destroy: not the name; nothing was deleted")
        return False
    if bucket := outputs.get("DeployBucketName"):
        deploy.recall(plan, bucket)
    for part in ("watch", "edge"):
        with deploy.step(f"infra/{part}.yaml", "mend what is named, and destroy again"):
            stacks.delete(plan.client("cloudformation"), plan.named(part))
    if (deploy.DEPLOYED / f"{plan.stage}.json").exists():
        with deploy.step("chalice delete", "destroy again: Chalice goes on from where it stopped"):
            order = [sys.executable, "-m", "infra.chalice_stage", plan.stage, "delete"]
            subprocess.run(order, env={**os.environ, **deploy.aws_environment(plan)}, check=True)
    with deploy.step("infra/stack.yaml", "mend what is named, and destroy again"):
        if outputs:
            _unlock(plan)
            _empty(plan, outputs["ResultBucketName"])
        stacks.delete(plan.client("cloudformation"), plan.named("stack"))
    if not keep:
        with deploy.step("what a stage keeps", "mend what is named, and destroy again"):
            _forget(plan, outputs.get("DeployBucketName", ""))
    print(f"destroy: stage {plan.stage} is gone{', but for what it keeps: ' + _kept(plan) if keep else ''}")
    return True


def _kept(plan: deploy.Plan) -> str:
    secrets = ", ".join(plan.named(name) for name in _SECRETS)
    return f"table {plan.named('keys')}, bucket {plan.named('deploy')}-*, secrets {secrets}, a snapshot"


def _unlock(plan: deploy.Plan) -> None:
    """RDS deletes no protected instance, whoever asks: that is taken back here, after the question, and only here."""
    database = plan.client("rds")
    name = f"sluice-{plan.stage}"
    try:
        database.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
    except database.exceptions.DBInstanceNotFoundFault:
        deploy.say(f"there is no database {name} any more")


def _empty(plan: deploy.Plan, bucket: str) -> None:
    """CloudFormation deletes no bucket that has anything in it."""
    s3 = plan.client("s3")
    try:
        pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=bucket))
    except s3.exceptions.NoSuchBucket:
        return
    for page in pages:
        versions: list[dict[str, Any]] = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        gone = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions]
        if gone:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": gone, "Quiet": True})


def _forget(plan: deploy.Plan, bucket: str) -> None:
    """Deletes what stays by intention, all but the snapshot."""
    if bucket:
        _empty(plan, bucket)
        plan.client("s3").delete_bucket(Bucket=bucket)
    tables, secrets = plan.client("dynamodb"), plan.client("secretsmanager")
    _unless_gone(partial(tables.delete_table, TableName=plan.named("keys")))
    for name in _SECRETS:
        gone = plan.named(name)
        _unless_gone(partial(secrets.delete_secret, SecretId=gone, ForceDeleteWithoutRecovery=True))
    (deploy.DEPLOYED / f"{plan.stage}.json").unlink(missing_ok=True)


def _unless_gone(delete: Callable[[], object]) -> None:
    try:
        delete()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise

"""What functions ask of AWS, as it is written down for the comparison with their policies."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from localstack.emulator import aws_session, running_emulator
from localstack.settings import Settings

# One call of each form that AWS has for an action and its resource, and a link for whoever gets it.
_FUNCTION = """
import boto3, os
from botocore.config import Config
from botocore.exceptions import ClientError
from contextlib import suppress
def ask(event, context):
    sqs, db, s3 = boto3.client("sqs"), boto3.client("dynamodb"), boto3.client("s3")
    address = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    sqs.send_message(QueueUrl=address, MessageBody="x")
    sqs.send_message(QueueUrl=address, MessageBody="y")
    owner = {"KeyConditionExpression": "o = :o", "ExpressionAttributeValues": {":o": {"S": "me"}}}
    db.query(TableName="jobs", IndexName="by-owner", **owner)
    check = {"Key": {"id": {"S": "b"}}, "TableName": "jobs", "ConditionExpression": "attribute_not_exists(id)"}
    db.transact_write_items(TransactItems=[
        {"Put": {"TableName": "jobs", "Item": {"id": {"S": "a"}, "o": {"S": "me"}}}}, {"ConditionCheck": check},
    ])
    part = s3.create_multipart_upload(Bucket="files", Key="a/parts")
    s3.abort_multipart_upload(Bucket="files", Key="a/parts", UploadId=part["UploadId"])
    with suppress(ClientError):
        s3.head_object(Bucket="files", Key="a/missing")
    boto3.client("lambda").list_event_source_mappings(EventSourceArn="arn:aws:sqs:us-east-1:000000000000:work")
    with suppress(ClientError):
        boto3.client("lambda").update_event_source_mapping(UUID="14e0db71-5d35-4eb5-b481-8945cf9d10c2", Enabled=False)
    with suppress(ClientError):
        letter = {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}}
        to = {"ToAddresses": ["you@here.test"]}
        boto3.client("sesv2").send_email(FromEmailAddress="me@here.test", Destination=to, Content=letter)
    with suppress(ClientError):
        boto3.client("secretsmanager").get_secret_value(SecretId="arn:aws:secretsmanager:us-east-1:1:secret:s-1a2b3c")
    with suppress(ClientError):
        endpoint = os.environ["AWS_ENDPOINT_URL"] + "/_aws/execute-api/api1/prod"
        gateway = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint)
        gateway.post_to_connection(ConnectionId="c1", Data=b"x")
    s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
    return s3.generate_presigned_url("put_object", Params={"Bucket": "files", "Key": "b/link"})
"""
_OWN = "arn:aws:{}:us-east-1:000000000000:{}"


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """What is written down after three runs of functions, and two visits of somebody who was given a link by one."""
    state = tmp_path_factory.mktemp("recording")
    with running_emulator(Settings(root=state, state=state, record_calls=True)) as emulator:
        client: Any = partial(aws_session().client, endpoint_url=emulator.endpoint)
        client("sqs").create_queue(QueueName="work")
        client("s3").create_bucket(Bucket="files")
        _make_table(client("dynamodb"))
        for name, handler in (("one", "app.ask"), ("two", "app.app")):
            client("lambda").create_function(
                FunctionName=name, Runtime="python3.12", Role="arn:aws:iam::000000000000:role/any", Handler=handler,
                Code={"ZipFile": _zipped()}, Timeout=30,
            )  # fmt: skip
        for name in ("one", "one", "two"):
            answer = client("lambda").invoke(FunctionName=name)
            link = json.loads(answer["Payload"].read())
            assert isinstance(link, str), link
        upload = urllib.request.Request(link, b"x", {"Content-Type": "text/plain"}, method="PUT")
        for _ in range(2):  # A call is written down by the time that the next one is answered.
            with urllib.request.urlopen(upload) as answer:
                assert answer.status == 200
        return [json.loads(line) for line in (state / "calls.jsonl").read_text().splitlines()]


def _zipped() -> bytes:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as bundle:
        bundle.writestr("app.py", _FUNCTION + "app = ask\n")
    return code.getvalue()


def _make_table(db: Any) -> None:
    db.create_table(
        TableName="jobs", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "o")],
        GlobalSecondaryIndexes=[{
            "IndexName": "by-owner", "KeySchema": [{"AttributeName": "o", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }],
    )  # fmt: skip


def test_each_action_is_written_once_with_its_resource(calls: list[list[str]]) -> None:
    assert sorted(call[1:] for call in calls if call[0] == "ask") == sorted(
        [
            ["sqs:GetQueueUrl", _OWN.format("sqs", "work")],
            ["sqs:SendMessage", _OWN.format("sqs", "work")],
            ["dynamodb:Query", _OWN.format("dynamodb", "table/jobs/index/by-owner")],
            ["dynamodb:PutItem", _OWN.format("dynamodb", "table/jobs")],
            ["dynamodb:ConditionCheckItem", _OWN.format("dynamodb", "table/jobs")],
            ["s3:PutObject", "arn:aws:s3:::files/a/parts"],
            ["s3:AbortMultipartUpload", "arn:aws:s3:::files/a/parts"],
            ["s3:GetObject", "arn:aws:s3:::files/a/missing"],
            ["s3:ListBucket", "arn:aws:s3:::files"],
            ["lambda:ListEventSourceMappings", "*"],
            [
                "lambda:UpdateEventSourceMapping",
                _OWN.format("lambda", "event-source-mapping:14e0db71-5d35-4eb5-b481-8945cf9d10c2"),
            ],
            ["ses:SendEmail", _OWN.format("ses", "identity/me@here.test")],
            ["secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:1:secret:s-1a2b3c"],
            ["execute-api:ManageConnections", _OWN.format("execute-api", "api1/prod/POST/@connections/c1")],
        ]
    )


def test_function_of_the_rest_api_has_the_name_that_its_policy_has(calls: list[list[str]]) -> None:
    assert {call[0] for call in calls} == {"ask", "api_handler"}


def test_link_that_somebody_follows_counts_as_its_signers(calls: list[list[str]]) -> None:
    assert ["api_handler", "s3:PutObject", "arn:aws:s3:::files/b/link"] in calls


def test_nothing_is_written_unless_asked_for(tmp_path: Path) -> None:
    with running_emulator(Settings(root=tmp_path, state=tmp_path)) as emulator:
        aws_session().client("sqs", endpoint_url=emulator.endpoint).create_queue(QueueName="work")
    assert not (tmp_path / "calls.jsonl").exists()

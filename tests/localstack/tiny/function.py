"""The smallest app that has every kind of event source: what the launcher must carry, without the product."""

import json
import os
import time
from typing import Any

import boto3
from chalice.app import Chalice, Request, Response, SQSEvent, WebsocketEvent

app = Chalice(app_name="tiny")
app.experimental_feature_flags.update(["WEBSOCKETS"])


def _request() -> Request:
    assert app.current_request is not None
    return app.current_request


@app.route("/api/health")
def health() -> dict[str, str]:
    return {key: os.environ.get(key.upper(), "") for key in ("public_url", "added", "shell_only")}


@app.route("/api/items", methods=["POST"])
def submit() -> Response:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=os.environ["QUEUE"])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(_request().json_body))
    return Response("", status_code=202, headers={"Location": "/api/items"})


@app.route("/api/items/{key}")
def show(key: str) -> Response:
    item = boto3.client("dynamodb").get_item(TableName=os.environ["TABLE"], Key={"id": {"S": key}}).get("Item")
    return Response({"found": item is not None}, status_code=200 if item else 404)


@app.route("/api/status/{code}", methods=["GET", "HEAD", "OPTIONS"])
def status(code: str) -> Response:
    return Response("", status_code=int(code), headers={"Set-Cookie": ["a=1; Path=/", "b=2; Path=/"], "ETag": '"x"'})


@app.route("/api/echo", methods=["GET", "POST"])
def echo() -> dict[str, Any]:
    request = _request()
    return {"headers": dict(request.headers), "query": dict(request.query_params or {}), "size": len(request.raw_body)}


@app.route("/api/sleep/{seconds}")
def sleep(seconds: str) -> dict[str, str]:
    time.sleep(float(seconds))
    return {}


@app.on_sqs_message(queue="tiny-local-work", batch_size=int(os.environ.get("AT_A_TIME", "1")))
def work(event: SQSEvent) -> None:
    for record in event:
        body = json.loads(record.body)
        boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item={"id": {"S": body["id"]}})


def _push(event: WebsocketEvent, text: str) -> None:
    client = boto3.client("apigatewaymanagementapi", endpoint_url=os.environ["WS_MANAGEMENT_ENDPOINT"])
    client.post_to_connection(ConnectionId=event.connection_id, Data=text.encode())


@app.on_ws_connect()
def connect(event: WebsocketEvent) -> None:
    if (event.to_dict().get("queryStringParameters") or {}).get("refuse"):
        raise ValueError("refused")


@app.on_ws_message()
def message(event: WebsocketEvent) -> None:
    _push(event, f"echo {event.body}")


@app.on_ws_disconnect()
def disconnect(event: WebsocketEvent) -> None:
    pass

"""Wiring only: REST routes from the registry, one named function per queue, schedule and socket route."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice, CloudWatchEvent, DynamoDBEvent, Rate, SQSEvent, WebsocketEvent

from chalicelib import kinds
from chalicelib.api import live, push, socket
from chalicelib.api.http import CORS, methods_of, wrap
from chalicelib.api.routes import routes
from chalicelib.aws.changes import read_changes
from chalicelib.aws.subscriptions import new_connections
from chalicelib.hourly import Counting, Hourly
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.sweep import sweep as sweep_jobs
from chalicelib.jobs.worker import Worker
from chalicelib.runtime import Runtime
from chalicelib.settings import EVENT_PROFILES, LIVE_QUEUE
from chalicelib.storing import EventWorker
from chalicelib.telemetry import name_request

# Chalice logs under the app's name, which is our logger's: left to itself it may add a handler and drop all but errors.
app = Chalice(app_name="sluice", configure_logs=False)
app.experimental_feature_flags.update(["WEBSOCKETS"])
app.register_middleware(name_request)

RUNTIME = Runtime()
REGISTRY = kinds.registry(RUNTIME.settings.stage)
HOURLY = Hourly()
COUNTING = Counting()

for route in routes(REGISTRY):
    # Content types are checked by the views, which answer with a problem document; an empty list switches
    # Chalice's own check off.
    app.route(route.path, methods=methods_of(route.method), content_types=[], cors=CORS)(wrap(app, RUNTIME, route.view))


def _settle(queue: str, event: SQSEvent) -> None:
    Worker(RUNTIME.background, REGISTRY, queue).settle(_deliveries(event))


def _deliveries(event: SQSEvent) -> list[Delivery]:
    return [
        Delivery(
            message_id=record["messageId"],
            body=record["body"],
            receipt=record["receiptHandle"],
            receive_count=int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        )
        for record in event.to_dict()["Records"]
    ]


# One forecast per invocation: a second one in the batch would wait behind a long first one.
@app.on_sqs_message(queue=RUNTIME.settings.queue_name("simulations"), batch_size=1, maximum_concurrency=10)
def work_simulations(event: SQSEvent) -> None:
    _settle("simulations", event)


# One search per invocation, as for forecasts; the database decides how many at once are a gain.
@app.on_sqs_message(queue=RUNTIME.settings.queue_name("searches"), batch_size=1, maximum_concurrency=10)
def work_searches(event: SQSEvent) -> None:
    _settle("searches", event)


# Long work that has a database to itself: one job at a time, and two of them at most.
@app.on_sqs_message(queue=RUNTIME.settings.queue_name("batch"), batch_size=1, maximum_concurrency=2)
def work_batch(event: SQSEvent) -> None:
    _settle("batch", event)


_EVENTS_AT_A_TIME, _EVENTS_WINDOW_S = EVENT_PROFILES[RUNTIME.settings.event_profile]


@app.on_sqs_message(
    queue=RUNTIME.settings.queue_name("events"),
    batch_size=_EVENTS_AT_A_TIME,
    maximum_batching_window_in_seconds=_EVENTS_WINDOW_S,
    maximum_concurrency=5,
)
def work_events(event: SQSEvent) -> None:
    EventWorker(RUNTIME, REGISTRY).settle(_deliveries(event))


# Stands outside the VPC: it reaches the internet and not the database, and its jobs carry all that they need.
@app.on_sqs_message(queue=RUNTIME.settings.queue_name("emails"), batch_size=1, maximum_concurrency=5)
def work_emails(event: SQSEvent) -> None:
    _settle("emails", event)


@app.schedule(Rate(1, unit=Rate.MINUTES))
def sweep(event: CloudWatchEvent) -> None:
    """Moves the jobs that nobody else is moving."""
    sweep_jobs(RUNTIME.background, REGISTRY)
    HOURLY.start(RUNTIME, REGISTRY)
    COUNTING.start(RUNTIME, REGISTRY)


@app.lambda_function()
def migrate(event: Any, context: Any) -> Any:
    """Brings the database to this code's schema, before (`pre`) and after (`post`) a deploy; operators ask it more."""
    from chalicelib.operating import operate

    return operate(RUNTIME, event)


def _stream_of(table: str, known: str) -> Any:  # what Chalice calls an ARN and hands on as it is
    """A table's stream: CloudFormation looks up its ARN, which has the time in it at which the table was made."""
    return known or {"Fn::ImportValue": f"{table}-stream"}


_JOB_STREAM = _stream_of(RUNTIME.settings.job_table, RUNTIME.settings.job_stream)
_SOCKET_STREAM = _stream_of(RUNTIME.settings.socket_table, RUNTIME.settings.socket_stream)


@app.on_dynamodb_record(stream_arn=_JOB_STREAM, batch_size=100)
def push_changes(event: DynamoDBEvent) -> None:
    push.push(RUNTIME, read_changes(event.to_dict()["Records"]))


# A batch takes as long as its connections, one after the other, take to be told their state.
@app.on_dynamodb_record(stream_arn=_SOCKET_STREAM, batch_size=10)
def greet_connections(event: DynamoDBEvent) -> None:
    socket.greet(RUNTIME, new_connections(event.to_dict()["Records"]))


# Outside the VPC as well; what it is late with is worth nothing any more.
@app.on_sqs_message(queue=RUNTIME.settings.queue_name(LIVE_QUEUE), batch_size=10, maximum_concurrency=5)
def push_events(event: SQSEvent) -> None:
    live.push_rows(RUNTIME, [record.body for record in event])


@app.on_ws_connect()
def websocket_connect(event: WebsocketEvent) -> dict[str, int]:
    raw = event.to_dict()
    query, headers = raw.get("queryStringParameters") or {}, raw.get("headers") or {}
    return {"statusCode": socket.open_connection(RUNTIME, event.connection_id, query=query, headers=headers)}


@app.on_ws_message()
def websocket_message(event: WebsocketEvent) -> None:
    socket.answer(RUNTIME, event.connection_id, event.body)


@app.on_ws_disconnect()
def websocket_disconnect(event: WebsocketEvent) -> None:
    RUNTIME.subscriptions.disconnect(event.connection_id)

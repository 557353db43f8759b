"""Wiring only: REST routes from the registry, one named function per queue, schedule and socket route."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice, SQSEvent, WebsocketEvent

from chalicelib import kinds
from chalicelib.api import socket
from chalicelib.api.http import wrap
from chalicelib.api.routes import routes
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.worker import Worker
from chalicelib.runtime import Runtime

app = Chalice(app_name="sluice")
app.experimental_feature_flags.update(["WEBSOCKETS"])

RUNTIME = Runtime()
REGISTRY = kinds.registry(RUNTIME.settings.stage)

for route in routes(REGISTRY):
    # Content types are checked by the views, which answer with a problem document; an empty list switches
    # Chalice's own check off.
    app.route(route.path, methods=[route.method], content_types=[])(wrap(app, RUNTIME, route.view))


def _settle(queue: str, event: SQSEvent) -> None:
    deliveries = [
        Delivery(
            message_id=record["messageId"],
            body=record["body"],
            receipt=record["receiptHandle"],
            receive_count=int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        )
        for record in event.to_dict()["Records"]
    ]
    Worker(RUNTIME.engine, REGISTRY, queue).settle(deliveries)


# One forecast per invocation: a second one in the batch would wait behind a long first one.
@app.on_sqs_message(queue=RUNTIME.settings.queue_name("simulations"), batch_size=1, maximum_concurrency=10)
def work_simulations(event: SQSEvent) -> None:
    _settle("simulations", event)


@app.lambda_function()
def migrate(event: Any, context: Any) -> dict[str, list[str]]:
    """Brings the database to this code's schema; invoked by a deploy, before (`pre`) and after (`post`)."""
    from chalicelib.db.migrate import migrate as apply

    phases = tuple((event or {}).get("phases", ("pre", "post")))
    return {"applied": apply(RUNTIME.settings.database_url, phases=phases)}


@app.on_ws_connect()
def websocket_connect(event: WebsocketEvent) -> None:
    """Everybody may connect: what can be seen is decided per task."""


@app.on_ws_message()
def websocket_message(event: WebsocketEvent) -> None:
    socket.answer(RUNTIME, event.connection_id, event.body)


@app.on_ws_disconnect()
def websocket_disconnect(event: WebsocketEvent) -> None:
    """Nothing is kept about a connection, so nothing is to be forgotten."""

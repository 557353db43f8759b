"""The REST routes, each with its published description: those of every kind in the registry, then the fixed ones."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.api import answers, description, queue_health, service
from chalicelib.api.account_routes import account_routes, key_routes, local_routes
from chalicelib.api.admin_routes import admin_routes
from chalicelib.api.event_routes import app_routes, ingest_routes
from chalicelib.api.event_watch_routes import watch_routes
from chalicelib.api.http import JSON
from chalicelib.api.job_routes import kind_routes, task_routes
from chalicelib.api.limits import Limiter
from chalicelib.api.resources import Table, resource_routes
from chalicelib.api.route import KNOWN_TAG, TAG, UNCHANGED, Access, Doc, Reply, Route
from chalicelib.jobs.kind import Registry

_CONSOLE: Table = (
    ("GET", "/", "console", "index"),
    ("GET", "/static/{file}", "console", "asset"),
    ("GET", "/static/js/{file}", "console", "script"),
)


def routes(registry: Registry) -> Iterator[Route]:
    """All routes of the stage that the registry was built for; those outside the limits have a pace of their own."""
    limited = Limiter().on
    for kind in registry:
        yield from map(limited, kind_routes(kind))
    yield from map(limited, task_routes(registry))
    yield from account_routes()
    yield from map(limited, key_routes())
    yield from ingest_routes(registry)
    yield from map(limited, app_routes())
    yield from map(limited, watch_routes())
    yield from local_routes(registry.stage)
    yield from map(limited, admin_routes(registry))
    yield from map(limited, resource_routes())
    yield from _service(registry)


def _service(registry: Registry) -> Iterator[Route]:
    yield from resource_routes(_CONSOLE)
    yield Route(
        "/api/health",
        "GET",
        service.health,
        lambda: Doc(
            name="get_health",
            group="Service",
            summary="Whether the API answers",
            details="Nothing behind it is asked.",
            access=Access.OPEN,
            replies={200: Reply(summary="It does", body=answers.Health)},
        ),
    )
    yield Route(
        "/api/health/celery",
        "GET",
        queue_health.QueueProbe().view,
        lambda: Doc(
            name="get_queue_health",
            group="Service",
            summary="Whether workers answer",
            details=f"Sends a real job through the queue and waits up to {queue_health.WAIT_S} s for it; the answer is "
            f"shared by everybody who asks within {queue_health.WINDOW_S} s. Behind a backlog it is busy.",
            access=Access.OPEN,
            replies={
                200: Reply(summary="Healthy or busy", body=queue_health.QueueHealth),
                503: Reply(
                    summary="Unhealthy, or paused by an operator",
                    body=queue_health.QueueHealth,
                    headers={"Retry-After": "Seconds after which to ask again."},
                ),
            },
        ),
    )
    yield Route(
        "/api/openapi.json",
        "GET",
        description.openapi(lambda: routes(registry)),
        lambda: Doc(
            name="get_openapi",
            group="Service",
            summary="This API as an OpenAPI 3.1 document",
            access=Access.OPEN,
            params=(KNOWN_TAG,),
            replies={200: Reply(summary="The document", media=JSON, headers=TAG), 304: UNCHANGED},
        ),
    )
    yield Route(
        "/docs",
        "GET",
        description.docs(lambda: routes(registry)),
        lambda: Doc(
            name="get_docs",
            group="Service",
            summary="This API as a page to read",
            access=Access.OPEN,
            params=(KNOWN_TAG,),
            replies={200: Reply(summary="The page", media="text/html", headers=TAG), 304: UNCHANGED},
        ),
    )

"""The REST routes: those of every kind in the registry, then the fixed ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from chalicelib.api import auth, service, tasks
from chalicelib.api.http import View
from chalicelib.jobs.kind import Registry


class Route(NamedTuple):
    """One path, one method, one view."""

    path: str
    method: str
    view: View


def routes(registry: Registry) -> Iterator[Route]:
    """All routes of the stage that the registry was built for."""
    for kind in registry:
        yield Route(kind.path, "POST", tasks.submitting(kind))
        if kind.sync_path:
            yield Route(kind.sync_path, "POST", tasks.running(kind))
    yield Route("/", "GET", service.index)
    yield Route("/api/health", "GET", service.health)
    yield Route("/api/auth/login", "POST", auth.login)
    yield Route("/api/tasks/{task_id}", "GET", tasks.status)
    yield Route("/api/tasks/{task_id}", "DELETE", tasks.cancel)

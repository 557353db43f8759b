"""The routes by which events are watched: a table, read without their modules; most have an older path beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from chalicelib.api.resources import resource_routes
from chalicelib.api.route import Doc, Route

# Of each path the beginning, and what the name of its operation ends with.
_PREFIXES = (("/api/apps/{app_id}/", ""), ("/app/{app_id}/", "_as_before"))
_OF_AN_APP = (
    ("GET", "stats", "event_watch", "stats"),
    ("GET", "history", "event_history", "show"),
    ("GET", "coverage", "event_watch", "coverage"),
    ("GET", "event-names", "event_watch", "event_names"),
    ("GET", "fully-valid-events", "event_watch", "fully_valid"),
    ("GET", "logs", "event_watch_logs", "list_logs"),
    ("GET", "quarantine", "event_quarantine", "show"),
    ("POST", "replay", "event_replays", "create"),
    ("POST", "filter-logs", "event_watch_logs", "filter_logs"),
    ("POST", "filter", "event_watch_posted", "filter_posted"),
    ("POST", "download-report", "event_watch_posted", "download_report"),
    ("POST", "download-all-results", "event_watch_files", "download_all"),
    ("POST", "download-valid-events", "event_watch_files", "download_valid"),
    ("POST", "delete-logs", "event_watch_rows", "remove_all"),
)
_OF_A_ROW = (
    ("GET", "/api/logs/{app_id}/{row_id}", "event_watch_rows", "show"),
    ("DELETE", "/api/logs/{app_id}/{row_id}", "event_watch_rows", "remove"),
)


def watch_routes() -> Iterator[Route]:
    """Reading an app's events, and removing them."""
    for prefix, ending in _PREFIXES:
        table = tuple((method, prefix + path, module, name) for method, path, module, name in _OF_AN_APP)
        for route in resource_routes(table):
            assert route.doc is not None
            yield route._replace(doc=_named(route.doc, ending))
    yield from resource_routes(_OF_A_ROW)


def _named(doc: Callable[[], Doc], ending: str) -> Callable[[], Doc]:
    def named() -> Doc:
        found = doc()
        return msgspec.structs.replace(found, name=found.name + ending)

    return named

"""The service itself: what it is and whether it is up."""

from __future__ import annotations

from chalicelib.api.answers import Health, Index
from chalicelib.api.http import Answer, Call
from chalicelib.clock import rfc3339

VERSION = "0.1.0"


def index(call: Call) -> Answer:
    """Where to go from here."""
    links = {
        "health": "/api/health",
        "login": "/api/auth/login",
        "forecast": "/api/async/simulate",
        "docs": "/docs",
        "openapi": "/api/openapi.json",
    }
    # At the same address a browser gets the console.
    return Answer(body=Index(service="sluice", version=VERSION, links=links), headers={"Vary": "Accept"})


def health(call: Call) -> Answer:
    """GET /api/health: that the API answers; nothing behind it is asked."""
    time = rfc3339(call.runtime.clock.now())
    body = Health(status="ok", version=VERSION, stage=call.runtime.settings.stage, time=time)
    return Answer(body=body, headers={"Cache-Control": "no-store"})

"""Every error that Sluice raises on purpose.

    SluiceError                  500  never raised itself
    |- RequestError                   the caller's doing, never retried
    |  |- InvalidRequest         400  the body or a parameter breaks a rule; lists every broken rule
    |  |  `- InsufficientData    400  too few samples to learn from; says how many are needed
    |  |- Unauthenticated        401  no credentials, or wrong ones
    |  |- Forbidden              403  known caller, not allowed
    |  |- NotFound               404  no such thing, or not the caller's
    |  |- UnknownApp             444  no app of that id takes events
    |  |- Conflict               409  the thing is in a state that excludes the request
    |  |- Gone                   410  it was there and has expired
    |  |- TooLarge               413  body or work above a stated limit
    |  |- UnsupportedMedia       415  a body of a type that cannot be read
    |  |- KeyReused              422  an Idempotency-Key that already stands for another request
    |  `- TooManyRequests        429  too soon after the ones before; says when it may be tried again
    |- ConfigurationError             the deployment is wrong; loud at start, never retried
    |- JobFailed                      a run ended badly for a reason that the caller may read
    |- Unstorable                     what is in an event cannot be stored, now or ever
    |- NotSaved                       a result cannot be kept as it is, which does not fail its job
    |- Cancelled                      a run noticed that its job was cancelled
    |- Superseded                     a run noticed that another attempt has taken the job over
    `- Unavailable               503  something we depend on is away; retryable

`slug` ends the problem type's address, `title` is the same for every occurrence (RFC 9457), `retryable` says
whether the same call may succeed later without a change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One broken rule of a request: where (an RFC 6901 JSON pointer) and what, with the value and the bound."""

    pointer: str
    detail: str


class SluiceError(Exception):
    """Base of all; its message is written for whoever called."""

    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    # Added to the problem document, for clients that know the error from the old service.
    members: Mapping[str, object] = {}

    def __init__(self, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s


class RequestError(SluiceError):
    """The caller has to change something."""


class InvalidRequest(RequestError):
    """The body or a parameter breaks at least one rule; `errors` lists all that were found."""

    slug, title, status = "invalid-request", "Invalid request", 400

    def __init__(self, errors: tuple[FieldError, ...] | list[FieldError], detail: str | None = None) -> None:
        self.errors = tuple(errors)
        super().__init__(detail or "; ".join(f"{e.pointer or '/'}: {e.detail}" for e in self.errors[:3]))


class InsufficientData(InvalidRequest):
    """Too few samples for forecasters to learn from; the Monte Carlo forecasts need fewer."""

    slug, title = "insufficient-data", "Insufficient data"

    def __init__(self, pointer: str, *, needed: int, provided: int) -> None:
        detail = f"must have at least {needed} values to learn from, got {provided}"
        super().__init__([FieldError(pointer, detail)])
        self.members = {
            "error": "insufficient_data",
            "message": self.detail,
            "recommendation": "Use the Monte Carlo forecast (/api/forecast-when), which needs no more than one sample.",
            "min_required": needed,
            "provided": provided,
            "use_monte_carlo": True,
        }


class Unauthenticated(RequestError):
    slug, title, status = "unauthenticated", "Authentication required", 401


class Forbidden(RequestError):
    slug, title, status = "forbidden", "Not allowed", 403


class NotFound(RequestError):
    slug, title, status = "not-found", "Not found", 404


class UnknownApp(RequestError):
    # The status that apps know from the old service.
    slug, title, status = "unknown-app", "App not found", 444


class Conflict(RequestError):
    slug, title, status = "conflict", "Conflict", 409


class Gone(RequestError):
    slug, title, status = "gone", "Expired", 410


class TooLarge(RequestError):
    slug, title, status = "too-large", "Too large", 413


class UnsupportedMedia(RequestError):
    slug, title, status = "unsupported-media-type", "Unsupported media type", 415


class KeyReused(RequestError):
    slug, title, status = "idempotency-key-reused", "Idempotency-Key reused", 422


class TooManyRequests(RequestError):
    slug, title, status = "too-many-requests", "Too many requests", 429


class ConfigurationError(SluiceError):
    slug, title = "configuration", "Wrong configuration"


class JobFailed(SluiceError):
    slug, title, status = "job-failed", "The job failed", 500


class Unstorable(SluiceError):
    slug, title, status = "unstorable", "Cannot be stored", 500


class NotSaved(SluiceError):
    slug, title, status = "not-saved", "Not saved", 409


class Cancelled(SluiceError):
    slug, title, status = "cancelled", "Cancelled", 409


class Superseded(SluiceError):
    slug, title, status = "superseded", "Another attempt has taken over", 409


class Unavailable(SluiceError):
    slug, title, status, retryable = "unavailable", "Temporarily unavailable", 503, True

"""What kinds of questions about contracts have in common: whom answers are for, for how long, and their limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from msgspec import Struct, structs

from chalicelib.jobs.kind import Cache, JobKind

if TYPE_CHECKING:
    from chalicelib.runtime import Runtime

Request = TypeVar("Request", bound=Struct)
Result = TypeVar("Result", bound=Struct)


def question(kind: JobKind[Request, Result], canonical: Callable[[Request], object]) -> JobKind[Request, Result]:
    """The kind as one whose answers are for everybody who asks what comes down to the same.

    An import lets all older answers be forgotten. The limits are those that the clients of the old service know.
    """
    return structs.replace(
        kind,
        time_limit_s=600,
        keep_s=1800,
        max_attempts=3,
        retry_s=30,
        cache=Cache(canonical=canonical, version=_version, across_accounts=True),
        lenient=True,
        opened_by="public_search",
    )


def _version(parts: object) -> str:
    return str(cast("Runtime", parts).datasets.version("contracts"))

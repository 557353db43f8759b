"""What kinds of questions about contracts have in common: whom their answers are for, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from msgspec import Struct

from chalicelib.jobs.kind import Cache

if TYPE_CHECKING:
    from chalicelib.runtime import Runtime

Request = TypeVar("Request", bound=Struct)


def from_the_data_set(canonical: Callable[[Request], object]) -> Cache[Request]:
    """Answers for everybody who asks what comes down to the same; an import lets all older ones be forgotten."""
    return Cache(canonical=canonical, version=_version, across_accounts=True)


def _version(parts: object) -> str:
    return str(cast("Runtime", parts).datasets.version("contracts"))

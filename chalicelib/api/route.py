"""A route: path, method, view, and beside them what the published description says about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

import msgspec

from chalicelib.api.http import View
from chalicelib.errors import (
    Forbidden,
    InvalidRequest,
    SluiceError,
    TooLarge,
    Unauthenticated,
    UnsupportedMedia,
)

# What any body, and any credentials, can be refused for.
BODY: tuple[type[SluiceError], ...] = (InvalidRequest, TooLarge, UnsupportedMedia)
CALLER: tuple[type[SluiceError], ...] = (Unauthenticated, Forbidden)


class Access(Enum):
    """Who may call a route."""

    OPEN = "open to everybody"
    OPTIONAL = "credentials may be needed, which depends on the deployment or the thing that is asked for"
    ACCOUNT = "with credentials only"
    LOGIN = "with the token or cookie of a login only, not with an API key"


class Param(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of a route that is not in the body; those of the path are always required."""

    name: str
    # path, query or header.
    where: str
    summary: str
    values: tuple[str, ...] = ()


# The values of a parameter that `body.is_on` reads.
SWITCH = ("1", "true", "0", "false")


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a route that is not a refusal."""

    summary: str
    # A struct, or a list of one; several where the answer may be any of them.
    body: type | tuple[type, ...] | None = None
    # JSON if there is a body; named here where the answer has no type of ours.
    media: str = ""
    # Texts of other media types that the answer may be as well.
    also: tuple[str, ...] = ()
    # What each header says that the answer has besides Content-Type and X-Request-Id.
    headers: Mapping[str, str] = {}


class Doc(msgspec.Struct, frozen=True, kw_only=True):
    """What the OpenAPI document and the docs page say about one route, in words for a client."""

    # The operation's id: unique, and the method's name in generated clients.
    name: str
    group: str
    summary: str
    details: str = ""
    access: Access
    params: tuple[Param, ...] = ()
    request: type[msgspec.Struct] | None = None
    # Whether the request's type stands for any JSON value.
    takes_any: bool = False
    example: msgspec.Struct | None = None
    # What the task that the route starts ends with.
    result: type[msgspec.Struct] | None = None
    replies: Mapping[int, Reply]
    refusals: tuple[type[SluiceError], ...] = ()
    # Whether its answers say how many more of such requests are taken; set where the route is put under the limits.
    is_limited: bool = False


class Route(NamedTuple):
    """One path, one method, one view; a test refuses a route without its description."""

    path: str
    method: str
    view: View
    # Called when the API describes itself, which few of its starts are for.
    doc: Callable[[], Doc] | None = None


# Of routes whose answers have an ETag.
KNOWN_TAG = Param(name="If-None-Match", where="header", summary="The ETag of the answer that the client has.")
TAG = {"ETag": "Names this answer; send it as If-None-Match."}
UNCHANGED = Reply(summary="Nothing has changed", headers=TAG)

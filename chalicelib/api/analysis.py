"""A small question over HTTP: one body in, its answer out at once, and nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from chalicelib.api.auth import require
from chalicelib.api.body import MAX_ERRORS, read_body
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import BODY, CALLER, SWITCH, Access, Doc, Param, Reply
from chalicelib.errors import FieldError, InvalidRequest, NotFound, SluiceError, Unavailable

T = TypeVar("T", bound=msgspec.Struct)
# By the name of the view.
Docs = Mapping[str, Doc]

STRICT = Param(
    name="strict",
    where="query",
    summary="1 refuses unknown fields, which are ignored otherwise.",
    values=SWITCH,
)
REFUSALS: tuple[type[SluiceError], ...] = (*BODY, *CALLER, Unavailable)


def read_question(
    call: Call, type_: type[T], check: Callable[[T], list[FieldError]], *, opened_by: str = "public_forecasts"
) -> tuple[T, tuple[str, ...]]:
    """The body of somebody who may ask, checked, and a warning for each field that is not known.

    `opened_by` is the setting that lets callers without an account ask.
    Raises Unauthenticated, Forbidden, TooLarge, UnsupportedMedia or InvalidRequest.
    """
    require(call, public=getattr(call.runtime.settings, opened_by))
    question, warnings = read_body(call, type_, lenient=True)
    errors = check(question)
    if errors:
        raise InvalidRequest(errors[:MAX_ERRORS])
    return question, warnings


def answered(result: msgspec.Struct, warnings: tuple[str, ...]) -> Answer:
    """200 with the result, whose own `warnings` come after those of the body."""
    own: list[str] = getattr(result, "warnings", [])
    return Answer(body=msgspec.structs.replace(result, warnings=[*warnings, *own]))


def describe(
    example: msgspec.Struct, result: type[msgspec.Struct], *, name: str, summary: str, details: str = ""
) -> Doc:
    """The published description of such a question; its request is the example's type."""
    return Doc(
        name=name,
        group="Analyses",
        summary=summary,
        details=f"{details} Answered at once and not kept.".strip(),
        access=Access.OPTIONAL,
        params=(STRICT,),
        request=type(example),
        example=example,
        replies={200: Reply(summary="The answer", body=result)},
        refusals=REFUSALS,
    )


def about_contracts(doc: Doc, *refusals: type[SluiceError]) -> Doc:
    """The description of such a question about contracts, of which there may be none yet."""
    return msgspec.structs.replace(doc, group="Contracts", refusals=(*doc.refusals, NotFound, *refusals))

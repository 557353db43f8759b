"""Query strings as structs."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from chalicelib.api.http import Call
from chalicelib.api.query import query_params, read_query
from chalicelib.api.route import Param
from chalicelib.errors import FieldError, InvalidRequest
from tests.doubles import MemoryRuntime


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    name: Annotated[str, Meta(description="A name.")]
    size: Annotated[Annotated[int, Meta(ge=1, le=9)] | None, Meta(description="How many.")] = None
    order: Annotated[Literal["up", "down"], Meta(description="Which way.")] = "up"
    is_deep: Annotated[bool, Meta(description="How far.")] = False


def no_rules(wanted: Wanted) -> list[FieldError]:
    return []


def read(**query: str) -> Wanted:
    call = Call(runtime=MemoryRuntime(), method="GET", path="/x", query=query, headers={"content-type": "text/html"})
    return read_query(call, Wanted, no_rules)


def test_texts_are_read_as_their_fields_take_them() -> None:
    assert read(name="7", size="7", order="down", is_deep="true") == Wanted(
        name="7", size=7, order="down", is_deep=True
    )


def test_empty_parameter_is_as_good_as_missing_and_unknown_ones_are_ignored() -> None:
    assert read(name="x", size="", order=" ", other="1") == Wanted(name="x")


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({}, ["name is required"]),
        ({"name": "x", "size": "0"}, ["size must be at least 1, got 0"]),
        ({"name": "x", "size": "-1"}, ["size must be at least 1, got -1"]),
        ({"name": "x", "size": "1.5"}, ['size must be a whole number, got "1.5"']),
        ({"name": "x", "size": "9" * 30}, [f'size must be a whole number, got "{"9" * 30}"']),
        ({"name": "x", "size": "٣"}, ['size must be a whole number, got "٣"']),
        ({"name": "x", "order": "UP"}, ['order must be one of "down", "up", got "UP"']),
        ({"name": "x", "is_deep": "yes"}, ['is_deep must be true or false, got "yes"']),
        ({"name": "x", "sise": "1", "strict": "1"}, ['sise is not known; did you mean "size"?']),
        (
            {"size": "99", "order": "x"},
            ["size must be at most 9, got 99", 'order must be one of "down", "up", got "x"', "name is required"],
        ),
    ],
)
def test_every_wrong_parameter_is_named(query: dict[str, str], wrong: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(**query)
    assert sorted(error.detail for error in refused.value.errors) == sorted(wrong)
    assert {error.pointer for error in refused.value.errors} == {""}


def test_parameters_are_described_by_their_fields() -> None:
    assert query_params(Wanted) == (
        Param(name="name", where="query", summary="A name."),
        Param(name="size", where="query", summary="How many."),
        Param(name="order", where="query", summary="Which way.", values=("down", "up")),
        Param(name="is_deep", where="query", summary="How far."),
    )

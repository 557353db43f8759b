"""Bodies: what is read, and how each thing that cannot be read is named."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType
from typing import Annotated

import msgspec
import pytest

from chalicelib.jobs.kind import AnyKind, Progress
from tests.api.calls import Api, details, document
from tests.doubles import echo_kind


class Item(msgspec.Struct, frozen=True, rename="camel"):
    low_bound: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0


class ListRequest(msgspec.Struct, frozen=True, rename="camel"):
    project_name: Annotated[str, msgspec.Meta(max_length=5)]
    samples: Annotated[list[float], msgspec.Meta(min_length=1, max_length=3)]
    count: Annotated[int, msgspec.Meta(gt=0)] = 1
    items: list[Item] = []
    note: str | None = None


class Nothing(msgspec.Struct, frozen=True):
    pass


def list_kind() -> AnyKind:
    def run(request: ListRequest, progress: Progress) -> Nothing:
        return Nothing()

    return echo_kind(
        run,  # type: ignore[arg-type]
        request=ListRequest,
        result=Nothing,
        example=ListRequest("name", [1]),
    )


def refused(body: object, **headers: str) -> list[tuple[str, str]]:
    answer = Api(list_kind()).call("POST", "/api/async/echo?strict=1", body, **headers)
    assert answer.status == 400
    return details(answer)


@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8", "text/plain", "a/b+json"])
def test_json_is_read_whatever_json_type_it_is_sent_as(media: str) -> None:
    body = b'{"projectName":"p","samples":[1]}'
    assert Api(list_kind()).call("POST", "/api/echo", body, content_type=media).status == 200


def test_body_of_another_type_is_415() -> None:
    answer = Api(list_kind()).call("POST", "/api/echo", b"a=1", content_type="application/x-www-form-urlencoded")
    assert answer.status == 415
    assert document(answer)["detail"] == (
        "the body must be application/json or JSON as text/plain, got application/x-www-form-urlencoded"
    )


def test_all_errors_of_a_body_are_told_at_once_with_value_and_bound() -> None:
    body = {"projectName": "too long", "samples": [], "count": 0, "items": [{"lowBound": -1}, {"lowBound": "x"}]}
    assert sorted(refused(body)) == [
        ("/count", "must be more than 0, got 0"),
        ("/items/0/lowBound", "must be at least 0, got -1"),
        ("/items/1/lowBound", 'must be a number, got "x"'),
        ("/projectName", "must have at most 5 characters, got 8"),
        ("/samples", "must have at least 1 items, got 0"),
    ]


def test_whole_number_may_be_written_as_a_float_as_the_schema_says() -> None:
    body = {"projectName": "p", "samples": [1.5], "count": 50.0}
    assert Api(list_kind()).call("POST", "/api/echo", body).status == 200
    assert refused(body | {"count": 50.5}) == [("/count", "must be a whole number, got 50.5")]


def test_every_missing_field_is_named() -> None:
    assert sorted(refused({})) == [("/projectName", "is required"), ("/samples", "is required")]


def test_optional_field_of_a_wrong_type_is_told_by_its_real_type() -> None:
    body = {"projectName": "p", "samples": [1], "note": 5}
    assert refused(body) == [("/note", "must be a text, got 5")]


def test_unknown_fields_are_found_inside_lists() -> None:
    body = {"projectName": "p", "samples": [1], "items": [{}, {"low_bound": 1}]}
    assert refused(body) == [("/items/1/low_bound", 'is not known; did you mean "lowBound"?')]


def test_errors_are_capped_so_that_an_answer_stays_readable() -> None:
    assert len(refused({"projectName": "p", "samples": [1], "items": [{"lowBound": -1}] * 1000})) == 50


def test_unknown_fields_are_compared_with_the_known_ones_as_far_as_they_are_told() -> None:
    compared = Counter[str]()

    def count(frame: FrameType, event: str, arg: object) -> None:
        if event == "call":
            compared[frame.f_code.co_name] += 1

    body = {"projectName": "p", "samples": [1]} | {f"sample{number}": 1 for number in range(5_000)}
    sys.setprofile(count)
    try:
        told = refused(body)
    finally:
        sys.setprofile(None)
    # A request with hundreds of thousands of them would take seconds otherwise.
    assert len(told) == compared["get_close_matches"] == 50


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "a JSON body is required"),
        (b"  \n", "a JSON body is required"),
        (b'{"samples": [NaN]}', "NaN is not a number that JSON knows"),
        (b'{"samples": [1, -Infinity]}', "-Infinity is not a number that JSON knows"),
        (b"[" * 33 + b"]" * 33, "the body must not be nested deeper than 32 levels"),
        (b"[" * 100_000 + b"]" * 100_000, "the body must not be nested deeper than 32 levels"),
        (b'{"samples": [1,]}', "JSON is malformed: trailing comma in array (byte 15)"),
        (b'{"a": "\xff"}', None),
        (b'{"samples": [1e999]}', None),
    ],
)
def test_what_is_not_json_is_refused_by_name(body: bytes, detail: str | None) -> None:
    ((pointer, told),) = refused(body)
    assert pointer == ""
    assert told
    assert detail is None or told == detail


@pytest.mark.parametrize("body", [b"5", b'"text"', b"[]", b"null", b"true"])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    ((pointer, told),) = refused(body)
    assert (pointer, told.split(",")[0]) == ("", "must be an object")


def test_body_over_the_limit_is_413_with_both_sizes() -> None:
    answer = Api(list_kind(), body_limit=10).call("POST", "/api/echo", b" " * 11)
    assert (answer.status, document(answer)["detail"]) == (413, "the body must be at most 10 bytes, got 11")

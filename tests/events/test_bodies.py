"""Bodies of events: what is read of each form, and what is refused with which reason."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidRequest, TooLarge, UnsupportedMedia
from chalicelib.events.bodies import MAX_BATCH_BYTES, MAX_EVENTS, Event, Unusable, read_events

JSON, TEXT, LINES = "application/json", "text/plain", "application/x-ndjson"
LOGIN = {"eventName": "user_login", "userId": 123}


def events(content: bytes, media: str = JSON) -> list[Event | str]:
    """Events, and reasons for what is none."""
    return [item.reason if isinstance(item, Unusable) else item for item in read_events(content, media).items]


@pytest.mark.parametrize("media", [JSON, TEXT, "application/vnd.app+json"])
def test_object_is_a_single_event(media: str) -> None:
    reading = read_events(json.dumps(LOGIN).encode(), media)
    assert reading.items == (Event("user_login", "", LOGIN),)
    assert reading.is_single


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b'[{"eventName": "a"}, {"eventName": "b"}]', JSON),
        (b'{"eventName": "a"}\n\n{"eventName": "b"}\r\n', LINES),
        (b'{"eventName": "a"}\n{"eventName": "b"}', JSON),
        (b'\xef\xbb\xbf{"eventName": "a"}\n{"eventName": "b"}', TEXT),
        (b'12:00 start\nEvent Payload: {"eventName": "a"}\nnoise\n  event payload:{"eventName": "b"}\n', TEXT),
    ],
)
def test_several_events_are_read_of_every_form(content: bytes, media: str) -> None:
    reading = read_events(content, media)
    assert reading.items == (Event("a", "", {"eventName": "a"}), Event("b", "", {"eventName": "b"}))
    assert not reading.is_single


def test_array_of_one_is_answered_as_several_and_one_log_line_as_one() -> None:
    assert not read_events(b'[{"eventName": "a"}]', JSON).is_single
    assert read_events(b'noise\nEvent Payload: {"eventName": "a"}', TEXT).is_single


@pytest.mark.parametrize("key", ["eventName", "event_name", "event"])
def test_name_is_found_under_each_of_its_keys_and_trimmed(key: str) -> None:
    assert events(json.dumps({key: " User Login "}).encode()) == [
        Event("User Login", "", {key: " User Login "}),
    ]


@pytest.mark.parametrize(("said", "read"), [("m-1", "m-1"), (17, "17"), (None, ""), ("", "")])
def test_message_id_is_a_text(said: object, read: str) -> None:
    (event,) = events(json.dumps({"eventName": "a", "messageId": said}).encode())
    assert isinstance(event, Event)
    assert event.message_id == read


def test_event_that_cannot_be_used_does_not_take_others_with_it() -> None:
    content = json.dumps(
        [
            {"eventName": "a"},
            "b",
            {"name": "c"},
            {"eventName": "  "},
            {"eventName": 5},
            {"eventName": "x" * 201},
            {"eventName": "d", "messageId": "m" * 101},
            {"eventName": "e", "messageId": True},
            {"eventName": "f", "text": "x" * 65_536},
            {"eventName": "g", "nested": json.loads("[" * 33 + "]" * 33)},
        ]
    ).encode()
    missing = "eventName is missing; it must be a text that is not blank"
    found = events(content)
    assert found[0] == Event("a", "", {"eventName": "a"})
    assert found[1:] == [
        "must be a JSON object",
        missing,
        missing,
        missing,
        "eventName must have at most 200 characters, got 201",
        "messageId must have at most 100 characters, got 101",
        "messageId must be a text",
        f"an event must have at most 65536 bytes, got {65_536 + len(json.dumps({'eventName': 'f', 'text': ''}, separators=(',', ':')))}",  # noqa: E501
        "an event must not be nested deeper than 32 levels",
    ]


def test_bad_line_is_told_with_how_it_begins() -> None:
    _, bad = read_events(b'{"eventName": "a"}\n{"eventName": ' + b"b" * 300, LINES).items
    assert isinstance(bad, Unusable)
    assert bad.reason.startswith("must be JSON: ")
    assert bad.shown == '{"eventName": ' + "b" * 186


@pytest.mark.parametrize(
    ("content", "media", "reason"),
    [
        (b"", JSON, "the body is empty; an event is a JSON object with eventName"),
        (b"  \n", LINES, "there is no event in the body"),
        (b"{}", JSON, "the event must not be empty; it needs eventName"),
        (b"[]", JSON, "there is no event in the body"),
        (b"5", JSON, "the body must be a JSON object or an array of them"),
        (b"noise\nmore noise", TEXT, "the body must be JSON: JSON is malformed: invalid character (byte 4)"),
        (b'{"eventName": NaN}', JSON, "the body must be JSON: JSON is malformed: invalid character (byte 14)"),
        (b"[" * 100_000, JSON, "the body must be JSON: it is nested too deeply"),
    ],
)
def test_body_without_an_event_is_refused(content: bytes, media: str, reason: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_events(content, media)
    assert refused.value.errors[0].detail == reason


def test_other_types_and_too_much_are_refused() -> None:
    with pytest.raises(UnsupportedMedia, match="got image/png"):
        read_events(b"{}", "image/png")
    with pytest.raises(TooLarge, match=f"at most {MAX_BATCH_BYTES} bytes together, got {MAX_BATCH_BYTES + 1}"):
        read_events(b" " * (MAX_BATCH_BYTES + 1), JSON)
    with pytest.raises(TooLarge, match=f"at most {MAX_EVENTS} events, got {MAX_EVENTS + 1}"):
        read_events(b'{"event":"a"}\n' * (MAX_EVENTS + 1), LINES)


def test_payload_is_the_object_of_that_name_or_what_is_beside_the_reserved_keys() -> None:
    inner = Event("a", "", {"eventName": "a", "payload": {"x": 1}, "y": 2})
    flat = Event("a", "m", {"eventName": "a", "messageId": "m", "eventId": 0, "userId": 123, "timestamp": "now"})
    odd = Event("a", "", {"eventName": "a", "payload": None, "userId": 1})
    assert inner.payload(frozenset()) == {"x": 1}
    assert flat.payload(frozenset()) == {"userId": 123, "timestamp": "now"}
    assert flat.payload(frozenset({"eventId"})) == {"eventId": 0, "userId": 123, "timestamp": "now"}
    assert odd.payload(frozenset()) == {"payload": None, "userId": 1}


@pytest.mark.parametrize(
    ("body", "is_system"),
    [
        ({}, False),
        ({"eventId": 0}, False),
        ({"eventId": "0"}, False),
        ({"eventId": 7}, True),
        ({"event_id": "x"}, True),
    ],
)
def test_event_with_an_id_other_than_0_is_the_system_s(body: dict[str, object], is_system: bool) -> None:
    assert Event("a", "", body).is_system is is_system


def test_nul_characters_which_postgres_cannot_hold_are_replaced() -> None:
    (event,) = events(b'{"eventName": "a\\u0000", "k\\u0000": ["\\u0000"]}')
    assert event == Event("a\ufffd", "", {"eventName": "a\ufffd", "k\ufffd": ["\ufffd"]})


@given(st.binary(max_size=80), st.sampled_from((JSON, TEXT, LINES)))
def test_any_bytes_are_read_or_refused(content: bytes, media: str) -> None:
    with suppress(InvalidRequest):
        assert read_events(content, media).items

"""Paths of fields: what is one, and when two are the same."""

from __future__ import annotations

import pytest

from chalicelib.events.paths import count_shared, read_path


@pytest.mark.parametrize(
    ("text", "names", "shown"),
    [
        ("a", ("a",), "a"),
        (" Card Name ", ("Card Name",), "Card Name"),
        ("a.b.c", ("a", "b", "c"), "a.b.c"),
        ("payload.a", ("a",), "a"),
        ("Payload.payload", ("payload",), "payload"),
        ("payload", ("payload",), "payload"),
        ("payload.payload.a", ("payload", "a"), "payload.payload.a"),
        ("items[]", ("items", "[]"), "items[]"),
        ("a.b[].c[].d", ("a", "b", "[]", "c", "[]", "d"), "a.b[].c[].d"),
        ("rows[][].x", ("rows", "[]", "[]", "x"), "rows[][].x"),
        ("a . b [ ] . c", ("a", "b", "[]", "c"), "a.b[].c"),
    ],
)
def test_path_is_read_and_shown(text: str, names: tuple[str, ...], shown: str) -> None:
    path = read_path(text)
    assert (path.names, path.text, path.fault) == (names, shown, None)
    assert read_path(shown) == path


@pytest.mark.parametrize(
    "text", ["", " ", ".", "a.", ".a", "a..b", "[]", "[].a", "payload.", "a[", "a]", "a[0]", "a[]b", "a[].[]", "a[[]]"]
)
def test_text_that_is_no_path_is_refused(text: str) -> None:
    path = read_path(text)
    assert path.names == ()
    assert path.fault is not None
    assert repr(text) in path.fault


def test_path_of_too_many_steps_is_refused() -> None:
    assert read_path(".".join("a" * 16)).fault is None
    assert read_path(".".join("a" * 17)).fault == "must have at most 16 steps, got 17"
    assert read_path("a" + "[]" * 16).fault == "must have at most 16 steps, got 17"


def test_names_are_compared_in_lower_case_with_underscores() -> None:
    assert read_path("Card Name.NO").keys == read_path("card_name.no").keys


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [("a", "b", 0), ("a.b", "a.c", 0), ("r[].a", "r[].b", 2), ("r[].a", "s[].b", 0), ("r[].s[].a", "r[].s[]", 4)],
)
def test_paths_share_the_arrays_that_both_go_through(one: str, other: str, shared: int) -> None:
    assert count_shared(read_path(one).keys, read_path(other).keys) == shared

"""One-time codes: how they are read, and what their digests are bound to."""

from __future__ import annotations

import pytest

from chalicelib.accounts.codes import digest, is_opened, read_code
from chalicelib.ids import Ids

SECRET = "a-secret-of-the-tests-that-is-long-enough"
STORED = digest(SECRET, "sign_up", "ann@example.org", "012345")


@pytest.mark.parametrize(("text", "code"), [("012345", "012345"), (" 012 345\n", "012345")])
def test_code_is_read_without_the_spaces_that_people_type(text: str, code: str) -> None:
    assert read_code(text) == code


@pytest.mark.parametrize("text", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "-12345"])
def test_what_is_no_six_digits_is_no_code(text: str) -> None:
    assert read_code(text) is None


def test_digest_is_opened_by_its_own_code_address_and_purpose_alone() -> None:
    assert is_opened(STORED, digest(SECRET, "sign_up", "ann@example.org", "012345"))
    others = [
        digest(SECRET, "reset", "ann@example.org", "012345"),
        digest(SECRET, "sign_up", "bob@example.org", "012345"),
        digest(SECRET, "sign_up", "ann@example.org", "012346"),
        digest(SECRET + "x", "sign_up", "ann@example.org", "012345"),
    ]
    assert [is_opened(STORED, other) for other in others] == [False] * 4


def test_no_digest_is_opened_by_nothing() -> None:
    assert not is_opened("", STORED)
    assert not is_opened("", "")


def test_digest_does_not_show_the_code() -> None:
    assert len(STORED) == 64
    assert "012345" not in STORED


def test_codes_are_six_digits_and_differ() -> None:
    codes = {Ids().code() for _ in range(200)}
    assert {read_code(code) for code in codes} == codes
    assert len(codes) > 190

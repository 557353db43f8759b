"""Password hashes."""

from __future__ import annotations

import pytest

from chalicelib.accounts.passwords import NOBODY, find_faults, hash_password, is_outdated, verify_password


def test_hash_is_argon2id_and_verifies_its_own_password_only() -> None:
    encoded = hash_password("demo-password")
    assert encoded.startswith("$argon2id$")
    assert verify_password(encoded, "demo-password")
    assert not verify_password(encoded, "demo-passwork")


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("x") != hash_password("x")


def test_hash_that_cannot_be_read_verifies_nothing() -> None:
    assert not verify_password("md5:abc", "abc")


def test_nobody_has_todays_parameters_so_that_a_login_takes_as_long_as_anybodys() -> None:
    assert not is_outdated(NOBODY)
    assert not verify_password(NOBODY, "")


def test_hash_of_older_parameters_is_outdated() -> None:
    assert is_outdated(NOBODY.replace("t=3", "t=2"))


@pytest.mark.parametrize(
    ("password", "faults"),
    [
        ("Abcdef1!", []),
        ("Ärger-im-Schloß-7#", []),
        ("A1!" + "a" * 125, []),
        ("A1!" + "a" * 126, ["must have 8 to 128 characters, got 129"]),
        ("Abcde1!", ["must have 8 to 128 characters, got 7"]),
        ("abcdef1!", ["must have an upper-case letter"]),
        ("ABCDEF1!", ["must have a lower-case letter"]),
        ("Abcdefg!", ["must have a digit"]),
        ("Abcdefg1?", ["must have one of !@#$%^&*"]),
        (
            "",
            [
                "must have 8 to 128 characters, got 0",
                "must have an upper-case letter",
                "must have a lower-case letter",
                "must have a digit",
                "must have one of !@#$%^&*",
            ],
        ),
    ],
)
def test_new_password_is_told_all_that_it_lacks(password: str, faults: list[str]) -> None:
    assert find_faults(password) == faults


# Made by Werkzeug 3 itself, from "correct horse".
OLD = [
    "scrypt:32768:8:1$mNikSBexHf5d3d3V$2fab5e8777369d1b13207e9120dca74404bf0f5a97b3ff3353b44911effca7cd16c3bc8b8a47bb"
    "240044f4fa013343869170b5d9733e97eb97f1189f2fd98b17",
    "pbkdf2:sha256:1000000$lImzxevK3ig9P2Pq$d64f527d1c6b76f1099d8752acd12eca09ebdbeb546a2a30bac0337e70a0d85e",
]


@pytest.mark.parametrize("encoded", OLD)
def test_hash_of_an_old_installation_is_verified_and_outdated(encoded: str) -> None:
    assert verify_password(encoded, "correct horse")
    assert not verify_password(encoded, "correct house")
    assert is_outdated(encoded)


@pytest.mark.parametrize(
    "encoded",
    [
        "scrypt:3:8:1$salt$00",
        "scrypt:x:8:1$salt$00",
        "scrypt:1073741824:8:1$salt$00",
        "pbkdf2:md4:1000$salt$00",
        "pbkdf2:sha256:0$salt$00",
        "pbkdf2:sha256:1000000000$salt$00",
        "plain$$demo-password",
        "",
    ],
)
def test_old_hash_of_a_method_that_is_not_known_or_too_costly_verifies_nothing(encoded: str) -> None:
    assert not verify_password(encoded, "demo-password")

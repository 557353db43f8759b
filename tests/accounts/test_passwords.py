"""Password hashes."""

from __future__ import annotations

from chalicelib.accounts.passwords import NOBODY, hash_password, is_outdated, verify_password


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

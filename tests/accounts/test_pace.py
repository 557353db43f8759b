"""How the waits between tries grow, and what tries are counted under."""

from __future__ import annotations

from chalicelib.accounts.devices import read_device, write_device
from chalicelib.accounts.pace import PASSWORDS, Pace, tries_of

SECRET = "a-secret-of-the-tests-that-is-long-enough"


def test_first_tries_are_free_and_each_wait_is_twice_the_one_before() -> None:
    pace = Pace(name="x", free=3, longest_s=20, forget_s=60)
    assert pace.waits_s() == [0, 0, 1, 2, 4, 8, 16, 20]
    assert Pace(name="x", free=1, longest_s=4, forget_s=60).waits_s() == [1, 2, 4]


def test_guesses_of_one_password_from_one_network_are_at_most_about_a_hundred_a_day() -> None:
    waits = PASSWORDS.waits_s()
    day_s, tries, passed_s = 24 * 3600, 0, 0
    while passed_s < day_s:
        passed_s += waits[min(tries, len(waits) - 1)]
        tries += 1
    assert 100 < tries < 120


def test_tries_are_counted_apart_by_pace_and_by_each_part_of_who() -> None:
    other = Pace(name="y", free=5, longest_s=900, forget_s=60)
    keys = [
        tries_of(SECRET, PASSWORDS, "ann@example.org", "network", "198.51.100.7/32").key,
        tries_of(SECRET, PASSWORDS, "ann@example.org", "network", "198.51.100.8/32").key,
        tries_of(SECRET, PASSWORDS, "bob@example.org", "network", "198.51.100.7/32").key,
        tries_of(SECRET, PASSWORDS, "ann@example.org", "device", "198.51.100.7/32").key,
        tries_of(SECRET, other, "ann@example.org", "network", "198.51.100.7/32").key,
    ]
    assert len(set(keys)) == 5
    assert {len(key) for key in keys} == {64}


def test_device_is_known_to_the_address_that_it_was_made_for_alone() -> None:
    cookie = write_device(SECRET, "ann@example.org", "00000000000000a1")
    assert read_device(SECRET, "ann@example.org", cookie) == "00000000000000a1"
    assert read_device(SECRET, "bob@example.org", cookie) == ""
    assert read_device(SECRET + "x", "ann@example.org", cookie) == ""


def test_cookie_that_is_no_devices_is_none() -> None:
    for cookie in ("", ".", "00000000000000a1", "00000000000000a1.ü", "x" * 9000):
        assert read_device(SECRET, "ann@example.org", cookie) == ""

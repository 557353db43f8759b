"""E-mail addresses that mail can go to, and the networks that strangers come from."""

from __future__ import annotations

import pytest

from chalicelib.accounts.addresses import network_of, read_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ann@example.org", "ann@example.org"),
        ("  Ann.O'Neil+list@Mail.Example.ORG ", "ann.o'neil+list@mail.example.org"),
        (f"{'a' * 64}@{'b' * 63}.org", f"{'a' * 64}@{'b' * 63}.org"),
    ],
)
def test_address_is_read_in_lower_case_without_spaces_around_it(text: str, address: str) -> None:
    assert read_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "ann@example",
        "@example.org",
        "ann@@example.org",
        "ann@exa mple.org",
        "ann@example.org\nBcc: bob@example.org",
        "ann@example.org, bob@example.org",
        "Ann <ann@example.org>",
        "ann\0@example.org",
        "änn@example.org",
        "ann@exämple.org",
        # The Kelvin sign, which becomes an ASCII letter in lower case.
        "\u212aate@example.org.",
        f"{'a' * 65}@example.org",
        f"ann@{'b.' * 100}org",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert read_address(text) is None


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("198.51.100.7", "198.51.100.7/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_network_is_one_ipv4_address_or_64_bits_of_ipv6(client: str, network: str) -> None:
    assert network_of(client) == network

"""Whose address a request has: behind the public host, straight at API Gateway, and of those who say something else."""

from __future__ import annotations

import pytest

from chalicelib.api.client import client_of, proof_of_host
from chalicelib.errors import Unavailable
from tests.doubles import SECRET

VIEWER, EDGE, CLAIM = "203.0.113.7", "198.51.100.99", "192.0.2.1"
PROOF = {"x-origin-verify": proof_of_host(SECRET)}


def client(connected: str, **headers: str) -> str:
    return client_of(connected, {name.replace("_", "-"): value for name, value in headers.items()}, lambda: SECRET)


def through_host(forwarded: str) -> str:
    """As CloudFront and then API Gateway hand a request on."""
    return client(EDGE, x_origin_verify=proof_of_host(SECRET), x_forwarded_for=forwarded)


@pytest.mark.parametrize("claims", ["", f"{CLAIM}, ", f"{CLAIM}, {CLAIM}, ", "nonsense,,", f"{EDGE}, "])
def test_behind_the_public_host_it_is_what_the_host_added_whatever_the_client_claims(claims: str) -> None:
    assert through_host(f"{claims}{VIEWER}, {EDGE}") == VIEWER


def test_gateway_that_adds_nothing_changes_nothing() -> None:
    assert through_host(f"{CLAIM}, {VIEWER}") == VIEWER


def test_address_of_version_6_is_taken_as_it_is() -> None:
    assert through_host(f"2001:db8::7, {EDGE}") == "2001:db8::7"


@pytest.mark.parametrize("forwarded", ["", EDGE, ","])
def test_host_that_says_nothing_stands_for_its_client(forwarded: str) -> None:
    assert through_host(forwarded) == EDGE


@pytest.mark.parametrize("proof", ["", "guess", "gu\u00e9ss", proof_of_host("another secret")])
def test_who_calls_the_gateway_itself_claims_nothing(proof: str) -> None:
    assert client(VIEWER, x_origin_verify=proof, x_forwarded_for=f"{CLAIM}, {VIEWER}") == VIEWER


def test_without_a_secret_nothing_is_believed() -> None:
    headers = {"x-origin-verify": proof_of_host(""), "x-forwarded-for": f"{CLAIM}, {VIEWER}"}
    assert client_of(VIEWER, headers, lambda: "") == VIEWER


def test_secret_that_cannot_be_read_refuses_nobody() -> None:
    def away() -> str:
        raise Unavailable("the store of secrets cannot be reached")

    headers = {"x-origin-verify": "proof", "x-forwarded-for": f"{VIEWER}, {EDGE}"}
    assert client_of(EDGE, headers, away) == EDGE


def test_secret_is_not_asked_for_by_those_who_show_nothing() -> None:
    def forbidden() -> str:
        raise AssertionError("asked for")

    assert client_of(VIEWER, {"x-forwarded-for": CLAIM}, forbidden) == VIEWER


def test_proof_tells_nothing_of_the_secret_and_is_another_for_another() -> None:
    assert SECRET not in proof_of_host(SECRET)
    assert proof_of_host(SECRET) != proof_of_host(SECRET + "x")
    assert len(proof_of_host(SECRET)) == 64

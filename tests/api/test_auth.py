"""Credentials: token and cookie, and what each wrong one is answered."""

from __future__ import annotations

import jwt
import pytest

from chalicelib.accounts.tokens import issue_token
from chalicelib.model import Caller
from tests.api.calls import Api, document
from tests.doubles import FIRST_ID, SECRET

NOW = 1_750_000_000
BODY = {"text": "hello"}


def token(user_id: str = "7", secret: str = SECRET, ttl_s: int = 60) -> str:
    return issue_token(Caller(user_id, "student"), secret=secret, now_s=NOW, ttl_s=ttl_s)


def unsigned() -> str:
    return jwt.encode({"iss": "sluice", "sub": "7", "exp": NOW + 60}, "", algorithm="none")


@pytest.mark.parametrize(
    ("authorization", "detail"),
    [
        ("Bearer nonsense", "the token is not valid"),
        (f"Bearer {token(secret='another-secret-that-is-long-enough-too')}", "the token is not valid"),
        (f"Bearer {unsigned()}", "the token is not valid"),
        (f"Bearer {token(ttl_s=0)}", "the token has expired; log in again"),
        ("Basic dXNlcjpwYXNz", "the Authorization header must be a Bearer token, got Basic"),
    ],
)
def test_bad_credentials_are_401_even_where_none_are_needed(authorization: str, detail: str) -> None:
    answer = Api().call("POST", "/api/async/echo", BODY, authorization=authorization)
    assert (answer.status, document(answer)["detail"]) == (401, detail)


def test_cookie_serves_as_a_token() -> None:
    api = Api()
    cookie = f"theme=dark; sluice_token={token()}"
    api.call("POST", "/api/async/echo", BODY, cookie=cookie)
    assert api.call("GET", f"/api/tasks/{FIRST_ID}", cookie=cookie).status == 200
    assert api.call("GET", f"/api/tasks/{FIRST_ID}").status == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://sluice.test"}, 202),
        ({}, 202),
        ({"origin": "https://evil.test"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_cookie_on_an_unsafe_method_is_honoured_from_our_own_pages_only(headers: dict[str, str], status: int) -> None:
    api = Api(public_url="https://sluice.test")
    cookie = f"sluice_token={token()}"
    assert api.call("POST", "/api/async/echo", BODY, cookie=cookie, **headers).status == status


def test_login_without_a_configured_secret_is_503() -> None:
    body = {"email": "demo@sluice.test", "password": "demo-password"}
    assert Api(token_secret="").call("POST", "/api/auth/login", body).status == 503


def test_unknown_field_of_a_login_is_refused() -> None:
    body = {"email": "demo@sluice.test", "password": "x", "pasword": "y"}
    assert Api().call("POST", "/api/auth/login", body).status == 400

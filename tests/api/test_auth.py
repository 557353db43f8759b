"""Credentials: token and cookie, and what each wrong one is answered."""

from __future__ import annotations

import jwt
import pytest

from chalicelib.accounts.tokens import issue_token
from chalicelib.api.auth import require
from chalicelib.api.http import Answer, Call, respond
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


def test_logout_clears_the_cookie_even_one_that_is_no_good() -> None:
    answer = Api(public_url="https://sluice.test").call("POST", "/api/auth/logout", cookie="sluice_token=nonsense")
    assert answer.status == 200
    assert answer.cookies == ("sluice_token=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",)


def test_logout_everywhere_revokes_the_tokens_of_the_caller_alone() -> None:
    api = Api()
    mine, others = {"authorization": f"Bearer {token('7')}"}, {"authorization": f"Bearer {token('8')}"}
    answer = api.call("POST", "/api/auth/logout-everywhere", {}, **mine)
    body = {"message": "All tokens of the account are revoked", "effective_within_s": 30}
    assert (answer.status, document(answer)) == (200, body)
    refused = api.call("POST", "/api/async/echo", BODY, **mine)
    assert (refused.status, document(refused)["detail"]) == (401, "the token was revoked; log in again")
    assert api.call("POST", "/api/async/echo", BODY, **others).status == 202


def test_token_of_the_raised_epoch_is_good() -> None:
    api = Api()
    api.runtime.keys.raise_epoch("7")
    renewed = issue_token(Caller("7", "student"), secret=SECRET, now_s=NOW, ttl_s=60, epoch=1)
    assert api.call("POST", "/api/async/echo", BODY, authorization=f"Bearer {renewed}").status == 202
    assert api.call("POST", "/api/async/echo", BODY, authorization=f"Bearer {token()}").status == 401


def test_token_from_before_there_were_epochs_is_of_the_first() -> None:
    old = jwt.encode({"iss": "sluice", "sub": "7", "exp": NOW + 60}, SECRET, algorithm="HS256")
    api = Api()
    assert api.call("POST", "/api/async/echo", BODY, authorization=f"Bearer {old}").status == 202


@pytest.mark.parametrize("path", ["/api/auth/logout", "/api/auth/logout-everywhere"])
def test_unknown_field_of_a_logout_is_refused(path: str) -> None:
    api = Api()
    refused = api.call("POST", path, {"everywhere": True}, authorization=f"Bearer {token()}")
    assert refused.status == 400
    assert api.runtime.keys.epoch_of("7") == 0


def test_logout_everywhere_by_cookie_is_honoured_from_our_own_pages_only() -> None:
    api = Api(public_url="https://sluice.test")
    cookie = f"sluice_token={token()}"
    refused = api.call("POST", "/api/auth/logout-everywhere", cookie=cookie, origin="https://evil.test")
    assert (refused.status, api.runtime.keys.epoch_of("7")) == (403, 0)


@pytest.mark.parametrize(("role", "status"), [("student", 403), ("admin", 200)])
def test_scope_admin_is_what_the_role_admin_has(role: str, status: int) -> None:
    def view(call: Call) -> Answer:
        return Answer(body={"role": require(call, scope="admin").role})

    bearer = issue_token(Caller("7", role), secret=SECRET, now_s=NOW, ttl_s=60)
    call = Call(runtime=Api().runtime, method="GET", path="/", headers={"authorization": f"Bearer {bearer}"})
    assert respond(view, call).status == status

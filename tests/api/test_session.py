"""Who a page is told that it is used by; with an account it is in tests/db."""

from __future__ import annotations

from chalicelib.accounts.tokens import issue_token
from chalicelib.errors import Unavailable
from chalicelib.model import Caller
from tests.api.calls import Api, document
from tests.doubles import SECRET

NOW = 1_750_000_000


class AwayAccounts:
    def of(self, user_id: str) -> None:
        raise Unavailable("the database cannot be reached")


def token(role: str = "student", ttl_s: int = 60) -> str:
    return issue_token(Caller("7", role), secret=SECRET, now_s=NOW, ttl_s=ttl_s)


def test_nobody_is_told_what_is_open_to_everybody() -> None:
    answer = Api(public_forecasts=True, public_search=False).call("GET", "/api/auth/session")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert document(answer) == {
        "user_id": None,
        "user": None,
        "scopes": [],
        "public_forecasts": True,
        "public_search": False,
        "stage": "test",
    }


def test_database_that_is_away_leaves_the_name_out() -> None:
    api = Api()
    api.runtime.__dict__["accounts"] = AwayAccounts()
    said = document(api.call("GET", "/api/auth/session", cookie=f"sluice_token={token('admin')}"))
    assert (said["user_id"], said["user"], said["scopes"]) == ("7", None, ["admin", "jobs:read", "jobs:write"])


def test_login_that_has_ended_is_401() -> None:
    assert Api().call("GET", "/api/auth/session", cookie=f"sluice_token={token(ttl_s=0)}").status == 401

"""API keys over HTTP: made, listed, revoked, and what they open."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.accounts.keys import ApiKey
from chalicelib.accounts.tokens import issue_token
from chalicelib.api.http import Answer
from chalicelib.aws.memory_keys import MemoryKeys
from chalicelib.errors import Unavailable
from chalicelib.model import Caller
from tests.api.calls import Api, details, document
from tests.doubles import SECRET

NOW = 1_750_000_000
DAY_S = 86_400
ECHO = {"text": "hello"}
REQUEST = {"name": "nightly", "scopes": ["jobs:read", "jobs:write"]}
# CountingIds: the secret is made first, then the id.
KEY_ID = "0" * 15 + "2"
KEY = f"slk_{KEY_ID}_{'0' * 63}1"


def bearer(user_id: str = "7", role: str = "student", *, access_ends_s: int = 0) -> dict[str, str]:
    caller = Caller(user_id, role, access_ends_s=access_ends_s)
    return {"authorization": f"Bearer {issue_token(caller, secret=SECRET, now_s=NOW, ttl_s=7200)}"}


def make(api: Api, *, role: str = "student", **changes: object) -> str:
    """The text of a new key of user 7."""
    answer = api.call("POST", "/api/keys", REQUEST | changes, **bearer(role=role))
    assert answer.status == 201, answer
    text: str = document(answer)["key"]
    return text


def outcome(answer: Answer) -> tuple[int, Any]:  # the detail is any JSON value
    return answer.status, document(answer)["detail"]


def test_new_key_is_shown_once_with_all_about_it() -> None:
    answer = Api().call("POST", "/api/keys", REQUEST | {"name": " nightly ", "expires_in_days": 1}, **bearer())
    assert (answer.status, answer.headers["Cache-Control"]) == (201, "no-store")
    assert document(answer) == {
        "id": KEY_ID,
        "prefix": f"slk_{KEY_ID}",
        "name": "nightly",
        "scopes": ["jobs:read", "jobs:write"],
        "created_at": "2025-06-15T15:06:40.000Z",
        "last_used_at": None,
        "expires_at": "2025-06-16T15:06:40.000Z",
        "key": KEY,
    }


def test_list_has_the_callers_keys_without_their_secrets() -> None:
    api = Api()
    make(api)
    answer = api.call("GET", "/api/keys", **bearer())
    (listed,) = document(answer)["keys"]
    assert sorted(listed) == ["created_at", "expires_at", "id", "last_used_at", "name", "prefix", "scopes"]
    assert (listed["id"], document(answer)["limit"]) == (KEY_ID, 50)
    assert document(api.call("GET", "/api/keys", **bearer("8")))["keys"] == []


def test_no_secret_is_stored() -> None:
    api = Api()
    secret = make(api).rpartition("_")[2]
    stored = api.runtime.keys.find(KEY_ID)
    assert stored is not None
    assert secret not in repr(stored)


@pytest.mark.parametrize("header", ["authorization", "x_api_key"])
def test_key_acts_as_its_owner(header: str) -> None:
    api = Api(public_forecasts=False)
    key = make(api)
    value = f"Bearer {key}" if header == "authorization" else key
    accepted = api.call("POST", "/api/async/echo", ECHO, **{header: value})
    assert accepted.status == 202
    poll_url = document(accepted)["poll_url"]
    assert api.call("GET", poll_url, **{header: value}).status == 200
    assert api.call("GET", poll_url, **bearer()).status == 200
    assert api.call("GET", poll_url, **bearer("8")).status == 404


@pytest.mark.parametrize(
    "key",
    [
        "slk_",
        f"slk_{KEY_ID}_{'0' * 63}2",
        f"slk_{'0' * 15}3_{'0' * 63}1",
        "no-key",
    ],
)
def test_wrong_key_is_401_even_where_none_is_needed(key: str) -> None:
    api = Api()
    make(api)
    assert outcome(api.call("POST", "/api/async/echo", ECHO, x_api_key=key)) == (401, "the API key is not valid")


def test_key_is_401_from_its_end_on() -> None:
    api = Api()
    key = make(api, expires_in_days=1)
    api.parts.clock.advance(DAY_S - 1)
    assert api.call("POST", "/api/async/echo", ECHO, x_api_key=key).status == 202
    api.parts.clock.advance(1)
    refused = api.call("POST", "/api/async/echo", ECHO, x_api_key=key)
    assert outcome(refused) == (401, "the API key expired at 2025-06-16T15:06:40.000Z")


@pytest.mark.parametrize(
    ("days", "access_ends_s", "expires_at"),
    [
        (None, NOW + DAY_S, "2025-06-16T15:06:40.000Z"),
        (30, NOW + DAY_S, "2025-06-16T15:06:40.000Z"),
        (1, NOW + 30 * DAY_S, "2025-06-16T15:06:40.000Z"),
        (None, 0, None),
    ],
)
def test_key_does_not_outlive_its_owners_access(days: int | None, access_ends_s: int, expires_at: str | None) -> None:
    body = REQUEST | {"expires_in_days": days}
    answer = Api().call("POST", "/api/keys", body, **bearer(access_ends_s=access_ends_s))
    assert document(answer)["expires_at"] == expires_at


def test_revoked_key_is_401_at_once_and_gone_from_the_list() -> None:
    api = Api()
    key = make(api)
    revoked = {"message": "The key is revoked", "id": KEY_ID, "revoked_at": "2025-06-15T15:06:40.000Z"}
    answer = api.call("DELETE", f"/api/keys/{KEY_ID}", **bearer())
    assert (answer.status, document(answer)) == (200, revoked)
    refused = api.call("POST", "/api/async/echo", ECHO, x_api_key=key)
    assert outcome(refused) == (401, "the API key was revoked at 2025-06-15T15:06:40.000Z")
    assert document(api.call("GET", "/api/keys", **bearer()))["keys"] == []
    api.parts.clock.advance(60)
    again = api.call("DELETE", f"/api/keys/{KEY_ID}", **bearer())
    assert (again.status, document(again)) == (200, revoked)


@pytest.mark.parametrize(("user_id", "key_id"), [("8", KEY_ID), ("7", "0" * 16)])
def test_key_of_somebody_else_and_unknown_key_are_404(user_id: str, key_id: str) -> None:
    api = Api()
    key = make(api)
    refused = api.call("DELETE", f"/api/keys/{key_id}", **bearer(user_id))
    assert outcome(refused) == (404, f"there is no API key {key_id}")
    assert api.call("POST", "/api/async/echo", ECHO, x_api_key=key).status == 202


@pytest.mark.parametrize(
    ("scope", "method", "path", "missing"),
    [
        ("jobs:read", "POST", "/api/async/echo", "jobs:write"),
        ("jobs:read", "POST", "/api/echo", "jobs:write"),
        ("jobs:read", "DELETE", "/api/tasks/{}", "jobs:write"),
        ("jobs:write", "GET", "/api/tasks/{}", "jobs:read"),
    ],
)
def test_key_without_the_scope_is_403_that_names_it(scope: str, method: str, path: str, missing: str) -> None:
    api = Api()
    key = make(api, scopes=[scope])
    task_id = document(api.call("POST", "/api/async/echo", ECHO, **bearer()))["task_id"]
    body = ECHO if method == "POST" else None
    refused = api.call(method, path.format(task_id), body, x_api_key=key)
    assert outcome(refused) == (403, f"the API key lacks the scope {missing}; it has {scope}")


@pytest.mark.parametrize(("role", "status"), [("student", 403), ("instructor", 403), ("admin", 201)])
def test_scope_admin_is_for_admins(role: str, status: int) -> None:
    answer = Api().call("POST", "/api/keys", REQUEST | {"scopes": ["admin"]}, **bearer(role=role))
    assert answer.status == status
    if status == 403:
        assert document(answer)["detail"] == f"the scope admin is not for accounts of the role {role}"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/keys", REQUEST),
        ("GET", "/api/keys", None),
        ("DELETE", f"/api/keys/{KEY_ID}", None),
        ("POST", "/api/auth/logout-everywhere", None),
    ],
)
def test_account_is_managed_with_a_token_only(method: str, path: str, body: object) -> None:
    api = Api()
    key = make(api, role="admin", scopes=["admin", "jobs:read", "jobs:write"])
    by_key = api.call(method, path, body, authorization=f"Bearer {key}")
    assert outcome(by_key) == (403, "an API key cannot do this; log in and send the token")
    assert api.call(method, path, body).status == 401
    assert [kept.id for kept in api.runtime.keys.of("7")] == [KEY_ID]


def test_51st_key_is_refused_and_room_is_made_by_revoking() -> None:
    api = Api()
    for _ in range(50):
        make(api)
    refused = api.call("POST", "/api/keys", REQUEST, **bearer())
    detail = "an account has at most 50 API keys, expired ones included; revoke one first"
    assert outcome(refused) == (409, detail)
    assert api.call("POST", "/api/keys", REQUEST, **bearer("8")).status == 201
    api.call("DELETE", f"/api/keys/{KEY_ID}", **bearer())
    assert api.call("POST", "/api/keys", REQUEST, **bearer()).status == 201


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": ""}, ("/name", "must have at least 1 characters, got 0")),
        ({"name": "  "}, ("/name", "must not be blank")),
        ({"name": "x" * 101}, ("/name", "must have at most 100 characters, got 101")),
        ({"scopes": []}, ("/scopes", "must have at least 1 items, got 0")),
        ({"scopes": ["all"]}, ("/scopes/0", 'must be one of "admin", "jobs:read", "jobs:write", got "all"')),
        ({"expires_in_days": 0}, ("/expires_in_days", "must be at least 1, got 0")),
        ({"expires_in_days": 3651}, ("/expires_in_days", "must be at most 3650, got 3651")),
        ({"expires": 1}, ("/expires", "is not known")),
    ],
)
def test_bad_request_for_a_key_is_refused(changes: dict[str, object], error: tuple[str, str]) -> None:
    answer = Api().call("POST", "/api/keys", REQUEST | changes, **bearer())
    assert answer.status == 400
    assert details(answer) == [error]


class WatchedKeys(MemoryKeys):
    """Keys that count what a request costs, and that can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []
        self.away: set[str] = set()

    def find(self, key_id: str) -> ApiKey | None:
        self._note("find")
        return super().find(key_id)

    def touch(self, key_id: str, *, at_s: int) -> None:
        self._note("touch")
        super().touch(key_id, at_s=at_s)

    def epoch_of(self, user_id: str) -> int:
        self._note("epoch_of")
        return super().epoch_of(user_id)

    def _note(self, what: str) -> None:
        self.log.append(what)
        if what in self.away:
            raise Unavailable("the key store cannot be reached", retry_after_s=5)


@pytest.fixture
def watched() -> tuple[Api, WatchedKeys]:
    api, keys = Api(), WatchedKeys()
    api.runtime.__dict__["keys"] = keys
    return api, keys


def test_request_with_a_key_is_one_read_and_at_most_one_write_an_hour(watched: tuple[Api, WatchedKeys]) -> None:
    api, keys = watched
    key = make(api)
    keys.log.clear()
    for passed_s in (0, 1, 3598, 1):
        api.parts.clock.advance(passed_s)
        assert api.call("POST", "/api/async/echo", ECHO, x_api_key=key).status == 202
    assert keys.log == ["find", "touch", "find", "find", "find", "touch"]
    (listed,) = document(api.call("GET", "/api/keys", **bearer()))["keys"]
    assert listed["last_used_at"] == "2025-06-15T16:06:40.000Z"


def test_request_with_a_token_is_one_read_in_30_s(watched: tuple[Api, WatchedKeys]) -> None:
    api, keys = watched
    for passed_s in (0, 29, 1):
        api.parts.clock.advance(passed_s)
        assert api.call("POST", "/api/async/echo", ECHO, **bearer()).status == 202
    assert keys.log == ["epoch_of", "epoch_of"]


@pytest.mark.parametrize("store_away", ["find", "epoch_of"])
def test_credential_that_cannot_be_checked_is_503_and_no_credential_is_served(
    watched: tuple[Api, WatchedKeys], store_away: str
) -> None:
    api, keys = watched
    credential = {"x_api_key": make(api)} if store_away == "find" else bearer("8")
    keys.away = {store_away}
    refused = api.call("POST", "/api/async/echo", ECHO, **credential)
    assert outcome(refused) == (503, "the key store cannot be reached")
    assert refused.headers["Retry-After"] == "5"
    assert api.call("POST", "/api/async/echo", ECHO).status == 202


def test_use_that_cannot_be_recorded_refuses_nobody(watched: tuple[Api, WatchedKeys]) -> None:
    api, keys = watched
    key = make(api)
    keys.away = {"touch"}
    assert api.call("POST", "/api/async/echo", ECHO, x_api_key=key).status == 202

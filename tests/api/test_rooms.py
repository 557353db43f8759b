"""Rooms over a memory runtime: who may watch an app's rows, from when, and until when."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.accounts.keys import write_key
from chalicelib.accounts.tokens import issue_token
from chalicelib.api.rooms import is_good
from chalicelib.api.socket import answer, greet, open_connection
from chalicelib.aws.event_records import PublishedApp
from chalicelib.aws.subscriptions import ROOM_LIMIT, Connection, Member
from chalicelib.model import Caller
from tests.api.calls import Api, document
from tests.doubles import SECRET, MemoryRuntime

NOW = 1_750_000_000
SHOP = PublishedApp(id=11, app_id="shop", owner=7, salt=b"s" * 32, revision=1)
JOINED = {
    "type": "joined",
    "app_id": "shop",
    "message": "rows of this app are sent as they are stored; what was stored before is in its logs",
}
LEFT = {"type": "left", "app_id": "shop", "message": "no more rows of this app are sent"}
NO_APP = {"type": "error", "app_id": "shop", "message": "there is no app shop"}


def runtime_with(**connection: Any) -> MemoryRuntime:
    """A runtime with the app `shop` of user 7 and the open connection `ann`, that user's unless said otherwise."""
    runtime = MemoryRuntime()
    runtime.records.publish(SHOP)
    said: dict[str, Any] = {"id": "ann", "expires_s": NOW + 8100, "user_id": "7", "ends_s": NOW + 60}
    runtime.subscriptions.connect(Connection(**(said | connection)))
    return runtime


def tell(runtime: MemoryRuntime, action: str, app_id: str = "shop") -> Any:
    """What the connection is answered."""
    answer(runtime, "ann", msgspec.json.encode({"action": action, "app_id": app_id}).decode())
    return runtime.gateway.sent["ann"][-1]


def token(user_id: str, role: str = "student", epoch: int = 0) -> str:
    return issue_token(Caller(user_id, role), secret=SECRET, now_s=NOW, ttl_s=60, epoch=epoch)


def watching(runtime: MemoryRuntime) -> list[tuple[int, str]]:
    return [(member.app, member.connection_id) for member in runtime.subscriptions.members()]


def test_owner_joins_with_the_credential_of_its_connection() -> None:
    runtime = runtime_with(key_id="k1", epoch=3)
    assert tell(runtime, "join") == JOINED
    assert runtime.subscriptions.members(11) == [
        Member(connection_id="ann", app=11, app_id="shop", user_id="7", key_id="k1", epoch=3, ends_s=NOW + 60)
    ]


@pytest.mark.parametrize("connection", [{"user_id": "8"}, {"user_id": "8", "key_id": "k1"}, {"user_id": "77"}])
def test_app_of_somebody_else_is_answered_like_one_that_is_not_there(connection: dict[str, Any]) -> None:
    runtime = runtime_with(**connection)
    assert tell(runtime, "join") == NO_APP
    unknown = {"type": "error", "app_id": "nowhere", "message": "there is no app nowhere"}
    assert tell(runtime, "join", "nowhere") == unknown
    assert watching(runtime) == []


def test_admin_joins_every_app() -> None:
    runtime = runtime_with(user_id="8", is_admin=True)
    assert tell(runtime, "join") == JOINED


def test_app_whose_owner_was_never_said_is_nobodys() -> None:
    runtime = runtime_with(user_id="0")
    runtime.records.publish(msgspec.structs.replace(SHOP, owner=0, revision=2))
    assert tell(runtime, "join") == NO_APP


def test_nobody_joins_without_an_account() -> None:
    runtime = runtime_with(user_id="", ends_s=0)
    reads = runtime.records.reads
    says = "rows are shown to accounts only; connect with a token, an API key or the login's cookie"
    assert tell(runtime, "join") == {"type": "error", "app_id": "shop", "message": says}
    assert (watching(runtime), runtime.records.reads) == ([], reads)


def test_nobody_joins_after_the_credential_has_ended() -> None:
    runtime = runtime_with(ends_s=NOW)
    says = "the token or API key of this connection has expired; connect again with a new one"
    assert tell(runtime, "join") == {"type": "error", "app_id": "shop", "message": says}
    assert watching(runtime) == []


def test_connection_that_is_not_known_joins_nothing() -> None:
    runtime = runtime_with()
    runtime.subscriptions.disconnect("ann")
    assert tell(runtime, "join")["message"] == "this connection is not known any more; connect again"


def test_app_that_was_removed_is_not_there() -> None:
    runtime = runtime_with()
    runtime.records.withdraw("shop", 2, now_s=NOW)
    assert tell(runtime, "join") == NO_APP


def test_store_of_apps_that_is_away_is_told_and_joins_nothing() -> None:
    runtime = runtime_with()
    runtime.records.is_away = True
    assert tell(runtime, "join")["message"] == "the store of published apps cannot be reached"
    assert watching(runtime) == []


def test_who_leaves_watches_no_more_and_may_leave_twice() -> None:
    runtime = runtime_with()
    tell(runtime, "join")
    assert (tell(runtime, "leave"), watching(runtime)) == (LEFT, [])
    assert tell(runtime, "leave") == LEFT


def test_who_leaves_an_app_that_is_not_there_learns_nothing_of_it() -> None:
    assert tell(runtime_with(), "leave", "nowhere") == LEFT | {"app_id": "nowhere"}


def test_connection_joins_20_apps_and_no_more() -> None:
    runtime = runtime_with()
    for number in range(ROOM_LIMIT + 1):
        app = msgspec.structs.replace(SHOP, id=100 + number, app_id=f"app-{number}")
        runtime.records.publish(app)
        told = tell(runtime, "join", app.app_id)
        assert told["type"] == ("joined" if number < 20 else "error")
    assert told["message"] == "a connection must watch at most 20 apps; leave one or open another connection"


@pytest.mark.parametrize(
    ("role", "is_admin", "ending"), [("student", False, NO_APP), ("instructor", False, NO_APP), ("admin", True, JOINED)]
)
def test_connection_keeps_what_its_token_says_and_joins_the_app_of_its_address(
    role: str, is_admin: bool, ending: dict[str, str]
) -> None:
    runtime = runtime_with()
    query = {"token": token("8", role, epoch=2), "app_id": "shop"}
    assert open_connection(runtime, "eve", query=query, headers={}) == 200
    assert runtime.subscriptions.connection("eve") == Connection(
        id="eve", expires_s=NOW + 8100, user_id="8", asked_app="shop", ends_s=NOW + 60, epoch=2, is_admin=is_admin
    )
    greet(runtime, ["eve"])
    assert runtime.gateway.sent["eve"][1:] == [ending]


def test_cookie_from_a_page_of_another_origin_is_refused() -> None:
    runtime = runtime_with()
    headers = {"Cookie": f"sluice_token={token('7')}", "Origin": "https://evil.test", "Host": "sluice.test"}
    assert open_connection(runtime, "eve", query={"app_id": "shop"}, headers=headers) == 403
    assert runtime.subscriptions.connection("eve") is None


def key_with(api: Api, *scopes: str) -> tuple[str, str]:
    """The id and the text of a new API key of user 7."""
    body = {"name": "watcher", "scopes": scopes, "expires_in_days": 1}
    made = document(api.call("POST", "/api/keys", body, authorization=f"Bearer {token('7')}"))
    return made["id"], made["key"]


@pytest.mark.parametrize(("scope", "status"), [("jobs:read", 200), ("jobs:write", 403)])
def test_api_key_needs_the_scope_to_read(scope: str, status: int) -> None:
    api = Api()
    _, key = key_with(api, scope)
    assert open_connection(api.runtime, "eve", query={}, headers={"X-API-Key": key}) == status


def test_rows_go_on_until_the_key_ends_or_is_revoked() -> None:
    api = Api()
    key_id, key = key_with(api, "jobs:read")
    api.runtime.records.publish(SHOP)
    open_connection(api.runtime, "ann", query={}, headers={"X-API-Key": key})
    tell(api.runtime, "join")
    (member,) = api.runtime.subscriptions.members()
    assert (member.key_id, member.ends_s) == (key_id, NOW + 24 * 3600)
    assert is_good(api.runtime, member)
    api.runtime.keys.revoke(key_id, owner="7", at_s=NOW)
    assert not is_good(api.runtime, member)


def test_rows_go_on_until_the_token_ends() -> None:
    runtime = runtime_with()
    member = Member(connection_id="ann", app=11, app_id="shop", user_id="7", ends_s=NOW + 60)
    runtime.parts.clock.advance(59)
    assert is_good(runtime, member)
    runtime.parts.clock.advance(1)
    assert not is_good(runtime, member)


def test_rows_go_on_until_all_tokens_of_the_account_are_revoked() -> None:
    runtime = runtime_with()
    old = Member(connection_id="ann", app=11, app_id="shop", user_id="7", ends_s=NOW + 600)
    assert is_good(runtime, old)
    epoch = runtime.keys.raise_epoch("7")
    # A process remembers an epoch for 30 s.
    runtime.parts.clock.advance(30)
    assert not is_good(runtime, old)
    assert is_good(runtime, msgspec.structs.replace(old, epoch=epoch))


def test_made_up_key_is_refused_at_the_door() -> None:
    headers = {"X-API-Key": write_key("0" * 16, "0" * 64)}
    assert open_connection(runtime_with(), "eve", query={}, headers=headers) == 401

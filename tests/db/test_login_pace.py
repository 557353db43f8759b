"""Logins that guess become slow, and nobody is kept out of an account by the guesses of others."""

from __future__ import annotations

import pytest

from chalicelib.aws.memory_keys import MemoryKeys
from chalicelib.db.accounts import Account, Accounts
from chalicelib.db.connect import Database
from chalicelib.errors import Unavailable
from tests.api.calls import document
from tests.db.test_database import query
from tests.db.visitors import ANN, Visitor, member, problem

HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def ann(database: Database) -> Visitor:
    return member(database)


def device(ann: Visitor) -> str:
    """The cookie of a browser in which Ann has logged in."""
    (_, line) = ann.login().cookies
    assert line.endswith("; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax; Secure")
    return line.partition(";")[0]


def guess(ann: Visitor, email: str = ANN, **headers: str) -> int:
    return ann.login("Wr0ng-password!", email, **headers).status


def test_wrong_passwords_have_to_wait_longer_each_time(ann: Visitor) -> None:
    assert [guess(ann) for _ in range(5)] == [401] * 5
    waits = []
    for _ in range(12):
        answer = ann.login("Wr0ng-password!")
        assert answer.status == 429
        waits.append(int(answer.headers["Retry-After"]))
        ann.advance(waits[-1])
        assert guess(ann) == 401
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_right_password_has_to_wait_as_well_and_then_all_is_forgotten(ann: Visitor, dsn: str) -> None:
    assert [guess(ann) for _ in range(5)] == [401] * 5
    answer = ann.login()
    assert (answer.status, problem(answer)["message"]) == (429, "there were too many tries; try again in 1 s")
    ann.advance(1)
    assert ann.login().status == 200
    assert [guess(ann) for _ in range(5)] == [401] * 5


def test_refused_try_is_not_counted(ann: Visitor) -> None:
    assert [guess(ann) for _ in range(5)] == [401] * 5
    assert [guess(ann) for _ in range(20)] == [429] * 20
    ann.advance(1)
    assert ann.login().status == 200


def test_unknown_account_is_slowed_down_like_a_known_one(ann: Visitor) -> None:
    known = [problem(ann.login("Wr0ng-password!")) for _ in range(6)]
    assert [problem(ann.login("Wr0ng-password!", "eve@example.org")) for _ in range(6)] == known


def test_guesses_from_elsewhere_slow_nobody_down_at_home(ann: Visitor) -> None:
    ann.api.client = ELSEWHERE
    assert [guess(ann) for _ in range(6)] == [401] * 5 + [429]
    ann.api.client = HOME
    assert ann.login().status == 200
    ann.api.client = ELSEWHERE
    assert guess(ann) == 429


def test_known_device_is_not_slowed_down_by_guesses_from_its_own_network(ann: Visitor) -> None:
    cookie = device(ann)
    assert [guess(ann) for _ in range(6)] == [401] * 5 + [429]
    assert ann.login(cookie=cookie).status == 200
    assert guess(ann) == 429


def test_known_device_that_guesses_itself_becomes_slow(ann: Visitor) -> None:
    cookie = device(ann)
    assert [guess(ann, cookie=cookie) for _ in range(6)] == [401] * 5 + [429]
    assert ann.login().status == 200


def test_device_of_one_account_is_no_device_of_another(ann: Visitor) -> None:
    cookie = device(ann)
    assert [guess(ann, "bob@example.org", cookie=cookie) for _ in range(6)] == [401] * 5 + [429]


def test_device_keeps_its_name_from_one_login_to_the_next(ann: Visitor) -> None:
    cookie = device(ann)
    assert ann.login(cookie=cookie).cookies[1].partition(";")[0] == cookie


def test_network_that_tries_many_accounts_becomes_slow_for_a_minute_at_most(ann: Visitor) -> None:
    assert [guess(ann, f"{n}@example.org") for n in range(51)] == [401] * 50 + [429]
    cookie = device_elsewhere(ann)
    assert ann.login(cookie=cookie).status == 200
    ann.advance(60)
    assert ann.login().status == 200


def device_elsewhere(ann: Visitor) -> str:
    ann.api.client = ELSEWHERE
    cookie = device(ann)
    ann.api.client = HOME
    return cookie


def test_right_passwords_slow_no_network_down(ann: Visitor) -> None:
    assert {ann.login().status for _ in range(60)} == {200}


class Folding(Accounts):
    """Accounts in a database whose locale takes a dotted capital I for an i, as some do."""

    def find(self, email: str) -> Account | None:
        return super().find(email.replace("i\u0307", "i"))


def test_spelling_that_postgres_alone_takes_for_the_same_opens_no_account(ann: Visitor, database: Database) -> None:
    with database.transaction() as cursor:
        cursor.execute("UPDATE users SET email = 'iris@example.org'")
    ann.api.runtime.__dict__["accounts"] = Folding(database)
    assert [ann.login(email=f"{letter}ris@example.org").status for letter in ("i", "I", "\u0130")] == [200, 200, 401]


class Away(MemoryKeys):
    """Keys whose epochs cannot be read."""

    def epoch_of(self, user_id: str) -> int:
        raise Unavailable("the key store cannot be reached", retry_after_s=5)


def test_login_that_an_outage_ended_is_no_guess(ann: Visitor) -> None:
    ann.api.runtime.__dict__["keys"] = Away()
    assert [ann.login().status for _ in range(6)] == [503] * 6
    ann.api.runtime.__dict__["keys"] = MemoryKeys()
    assert ann.login().status == 200


def test_address_that_postgres_cannot_hold_is_unknown(ann: Visitor) -> None:
    assert guess(ann, "ann\0@example.org") == 401


def test_tries_are_forgotten_after_a_day_and_their_rows_removed(ann: Visitor, dsn: str) -> None:
    assert [guess(ann) for _ in range(5)] == [401] * 5
    assert len(query(dsn, "SELECT key FROM tries")) == 4
    ann.advance(24 * 3600)
    assert [guess(ann, "bob@example.org") for _ in range(5)] == [401] * 5
    assert len(query(dsn, "SELECT key FROM tries")) == 2
    assert ann.login().status == 200


def test_what_is_kept_of_tries_tells_neither_account_nor_network(ann: Visitor, dsn: str) -> None:
    guess(ann)
    kept = str(query(dsn, "SELECT tries::text FROM tries"))
    assert (ANN in kept, HOME in kept) == (False, False)


def test_answer_says_success_and_the_account(ann: Visitor) -> None:
    answer = document(ann.login())
    token = answer.pop("token")
    user = {"id": answer["user"]["id"], "email": ANN, "name": "Ann", "username": "Ann", "role": "student"}
    assert answer == {
        "success": True,
        "message": "Logged in",
        "token_type": "Bearer",
        "expires_in": 43200,
        "user": user,
    }
    assert token.count(".") == 2

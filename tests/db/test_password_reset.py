"""Forgotten passwords: a code by mail, a new password, and what becomes of tokens."""

from __future__ import annotations

import pytest

from chalicelib.aws.memory_keys import MemoryKeys
from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from chalicelib.errors import Unavailable
from tests.api.calls import details, document
from tests.db.test_database import query
from tests.db.visitors import ANN, OTHER_PASSWORD, PASSWORD, Visitor, member, problem, visitor


@pytest.fixture
def ann(database: Database) -> Visitor:
    return member(database)


def forgot(ann: Visitor) -> str:
    """The code that comes by mail."""
    assert ann.ask("/api/auth/forgot", email=ANN).status == 200
    return ann.code()


def test_forgotten_password_is_changed_by_the_code_of_a_mail_and_the_account_is_told(ann: Visitor) -> None:
    assert ann.said("/api/auth/forgot", email="Ann@Example.org") == (
        200,
        "If the address has an account, a code was mailed to it",
    )
    answer = ann.reset(ann.code())
    assert (answer.status, document(answer)) == (
        200,
        {"success": True, "message": "The password was changed; log in with it"},
    )
    assert ann.subjects() == [(ANN, "Your password at Sluice was changed")]
    assert [ann.login(password).status for password in (PASSWORD, OTHER_PASSWORD)] == [401, 200]


def test_old_names_take_the_old_bodies(ann: Visitor) -> None:
    asked = document(ann.ask("/auth/api/forgot-password", email=ANN, lang="en"))
    assert (asked["success"], asked["warnings"]) == (True, ["/lang is not known and was ignored"])
    passwords = {"password": OTHER_PASSWORD, "password_confirm": OTHER_PASSWORD}
    assert ann.said("/auth/api/reset-password", email=ANN, otp=ann.code(), **passwords) == (
        200,
        "The password was changed; log in with it",
    )
    refused = ann.ask("/auth/api/login", email=ANN, password=PASSWORD)
    assert (refused.status, document(refused)["success"]) == (401, False)


def test_every_token_of_the_account_is_revoked(ann: Visitor) -> None:
    bearer = f"Bearer {document(ann.login())['token']}"
    assert ann.api.call("GET", "/api/tasks", authorization=bearer).status == 200
    assert ann.reset(forgot(ann)).status == 200
    assert ann.api.call("GET", "/api/tasks", authorization=bearer).status == 401
    renewed = f"Bearer {document(ann.login(OTHER_PASSWORD))['token']}"
    assert ann.api.call("GET", "/api/tasks", authorization=renewed).status == 200


def test_unknown_address_is_answered_like_a_known_one_and_told_that_it_has_no_account(database: Database) -> None:
    ann = member(database)
    known = ann.ask("/api/auth/forgot", email=ANN)
    ann.mails()
    unknown = ann.ask("/api/auth/forgot", email="bob@example.org")
    assert (unknown.status, document(unknown), unknown.headers) == (known.status, document(known), known.headers)
    (mail,) = ann.mails()
    assert (mail.to, mail.subject) == ("bob@example.org", "You have no account at Sluice")
    assert problem(ann.reset("000000", email="bob@example.org")) == problem(
        ann.reset("000000", email="eve@example.org")
    )


def test_code_to_sign_up_resets_no_password(database: Database) -> None:
    ann = visitor(database)
    code = ann.register()
    assert ann.verify(code).status == 200
    ann.advance(60)
    ann.mails()
    assert ann.ask("/api/auth/register", email="bob@example.org").status == 200
    assert ann.reset(ann.code()).status == 400
    assert ann.login().status == 200


def test_code_resets_a_password_once(ann: Visitor) -> None:
    code = forgot(ann)
    assert [ann.reset(code).status for _ in range(2)] == [200, 400]


def test_weak_password_is_told_all_that_it_lacks_and_costs_no_try(ann: Visitor, dsn: str) -> None:
    code = forgot(ann)
    answer = ann.reset(code, password="password")
    assert (answer.status, [pointer for pointer, _ in details(answer)]) == (400, ["/password"] * 3)
    assert query(dsn, "SELECT tries FROM one_time_codes") == [(0,)]
    assert ann.reset(code).status == 200


def test_inactive_account_gets_a_new_password_and_stays_inactive(ann: Visitor, database: Database) -> None:
    with database.transaction() as cursor:
        cursor.execute("UPDATE users SET is_active = false")
    assert ann.reset(forgot(ann)).status == 200
    assert ann.login(OTHER_PASSWORD).status == 403


class Away(MemoryKeys):
    """Keys whose epochs cannot be raised for now."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = True

    def raise_epoch(self, user_id: str) -> int:
        if self.is_away:
            raise Unavailable("the key store cannot be reached", retry_after_s=5)
        return super().raise_epoch(user_id)


def test_password_is_not_changed_where_tokens_cannot_be_revoked_and_the_code_stays_good(ann: Visitor) -> None:
    keys = ann.api.runtime.__dict__["keys"] = Away()
    code = forgot(ann)
    answer = ann.reset(code)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert (ann.login().status, ann.mails()) == (200, [])
    keys.is_away = False
    assert ann.reset(code).status == 200
    assert ann.subjects() == [(ANN, "Your password at Sluice was changed")]


def test_password_is_not_changed_where_the_notice_cannot_be_queued_and_the_code_stays_good(ann: Visitor) -> None:
    code = forgot(ann)
    ann.queues.is_away = True
    assert [ann.reset(code).status for _ in range(6)] == [503] * 6
    assert ann.login().status == 200
    ann.queues.is_away = False
    assert ann.reset(code).status == 200


class Between(MemoryKeys):
    """Keys that have something happen while a login reads its epoch."""

    def __init__(self, ann: Visitor, code: str) -> None:
        super().__init__()
        self._ann, self._code = ann, code

    def epoch_of(self, user_id: str) -> int:
        epoch, code, self._code = super().epoch_of(user_id), self._code, ""
        if code:
            assert self._ann.reset(code).status == 200
        return epoch


def test_login_with_the_old_password_that_a_reset_overtakes_is_refused(ann: Visitor) -> None:
    ann.api.runtime.__dict__["keys"] = Between(ann, forgot(ann))
    assert ann.login().status == 401


def test_login_is_not_recorded_once_the_password_is_another(ann: Visitor, database: Database) -> None:
    accounts = Accounts(database)
    before = accounts.find(ANN)
    assert before is not None
    assert ann.reset(forgot(ann)).status == 200
    assert accounts.record_login(before, at=ann.api.runtime.clock.utcnow()) is False

"""People at their desks: each calls the API as an account of their own, all over one database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.accounts.tokens import issue_token
from chalicelib.api.http import Answer
from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from chalicelib.model import Caller
from tests.api.calls import Api, document
from tests.doubles import SECRET

NOW = 1_750_000_000


@dataclass(frozen=True)
class Desk:
    """One account's API."""

    api: Api
    account: str
    token: str

    def call(self, method: str, path: str, body: object = None) -> Answer:
        return self.api.call(method, path, body, authorization=f"Bearer {self.token}")

    def get(self, path: str) -> Any:  # any JSON value
        return expect(self.call("GET", path), 200)

    def post(self, path: str, body: object) -> Any:  # a JSON object
        return expect(self.call("POST", path, body), 201)

    def put(self, path: str, body: object) -> Any:  # a JSON object
        return expect(self.call("PUT", path, body), 200)


def expect(answer: Answer, status: int) -> Any:  # any JSON value
    assert answer.status == status, answer
    return document(answer)


def desk(database: Database, name: str, role: str = "student") -> Desk:
    """The desk of a new account whose name is given."""
    email = f"{name.lower()}@example.org"
    account = Accounts(database).put(email=email, name=name, password_hash="hash", role=role)
    api = Api()
    api.runtime.__dict__["database"] = database
    return Desk(api, account, issue_token(Caller(account, role), secret=SECRET, now_s=NOW, ttl_s=7200))

"""Many at once: one code makes one account, has five tries, and brings one mail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from threading import Barrier

from chalicelib.accounts.pace import PASSWORDS, tries_of
from chalicelib.db.connect import Database
from chalicelib.db.migrate import migrate
from chalicelib.db.one_time_codes import CodeRow, OneTimeCodes
from chalicelib.db.tries import KeptTries
from chalicelib.errors import TooManyRequests
from tests.db.test_database import query
from tests.db.visitors import ANN, OTHER_PASSWORD, Visitor, visitor
from tests.doubles import SECRET

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MANY = 12


def at_once(dsn: str, act: Callable[[Database], object]) -> Counter[object]:
    """What comes of doing something many times at once, each over a connection of its own."""
    barrier = Barrier(MANY)

    def one(_: int) -> object:
        with closing(Database(dsn)) as database:
            with database.transaction() as cursor:
                cursor.execute("SELECT 1")
            barrier.wait(10)
            return act(database)

    with ThreadPoolExecutor(MANY) as pool:
        return Counter(pool.map(one, range(MANY)))


def first(dsn: str, act: Callable[[Visitor], str]) -> str:
    migrate(dsn)
    with closing(Database(dsn)) as database:
        return act(visitor(database))


def test_code_that_is_sent_twice_at_once_makes_one_account(dsn: str) -> None:
    code = first(dsn, Visitor.register)
    with closing(Database(dsn)) as one, closing(Database(dsn)) as other, ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(lambda database: visitor(database).verify(code).status, (one, other)))
    assert sorted(statuses) == [200, 400]
    assert query(dsn, "SELECT count(*) FROM users") == [(1,)]


def test_code_has_five_tries_however_many_come_at_once(dsn: str) -> None:
    code = first(dsn, Visitor.register)
    spent = at_once(dsn, lambda database: bool(OneTimeCodes(database).spend_try("sign_up", ANN, now=now())))
    assert spent == {True: 5, False: MANY - 5}
    with closing(Database(dsn)) as database:
        assert visitor(database).verify(code).status == 400


def now() -> datetime:
    """As of the visitors' clock."""
    return datetime.fromtimestamp(1_750_000_000, UTC)


def test_code_is_used_once_however_many_come_at_once(dsn: str) -> None:
    code = CodeRow("sign_up", ANN, "d" * 64)
    migrate(dsn)
    with closing(Database(dsn)) as database:
        OneTimeCodes(database).issue(code, lambda: None, now=NOW)
    mails: list[str] = []

    def use(database: Database) -> object:
        made = OneTimeCodes(database).open_account(
            code, name="Ann", password_hash="hash", hand_on=lambda account: mails.append(account.email)
        )
        return made is not None

    assert at_once(dsn, use) == {True: 1, False: MANY - 1}
    assert mails == [ANN]


def test_address_gets_one_mail_however_often_it_is_asked_for_at_once(dsn: str) -> None:
    migrate(dsn)
    mails: list[str] = []

    def ask(database: Database) -> object:
        try:
            OneTimeCodes(database).issue(CodeRow("reset", ANN, "d" * 64), lambda: mails.append(ANN), now=NOW)
        except TooManyRequests as refused:
            return refused.retry_after_s
        return "mailed"

    assert at_once(dsn, ask) == {"mailed": 1, 60: MANY - 1}
    assert mails == [ANN]


def test_passwords_tried_at_once_are_five_and_then_wait(dsn: str) -> None:
    migrate(dsn)
    tries = tries_of(SECRET, PASSWORDS, ANN, "network", "198.51.100.7/32")

    def guess(database: Database) -> object:
        try:
            KeptTries(database).charge([tries], now=NOW)
        except TooManyRequests as refused:
            return refused.retry_after_s
        return "tried"

    assert at_once(dsn, guess) == {"tried": 5, 1: MANY - 5}


def test_two_new_passwords_by_one_code_at_once_are_one(dsn: str) -> None:
    def ready(ann: Visitor) -> str:
        assert ann.verify(ann.register()).status == 200
        ann.mails()
        assert ann.ask("/api/auth/forgot", email=ANN).status == 200
        return ann.code()

    code = first(dsn, ready)
    passwords = (OTHER_PASSWORD, OTHER_PASSWORD + "2")
    with closing(Database(dsn)) as one, closing(Database(dsn)) as other, ThreadPoolExecutor(2) as pool:
        visitors = [visitor(one), visitor(other)]
        statuses = list(
            pool.map(lambda pair: pair[0].reset(code, password=pair[1]).status, zip(visitors, passwords, strict=True))
        )
        assert sorted(statuses) == [200, 400]
        entered = [visitors[0].login(password).status for password in passwords]
    assert [status == 200 for status in statuses] == [status == 200 for status in entered]

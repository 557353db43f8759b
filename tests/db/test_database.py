"""Migrations and accounts on a real Postgres."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest
from argon2 import PasswordHasher

from chalicelib.accounts.passwords import hash_password
from chalicelib.db.accounts import Account, Accounts
from chalicelib.db.connect import Database, connect
from chalicelib.db.migrate import MIGRATIONS, migrate, read_migrations
from chalicelib.errors import ConfigurationError, JobFailed, Unavailable
from localstack.postgres import running_database
from localstack.settings import Settings, named_postgres
from localstack.supervise import Child, wait_until_up
from tests.api.calls import Api, document


def query(dsn: str, text: str) -> list[tuple[object, ...]]:
    with closing(connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall()


def folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.sql").write_text(text)
    return tmp_path


def test_every_migration_is_applied_once_in_order(dsn: str) -> None:
    names = [migration.name for migration in read_migrations(MIGRATIONS)]
    assert names == sorted(names)
    assert migrate(dsn) == names
    assert migrate(dsn) == []


def test_statement_that_says_nothing_of_a_limit_has_that_of_its_role(dsn: str) -> None:
    migrate(dsn)
    assert query(dsn, "SHOW statement_timeout") == [("20s",)]


def test_statement_past_the_time_limit_is_no_outage(dsn: str) -> None:
    with closing(Database(dsn)) as database:
        with pytest.raises(JobFailed, match="longer than its limit"), database.transaction() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 50; SELECT pg_sleep(20)")
        with database.transaction() as cursor:
            cursor.execute("SELECT 1 AS one")
            assert cursor.fetchall() == [{"one": 1}]


def test_migrations_at_the_same_time_apply_each_once(dsn: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(dsn), range(4)))
    names = [migration.name for migration in read_migrations(MIGRATIONS)]
    assert sorted(applied) == sorted([names, [], [], []])


def test_failed_migration_leaves_no_trace(dsn: str, tmp_path: Path) -> None:
    files = folder(tmp_path, **{"0001_pre_good": "CREATE TABLE good (id int)", "0002_pre_bad": "CREATE TABL"})
    with pytest.raises(psycopg2.errors.SyntaxError):
        migrate(dsn, folder=files)
    assert query(dsn, "SELECT to_regclass('good'), to_regclass('schema_migrations')") == [(None, None)]


def test_post_migrations_wait_until_they_are_asked_for(dsn: str, tmp_path: Path) -> None:
    files = folder(tmp_path, **{"0001_pre_a": "CREATE TABLE a ()", "0002_post_b": "DROP TABLE a"})
    assert migrate(dsn, phases=("pre",), folder=files) == ["0001_pre_a.sql"]
    assert migrate(dsn, phases=("post",), folder=files) == ["0002_post_b.sql"]


def test_changed_migration_is_refused(dsn: str, tmp_path: Path) -> None:
    migrate(dsn, folder=folder(tmp_path, **{"0001_pre_a": "CREATE TABLE a ()"}))
    with pytest.raises(ConfigurationError, match=r"0001_pre_a\.sql was changed after it had been applied"):
        migrate(dsn, folder=folder(tmp_path, **{"0001_pre_a": "CREATE TABLE b ()"}))


def test_older_code_is_refused_by_what_only_newer_code_survives(dsn: str, tmp_path: Path) -> None:
    migrate(dsn, folder=folder(tmp_path, **{"0001_post_a_pre_b": "CREATE TABLE a ()"}))
    (tmp_path / "0001_post_a_pre_b.sql").unlink()
    with pytest.raises(ConfigurationError, match=r"newer than this code can bear: it has 0001_post_a_pre_b\.sql"):
        migrate(dsn, folder=tmp_path)


def test_older_code_runs_beside_what_went_in_before_newer_code(dsn: str, tmp_path: Path) -> None:
    migrate(dsn, folder=folder(tmp_path, **{"0001_pre_a": "CREATE TABLE a ()", "0002_pre_b": "CREATE TABLE b ()"}))
    (tmp_path / "0002_pre_b.sql").unlink()
    assert migrate(dsn, folder=tmp_path) == []


@pytest.mark.parametrize("name", ["1_pre_a", "0001_a", "0001_pre_A"])
def test_misnamed_migration_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="must be named"):
        read_migrations(folder(tmp_path, **{name: ""}))


def test_account_is_found_by_its_address_in_any_case(database: Database) -> None:
    accounts = Accounts(database)
    user_id = accounts.put(email="Ann@Example.org", name="Ann", password_hash="hash", role="admin")
    found = accounts.find("ANN@example.ORG")
    assert found is not None
    assert found == Account(
        id=user_id,
        email="ann@example.org",
        name="Ann",
        role="admin",
        password_hash="hash",
        is_active=True,
        access_expires_at=found.access_expires_at,
    )
    assert timedelta(days=364) < found.access_expires_at - datetime.now(UTC) < timedelta(days=366)
    assert accounts.find("bob@example.org") is None


def test_account_put_again_keeps_its_id(database: Database) -> None:
    accounts = Accounts(database)
    first = accounts.put(email="ann@example.org", name="Ann", password_hash="old", role="student")
    assert accounts.put(email="ANN@example.org", name="Anna", password_hash="new", role="student") == first
    found = accounts.find("ann@example.org")
    assert found is not None
    assert (found.name, found.password_hash) == ("Anna", "new")


def test_database_that_lost_its_connection_connects_again(database: Database, dsn: str) -> None:
    accounts = Accounts(database)
    assert accounts.find("ann@example.org") is None
    killed = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    query(dsn, killed + "pg_backend_pid()")
    assert accounts.find("ann@example.org") is None


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])
def test_database_outlives_its_server_however_that_ends(tmp_path: Path, how: signal.Signals) -> None:
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    settings = Settings(root=tmp_path, state=tmp_path, postgres=named_postgres(), keep_data=False)
    with running_database(settings, lock) as running:
        server = running.child
        assert server is not None
        with closing(Database(running.dsn)) as idle, closing(Database(running.dsn)) as busy:
            ask(idle)
            with pytest.raises(Unavailable, match="the database went away"):
                ask(busy, first=lambda: end(server, how))
            for database in (idle, busy):
                with pytest.raises(Unavailable, match="the database cannot be reached"):
                    ask(database)
            server.stop()
            server.start()
            wait_until_up(server, lambda: has_answered(running.dsn), timeout_s=30)
            ask(idle)
            ask(busy)


def ask(database: Database, first: Callable[[], None] = lambda: None) -> None:
    with database.transaction() as cursor:
        first()
        cursor.execute("SELECT 1")


def end(server: Child, how: signal.Signals) -> None:
    os.kill(server.pid, how)
    server.wait(timeout_s=20)


def has_answered(dsn: str) -> bool:
    try:
        connect(dsn).close()
    except Unavailable:
        return False
    return True


def test_database_that_cannot_be_reached_is_unavailable_and_does_not_tell_its_password() -> None:
    with pytest.raises(Unavailable) as unavailable:
        connect("postgresql://sluice:hunter2@127.0.0.1:9/sluice")
    assert (unavailable.value.status, unavailable.value.detail) == (503, "the database cannot be reached")


def login(database: Database, password: str = "demo-password", **changes: str) -> tuple[int, object]:
    """The status and detail of a login of an account that was changed by SQL."""
    api = Api()
    api.runtime.__dict__["database"] = database
    api.parts.clock.advance(datetime.now(UTC).timestamp() - api.parts.clock.now())
    if changes:
        with database.transaction() as cursor:
            cursor.execute("UPDATE users SET " + ", ".join(f"{name} = {value}" for name, value in changes.items()))
    answer = api.call("POST", "/api/auth/login", {"email": "ann@example.org", "password": password})
    return answer.status, document(answer).get("detail")


@pytest.fixture
def ann(database: Database) -> Account:
    accounts = Accounts(database)
    accounts.put(email="ann@example.org", name="Ann", password_hash=hash_password("demo-password"), role="student")
    found = accounts.find("ann@example.org")
    assert found is not None
    return found


def test_right_password_logs_in_and_the_time_is_remembered(database: Database, ann: Account, dsn: str) -> None:
    assert login(database) == (200, None)
    assert query(dsn, "SELECT last_login > now() - interval '1 minute' FROM users") == [(True,)]


def test_inactive_account_is_403_for_its_owner_and_401_for_others(database: Database, ann: Account) -> None:
    assert login(database, is_active="false") == (403, "the account is not active")
    assert login(database, "wrong")[0] == 401


def test_account_whose_access_has_ended_is_403_with_the_day(database: Database, ann: Account) -> None:
    status, detail = login(database, access_expires_at="'2024-05-06T12:00Z'")
    assert (status, detail) == (403, "the account's access ended on 2024-05-06")


def test_hash_of_older_parameters_is_made_anew_at_login(database: Database, ann: Account, dsn: str) -> None:
    old = PasswordHasher(time_cost=2).hash("demo-password")
    assert login(database, password_hash=f"'{old}'") == (200, None)
    ((stored,),) = query(dsn, "SELECT password_hash FROM users")
    assert re.match(r"\$argon2id\$v=19\$m=65536,t=3,p=4\$", str(stored))
    assert login(database) == (200, None)


def test_unknown_account_is_refused_like_a_wrong_password(database: Database) -> None:
    assert login(database) == (401, "the e-mail address or the password is wrong")

"""The roles that functions log in as, on a real Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import count

import psycopg2
import pytest
from psycopg2 import errors
from psycopg2.extensions import make_dsn

from chalicelib.db.connect import Database, connect
from chalicelib.db.migrate import migrate
from chalicelib.db.roles import Role, ensure_roles
from chalicelib.errors import JobFailed, Unavailable

_numbers = count()


@pytest.fixture
def role(dsn: str) -> Iterator[Role]:
    """A role of the test's own on a database that is migrated."""
    role = Role(f"tester_{next(_numbers)}", None, connections=2)
    migrate(dsn)
    ensure_roles(dsn, [role])
    yield role
    # A role outlives its database: of the server it is, not of the test's part of it.
    with closing(connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {role.name}; DROP ROLE {role.name}")


def login(dsn: str, role: Role) -> str:
    return make_dsn(dsn, user=role.name)


def run(dsn: str, text: str) -> list[tuple[object, ...]]:
    with closing(connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall() if cursor.description else []


def test_role_reads_and_writes_rows(dsn: str, role: Role) -> None:
    own = login(dsn, role)
    run(own, "INSERT INTO users (email, name, password_hash) VALUES ('a@b.test', 'A', 'x')")
    assert run(own, "SELECT email FROM users") == [("a@b.test",)]
    run(own, "UPDATE users SET name = 'B'; DELETE FROM users")
    assert run(own, "SELECT count(*) FROM users") == [(0,)]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (a integer)",
        "ALTER TABLE users ADD COLUMN mine integer",
        "DROP TABLE users CASCADE",
        "TRUNCATE users CASCADE",
        "CREATE INDEX ON users (name)",
        "CREATE ROLE another",
        "CREATE SCHEMA another",
        "DELETE FROM schema_migrations",
    ],
)
def test_role_changes_no_schema(dsn: str, role: Role, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        run(login(dsn, role), statement)


def test_role_reads_what_the_owner_makes_later_and_writes_it_in_its_own_schema_only(dsn: str, role: Role) -> None:
    run(dsn, "CREATE SCHEMA awards_7; CREATE TABLE awards_7.fact (a integer); CREATE TABLE later (a integer)")
    own = login(dsn, role)
    assert run(own, "SELECT * FROM awards_7.fact") == []
    run(own, "INSERT INTO later VALUES (1)")
    with pytest.raises(errors.InsufficientPrivilege):
        run(own, "INSERT INTO awards_7.fact VALUES (1)")


def test_role_has_limits_of_its_own_without_any_option_of_the_connection(dsn: str, role: Role) -> None:
    own = login(dsn, role)
    assert run(own, "SHOW statement_timeout") == [("10s",)]
    assert run(own, "SHOW idle_in_transaction_session_timeout") == [("15s",)]
    assert run(own, "SHOW lock_timeout") == [("5s",)]


def test_limit_of_the_role_ends_a_statement_as_the_option_does(dsn: str, role: Role) -> None:
    run(dsn, f"ALTER ROLE {role.name} SET statement_timeout = '50ms'")
    with (
        closing(Database(login(dsn, role), role_is_limited=True)) as database,
        pytest.raises(JobFailed),
        database.transaction() as cursor,
    ):
        cursor.execute("SELECT pg_sleep(20)")


def test_role_has_no_more_connections_than_it_is_given(dsn: str, role: Role) -> None:
    own = login(dsn, role)
    with closing(psycopg2.connect(own)), closing(psycopg2.connect(own)), pytest.raises(Unavailable):
        connect(own)


def test_roles_are_brought_to_what_they_are_to_be_however_often(dsn: str, role: Role) -> None:
    ensure_roles(dsn, [role._replace(connections=5, password="another one")])
    assert run(dsn, f"SELECT rolconnlimit, rolcanlogin, rolsuper FROM pg_roles WHERE rolname = '{role.name}'") == [
        (5, True, False)
    ]
    ((kept,),) = run(dsn, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{role.name}'")
    assert str(kept).startswith("SCRAM-SHA-256$")


def test_role_may_not_have_a_name_that_is_more_than_a_name(dsn: str) -> None:
    migrate(dsn)
    strange = Role('o"; DROP TABLE users; --', None, connections=1)
    ensure_roles(dsn, [strange])
    assert run(dsn, "SELECT count(*) FROM users") == [(0,)]
    run(dsn, 'DROP OWNED BY "o""; DROP TABLE users; --"; DROP ROLE "o""; DROP TABLE users; --"')

"""The roles that functions log in as: what each may do, how long, and how many at a time.

The owner of everything migrates and does the long work of `batch`, which makes tables. The others read and write
rows. Their limits are the roles' own, so that they hold whatever a connection asks for, also through a proxy that
passes no options on.
"""

from __future__ import annotations

from typing import NamedTuple

from psycopg2 import extensions, sql

from chalicelib.db.connect import STATEMENT_TIMEOUT_MS, connect


class Role(NamedTuple):
    """One login role; the password None is for a server that asks for none."""

    name: str
    password: str | None
    connections: int
    # Whoever forgets a transaction open keeps vacuum, and others' rows, waiting.
    idle_in_transaction_ms: int = 15_000
    lock_timeout_ms: int = 5_000


def ensure_roles(dsn: str, roles: list[Role]) -> None:
    """Makes the roles, or brings them to this: all of it or, after an error, none. To be called after each migration.

    Raises Unavailable if Postgres is away, psycopg2's InsufficientPrivilege where the owner may make no roles.
    """
    connection = connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            for role in roles:
                _ensure(cursor, role)
                _grant(cursor, sql.Identifier(role.name))
    finally:
        connection.close()


def _ensure(cursor: extensions.cursor, role: Role) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role.name,))
    verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
    name = sql.Identifier(role.name)
    password = sql.SQL("PASSWORD {}").format(sql.Literal(role.password)) if role.password else sql.SQL("")
    cursor.execute(
        sql.SQL("{} ROLE {} LOGIN CONNECTION LIMIT {} {}").format(verb, name, sql.Literal(role.connections), password)
    )
    for setting, value_ms in (
        ("statement_timeout", STATEMENT_TIMEOUT_MS),
        ("idle_in_transaction_session_timeout", role.idle_in_transaction_ms),
        ("lock_timeout", role.lock_timeout_ms),
    ):
        cursor.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), sql.Literal(f"{value_ms}ms"))
        )


def _grant(cursor: extensions.cursor, name: sql.Identifier) -> None:
    """Rows of what is there, and of what the owner will make: a data set is a schema of its own, read only."""
    cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'")
    for (schema,) in cursor.fetchall():
        where = sql.Identifier(schema)
        cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(where, name))
        cursor.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(where, name))
    for grant in (
        "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}",
        "REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM {}",
        "ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO {}",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT INSERT, UPDATE, DELETE ON TABLES TO {}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {}",
    ):
        cursor.execute(sql.SQL(grant).format(name))

"""The drill finds what a restore loses or changes, and nothing where it does neither."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from chalicelib.db.migrate import migrate
from infra.restore_drill import Restored, Table, contents, differences, restored

ROWS = """
INSERT INTO users (email, name, password_hash)
SELECT n || '@sluice.test', 'Ada ' || n, '-' FROM generate_series(1, 50) AS n;
INSERT INTO apps (app_id, user_id, name, salt) VALUES ('drill', 1, 'Drill', decode(repeat('ab', 32), 'hex'));
INSERT INTO log_entries (app, accepted_at, event_name, message_id, status, is_user, rules_version, body, results)
SELECT 1, '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 s', 'e', n, 'valid', false, 0,
    jsonb_build_object('n', n), '[]'
FROM generate_series(1, 100) AS n;
-- Versions of a data set are schemas in which everything has the same names.
CREATE SCHEMA first_version;
CREATE TABLE first_version.award (id int);
CREATE INDEX award_idx ON first_version.award (id);
CREATE SCHEMA second_version;
CREATE TABLE second_version.award (id int);
CREATE INDEX award_idx ON second_version.award (id);
"""


def change(dsn: str, statement: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture(scope="module")
def copy(module_dsn: str) -> Iterator[Restored]:
    migrate(module_dsn)
    change(module_dsn, ROWS)
    with restored(module_dsn) as copy:
        yield copy


def test_restored_copy_is_the_same(copy: Restored) -> None:
    found = contents(copy.dsn)
    assert (found.tables["public.users"].rows, found.tables["public.log_entries_other"].rows) == (50, 100)
    assert differences(copy, found) == []


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        ("UPDATE users SET name = 'Eve' WHERE id = 7", ["table public.users"]),
        ("DELETE FROM log_entries WHERE message_id = '3'", ["table public.log_entries_other"]),
        # Two values change places: every single value is still there.
        (
            "UPDATE users SET name = CASE id WHEN 1 THEN 'Ada 2' ELSE 'Ada 1' END WHERE id IN (1, 2)",
            ["table public.users"],
        ),
        ("DROP INDEX apps_user_id_idx", ["definition of index public.apps_user_id_idx"]),
        ("DROP INDEX first_version.award_idx", ["definition of index first_version.award_idx"]),
        ("DROP INDEX second_version.award_idx", ["definition of index second_version.award_idx"]),
        ("ALTER TABLE apps DROP CONSTRAINT apps_policy_check", ["definition of constraints of apps of type c"]),
        ("ALTER TABLE users ALTER COLUMN name DROP NOT NULL", ["definition of columns of users"]),
        ("SELECT setval('users_id_seq', 1)", ["sequence public.users_id_seq"]),
    ],
)
def test_what_was_tampered_with_is_told(copy: Restored, tampering: str, told: list[str]) -> None:
    with closing(psycopg2.connect(copy.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(tampering)
        connection.commit()
    try:
        assert [line.partition(":")[0] for line in differences(copy, contents(copy.dsn))] == told
    finally:
        _mend(copy)


def test_table_that_is_gone_is_told(copy: Restored) -> None:
    found = contents(copy.dsn)
    without = found._replace(tables={name: table for name, table in found.tables.items() if name != "public.tries"})
    assert differences(copy, without) == [f"table public.tries: {Table(0, '0')} became nothing"]


def _mend(copy: Restored) -> None:
    change(
        copy.dsn,
        """
        UPDATE users SET name = 'Ada ' || id;
        INSERT INTO log_entries (
            app, id, accepted_at, event_name, message_id, status, is_user, rules_version, body, results
        )
        SELECT 1, 3, '2026-01-01T00:00:03Z', 'e', '3', 'valid', false, 0, '{"n": 3}', '[]'
        WHERE NOT EXISTS (SELECT FROM log_entries WHERE message_id = '3');
        CREATE INDEX IF NOT EXISTS apps_user_id_idx ON apps (user_id, created_at DESC);
        CREATE INDEX IF NOT EXISTS award_idx ON first_version.award (id);
        CREATE INDEX IF NOT EXISTS award_idx ON second_version.award (id);
        ALTER TABLE apps DROP CONSTRAINT IF EXISTS apps_policy_check;
        ALTER TABLE apps ADD CONSTRAINT apps_policy_check CHECK (policy IN ('record', 'accept', 'drop'));
        ALTER TABLE users ALTER COLUMN name SET NOT NULL;
        SELECT setval('users_id_seq', 50);
        """,
    )

"""Forward-only migrations: `migrations/NNNN_pre|post_name.sql`, each applied once, in order, with its checksum.

`pre` is for changes that the running code survives, so they go in before a deploy; `post` for those that only the
new code survives. Why this is not a library: docs/adr/0002.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from psycopg2 import extensions

from chalicelib.db.connect import connect
from chalicelib.errors import ConfigurationError

MIGRATIONS = Path(__file__).parent / "migrations"
_FILE_NAME = re.compile(r"^(\d{4})_(pre|post)_[a-z0-9_]+\.sql$")
# As long as the function that migrates may run.
_OPTIONS = "-c statement_timeout=280s"
# Any constant will do as long as nobody else takes the same advisory lock: "sluice" as a number.
_LOCK = 0x736C75696365
_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class Migration(NamedTuple):
    """One file: its name, when it goes in, its text."""

    name: str
    phase: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrate(dsn: str, *, phases: tuple[str, ...] = ("pre", "post"), folder: Path = MIGRATIONS) -> list[str]:
    """Applies what is missing and answers the names applied: all of it or, after an error, none.

    Raises ConfigurationError if an applied file was changed or a `post` one is gone, Unavailable if Postgres is away.
    Two calls at once are safe: the second waits and finds nothing to do.
    """
    migrations = read_migrations(folder)
    connection = connect(dsn, options=_OPTIONS)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            cursor.execute(_LEDGER)
            missing = _missing(cursor, migrations, phases)
            for migration in missing:
                cursor.execute(migration.text)
                cursor.execute(
                    "INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)",
                    (migration.name, migration.checksum),
                )
        return [migration.name for migration in missing]
    finally:
        connection.close()


def read_migrations(folder: Path) -> list[Migration]:
    """The folder's migrations in order; raises ConfigurationError on a wrong name or a number used twice."""
    migrations = []
    numbers = set()
    for path in sorted(folder.glob("*.sql")):
        match = _FILE_NAME.match(path.name)
        if match is None:
            raise ConfigurationError(f"migration {path.name} must be named NNNN_pre_name.sql or NNNN_post_name.sql")
        if match[1] in numbers:
            raise ConfigurationError(f"migration number {match[1]} is used twice")
        numbers.add(match[1])
        migrations.append(Migration(path.name, match[2], path.read_text("utf-8")))
    return migrations


def _missing(cursor: extensions.cursor, migrations: list[Migration], phases: tuple[str, ...]) -> list[Migration]:
    cursor.execute("SELECT name, checksum FROM schema_migrations")
    applied = dict(cursor.fetchall())
    # After a roll-back the database is ahead: of `pre` migrations the code before them knows nothing and survives them.
    gone = [name for name in applied.keys() - {each.name for each in migrations} if name[4:9] != "_pre_"]
    if gone:
        raise ConfigurationError(f"the database is newer than this code can bear: it has {', '.join(sorted(gone))}")
    for migration in migrations:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise ConfigurationError(f"migration {migration.name} was changed after it had been applied")
    return [m for m in migrations if m.name not in applied and m.phase in phases]

"""One run of a migration: what becomes of each row, and whether Postgres has afterwards what the source had."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from itertools import islice

from chalicelib.db.takeover.report import Report, SetAside, TableReport
from chalicelib.db.takeover.rows import Aside, OldRow, settled
from chalicelib.db.takeover.schema import TABLES, USERS, Table
from chalicelib.db.takeover.source import BATCH_ROWS, OldInstallation
from chalicelib.db.takeover.target import Target
from chalicelib.errors import JobFailed

# More than a person reads; the table has all.
_LISTED = 100
_NAMED_IDS = 10


class _Tally:
    """What became of one table's rows so far."""

    def __init__(self) -> None:
        # Of the rows that are not set aside, with a hash of their contents.
        self.ids: list[int] = []
        self.digest = hashlib.sha256()
        self.migrated = 0
        self.already_there = 0
        self.set_aside = 0
        # Ids under which the target has something else.
        self.conflicts: list[int] = []
        # Ids whose rows differ in what the service goes on writing alone, which is not compared.
        self.lived_on: set[int] = set()


class Run:
    """Takes batches of rows, then compares table by table; raises JobFailed at the first thing that is wrong.

    With `dry_run` it reads only: what would be added counts as added, and there is nothing to compare with.
    """

    def __init__(
        self, old: OldInstallation, target: Target, progress: Callable[[float, str], None], *, dry_run: bool
    ) -> None:
        self._old = old
        self._target = target
        self._progress = progress
        self._dry_run = dry_run
        self._tallies = {table.name: _Tally() for table in TABLES}
        self._asides: list[SetAside] = []
        self._values_set_aside = 0
        self._steps = 0

    def take(self, table: Table, rows: Sequence[OldRow]) -> None:
        """Adds the rows that are not there, and sets aside what has no place."""
        tally = self._tallies[table.name]
        kept = [row for row in rows if row.content]
        found = self._target.find(table, [row.id for row in kept])
        fresh = [row for row in kept if row.id not in found]
        if table is USERS:
            self._refuse_taken_addresses(fresh)
        tally.migrated += len(fresh) if self._dry_run else self._target.add(table, fresh)
        tally.already_there += len(found)
        tally.set_aside += len(rows) - len(kept)
        for row in kept:
            if found.get(row.id, row.content) != row.content:
                is_same = settled(table, found[row.id]) == settled(table, row.content)
                (tally.lived_on.add if is_same else tally.conflicts.append)(row.id)
            tally.ids.append(row.id)
            tally.digest.update(self._compared(table, row.id, row.content))
        self._set_aside(table, rows)
        self._step(table, len(rows))

    def compare(self, table: Table) -> TableReport:
        """What became of the table, once counts and contents are found to be those of the source."""
        tally = self._tallies[table.name]
        if tally.conflicts:
            raise JobFailed(f"{table.name}: the target has other content under these ids: {_named(tally.conflicts)}")
        report = TableReport(
            table=table.name,
            source=self._old.counts[table.name],
            migrated=tally.migrated,
            already_there=tally.already_there,
            set_aside=tally.set_aside,
            sha256=tally.digest.hexdigest(),
        )
        if report.migrated + report.already_there + report.set_aside != report.source:
            raise JobFailed(f"{table.name}: of {report.source} rows in the source {report.migrated} were added")
        if not self._dry_run and self._stored_digest(table) != report.sha256:
            raise JobFailed(f"{table.name}: the contents of source and target differ")
        return report

    def advance(self) -> None:
        """Has new rows get ids above those that were added; the last thing before the end."""
        if not self._dry_run:
            for table in TABLES:
                self._target.advance(table)

    def report(self, tables: tuple[TableReport, ...]) -> Report:
        return Report(
            tables=tables,
            total=self._old.total,
            migrated=sum(table.migrated for table in tables),
            already_there=sum(table.already_there for table in tables),
            set_aside=tuple(self._asides),
            values_set_aside=self._values_set_aside,
            rows_set_aside=sum(table.set_aside for table in tables),
            not_migrated=self._old.left_out(),
            dry_run=self._dry_run,
        )

    def _refuse_taken_addresses(self, rows: Sequence[OldRow]) -> None:
        taken = self._target.find_addresses(rows)
        if taken:
            ids = ", ".join(f"{added} (there {there})" for added, there in taken[:_NAMED_IDS])
            raise JobFailed(f"users: the target has the e-mail addresses of these accounts under other ids: {ids}")

    def _set_aside(self, table: Table, rows: Sequence[OldRow]) -> None:
        asides = [aside for row in rows for aside in row.asides]
        if not asides:
            return
        if not self._dry_run:
            self._target.set_aside(asides)
        stored = self._target.find_asides(table, [aside.id for aside in asides])
        differing = [
            aside.id
            for aside in asides
            if stored.get((aside.id, aside.column), aside.value if self._dry_run else "") != aside.value
        ]
        if differing:
            raise JobFailed(f"{table.name}: set_aside holds other values of these rows: {_named(differing)}")
        self._values_set_aside += sum(1 for aside in asides if aside.column)
        self._asides += [_shown(aside) for aside in asides[: _LISTED - len(self._asides)]]

    def _compared(self, table: Table, row_id: int, content: str) -> bytes:
        """What of a row goes into the hashes of both sides."""
        lived_on = row_id in self._tallies[table.name].lived_on
        return (settled(table, content) if lived_on and content else content).encode()

    def _stored_digest(self, table: Table) -> str:
        digest, tally = hashlib.sha256(), self._tallies[table.name]
        ids = iter(tally.ids)
        while batch := list(islice(ids, BATCH_ROWS)):
            found = self._target.find(table, batch)
            for row_id in batch:
                digest.update(self._compared(table, row_id, found.get(row_id, "")))
            self._step(table, len(batch))
        self._step(table, tally.set_aside)
        return digest.hexdigest()

    def _step(self, table: Table, rows: int) -> None:
        """Tells how far it is; half of it is writing, half comparing."""
        self._steps += rows
        doing = "comparing" if self._steps > self._old.total else "migrating"
        whole = max(1, self._old.total) * (1 if self._dry_run else 2)
        self._progress(self._steps / whole, f"{doing} {table.name}")


def _named(ids: Sequence[int]) -> str:
    more = f" and {len(ids) - _NAMED_IDS} more" if len(ids) > _NAMED_IDS else ""
    return ", ".join(map(str, ids[:_NAMED_IDS])) + more


def _shown(aside: Aside) -> SetAside:
    return SetAside(aside.table, aside.id, aside.column, aside.reason)

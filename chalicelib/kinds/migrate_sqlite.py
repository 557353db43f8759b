"""Moves an old installation's SQLite file, uploaded before, into the service's own Postgres; for admins.

For databases that only Lambdas can reach; elsewhere `python -m chalicelib.db.migrate_sqlite` does the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import msgspec

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.db.takeover.report import Report
    from chalicelib.runtime import Runtime


class MigrateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The file of an old installation."""

    upload_id: Annotated[str, msgspec.Meta(max_length=200, description="Name of the file that was sent before.")]
    dry_run: Annotated[
        bool, msgspec.Meta(description="Say what would be migrated, and change nothing; true unless you say false.")
    ] = True


def contract() -> Contract[MigrateRequest, Report]:
    from chalicelib.db.takeover.report import Report

    example = MigrateRequest(upload_id="2f1c5a0e-8f0e-4a53-9c53-0c6f2a1b7d11")
    return Contract(request=MigrateRequest, result=Report, example=example)


def run(request: MigrateRequest, progress: Progress) -> Report:
    import tempfile
    from pathlib import Path

    from chalicelib.db.takeover.migration import migrate_file

    runtime = cast("Runtime", progress.parts)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "old.db"
        progress(0.0, "fetching the file")
        runtime.files.fetch(progress.owner, request.upload_id, source)
        return migrate_file(source, runtime.database_url, dry_run=request.dry_run, progress=progress)


KIND = JobKind(
    name="migrate_sqlite",
    summary="Migration of an old installation",
    path="/api/async/migrate-sqlite",
    queue="batch",
    contract=contract,
    run=run,
    # A run of fifteen minutes is the longest that Lambda has.
    time_limit_s=840,
    keep_s=24 * 3600,
    scope="admin",
)

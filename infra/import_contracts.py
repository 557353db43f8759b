"""Contracts from a file on this machine: `make import FILE=awards.csv`, for a stage whose database can be reached.

The rows take the way of the import job, without the upload. Then the stage is told of the new data set, so that answers
from before are given no longer. STAGE names the deployment, as for `make ops`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from chalicelib.aws.datasets import Datasets
from chalicelib.db.connect import Database
from chalicelib.db.contracts import import_file
from chalicelib.db.contracts.versions import Versions
from chalicelib.errors import Unavailable
from chalicelib.runtime import Runtime
from infra.ops import RUN_FILE, find_local


def find_database(environ: Mapping[str, str], run_file: Path) -> str:
    """The database of the stage: DATABASE_URL, else that of the local environment; empty where neither is known."""
    named = environ.get("DATABASE_URL", "")
    if named or environ.get("STAGE", "local") != "local" or not run_file.exists():
        return named
    found: str = json.loads(run_file.read_text("utf-8"))["database_url"]
    return found


def import_contracts(words: list[str], dsn: str, datasets: Datasets) -> int:
    """Loads the file and tells the stage; answers what the command is to end with."""
    code = import_file.main(words, {"DATABASE_URL": dsn})
    if code != 0:
        return code
    with closing(Database(dsn)) as database:
        version = Versions(database).current()
    try:
        datasets.publish("contracts", version or 0)
    except Unavailable as error:
        sys.stderr.write(
            f"The contracts are there, but the stage could not be told: {error.detail}. Answers from before may be "
            "given for an hour; importing the file again tells it too.\n"
        )
        return 1
    return 0


def main(words: list[str]) -> int:
    dsn = find_database(os.environ, RUN_FILE)
    os.environ.update(find_local(os.environ, RUN_FILE))
    return import_contracts(words, dsn, Runtime().datasets)


if __name__ == "__main__":
    sys.exit(main([word for word in sys.argv[1:] if word]))

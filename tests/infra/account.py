"""An AWS account with nothing in it, as the emulator has one, and an empty database beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from localstack.emulator import aws_session, running_emulator
from localstack.postgres import running_database
from localstack.precheck import locked
from localstack.settings import Settings


class Account(NamedTuple):
    """Where it is."""

    endpoint: str
    database_url: str

    def client(self, service: str) -> Any:
        """A client of one of its services."""
        client: Any = aws_session().client  # only some services have their types installed
        return client(service, endpoint_url=self.endpoint)


@contextmanager
def new_account(state: Path) -> Iterator[Account]:
    """An account that is there for the time of the block."""
    settings = Settings(root=Path(__file__).parents[2], state=state, keep_data=False)
    with (
        locked(settings) as lock_fd,
        running_database(settings, lock_fd) as database,
        running_emulator(settings) as emulator,
    ):
        yield Account(emulator.endpoint, database.dsn)

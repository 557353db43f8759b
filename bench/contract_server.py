"""A Postgres of the bench's own, with the memory of a small server in the cloud, that can be made cold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import psycopg2

from localstack.postgres import running_database
from localstack.precheck import locked
from localstack.settings import Settings
from localstack.supervise import Child, wait_until_up

# A quarter of the machine's memory is the usual share of a database in the cloud; 2 GB are those of one with 8 GB.
_SHARED_BYTES = min(2 * 1024**3, psutil.virtual_memory().total // 4)
_SETTINGS = {
    "shared_buffers": f"{_SHARED_BYTES // 1024**2}MB",
    "effective_cache_size": f"{3 * _SHARED_BYTES // 1024**2}MB",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
}
_CACHES = Path("/proc/sys/vm/drop_caches")


class Server:
    """The running server."""

    def __init__(self, dsn: str, child: Child) -> None:
        self.dsn = dsn
        self._child = child

    def make_cold(self, *, forgets_files: bool) -> str:
        """Restarts the server and, if that is wanted, has the machine forget files; answers what is cold now."""
        with closing(psycopg2.connect(self.dsn)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                # What is ended while it still writes is killed after a few seconds.
                cursor.execute("CHECKPOINT")
        self._child.stop()
        told = "Postgres restarted; the page cache of the machine was warm"
        if forgets_files:
            os.sync()
            try:
                _CACHES.write_text("3")
                told = "Postgres restarted, page cache of the machine dropped"
            except OSError:
                told += ", for dropping it is not permitted here"
        self._child.start()
        wait_until_up(self._child, self._answers, timeout_s=60)
        return told

    def ended_cpu_s(self) -> float:
        """Processor time of all backends and workers that have ended since the server was started."""
        times = psutil.Process(self._child.pid).cpu_times()
        return float(times.children_user + times.children_system)

    def _answers(self) -> bool:
        try:
            psycopg2.connect(self.dsn, connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True


@contextmanager
def running_server(state: Path) -> Iterator[Server]:
    """The server while the block runs; its data are gone afterwards."""
    state.mkdir(parents=True, exist_ok=True)
    settings = Settings(root=Path.cwd(), state=state, keep_data=False)
    with locked(settings) as lock_fd, running_database(settings, lock_fd) as database:
        assert database.child is not None
        with closing(psycopg2.connect(database.dsn)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for name, value in _SETTINGS.items():
                    cursor.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        server = Server(database.dsn, database.child)
        server.make_cold(forgets_files=False)
        yield server

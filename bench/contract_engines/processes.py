"""Processor time of a Postgres that runs on this machine."""

from __future__ import annotations

from pathlib import Path

import psutil
from psycopg2.extensions import cursor as Cursor  # noqa: N812


class PostgresCpu:
    """Counts for one connection: its backend, and the parallel workers that the server has ended so far."""

    def spent_s(self, cursor: Cursor) -> float | None:
        """Seconds so far; None where the server is elsewhere or somebody else's."""
        cursor.execute("SELECT pg_backend_pid() AS pid")
        row = cursor.fetchone()
        pid: int = row["pid"] if isinstance(row, dict) else (row or (0,))[0]
        try:
            backend = psutil.Process(pid)
            server = backend.parent()
            ended = server.cpu_times() if server is not None else None
            workers_s = ended.children_user + ended.children_system if ended is not None else 0.0
            return _exact_s(pid) + workers_s
        except (psutil.Error, OSError):
            return None


def _exact_s(pid: int) -> float:
    """Of a process in nanoseconds where Linux tells them, else in its ticks of ten milliseconds."""
    exact = Path(f"/proc/{pid}/schedstat")
    if exact.exists():
        return int(exact.read_text().split()[0]) / 1e9
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)

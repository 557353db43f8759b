"""What must hold before anything is started: checked first, so that a refusal leaves nothing behind."""

import errno
import fcntl
import importlib.util
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from localstack.errors import LocalStackError
from localstack.settings import Settings

MIN_PYTHON = (3, 11)
PACKAGES = ("aiohttp", "boto3", "chalice", "ministack", "psycopg2", "samtranslator")
# the children of a killed launcher need about 3 s to end and hold the lock until then
_LOCK_WAIT_S = 6.0


def check_python(version: tuple[int, ...] = sys.version_info[:2]) -> None:
    """Refuse a Python that is too old."""
    if version[:2] < MIN_PYTHON:
        raise LocalStackError(
            f"Python {MIN_PYTHON[0]}.{MIN_PYTHON[1]} or newer is needed, this is {version[0]}.{version[1]}; "
            "remove .venv and run make again with a newer python3 first on PATH"
        )


def check_packages(packages: Sequence[str] = PACKAGES) -> None:
    """Refuse an environment that lacks a package."""
    missing = [p for p in packages if importlib.util.find_spec(p) is None]
    if missing:
        raise LocalStackError(f"not installed: {', '.join(missing)}; run: pip install -r requirements-dev.txt")


def check_disk(state: Path, min_free_mib: int) -> None:
    """Create the state folder and refuse one that is full or cannot be written."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        free_mib = shutil.disk_usage(state).free // 2**20
    except OSError as e:
        raise LocalStackError(f"cannot create the folder {state}: {e.strerror}") from e
    if not os.access(state, os.W_OK | os.X_OK):
        raise LocalStackError(f"cannot write to {state} as this user; remove it or set SLUICE_STATE to another folder")
    if free_mib < min_free_mib:
        raise LocalStackError(f"not enough disk at {state}: {free_mib} MiB free, {min_free_mib} MiB needed; free some")


@contextmanager
def reserved_port(port: int) -> Iterator[socket.socket]:
    """The front door's address, taken now so that nobody can take it while the rest starts."""
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("127.0.0.1", port))
            # two bound sockets may share a port until one listens
            door.listen(128)
        except OSError as e:
            if e.errno == errno.EACCES:
                raise LocalStackError(f"port {port} needs special rights; choose another: PORT=8000") from e
            raise LocalStackError(
                f"port {port} on 127.0.0.1 is in use; stop what uses it or choose another: PORT={port % 65535 + 1}"
            ) from e
        yield door


@contextmanager
def locked(settings: Settings) -> Iterator[int]:
    """Hold the state folder (two local environments must not share one database); gives the lock's descriptor."""
    with (settings.state / "lock").open("a") as lock:
        deadline_s = time.monotonic() + _LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline_s:
                    raise LocalStackError(
                        f"another local environment uses {settings.state}; stop it or set SLUICE_STATE"
                    ) from None
                time.sleep(0.05)
        yield lock.fileno()

"""The peer as a context manager: Redis, gunicorn and Celery up inside the block, gone after it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec

from localstack.emulator import clean_environment
from localstack.errors import LocalStackError
from localstack.progress import Progress
from localstack.supervise import Child, Program, wait_until_up

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
API_WORKERS, API_THREADS, TASK_WORKERS = 4, 4, 4
_START_S = 30.0


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """The running peer."""

    url: str
    # Celery, which may be stopped and started again while tasks wait in Redis.
    worker: Child
    python: Path
    env: dict[str, str]


@contextmanager
def running_peer(state: Path, progress: Progress, database_url: str = "") -> Iterator[Peer]:
    """The peer, up; its packages, data and logs lie in `state`. Events need a database of their schema."""
    redis = redis_server()
    programs = _virtual_environment(state, progress)
    redis_port, api_port = _free_port(), _free_port()
    env = clean_environment() | {
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "REDIS_URL": f"redis://127.0.0.1:{redis_port}",
        "DATABASE_URL": database_url,
    }
    # fmt: off
    commands = {
        "redis": [redis, "--bind", "127.0.0.1", "--port", str(redis_port), "--dir", str(state),
                  "--save", "", "--appendonly", "no"],
        "celery": [str(programs / "celery"), "-A", "bench.peer.tasks:celery", "worker", "-l", "warning",
                   "-c", str(TASK_WORKERS), "--without-gossip", "--without-mingle"],
        "gunicorn": [str(programs / "gunicorn"), "-k", "gthread", "-w", str(API_WORKERS), "--threads", str(API_THREADS),
                     "-b", f"127.0.0.1:{api_port}", "--keep-alive", "5", "--log-level", "warning",
                     "bench.peer.api:app"],
    }
    # fmt: on
    with ExitStack() as cleanup:
        children = {}
        for name, argv in commands.items():
            log = state / f"{name}.log"
            log.unlink(missing_ok=True)
            children[name] = Child(Program(name=f"the peer's {name}", argv=argv, env=env, log=log, cwd=str(state)))
            cleanup.callback(children[name].stop)
        wait_until_up(children["redis"], lambda: _listens(redis_port), timeout_s=_START_S)
        wait_until_up(children["gunicorn"], lambda: _listens(api_port), timeout_s=_START_S)
        url = f"http://127.0.0.1:{api_port}"
        progress.step(f"peer up at {url}")
        yield Peer(url=url, worker=children["celery"], python=programs / "python", env=env)


def redis_server() -> str:
    """The path of redis-server, which pip cannot bring."""
    found = shutil.which("redis-server")
    if found is None:
        raise LocalStackError(
            "redis-server is not installed; run: apt-get install redis-server (macOS: brew install redis)"
        )
    return found


def _virtual_environment(state: Path, progress: Progress) -> Path:
    """The folder of the peer's programs, installed again when its requirements have changed."""
    folder, stamp = state / "venv", state / "venv" / "installed.txt"
    if not stamp.exists() or stamp.read_text() != REQUIREMENTS.read_text():
        log = state / "pip.log"
        with log.open("wb") as out:
            for argv in ([sys.executable, "-m", "venv", "--clear", str(folder)],
                         [str(folder / "bin" / "pip"), "install", "-r", str(REQUIREMENTS)]):  # fmt: skip
                if subprocess.run(argv, stdout=out, stderr=out).returncode != 0:
                    raise LocalStackError(f"the peer's packages cannot be installed (log: {log})")
        stamp.write_text(REQUIREMENTS.read_text())
        progress.step("peer's packages installed")
    return folder / "bin"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False

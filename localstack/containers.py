"""LocalStack, the embedded emulator and Postgres as containers of `compose.yaml`, for BACKEND=localstack."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.package import find_python, version_of
from localstack.backends import Cloud
from localstack.emulator import Emulator
from localstack.errors import LocalStackError
from localstack.postgres import Database
from localstack.settings import Settings

COMPOSE = Path(__file__).with_name("compose.yaml")
# as compose.yaml publishes them, and as containers know each other
LOCALSTACK = Emulator(4566, None, "http://localhost.localstack.cloud:4566")
EMBEDDED = Emulator(4567, None, "http://emulator:4566")
DATABASE = Database(
    dsn="postgresql://sluice:sluice@127.0.0.1:54329/sluice",
    dsn_inside="postgresql://sluice:sluice@postgres:5432/sluice",
    label="container of PostgreSQL",
)


def check_docker() -> None:
    """Refuse a machine that cannot run the containers."""
    if shutil.which("docker") is None:
        raise LocalStackError("BACKEND=localstack needs Docker, and there is none; BACKEND=localstack-host does not")
    for command, lacking in ((["compose", "version"], "its compose plugin"), (["info"], "a running Docker engine")):
        done = subprocess.run(["docker", *command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[0]
            raise LocalStackError(f"BACKEND=localstack needs {lacking} ({said}); BACKEND=localstack-host does not")
    if find_python() is None:
        raise LocalStackError("BACKEND=localstack needs the package for Lambda's own image: see make package")


@contextmanager
def running_containers(settings: Settings, url: str) -> Iterator[tuple[Database, Cloud]]:
    """All three, up and healthy; they are removed at the end, the database's rows only where they are not kept."""
    try:
        _compose("up", "--detach", "--build", "--wait", url=url)
        yield DATABASE, Cloud(embedded=EMBEDDED, localstack=LOCALSTACK)
    finally:
        _compose("down", *([] if settings.keep_data else ["--volumes"]), url=url)


def _compose(*command: str, url: str) -> None:
    # functions on the embedded emulator run under its Python, and must find the package of that version
    env = {**os.environ, "PUBLIC_URL": url, "PYTHON_VERSION": version_of(find_python() or "") or ""}
    argv = ["docker", "compose", "--file", str(COMPOSE), *command]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalStackError(f"docker compose {command[0]} failed: {' '.join(done.stderr.split())[-500:]}")

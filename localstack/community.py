"""LocalStack's free edition without Docker, as a child process on a free loopback port.

It needs Python 3.13 and packages that must not be among ours, so it has a virtual environment of its own, which
`python -m localstack.community` makes (and the first start). What it is like is told in docs/local.md.
"""

import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.package import find_python
from localstack.emulator import Emulator, clean_environment
from localstack.errors import LocalStackError
from localstack.progress import Progress
from localstack.settings import Settings
from localstack.supervise import Child, Program, wait_until_up

PYTHON = "3.13"
_ROOT = Path(__file__).parents[1]
VENV = _ROOT / ".venv-localstack"
_RUNTIME_CLIENT = VENV / "functions"
_STAMP = VENV / ".installed"
_PACKAGES, _FUNCTION_PACKAGES = _ROOT / "requirements-localstack.txt", _ROOT / "requirements-localstack-functions.txt"
_PROGRAM = Path(__file__).with_name("executor.py")
_START_S = 60.0


def missing_python() -> str:
    """Why LocalStack cannot be run here; empty if it can."""
    if is_installed() or find_python("LOCALSTACK_PYTHON", (PYTHON,)):
        return ""
    return f"no Python {PYTHON} on PATH or with pyenv; install it, or name it in LOCALSTACK_PYTHON"


def is_installed() -> bool:
    """Whether the virtual environment is there, with the packages that are asked for now."""
    return _STAMP.exists() and _STAMP.read_text() == _wanted()


def install(progress: Progress) -> None:
    """Make the virtual environment if it is not there."""
    if is_installed():
        return
    if why := missing_python():
        raise LocalStackError(why)
    progress.line(f"setting up {VENV.name} (a minute or two and 500 MB, once)")
    shutil.rmtree(VENV, ignore_errors=True)
    python = find_python("LOCALSTACK_PYTHON", (PYTHON,))
    assert python is not None
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([python, "-m", "venv", str(VENV)])
    _run([str(VENV / "bin" / "python"), *pip, "-r", str(_PACKAGES)])
    # compiled for the Python that runs the functions, which is ours
    _run([sys.executable, *pip, "--no-deps", "--target", str(_RUNTIME_CLIENT), "-r", str(_FUNCTION_PACKAGES)])
    _STAMP.write_text(_wanted())


def _wanted() -> str:
    return "\n".join([_PACKAGES.read_text(), _FUNCTION_PACKAGES.read_text(), sys.executable, sys.version])


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        raise LocalStackError(f"{VENV.name} cannot be made: {' '.join(done.stdout.split())[-500:]}")


@contextmanager
def running_localstack(settings: Settings, url: str) -> Iterator[Emulator]:
    """LocalStack, up, for pages at that address; it and the functions that it runs are ended at the end."""
    home = settings.state / "localstack"  # nothing of it is kept
    shutil.rmtree(home, ignore_errors=True)
    (home / "tmp").mkdir(mode=0o700, parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    log = settings.state / "localstack.log"
    log.unlink(missing_ok=True)
    # -P: our own package of that name is not to be taken for LocalStack's
    argv = [str(VENV / "bin" / "python"), "-P", str(_PROGRAM)]
    child = Child(
        Program(
            name="LocalStack", argv=argv, env=_environment(port, home, url), log=log, cwd=str(home / "tmp"),
            stop_signal=signal.SIGKILL,  # asked to stop it goes on for minutes, and nothing of it is kept
        )
    )  # fmt: skip
    try:
        wait_until_up(child, lambda: _answers(port), timeout_s=_START_S)
        yield Emulator(port, child)
    finally:
        child.stop()
        shutil.rmtree(home, ignore_errors=True)


def _environment(port: int, home: Path, url: str) -> dict[str, str]:
    return {
        **clean_environment(),
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",  # in the addresses of queues; the default needs DNS
        "SQS_ENDPOINT_STRATEGY": "path",
        "EXTRA_CORS_ALLOWED_ORIGINS": url,  # calls of other pages are refused
        "FILESYSTEM_ROOT": str(home),
        "TMPDIR": str(home / "tmp"),
        # else a container that this runs in is taken for LocalStack's own image
        "OVERRIDE_IN_DOCKER": "0",
        "DOCKER_HOST": f"unix://{home / 'no-docker'}",
        # seconds that a mapping may sleep when its queue is empty; 10 by itself, and a job waits for all of them
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "1",
        # it works without the internet, and tells nobody that it runs
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "EAGER_SERVICE_LOADING": "0",
        "PYTHONUNBUFFERED": "1",
        # for executor.py
        "SLUICE_FUNCTION_PYTHON": sys.executable,
        "SLUICE_RUNTIME_CLIENT": str(_RUNTIME_CLIENT),
    }


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_localstack/health", timeout=2):
            return True
    except OSError:
        return False


def main() -> int:
    """Make the virtual environment, or say why that is skipped."""
    if why := missing_python():
        print(f"skipped: {why}")
        return 0
    try:
        install(Progress.shown())
    except LocalStackError as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

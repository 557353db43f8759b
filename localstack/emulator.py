"""The AWS emulator (ministack) as a child process on a free loopback port.

It starts from a clean environment: Lambdas inherit the emulator's variables, and neither the developer's AWS profile
nor a setting that only this shell has may reach them. Its state is not kept; both stacks are deployed at each start.
"""

import os
import shutil
import socket
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import msgspec

from localstack.settings import Settings
from localstack.supervise import Child, Program, wait_until_up

REGION = "us-east-1"
# no profile, no real account, no instance metadata: only the emulator can be reached
AWS_ENVIRONMENT = {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_START_S = 30.0
_PROGRAM = Path(__file__).with_name("batching.py")


class Emulator(msgspec.Struct, frozen=True):
    """An emulator that answers."""

    port: int
    child: Child | None  # None: a container
    address_inside: str = ""  # as its functions know it, where that is another one

    @property
    def endpoint(self) -> str:
        """The URL of every AWS service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def inside(self) -> str:
        """The same from within a function."""
        return self.address_inside or self.endpoint


@contextmanager
def running_emulator(settings: Settings) -> Iterator[Emulator]:
    """An emulator that is up; it and the Lambdas that it runs are ended at the end."""
    temporary = settings.state / "tmp"  # unpacked functions; a killed emulator leaves them
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    # -P: the modules beside it are not to be taken for others of their names
    argv = [settings.emulator] if settings.emulator else [sys.executable, "-P", str(_PROGRAM)]
    log = settings.state / "emulator.log"
    log.unlink(missing_ok=True)
    child = Child(
        Program(name="the AWS emulator", argv=argv, env=_environment(port, settings), log=log, cwd=str(temporary))
    )
    try:
        wait_until_up(child, lambda: _answers(port), timeout_s=_START_S)
        yield Emulator(port, child)
    finally:
        child.stop()


def aws_session() -> boto3.Session:
    """A session that holds the emulator's credentials, whatever this shell is set to."""
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)


def clean_environment() -> dict[str, str]:
    """What a child may know of this shell: where programs are, and the emulator's AWS settings."""
    kept = {k: os.environ[k] for k in ("PATH", "HOME", "LANG", "LC_ALL") if k in os.environ}
    return {**kept, **AWS_ENVIRONMENT}


def forget_aws_settings() -> None:
    """Drop this process's own AWS_* variables: a profile that does not exist would stop boto3."""
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(AWS_ENVIRONMENT)


def _environment(port: int, settings: Settings) -> dict[str, str]:
    state = settings.state
    return {
        **clean_environment(),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",  # the default, 0.0.0.0, is remote code execution for the network
        "MINISTACK_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",  # would listen on 0.0.0.0:8883
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "STATE_DIR": str(state / "aws"),
        "S3_DATA_DIR": str(state / "aws" / "s3"),
        "TMPDIR": str(state / "tmp"),
        "LAMBDA_EXECUTOR": "local",
        # with a Docker socket it would remove containers of other emulators
        "DOCKER_HOST": f"unix://{state / 'no-docker'}",
        "PYTHONUNBUFFERED": "1",
        **({"SLUICE_CALLS": str(state / "calls.jsonl")} if settings.record_calls else {}),
    }


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=2):
            return True
    except OSError:
        return False

"""Settings of the local environment, read once."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from localstack.errors import LocalStackError

BACKENDS = ("embedded", "localstack-host", "localstack")


def _parameters() -> dict[str, str]:
    return {"Stage": "local", "VisibilitySeconds": "30", "MailIdentity": "sluice.test"}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how the local environment runs."""

    root: Path  # the project: app.py, chalicelib/, .chalice/, infra/
    state: Path  # logs, secret, database; kept between starts
    backend: str = "embedded"  # one of BACKENDS: what stands for AWS
    port: int = 0  # of the front door; 0 takes any free one
    database_url: str | None = None  # None: a PostgreSQL as a child process
    postgres: Path | None = None  # folder of that one's programs; None: the embedded ones
    keep_data: bool = True  # False: the embedded database is removed at the end
    min_free_mib: int = 300
    record_calls: bool = False  # True: calls.jsonl in `state` says what each function asked of AWS
    emulator: str | None = None  # another executable instead of the installed ministack
    environment: Mapping[str, str] = {}  # added to every function's, and to that of the packaging
    parameters: Mapping[str, str] = msgspec.field(default_factory=_parameters)  # of infra/stack.yaml, where declared


def read_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """The settings of `make up` and `make demo`: PORT, BACKEND, DATABASE_URL, EVENT_PROFILE and the SLUICE_* knobs."""
    root = Path.cwd()
    backend = env.get("BACKEND") or "embedded"
    if backend not in BACKENDS:
        raise LocalStackError(f"BACKEND must be one of {', '.join(BACKENDS)}, got {backend!r}")
    return Settings(
        root=root,
        state=Path(env.get("SLUICE_STATE") or root / ".local").absolute(),
        backend=backend,
        port=_number(env, "PORT", 8000, high=65535),
        database_url=env.get("DATABASE_URL") or None,
        postgres=named_postgres(env),
        min_free_mib=_number(env, "SLUICE_MIN_FREE_MIB", 300, high=10**9),
        emulator=env.get("SLUICE_EMULATOR") or None,
        environment={name: env[name] for name in ("EVENT_PROFILE",) if env.get(name)},
    )


def named_postgres(env: Mapping[str, str] = os.environ) -> Path | None:
    """SLUICE_POSTGRES: the folder of another server's programs, as Debian's /usr/lib/postgresql/15/bin."""
    return Path(env["SLUICE_POSTGRES"]) if env.get("SLUICE_POSTGRES") else None


def _number(env: Mapping[str, str], name: str, default: int, *, high: int) -> int:
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= high):
        raise LocalStackError(f"{name} must be a number from 1 to {high}, got {text!r}")
    return int(text)

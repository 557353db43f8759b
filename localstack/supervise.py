"""Child processes that never outlive the launcher, and the signals that end it.

Each child runs under `leash.py`, so a crash or SIGKILL of the launcher takes the children down as an orderly stop does.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import msgspec

from localstack.errors import Interrupted, LocalStackError
from localstack.leash import GRACE_S

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_S = 0.02
_running: list["Child"] = []  # until they are stopped


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What to run as a child and how."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    cwd: str = "/"
    stop_signal: int = signal.SIGTERM
    account: tuple[int, int] | None = None  # user and group id to run as; None: our own
    held: tuple[int, ...] = ()  # descriptors kept open until the program has ended (the state folder's lock)


class Child:
    """A running program with everything it started."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.start()

    def start(self) -> None:
        """Run the program; also once more, after it was stopped."""
        program, self.pid = self.program, -1
        uid, gid = program.account or (-1, -1)
        life_line, self._life_line_end = os.pipe()
        leash = Path(__file__).with_name("leash.py")
        with _signals_held(), program.log.open("ab") as log:
            self._leash = subprocess.Popen(
                [sys.executable, "-I", str(leash), str(life_line), str(int(program.stop_signal)), str(uid), str(gid),
                 *program.argv],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=dict(program.env), cwd=program.cwd,
                pass_fds=(life_line, *program.held), start_new_session=True,
            )  # fmt: skip
            os.close(life_line)
            _running.append(self)
        assert self._leash.stdout is not None
        answer = self._leash.stdout.readline().decode().strip()
        self._leash.stdout.close()
        if not answer.isdigit():
            self.stop()
            raise LocalStackError(f"{program.name} cannot be started: {program.argv[0]}: {answer.lstrip('! ')}")
        self.pid = int(answer)

    @property
    def pids(self) -> list[int]:
        """The leash and the program."""
        return [self._leash.pid, self.pid]

    def is_alive(self) -> bool:
        """Whether the program still runs."""
        return self._leash.poll() is None

    def wait(self, timeout_s: float) -> int:
        """The exit code of a program that ends by itself."""
        try:
            return self._leash.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.stop()
            raise LocalStackError(f"{self.program.name} did not end within {timeout_s:.0f} s") from None

    def ask_to_stop(self) -> None:
        """Cut the life line; the end is not awaited."""
        if self._life_line_end >= 0:
            os.close(self._life_line_end)
            self._life_line_end = -1

    def stop(self) -> None:
        """End the program and everything it started."""
        self.ask_to_stop()
        try:
            self._leash.wait(GRACE_S + 3)
        except subprocess.TimeoutExpired:
            self._leash.kill()
            self._leash.wait()
        if self._leash.returncode < 0 and self.pid > 0:  # the leash itself was killed and could not do its work
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        if self in _running:
            _running.remove(self)

    def last_line(self) -> str:
        """The last thing the program said, for an error message."""
        try:
            lines = self.program.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1].strip() if lines else ""


def wait_until_up(child: Child, is_up: Callable[[], bool], *, timeout_s: float) -> None:
    """Return when the child answers; raise with its last words if it ends or stays silent."""
    deadline_s = time.monotonic() + timeout_s
    while not is_up():
        hint = f"(log: {child.program.log}) {child.last_line()}".strip()
        if not child.is_alive():
            raise LocalStackError(f"{child.program.name} ended while it started {hint}")
        if time.monotonic() > deadline_s:
            raise LocalStackError(f"{child.program.name} did not come up within {timeout_s:.0f} s {hint}")
        time.sleep(_POLL_S)


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into `Interrupted`; later ones must not disturb the clean-up."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        for other in STOP_SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        raise Interrupted(number)

    for number in STOP_SIGNALS:
        # nohup and background shells ignore a signal on purpose
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        # a signal may come between the start of a child and the statement that keeps it
        for child in list(_running):
            child.stop()


@contextmanager
def _signals_held() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

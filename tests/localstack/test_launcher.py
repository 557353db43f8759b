"""The launcher as users run it: refusals in one line, signals at any moment, nothing left behind."""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from localstack import postgres
from tests.localstack.tiny_project import launcher_command, launcher_environment, wait_for, write_project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="orphans are caught with a Linux call")

_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER
# what ran below this process before the test: the session's own local environment
_bystanders: set[psutil.Process] = set()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One project, so that only the first start creates the database."""
    root = write_project(tmp_path_factory.mktemp("launcher"))
    yield root
    home = postgres.Home.of(root / ".local")
    for folder in {home.folder, home.sockets}:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def orphans_are_ours() -> Iterator[None]:
    """Every process that a launcher leaves behind becomes a child of this one, where it can be seen."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_ADOPT_ORPHANS, 1)
    _bystanders.update(psutil.Process().children())
    yield
    _bystanders.clear()
    prctl(_ADOPT_ORPHANS, 0)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def left_behind() -> list[str]:
    """Command lines of the processes below this one that the test has started and that still run."""
    found = []
    for child in set(psutil.Process().children()) - _bystanders:
        with suppress(psutil.NoSuchProcess):
            for process in (child, *child.children(recursive=True)):
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(" ".join(process.cmdline()))
    return found


def refusal(project: Path, **environment: str) -> str:
    """The one line that a start with this environment is refused with."""
    environment = {"PORT": str(free_port()), **environment}
    ended = subprocess.run(
        launcher_command("up", "--once"), cwd=project, env=launcher_environment(**environment), text=True,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert left_behind() == []
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    return lines[0].removeprefix("error: ")


class Launcher:
    """A launcher that runs, with what it has printed so far."""

    def __init__(self, project: Path, *, port: int = 0) -> None:
        self.port = port or free_port()
        self.process = subprocess.Popen(
            launcher_command("up"), cwd=project, env=launcher_environment(PORT=str(self.port)), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.output = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
        self.process.stdout.close()

    def shows(self, text: str) -> None:
        wait_for(lambda: text in self.output or self.process.poll() is not None, text)
        assert text in self.output, self.output

    def ends(self) -> int:
        code = self.process.wait(20)
        self._reader.join(5)
        return code


@contextmanager
def launched(project: Path) -> Iterator[Launcher]:
    launcher = Launcher(project)
    try:
        yield launcher
    finally:
        launcher.process.kill()
        launcher.ends()
        wait_for(lambda: left_behind() == [], "everything is gone")


def test_taken_port_is_refused(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(project, PORT=str(port))
    assert said.startswith(f"port {port} on 127.0.0.1 is in use; stop what uses it or choose another: PORT=")


def test_port_that_is_no_number_is_refused(project: Path) -> None:
    assert refusal(project, PORT="eighty") == "PORT must be a number from 1 to 65535, got 'eighty'"


def test_full_disk_is_refused(project: Path) -> None:
    assert "MiB free, 999999999 MiB needed" in refusal(project, SLUICE_MIN_FREE_MIB="999999999")


def test_database_that_cannot_be_reached_is_refused_without_its_password(project: Path) -> None:
    said = refusal(project, DATABASE_URL="postgresql://someone:geheim@127.0.0.1:1/sluice")
    assert said.startswith("cannot connect to DATABASE_URL (127.0.0.1:1/sluice): ")
    assert "geheim" not in said


def test_emulator_that_ends_at_once_is_refused_with_its_log(project: Path) -> None:
    said = refusal(project, SLUICE_EMULATOR="/bin/false")
    assert said == f"the AWS emulator ended while it started (log: {project}/.local/emulator.log)"


def test_emulator_that_is_not_there_is_refused(project: Path) -> None:
    said = refusal(project, SLUICE_EMULATOR="/nowhere/ministack")
    assert said == "the AWS emulator cannot be started: /nowhere/ministack: No such file or directory"


def test_stack_that_fails_is_refused_with_the_resource(tmp_path: Path) -> None:
    root = write_project(tmp_path / "broken")
    template = root / "infra" / "stack.yaml"
    template.write_text(template.read_text().replace("!Ref VisibilitySeconds", "99999"))
    said = refusal(root)
    assert said.startswith("the stack sluice-infra failed: Work (AWS::SQS::Queue): ")
    assert "between 0 and 43200" in said
    subprocess.run(["rm", "-rf", str(postgres.Home.of(root / ".local").folder)], check=True)


def test_unknown_command_is_answered_with_the_usage(project: Path) -> None:
    ended = subprocess.run(
        launcher_command("down"), cwd=project, env=launcher_environment(), text=True, capture_output=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (2, "usage: python -m localstack up|demo [--once]\n")


def test_once_ends_by_itself(project: Path) -> None:
    ended = subprocess.run(
        launcher_command("up", "--once"), cwd=project, env=launcher_environment(PORT=str(free_port())), timeout=60,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (ended.stderr, left_behind()) == ("", [])
    assert "front door open at" in ended.stdout


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("", signal.SIGTERM),
        ("database ready", signal.SIGTERM),
        ("AWS emulator ready", signal.SIGHUP),
        ("infra/stack.yaml deployed", signal.SIGINT),
    ],
)
def test_signal_during_the_start_leaves_nothing_behind(project: Path, moment: str, number: signal.Signals) -> None:
    with launched(project) as launcher:
        if moment:
            launcher.shows(moment)
        else:  # the earliest moment at which there is something to leave behind
            wait_for(lambda: bool(psutil.Process(launcher.process.pid).children()), "a first child")
        launcher.process.send_signal(number)
        assert launcher.ends() == 128 + number
        assert left_behind() == []
        assert launcher.output.splitlines()[-1] == "stopped before it was up"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_while_serving_stops_everything_and_succeeds(project: Path, number: signal.Signals) -> None:
    with launched(project) as launcher:
        launcher.shows("Ctrl-C stops it")
        launcher.process.send_signal(number)
        launcher.process.send_signal(number)  # an impatient second one does not disturb the clean-up
        assert launcher.ends() == 0
        assert left_behind() == []
        assert launcher.output.splitlines()[-1] == "stopped"
        assert not (project / ".local" / "run.json").exists()


def test_killed_launcher_takes_children_and_busy_functions_with_it_and_the_next_start_works(project: Path) -> None:
    with launched(project) as launcher:
        launcher.shows("Ctrl-C stops it")
        slow = threading.Thread(target=_ask_in_vain, args=(f"http://127.0.0.1:{launcher.port}/api/sleep/25",))
        slow.start()
        wait_for(lambda: any("_worker" in c for c in left_behind()), "a function runs")
        launcher.process.kill()
        slow.join()
        wait_for(lambda: left_behind() == [], "everything is gone", timeout_s=8)
    with launched(project) as second:
        second.shows("Ctrl-C stops it")


def _ask_in_vain(url: str) -> None:
    with suppress(OSError), urllib.request.urlopen(url, timeout=30):
        pass


def test_second_start_beside_a_running_one_is_refused_and_does_not_disturb_it(project: Path) -> None:
    with launched(project) as launcher:
        launcher.shows("Ctrl-C stops it")
        said = subprocess.run(
            launcher_command("up"), cwd=project, env=launcher_environment(PORT=str(free_port())), timeout=60,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (said.returncode, said.stderr) == (
            1,
            f"error: another local environment uses {project}/.local; stop it or set SLUICE_STATE\n",
        )
        url = json.loads((project / ".local" / "run.json").read_text())["url"]
        with urllib.request.urlopen(f"{url}/api/health", timeout=20) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("which", [-1, -2], ids=["emulator", "its leash"])
def test_dead_emulator_ends_the_launcher_with_one_line(project: Path, which: int) -> None:
    with launched(project) as launcher:
        launcher.shows("Ctrl-C stops it")
        pids = json.loads((project / ".local" / "run.json").read_text())["pids"]
        os.kill(pids[which], signal.SIGKILL)
        assert launcher.ends() == 1
        assert launcher.output.splitlines()[-1].startswith("error: the AWS emulator ended (log: ")
        assert left_behind() == []


def test_everything_listens_on_the_loopback_address_only(project: Path) -> None:
    with launched(project) as launcher:
        launcher.shows("Ctrl-C stops it")
        processes = [
            psutil.Process(launcher.process.pid),
            *psutil.Process(launcher.process.pid).children(recursive=True),
        ]
        addresses = {
            connection.laddr.ip
            for process in processes
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
        }
        assert addresses == {"127.0.0.1"}

"""docs/runbook.md works: each fault is played, looked at and mended with the commands of its section, as printed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.fault import FAULTS
from localstack.run import LocalStack
from tests.e2e.client import Client
from tests.infra.runbook import RUNBOOK, blocks, sections

# Of the first block, for an address that this stage has not.
DEFAULT = "BASE=http://127.0.0.1:8000 "
# Each takes a second or more.
LOOKS = 20


@dataclass(frozen=True)
class Signs:
    """What the look commands show while a fault lasts, and what the do commands answer; patterns."""

    seen: tuple[str, ...]
    done: tuple[str, ...] = ()
    # Whether it is seen no more once it was mended: by the do commands, or without any at the fault's end.
    is_mended: bool = True


EXPECTED = {
    "stuck-in-pending": Signs(
        (r'"state": "PENDING"', r'"is_paused": true', r'"waiting": [1-9]'), (r'"is_paused": false',)
    ),
    "queue-growing": Signs(
        (r'"waiting": [1-9]\d', r'"is_paused": false'), (r'"revoked": [1-9]\d', r'"is_empty": true')
    ),
    "worker-broken": Signs((r'"work_simulations": "(?!starts")', r'"work_searches": "starts"')),
    "dead-letters": Signs((r'"reason": "not a job message"',), (r'"dropped": [1-9]',)),
    # The job that is started again fails again: its file is still missing.
    "job-failures": Signs(
        (r'"state": "FAILURE"', r"there is no upload .* of yours", r'"move": "fail"'), (r'"state": "PENDING"',), False
    ),
    "sweep-stopped": Signs((r'"sweep_schedule": "DISABLED"',)),
    "leaked-key": Signs((r"^200$",), (r'"revoked": true', r'"name": "leaked"')),
    "database-away": Signs((r"the database cannot be reached", r"^503$")),
    "database-connections": Signs((r'"connections": 1[89]\d', r'"connections_allowed": 200')),
    "database-slow": Signs(
        (r'"waits_for": \[\s*\d+', r'"state": "idle in transaction"', r'"statement": "LOCK TABLE users'),
        (r'"is_ended": true',),
    ),
    "migration-failed": Signs((r'"unknown": \[\s*"9999_post_of_a_later_version\.sql"',)),
    # The place of what was removed is free for others, and not smaller.
    "table-growing": Signs((r'"log_entries": \d{7}',), (r'"deleted":5000',), False),
}


def environment(stack: LocalStack) -> dict[str, str]:
    """This stage's, and no address or credentials of any other."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name != "STAGE"}
    return kept | {"SLUICE_STATE": str(stack.state)}


def run(stack: LocalStack, script: str, names: Mapping[str, str], *, may_fail: bool = False) -> str:
    """Runs commands as a reader pastes them; answers all that they say."""
    # The virtual environment is this one, and is not made anew.
    make = f'make() {{ command make --no-print-directory -o .venv/.installed BIN={Path(sys.executable).parent} "$@"; }}'
    variables = "\n".join(f"{name}={value}" for name, value in {"BASE": stack.url, **names}.items())
    strict = "set -uo pipefail" if may_fail else "set -euo pipefail"
    told = subprocess.run(
        ["bash", "-c", f"{strict}\n{make}\n{variables}\n{script}"],
        capture_output=True, text=True, timeout=300, env=environment(stack), check=False,
    )  # fmt: skip
    assert may_fail or told.returncode == 0, told.stderr[-2000:]
    return told.stdout + told.stderr


@contextmanager
def played(stack: LocalStack, name: str) -> Iterator[dict[str, str]]:
    """A fault for the time of the block; answers what it has printed for its reader to use."""
    fault = subprocess.Popen(
        [sys.executable, "-m", "infra.fault", "--name", name], stdout=subprocess.PIPE, text=True, env=environment(stack)
    )
    assert fault.stdout is not None
    with fault, fault.stdout as said:
        lines = []
        for line in said:
            lines.append(line)
            if line.startswith("it ends with Ctrl-C"):
                break
        try:
            yield dict(re.findall(r"^([A-Z]+)=(.*)$", "".join(lines), re.MULTILINE))
        finally:
            fault.send_signal(signal.SIGINT)
            last = said.read()
    assert (fault.returncode, last) == (0, "over: all is as it was\n"), lines


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_seen_and_mended_as_told(stack: LocalStack, name: str) -> None:
    section, expected = sections()[name], EXPECTED[name]
    look, do = "\n".join(blocks(section, "look")), "\n".join(blocks(section, "do"))
    with played(stack, name) as names:
        shown = run(stack, look, names, may_fail=True)
        assert [sign for sign in expected.seen if not re.search(sign, shown, re.MULTILINE)] == [], shown
        answered = run(stack, do, names)
        assert [sign for sign in expected.done if not re.search(sign, answered, re.MULTILINE)] == [], answered
        if do and expected.is_mended:
            assert gone(stack, look, names, expected.seen[0])
    if not do and expected.is_mended:
        assert gone(stack, look, names, expected.seen[-1 if name == "database-away" else 0])
    assert Client(stack.url).login("demo@sluice.test", "demo-password").token


def gone(stack: LocalStack, look: str, names: Mapping[str, str], sign: str) -> bool:
    """Whether the sign is seen no more, now or some looks later: what is mended takes its time to show."""
    return any(not re.search(sign, run(stack, look, names, may_fail=True), re.MULTILINE) for _ in range(LOOKS))


# The last has a test of its own.
PLAIN = sections().keys() - FAULTS.keys() - {"private-database", "erase"}


@pytest.mark.parametrize("anchor", sorted(PLAIN))
def test_commands_of_a_section_without_a_fault_run(stack: LocalStack, anchor: str) -> None:
    commands = blocks(sections()[anchor], "look") + blocks(sections()[anchor], "do")
    assert commands
    assert run(stack, "\n".join(commands), {})


def test_first_commands_run_as_printed(stack: LocalStack) -> None:
    (first,) = blocks(RUNBOOK.read_text("utf-8"), "")
    assert DEFAULT in first
    shown = run(stack, first.replace(DEFAULT, f"BASE={stack.url} "), {})
    assert '"workers":"available"' in shown
    assert '"queue": "simulations"' in shown


def test_faults_are_listed_with_what_they_do(stack: LocalStack) -> None:
    shown = run(stack, "make fault", {})
    assert [name for name, fault in FAULTS.items() if f"{name}" not in shown or str(fault.__doc__) not in shown] == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--name", "stuck-in-pending", "--seconds", "0"], "SECONDS must be from 1 to 3600, got '0'"),
        (["--name", "stuck-in-pending", "--seconds", "3601"], "SECONDS must be from 1 to 3600"),
        (["--name", "alchemy"], "invalid choice: 'alchemy'"),
    ],
)
def test_fault_without_bounds_or_of_no_name_is_refused(stack: LocalStack, words: list[str], reason: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "infra.fault", *words],
        capture_output=True,
        text=True,
        env=environment(stack),
        check=False,
    )
    assert told.returncode != 0
    assert reason in told.stderr


def test_no_fault_is_played_on_another_stage(stack: LocalStack) -> None:
    environ = environment(stack) | {"STAGE": "prod"}
    words = [sys.executable, "-m", "infra.fault", "--name", "stuck-in-pending"]
    told = subprocess.run(words, capture_output=True, text=True, env=environ, check=False)
    assert (told.returncode, told.stderr) == (1, "faults are played on the local stage alone\n")


def test_fault_ends_by_itself(stack: LocalStack) -> None:
    words = [sys.executable, "-m", "infra.fault", "--name", "leaked-key", "--seconds", "1"]
    told = subprocess.run(words, capture_output=True, text=True, env=environment(stack), check=True, timeout=60)
    (key,) = re.findall(r"^KEY=(.*)$", told.stdout, re.MULTILINE)
    assert Client(stack.url, key).call("GET", "/api/tasks").status == 401

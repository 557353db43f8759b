"""Runs one program as the leader of a process group and ends the whole group when its own life line is cut.

The life line is a pipe that only the launcher holds open: whatever ends the launcher, SIGKILL included, closes it, and
then the program and all it started (Lambdas under the emulator) go too. Run by path with `python -I`, standard library
only; the program's output goes to this process's stderr, its process id to stdout.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys

GRACE_S = 3.0  # the emulator waits far longer for an open WebSocket


def main() -> int:
    """Run the program named on the command line until it ends or the life line is cut."""
    life_line, stop_signal, uid, gid = (int(a) for a in sys.argv[1:5])
    wake, wake_end = os.pipe()
    for end in (wake, wake_end):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake_end)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    # the launcher starts us with its signals blocked; a blocked mask would be inherited by the program
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        child = _start(sys.argv[5:], uid, gid)
    except OSError as e:
        print(f"! {e.strerror or e}", flush=True)
        return 1
    print(child.pid, flush=True)
    os.close(1)
    while child.poll() is None:
        ready, _, _ = select.select([life_line, wake], [], [])
        if life_line in ready or set(os.read(wake, 64)) - {signal.SIGCHLD}:
            break
    return _end(child, stop_signal)


def _start(argv: list[str], uid: int, gid: int) -> "subprocess.Popen[bytes]":
    if uid < 0:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=2, process_group=0)
    return subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=2, process_group=0, user=uid, group=gid, extra_groups=[]
    )


def _end(child: "subprocess.Popen[bytes]", stop_signal: int) -> int:
    if child.poll() is None:
        child.send_signal(stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody left in the group
        os.killpg(child.pid, signal.SIGKILL)
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())

"""`python -m localstack up` and `python -m localstack demo`: the local environment until Ctrl-C.

`--once` ends after the start (and the forecast), for CI. Settings: BACKEND, PORT, DATABASE_URL, SLUICE_STATE (the
folder, default `.local`), SLUICE_MIN_FREE_MIB, SLUICE_EMULATOR, EVENT_PROFILE.
"""

import sys
import time
import traceback
from typing import TYPE_CHECKING

from localstack.errors import Interrupted, LocalStackError
from localstack.precheck import check_packages, check_python

if TYPE_CHECKING:
    from localstack.progress import Progress


def main(arguments: list[str]) -> int:
    """Run the command; every failure is one line on stderr and a non-zero exit code."""
    command, options = (arguments[0] if arguments else ""), arguments[1:]
    if command not in ("up", "demo") or options not in ([], ["--once"]):
        print("usage: python -m localstack up|demo [--once]", file=sys.stderr)
        return 2
    try:
        check_python()
        check_packages(("msgspec",))
        return _serve(command, once=bool(options))
    except Interrupted as e:
        print("stopped before it was up", file=sys.stderr)
        return e.exit_code
    except KeyboardInterrupt:  # before the signals were taken over
        return 130
    except LocalStackError as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    except Exception as e:  # noqa: BLE001 the edge: one line for the reader, the stack in a log
        return _report_unexpected(e)


def _serve(command: str, *, once: bool) -> int:
    # imported here: an old Python or a missing package must be told in one line
    from localstack.progress import Progress
    from localstack.settings import read_settings
    from localstack.supervise import interruptible

    progress = Progress.shown()
    settings = read_settings()
    is_up = False
    with interruptible():
        try:
            check_packages()
            from localstack import demo
            from localstack.emulator import forget_aws_settings
            from localstack.run import local_stack

            forget_aws_settings()
            with local_stack(settings, progress) as stack:
                if command == "demo":
                    demo.forecast(stack.url, progress)
                is_up = True
                if once:
                    return 0
                _say_what_next(stack.url, progress)
                while True:
                    stack.check_alive()
                    time.sleep(0.5)
        except Interrupted:
            if not is_up:
                raise
        progress.line("stopped")
        return 0


def _say_what_next(url: str, progress: "Progress") -> None:
    progress.line(f"Sluice runs at {url} (Ctrl-C stops it). Try:")
    progress.line(f"  {url} in a browser: the console")
    progress.line(f"  curl {url}/api/health")
    progress.line("  the curl walk in README.md, or `make demo` for a forecast")


def _report_unexpected(e: Exception) -> int:
    reason = " ".join(f"{type(e).__name__}: {e}".split())
    try:
        from localstack.settings import read_settings

        log = read_settings().state / "launcher.log"
        log.write_text("".join(traceback.format_exception(e)))
        print(f"error: {reason} (log: {log})", file=sys.stderr)
    except (OSError, LocalStackError):  # the state folder or a setting is what failed
        print(f"error: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

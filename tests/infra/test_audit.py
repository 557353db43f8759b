"""infra/audit.py: what is told of the dependencies; and that no secret lies in the repository."""

from __future__ import annotations

import re
from email.message import Message
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest

from infra.audit import is_allowed, judge_browser, judge_python, licence_of, unfitting, unlicensed, unpinned

ROOT = Path(__file__).parents[2]
# Made by tools or by a start of the local stage.
NOT_OURS = {".git", ".local", "dist", "node_modules", "__pycache__"}
SECRETS = {
    "a key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a token of a service": r"\b(?:ghp_|github_pat_|xox[abp]-|sk_live_|glpat-|npm_)[0-9A-Za-z_-]{20,}",
    "an account of AWS": r"arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:(?!0{12}|111122223333|123456789012)[0-9]{12}",
}


class Told(Distribution):
    """A distribution that tells this of itself."""

    def __init__(self, **told: str) -> None:
        self._told = Message()
        for name, value in told.items():
            self._told[name.replace("_", "-")] = value

    @property
    def metadata(self) -> Any:
        return self._told

    def read_text(self, filename: str) -> None:
        return None

    def locate_file(self, path: Any) -> Any:
        return Path(path)


def test_every_requirement_is_pinned() -> None:
    assert list(unpinned()) == []


def test_requirement_that_is_not_pinned_is_told(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==2.4.6  # why\nboto3>=1\n")
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\nmoto[s3]==5.2.5\nruff\n")
    assert list(unpinned(tmp_path)) == [
        "requirements.txt: boto3>=1 is not pinned with ==",
        "requirements-dev.txt: ruff is not pinned with ==",
    ]


def test_every_installed_licence_is_allowed_and_every_requirement_met() -> None:
    assert [*unlicensed(), *unfitting()] == []


@pytest.mark.parametrize(
    ("told", "licence", "is_good"),
    [
        ({"License_Expression": "Apache-2.0 OR GPL-3.0-only"}, "Apache-2.0 OR GPL-3.0-only", True),
        ({"License_Expression": "MIT AND GPL-3.0-only"}, "MIT AND GPL-3.0-only", False),
        ({"Classifier": "License :: OSI Approved :: MIT License"}, "MIT", True),
        ({"License": "GPLv3"}, "GPLv3", False),
        ({"License": "UNKNOWN"}, "UNKNOWN", False),
        ({}, "", False),
    ],
)
def test_licence_is_told_and_judged(told: dict[str, str], licence: str, is_good: bool) -> None:
    found = Told(Name="x", **told)
    assert (licence_of(found), is_allowed(licence)) == (licence, is_good)
    assert bool(list(unlicensed(iter([found])))) != is_good


def test_vulnerability_of_a_package_is_told() -> None:
    good: dict[str, object] = {"name": "a", "version": "1", "vulns": []}
    bad: dict[str, object] = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1"}]}
    assert judge_python({"dependencies": [good, bad]}) == (["b 2: PYSEC-1"], "")


def test_package_that_could_not_be_looked_up_is_not_called_good() -> None:
    unseen: dict[str, object] = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited"}
    assert judge_python({"dependencies": [unseen]}) == ([], "the service knows nothing of 1 packages, c first")


def test_answer_of_npm_without_a_report_is_not_called_good() -> None:
    assert judge_browser({"message": "405 Method Not Allowed"}) == ([], "npm audit: 405 Method Not Allowed")
    assert judge_browser({"vulnerabilities": {}}) == ([], "")
    assert judge_browser({"vulnerabilities": {"x": {"severity": "high"}}}) == (["x of tests/browser: high"], "")


def test_no_secret_lies_in_the_repository() -> None:
    parts = {path: path.relative_to(ROOT).parts for path in ROOT.rglob("*")}
    files = [path for path, names in parts.items() if not NOT_OURS & set(names) and not is_hidden(names)]
    texts = {path: path.read_text("utf-8", errors="ignore") for path in files if path.is_file()}
    assert len(texts) > 300
    found = [
        f"{path.relative_to(ROOT)}: {what}"
        for path, text in texts.items()
        for what, pattern in SECRETS.items()
        if re.search(pattern, text)
    ]
    assert found == []


def is_hidden(names: tuple[str, ...]) -> bool:
    """Caches and virtual environments; our own hidden folders are looked at."""
    return names[0].startswith(".") and names[0] not in (".chalice", ".ci")


@pytest.mark.parametrize(
    "secret",
    ["AKIA" + "IOSFODNN7EXAMPLE", "-----BEGIN RSA " + "PRIVATE KEY-----", "ghp_" + "x" * 36,
     "arn:aws:sqs:eu-west-1:" + "210987654321:x"],
)  # fmt: skip
def test_secret_of_each_sort_is_found(secret: str) -> None:
    assert [what for what, pattern in SECRETS.items() if re.search(pattern, secret)] != []

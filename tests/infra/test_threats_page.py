"""The page of threats: each row names a test, and each named test is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/threats.md"
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows_of(page: str) -> list[str]:
    """The rows of its tables without those of column names, which a line of dashes follows."""
    lines = page.splitlines()
    return [
        line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if line.startswith("|") and not is_rule(line) and not is_rule(following)
    ]


def is_rule(line: str) -> bool:
    return line.startswith("|") and not line.strip("|-: ")


def faults_of(row: str) -> list[str]:
    """What is wrong with a row's tests."""
    named = _NAMED.findall(row)
    missing = [f"{path} has no {test}" for path, test in named if test not in named_in(path)]
    if not named:
        return ["names no test"]
    return [*missing, *(["names a test in another form"] if row.count("`tests/") != len(named) else [])]


def named_in(path: str) -> set[str]:
    """The tests of a module as pytest would collect them; none where there is no such module."""
    file = ROOT / path
    if not file.is_file():
        return set()
    return {
        node.name
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_row_names_tests_that_are_there() -> None:
    rows = rows_of(PAGE.read_text())
    assert len(rows) >= 40
    assert {row.split("|")[1].strip(): faults for row in rows if (faults := faults_of(row))} == {}


OWN = "tests/infra/test_threats_page.py"


@pytest.mark.parametrize(
    ("row", "faults"),
    [
        ("| a | b |", ["names no test"]),
        ("| a | `tests/infra/test_threats.py` |", ["names no test"]),
        (f"| a | `{OWN}::test_page_is_written` |", [f"{OWN} has no test_page_is_written"]),
        (f"| a | `{OWN}::rows_of` |", [f"{OWN} has no rows_of"]),
        ("| a | `tests/none.py::test_a` |", ["tests/none.py has no test_a"]),
        (f"| a | `{OWN}::test_the_check_sees_what_is_wrong` |", []),
        (f"| a | `{OWN}::test_the_check_sees_what_is_wrong` `tests/b.py` |", ["names a test in another form"]),
    ],
)
def test_the_check_sees_what_is_wrong(row: str, faults: list[str]) -> None:
    assert rows_of(f"text\n| x | y |\n|---|:-:|\n{row}\n\n| not under | a head |") == [row, "| not under | a head |"]
    assert faults_of(row) == faults

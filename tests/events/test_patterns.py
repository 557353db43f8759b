"""Patterns: what is one, and what they cost."""

from __future__ import annotations

import subprocess
import sys

import pytest

from chalicelib.events.patterns import compile_pattern, fault_of


@pytest.mark.parametrize(
    ("pattern", "text", "is_found"),
    [
        ("b", "abc", True),
        ("^b", "abc", False),
        ("^abc$", "abc", True),
        ("^abc$", "abc\n", False),
        ("(?i)^ABC$", "abc", True),
        ("^.$", "é", True),
        (r"^\p{Greek}+$", "αβγ", True),
        (r"^\d$", "٣", False),
        ("^.$", "\ud800", True),
        ("", "", True),
    ],
)
def test_pattern_is_found_anywhere_in_a_text(pattern: str, text: str, is_found: bool) -> None:
    assert compile_pattern(pattern)(text) is is_found


@pytest.mark.parametrize("pattern", ["(", "(?<=a)b", r"(.)\1", "\ud800", "((a{100}){100}){100}", "x" * 501])
def test_text_that_is_no_pattern_is_refused(pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert fault_of(pattern) is not None
    # RE2 would log it, with whatever somebody wrote into it.
    assert capfd.readouterr() == ("", "")


def test_re2_is_loaded_with_the_first_pattern_alone() -> None:
    code = (
        "import sys\n"
        "from chalicelib.events import differences, json_schema, json_schema_import, judge, privacy, rule_file\n"
        "from chalicelib.events.rules import Rule, RuleSheet\n"
        "rule = Rule(event='e', path='a', type='text')\n"
        "compiled = judge.compile_sheet(RuleSheet(rules=(rule,)))\n"
        "assert compiled.judge('e', {'a': 'x'}).status == 'valid'\n"
        "print('re2' in sys.modules)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"

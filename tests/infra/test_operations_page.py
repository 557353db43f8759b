"""docs/operations.md, held against what it describes."""

from __future__ import annotations

import re
from pathlib import Path

from chalicelib.migration import API_CONNECTIONS, WORKER_CONNECTIONS
from infra import functions, gateway
from infra.deploy import settable

PAGE = Path("docs/operations.md").read_text("utf-8")


def test_table_of_functions_is_that_of_the_settings() -> None:
    printed = PAGE.partition("<!-- functions -->\n")[2].partition("<!-- end -->")[0]
    assert printed.splitlines() == list(functions.table())


def test_parameters_that_it_names_are_there() -> None:
    known = settable()
    named = {word.partition("=")[0] for words in re.findall(r'STACK="([^"]*)"', PAGE) for word in words.split()}
    assert named
    assert named <= known


def test_figures_that_it_names_are_those_that_are_set() -> None:
    assert f"{gateway.RATE:.0f} requests a second and {gateway.BURST:,} at once" in PAGE
    login, register = gateway.SLOW_ROUTES.values()
    assert f"{login[0]:.0f} a second for logins and {register[0]:.0f} for registrations" in PAGE
    assert f"{API_CONNECTIONS} and {WORKER_CONNECTIONS} connections" in PAGE


def test_pages_that_it_leads_to_are_there() -> None:
    links = re.findall(r"\]\(([\w/.-]+\.md)", PAGE)
    assert [link for link in links if not (Path("docs") / link).exists()] == []

"""docs/watching.md names the alarms, queries and sections that there are, and all of them."""

from __future__ import annotations

import re
from pathlib import Path

from chalicelib.settings import QUEUES
from tests.infra.test_dashboard import FUNCTIONS, widgets
from tests.infra.test_watch import ALARMS, QUERIES, WATCHED_OTHERWISE

PAGE = Path("docs/watching.md").read_text("utf-8")


def section(title: str) -> str:
    """The text below one heading."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> list[str]:
    """What stands in the first column of its tables, without the head."""
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    return rows[2:]


def test_page_names_every_alarm_and_no_other() -> None:
    named: set[str] = set()
    for cell in first_cells(section("Alarms")):
        for name in re.findall(r"`([^`]+)`", cell):
            named |= {name.replace("<queue>", queue) for queue in QUEUES}
    alarmed = set(FUNCTIONS) - set(WATCHED_OTHERWISE)
    named = named - {"<function>-failing"} | {f"{function}-failing" for function in alarmed}
    assert named == {name.removeprefix("sluice-${Stage}-") for name in ALARMS}


def test_page_names_every_saved_query_and_no_other() -> None:
    named = [name for cell in first_cells(section("Saved queries")) for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(named) == sorted(QUERIES)


def test_page_goes_through_the_dashboard_section_by_section() -> None:
    headings = [each["properties"]["markdown"] for each in widgets("text")]
    shown = [heading.removeprefix("## ").partition(",")[0] for heading in headings if heading.startswith("## ")]
    assert first_cells(section("Dashboard")) == ["alarms", *shown]

"""docs/runbook.md in parts: its sections, and the blocks of commands in them."""

from __future__ import annotations

import re
from pathlib import Path

RUNBOOK = Path("docs/runbook.md")


def sections() -> dict[str, str]:
    """The text of each section by its first anchor."""
    found = {}
    for part in re.split(r"^## ", RUNBOOK.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        anchor = re.search(r'<a id="([^"]+)"></a>', part)
        assert anchor, part[:60]
        found[anchor[1]] = part
    return found


def blocks(text: str, mark: str) -> list[str]:
    """The fenced blocks that are marked so: look, do, aws, or with an empty mark."""
    return re.findall(rf"^```sh{' ' + mark if mark else ''}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

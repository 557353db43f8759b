"""docs/runbook.md has a place for each alarm, and names no command, option, fault or section that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib.settings import QUEUES
from infra.fault import FAULTS
from infra.ops import COMMANDS
from tests.infra.runbook import RUNBOOK, blocks, sections

TEMPLATES = [Path("infra/stack.yaml"), Path("infra/watch.yaml")]
MAKEFILE = Path("Makefile").read_text("utf-8")


def anchors(text: str) -> set[str]:
    return set(re.findall(r'^<a id="([^"]+)"></a>$', text, re.MULTILINE))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_every_alarm_has_its_place_and_its_text_leads_there(template: Path) -> None:
    alarms = re.split(r"Type: AWS::CloudWatch::(?:Composite)?Alarm\n", template.read_text("utf-8"))[1:]
    assert len(alarms) >= 15
    known = anchors(RUNBOOK.read_text("utf-8"))
    for alarm in alarms:
        name = re.search(r'AlarmName: !Sub "sluice-\$\{Stage\}-([\w-]+)"', alarm)
        link = re.search(r"AlarmDescription: .* Runbook: \$\{RunbookUrl\}#([\w-]+)\"", alarm)
        assert name, alarm[:200]
        assert link, name[1]
        assert link[1] == name[1]
        assert link[1] in known, link[1]


def test_every_link_leads_somewhere() -> None:
    text = RUNBOOK.read_text("utf-8")
    inside = set(re.findall(r"\]\(#([\w-]+)\)", text))
    assert inside - anchors(text) == set()
    assert [path for path in re.findall(r"\]\(([\w./-]+\.md)", text) if not (RUNBOOK.parent / path).exists()] == []


def test_every_section_is_in_the_table_at_the_top() -> None:
    top = RUNBOOK.read_text("utf-8").split("\n## ", 1)[0]
    listed = set(re.findall(r"\]\(#([\w-]+)\) \|$", top, re.MULTILINE))
    assert {anchor for anchor, text in sections().items() if not anchors(text) & listed} == set()


def test_every_fault_has_a_section_that_says_how_to_play_it() -> None:
    found = sections()
    for fault in FAULTS:
        assert f"**Play** `make fault NAME={fault}`" in found[fault]
    played = set(re.findall(r"make fault NAME=([\w-]+)", RUNBOOK.read_text("utf-8")))
    assert played == set(FAULTS)


def test_every_block_says_whether_it_can_be_run_here() -> None:
    text = RUNBOOK.read_text("utf-8")
    marks = re.findall(r"^```(.*)\n(?=.)", re.sub(r"^```$\n", "", text, flags=re.MULTILINE), re.MULTILINE)
    assert set(marks) == {"sh", "sh look", "sh do", "sh aws"}
    assert len(blocks(text, "")) == 1
    # What is run here asks for no account of AWS's, and what is not run here does.
    assert [
        block for mark in ("", "look", "do") for block in blocks(text, mark) if re.search(r"^aws |=prod", block, re.M)
    ] == []
    assert {block.splitlines()[0] for block in blocks(text, "aws")} == {"# AWS only, not run here"}
    assert [block for block in blocks(text, "aws") if not re.search(r"^aws |=prod", block, re.MULTILINE)] == []


def test_every_command_of_ours_is_there() -> None:
    text = RUNBOOK.read_text("utf-8")
    typed = [
        *re.findall(r"`([^`\n]+)`", text),
        *(block for mark in ("", "look", "do", "aws") for block in blocks(text, mark)),
    ]
    commands = re.findall(r"(?<![\w/.])make ([a-z-]+)((?: [A-Z]+=\S+)*)", "\n".join(typed))
    assert len(commands) > 40
    for target, words in commands:
        assert re.search(rf"^{target}:.*## ", MAKEFILE, re.MULTILINE), target
        options = dict(word.rstrip("`.,;:)").split("=", 1) for word in words.split())
        if target == "ops" and options:
            assert options["CMD"] in COMMANDS, options
            assert options.get("QUEUE", "events") in (*QUEUES, "...")

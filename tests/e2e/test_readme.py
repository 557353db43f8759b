"""README does not lie: its curl walk is run as printed, its job kind as it stands, its table of settings compared."""

from __future__ import annotations

import json
import re
import subprocess
import types
import zipfile
from pathlib import Path
from typing import Any

import msgspec

from bench.contract_rows import rows
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.queue import Delivery, Message
from chalicelib.jobs.worker import Worker
from localstack.run import LocalStack
from tests.api.calls import Api, document
from tests.doubles import FIRST_ID, registry
from tests.e2e.test_contracts import administrator, send

README = Path("README.md").read_text("utf-8")


def block(heading: str, language: str) -> str:
    """The first fenced block of the language under a heading."""
    section = README.split(f"\n## {heading}\n", 1)[1]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


def documents(text: str) -> list[Any]:
    """The JSON documents that stand one after the other in a text."""
    decoder, found, position = json.JSONDecoder(), [], 0
    while position < len(text):
        value, position = decoder.raw_decode(text, position)
        found.append(value)
        position += len(text[position:]) - len(text[position:].lstrip())
    return found


def test_curl_walk_works_as_printed(stack: LocalStack) -> None:
    walk = block("A walk with curl", "sh")
    assert "BASE=http://127.0.0.1:8000\n" in walk
    script = "set -euo pipefail\n" + walk.replace("http://127.0.0.1:8000", stack.url)
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    forecast, cancel, cancelled = documents(told.stdout)
    assert (forecast["state"], forecast["result"]["percentiles"]["p85"]) == ("SUCCESS", 9)
    # Nine weeks after Monday 2026-01-05.
    assert forecast["result"]["dates"]["p85"] == "2026-03-09"
    assert cancel["message"] in ("The task was asked to stop", "The task was cancelled")
    assert cancelled["state"] == "REVOKED"


def test_way_from_an_export_to_a_date_works_as_printed(stack: LocalStack) -> None:
    walk = block("A walk with curl", "sh").replace("http://127.0.0.1:8000", stack.url)
    login = walk[: walk.index("# 2. submit")]
    script = f"set -euo pipefail\n{login}\n{block('From an export to a date that holds', 'sh')}"
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    verdict, probability, weeks_error = told.stdout.splitlines()
    assert verdict.startswith("Your P85 held ")
    assert 0 < float(probability) < 1
    # Twelve weeks from 1 December to 23 February, less whole weeks of P85.
    assert float(weeks_error).is_integer()
    assert -40 < float(weeks_error) < 12


def test_events_are_sent_as_printed(stack: LocalStack) -> None:
    walk = block("A walk with curl", "sh").replace("http://127.0.0.1:8000", stack.url)
    login = walk[: walk.index("# 2. submit")]
    script = f"set -euo pipefail\n{login}\n{block('Sending events', 'sh')}"
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    invalid, dry_run = documents(told.stdout)
    assert (invalid["status"], invalid["results"][0]["key"]) == ("invalid", "userId")
    assert (dry_run["is_dry_run"], dry_run["differences"]["label"]) == (True, "breaking")
    assert dry_run["trial"]["turned_invalid"] > 0


def test_contracts_are_asked_about_as_printed(stack: LocalStack, tmp_path: Path) -> None:
    # Other tests leave other data sets; this one is like the one that the stage begins with.
    assert send(administrator(stack), list(rows(1_500, 6)))["state"] == "SUCCESS"
    walk = block("A walk with curl", "sh").replace("http://127.0.0.1:8000", stack.url)
    login = walk[: walk.index("# 1. log in")]
    script = f"set -euo pipefail\n{login}\n{block('Asking about contracts', 'sh')}"
    told = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    found, charts = documents(told.stdout)
    assert (found["status"], found["data"]["success"]) == ("success", True)
    assert len(found["data"]["data"]) <= 2
    assert len(charts["data"]["by_contractor"]) == 3
    with zipfile.ZipFile(tmp_path / "road.xlsx") as workbook:
        assert "xl/workbook.xml" in workbook.namelist()


def test_api_key_works_as_printed(stack: LocalStack) -> None:
    walk = block("A walk with curl", "sh").replace("http://127.0.0.1:8000", stack.url)
    login = walk[: walk.index("# 2. submit")]
    script = f"set -euo pipefail\n{login}\n{block('Credentials', 'sh')}"
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    accepted, listed = documents(told.stdout)
    assert accepted["status"] == "PENDING"
    assert "nightly forecast" in [key["name"] for key in listed["keys"]]


def test_job_kind_runs_as_printed() -> None:
    module = types.ModuleType("dice")
    code = compile(block("Adding a job kind", "python"), "README.md", "exec", dont_inherit=True)
    exec(code, module.__dict__)
    kind: AnyKind = module.KIND
    api = Api(kind)
    assert api.call("POST", "/api/async/dice", {"dice": 0}).status == 400
    assert api.call("POST", "/api/async/dice", {"dice": 3}).status == 202
    body = msgspec.json.encode(Message(FIRST_ID, "dice")).decode()
    Worker(api.parts.engine, registry(kind), "simulations").settle(
        [Delivery(message_id="message-1", body=body, receipt="receipt-1")]
    )
    task = document(api.call("GET", f"/api/tasks/{FIRST_ID}"))
    assert task["state"] == "SUCCESS"
    assert 3 <= task["result"]["total"] <= 18


def test_every_variable_that_is_read_is_documented() -> None:
    source = Path("chalicelib/settings.py").read_text("utf-8")
    read = set(re.findall(r'(?:environ\.get\(|environ, )"([A-Z_]+)"', source))
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    assert read == documented

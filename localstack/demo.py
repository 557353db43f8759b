"""The demo: an account, and one forecast from a public project's history, sent through the whole stack."""

import csv
import io
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from localstack.errors import LocalStackError
from localstack.progress import Progress

EMAIL = "demo@sluice.test"
PASSWORD = "demo-password"
# Who sees everybody's jobs and may stop queues; of the local stage alone.
ADMIN, ADMIN_PASSWORD = "admin@sluice.test", "admin-password"
CONTRACTS = Path(__file__).with_name("data") / "contracts.csv"
RULES = Path(__file__).with_name("data") / "event-rules.csv"
APP = "test-app"
HISTORY = Path(__file__).with_name("data") / "closed-items.csv"
WEEKS = 26
BACKLOG = 40
_FORECAST_S = 60.0

Json = dict[str, Any]  # an API body; the API's own types are not imported, the demo is a client like any other


def ensure_accounts(dsn: str) -> None:
    """Make the demo accounts, or give them their passwords back."""
    from chalicelib.accounts.passwords import hash_password
    from chalicelib.db.accounts import Accounts
    from chalicelib.db.connect import Database

    with closing(Database(dsn)) as database:
        accounts = Accounts(database)
        accounts.put(email=EMAIL, name="Demo", password_hash=hash_password(PASSWORD), role="student")
        accounts.put(email=ADMIN, name="Admin", password_hash=hash_password(ADMIN_PASSWORD), role="admin")


def ensure_contracts(dsn: str) -> int:
    """Loads the demo's made-up contracts unless there are others; answers how many there are."""
    from chalicelib.db.connect import Database
    from chalicelib.db.contracts.load import PHASES, run_phase
    from chalicelib.db.contracts.versions import Versions
    from chalicelib.jobs.context import Unwatched
    from chalicelib.search.award_file import AwardFile

    with closing(Database(dsn)) as database:
        versions = Versions(database)
        version = versions.current()
        if version is None:
            version = versions.begin(CONTRACTS.name)
            content = CONTRACTS.read_bytes()
            source = AwardFile(lambda byte: io.BytesIO(content[byte:]), len(content))
            for phase in PHASES:
                while not run_phase(phase, dsn, version, Unwatched(None, ""), source=source):
                    pass
        return versions.counts(version).rows_loaded


def ensure_app(url: str) -> str:
    """Has the demo's app and its rules; answers where it sends events."""
    token = str(_call("POST", f"{url}/api/auth/login", {"email": EMAIL, "password": PASSWORD})[0]["token"])
    apps = {app["app_id"]: app for app in _call("GET", f"{url}/api/apps", token=token)[0]["apps"]}
    if APP in apps:
        app, _ = _call("PUT", f"{url}/api/apps/{APP}", {}, token=token)
    else:
        app, _ = _call("POST", f"{url}/api/apps", {"app_id": APP, "name": "Demo app"}, token=token)
    _call("POST", f"{url}/api/apps/{APP}/rules", RULES.read_bytes(), token=token)
    return str(app["endpoint"])


def weekly_throughput(history: Path = HISTORY, weeks: int = WEEKS) -> list[int]:
    """Items closed in each of the last `weeks` 7-day weeks, oldest first, idle weeks included.

    The last week ends on the last closing date, so that no week is cut short.
    """
    with history.open(newline="") as rows:
        closed = [date.fromisoformat(row["closed_date"]) for row in csv.DictReader(rows)]
    ages = [(max(closed) - day).days // 7 for day in closed]
    return [ages.count(age) for age in reversed(range(weeks))]


def forecast(url: str, progress: Progress) -> None:
    """Log in, submit one forecast, poll until it is done and show its percentiles with dates."""
    token = str(_call("POST", f"{url}/api/auth/login", {"email": EMAIL, "password": PASSWORD})[0]["token"])
    began_s = time.monotonic()
    today = datetime.now(UTC).date()
    body: Json = {"projectName": "Debian kernel bugs", "tpSamples": weekly_throughput(), "numberOfTasks": BACKLOG,
                  "totalContributors": 1, "startDate": today.isoformat()}  # fmt: skip
    accepted, _ = _call("POST", f"{url}/api/async/simulate", body, token=token)
    progress.step(f"forecast submitted as task {accepted['task_id']}")
    result = _poll(f"{url}{accepted['poll_url']}", token, progress)
    progress.step(f"forecast done {1000 * (time.monotonic() - began_s):.0f} ms after it was submitted")
    _show(result, today, progress)


def _poll(url: str, token: str, progress: Progress) -> Json:
    deadline_s = time.monotonic() + _FORECAST_S
    shown = ""
    while True:
        task, headers = _call("GET", url, token=token)
        state = str(task["state"])
        if state == "SUCCESS":
            return dict(task["result"])
        if state in ("FAILURE", "REVOKED"):
            raise LocalStackError(f"the forecast ended as {state}: {task.get('error') or 'no reason given'}")
        if time.monotonic() > deadline_s:
            raise LocalStackError(f"the forecast is still {state} after {_FORECAST_S:.0f} s; see .local/emulator.log")
        line = f"{state} {task.get('progress', 0)} of {task.get('total') or '?'} {task.get('stage') or ''}".strip()
        if line != shown:
            progress.step(f"forecast {line}")
            shown = line
        time.sleep(min(float(headers.get("Retry-After", "1")), 5.0))


def _show(result: Json, today: date, progress: Progress) -> None:
    progress.line()
    pace = f"the pace of {WEEKS} weeks of closed Debian kernel bugs ({HISTORY.name})"
    progress.line(f"{BACKLOG} tasks from {today.isoformat()} at {pace}:")
    progress.line("  likelihood  weeks  done by")
    for name, weeks in result["percentiles"].items():
        progress.line(f"  {name.lstrip('p'):>9}%  {weeks:>5g}  {result['dates'][name]}")
    progress.line()


def _call(
    method: str, url: str, body: Json | bytes | None = None, *, token: str = ""
) -> tuple[Json, Mapping[str, str]]:
    media = "text/csv" if isinstance(body, bytes) else "application/json"
    headers = {"Content-Type": media} | ({"Authorization": f"Bearer {token}"} if token else {})
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=content, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:
            return json.load(answer), dict(answer.headers)
    except urllib.error.HTTPError as e:
        said = " ".join(e.read(500).decode(errors="replace").split())
        raise LocalStackError(f"{method} {url} answered {e.code}: {said}") from e
    except (OSError, ValueError) as e:
        raise LocalStackError(f"{method} {url} failed: {e}") from e

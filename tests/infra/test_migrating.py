"""docs/migrating.md names nothing of ours that is not there: settings, routes, commands, files, names, limits."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from chalice.app import SQSEventConfig

from chalicelib import kinds
from chalicelib.api.routes import routes
from chalicelib.aws.files import MAX_BYTES, MOST_BYTES
from chalicelib.db.connect import STATEMENT_TIMEOUT_MS, Turns
from chalicelib.events.bodies import MAX_BATCH_BYTES, MAX_EVENT_BYTES, MAX_EVENTS
from chalicelib.jobs.kind import OUTAGE_S
from chalicelib.jobs.retry import FIRST_S, LONGEST_S
from chalicelib.jobs.state import State
from chalicelib.jobs.store import RESULT_ITEM_LIMIT, TOMBSTONE_S, WAIT_LIMIT_S
from chalicelib.search.export.workbook import SHEET_ROWS
from chalicelib.settings import EVENT_PROFILES, QUEUES, Settings, read_settings
from chalicelib.sim.fields import MAX_TRIALS
from chalicelib.telemetry import Metric
from infra.ops import COMMANDS
from tests.api.calls import Api
from tests.api.published import published

GUIDE = Path("docs/migrating.md")
STACK = Path("infra/stack.yaml").read_text("utf-8")
MAKEFILE = Path("Makefile").read_text("utf-8")
JS = Path("chalicelib/console/static/js")
# The heads of columns that are about the old systems begin so; all other columns, and running text, are about Sluice.
OLD = re.compile(r"old |meaning$|value there$")
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
DEFAULT = Settings(stage="local")
METHODS = "GET|POST|PUT|DELETE"
# A path in a table or in a curl line: to its query, its quote or a blank.
PATH = re.compile(rf"(?:(?P<method>{METHODS}) )?(?P<path>/[^\s?\"']*)(?:\?(?P<query>\S*))?")


def text() -> str:
    return GUIDE.read_text("utf-8")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def tables() -> Iterator[tuple[list[str], list[list[str]]]]:
    """Heads and rows of every table."""
    for block in re.findall(r"(?:^\|.*\n)+", text(), re.MULTILINE):
        head, rule, *rows = block.splitlines()
        assert set(rule) <= set("|-"), rule
        yield cells(head), [cells(row) for row in rows]


def table(*heads: str) -> list[list[str]]:
    """The rows of the only table with these heads."""
    (rows,) = [rows for found, rows in tables() if found == list(heads)]
    return rows


def scripts() -> str:
    """What is to be typed into a shell."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", text(), re.MULTILINE | re.DOTALL))


def told_of_us() -> list[str]:
    """Every name in backticks where the page speaks of Sluice, and the commands of its scripts."""
    prose = re.sub(
        r"^\|.*\n", "", re.sub(r"^```.*?^```", "", text(), flags=re.MULTILINE | re.DOTALL), flags=re.MULTILINE
    )
    ours = [
        cell
        for heads, rows in tables()
        for row in rows
        for head, cell in zip(heads, row, strict=True)
        if not OLD.match(head)
    ]
    typed = re.findall(r"^(?:make|python -m) [^\n]*", scripts(), re.MULTILINE)
    called = re.findall(r"\$BASE(/[^\s\"]*)", scripts())
    return [name for part in (prose, *ours) for name in CODE.findall(part)] + typed + called


class Recording(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:  # as of a dict
        self.asked.add(key)
        return super().get(key, default)


@cache
def settings() -> frozenset[str]:
    environ = Recording()
    read_settings(environ)
    return frozenset(environ.asked)


@cache
def offered() -> Any:  # the OpenAPI document
    return published(Api(*kinds.registry("local"), stage="local"))


@cache
def fields() -> frozenset[str]:
    """Names of fields and parameters that the API publishes."""
    found: set[str] = set()

    def look(node: Any) -> None:  # a JSON value
        if isinstance(node, dict):
            found.update(node.get("properties", ()))
            if isinstance(node.get("in"), str) and isinstance(node.get("name"), str):
                found.add(node["name"])
            for each in node.values():
                look(each)
        elif isinstance(node, list):
            for each in node:
                look(each)

    look(offered())
    return frozenset(found)


@cache
def sources() -> str:
    """The product's own code, for words that no list has: keys of log lines, headers, messages of the socket."""
    files = [*Path("chalicelib").rglob("*.py"), *JS.glob("*.js")]
    return "\n".join(file.read_text("utf-8") for file in sorted(files))


def is_route(name: str) -> bool:
    """A route, with its method if one is named; a path that ends with a slash may be what routes begin with."""
    found = PATH.fullmatch(name)
    if not found:
        return False
    path, method = found["path"], found["method"]
    known = [(route.path, route.method) for route in routes(kinds.registry("local"))]
    parameters = re.findall(r"(?:^|&)(\w+)=", found["query"] or "")
    fits = any(
        re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route)), path.rstrip("/") or "/")
        for route, taken in known
        if method in (None, taken)
    )
    begins = method is None and path.endswith("/") and any(route.startswith(path) for route, _ in known)
    return (fits or begins) and set(parameters) <= fields()


def is_page(name: str) -> bool:
    """An address of the console."""
    found = re.fullmatch(r"/#/(\w+)(?:/(\w+))?", name)
    if not found or not re.search(rf"^  {found[1]}: \[", (JS / "app.js").read_text("utf-8"), re.MULTILINE):
        return False
    return not found[2] or f"'{found[2]}'" in (JS / f"{found[1]}.js").read_text("utf-8")


def is_make(name: str) -> bool:
    target, *words = name.removeprefix("make ").split()
    options = dict(word.split("=", 1) for word in words)
    return (
        re.search(rf"^{re.escape(target)}:.*## ", MAKEFILE, re.MULTILINE) is not None
        and set(options) <= set(re.findall(r"\$\((\w+)\)", MAKEFILE))
        and (target == "ops" or not set(options) & {"CMD", "QUEUE"})
        and options.get("CMD", "depth") in COMMANDS
        and options.get("QUEUE", "events") in QUEUES
    )


def is_module(name: str) -> bool:
    module, *words = name.removeprefix("python -m ").split()
    try:
        file = importlib.import_module(module).__file__
    except ImportError:
        return False
    source = Path(file or "").read_text("utf-8")
    return "__main__" in source and all(f'"{word}"' in source for word in words if word.startswith("--"))


def is_resource(name: str) -> bool:
    """A queue, table, alarm, topic or dashboard of the stack, or the log group of a function."""
    function = name.removeprefix("/aws/lambda/sluice-<stage>-")
    if function != name:
        return function in functions()
    return f'"{name.replace("<stage>", "${Stage}")}"' in STACK


def is_variable(name: str) -> bool:
    variable, _, value = name.partition("=")
    if variable == "QUEUE":
        return value in QUEUES
    return name in settings() or (name == "PORT" and "export PORT" in MAKEFILE) or name in State.__members__


@cache
def functions() -> frozenset[str]:
    return frozenset(json.loads(Path(".chalice/config.json").read_text("utf-8"))["lambda_functions"])


def is_there(name: str) -> bool:
    """Whether what a name names exists, by what it looks like."""
    match name:
        case _ if name.startswith("make "):
            return is_make(name)
        case _ if name.startswith("python -m "):
            return is_module(name)
        case _ if name.startswith("/#/"):
            return is_page(name)
        case _ if "<stage>" in name:
            return is_resource(name)
        case _ if name.startswith("/ws/"):
            return name.removeprefix("/") in sources()
        case _ if re.match(rf"(?:(?:{METHODS}) )?/", name):
            return is_route(name)
        case _ if name.startswith("?"):
            return name[1:].partition("=")[0] in fields()
        case _ if re.match(r"[A-Z][A-Z_]+(=|$)", name):
            return is_variable(name)
        case _ if "/" in name or name.endswith((".md", ".py", ".yaml")):
            return Path(name).exists()
    return is_word(name)


def is_word(name: str) -> bool:
    """A kind, queue, function, metric, parameter of the stack, field of the API, or a word of the code."""
    known = {*kinds.registry("local").kinds, *QUEUES, *functions(), *Metric, *fields()}
    if name in known or re.search(rf"^  {re.escape(name)}:$", STACK, re.MULTILINE):
        return True
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", sources(), re.IGNORECASE) is not None


def test_everything_that_is_said_to_be_here_is() -> None:
    names = told_of_us()
    assert len(names) > 200
    assert [name for name in names if not is_there(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        "CELERY_BROKER_URL",
        "PORTS",
        "QUEUE=celery",
        "/api/nothing",
        "DELETE /api/health",
        "GET /api/tasks?colour=red",
        "?colour=red",
        "/api/v2/",
        "make nothing",
        "make ops CMD=inspect",
        "make ops CMD=purge QUEUE=celery",
        "make up CMD=depth",
        "python -m infra.nothing",
        "python -m bench.load --speed 5",
        "infra/nothing.py",
        "nothing.md",
        "sluice-<stage>-nothing",
        "/aws/lambda/sluice-<stage>-work_nothing",
        "/ws/nothing/",
        "/#/nothing",
        "/#/jobs/nothing",
        "no_such_field",
        "work_nothing",
    ],
)
def test_name_that_is_not_there_is_found(name: str) -> None:
    assert not is_there(name)


@pytest.mark.parametrize("name", ["DELETE /api/tasks/{task_id}", "/api/health/", "/api/v1/contracts/", "?save=true"])
def test_path_may_have_a_parameter_a_slash_or_what_comes_behind_it(name: str) -> None:
    assert is_there(name)


def test_every_link_leads_to_a_heading_that_is_there() -> None:
    for target in LINK.findall(text()):
        path, _, anchor = unquote(target).partition("#")
        file = GUIDE.parent / path if path else GUIDE
        assert file.exists(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, target


def test_limits_of_each_task_are_those_of_its_kind() -> None:
    rows = table("old task", "meaning", "kind", "queue", "one run, at most", "attempts", "result can be read for")
    registry = kinds.registry("prod")
    for _, _, name, *told in rows:
        kind = registry.get(name.strip("`"))
        assert kind is not None, name
        assert told == [f"`{kind.queue}`", f"{kind.time_limit_s} s", str(kind.max_attempts), f"{kind.keep_s} s"], name


def test_queues_are_worked_off_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE", "local")
    app = importlib.import_module("app").app
    workers = [source for source in app.event_sources if isinstance(source, SQSEventConfig)]
    sources = {str(source.queue).rpartition("-")[2]: source for source in workers}
    rows = table("queue", "runs at once, at most", "messages for one run")
    assert sorted(name.strip("`") for name, _, _ in rows) == sorted(QUEUES)
    for name, at_once, messages in rows:
        source = sources[name.strip("`")]
        assert (int(at_once), messages.split(",")[0]) == (source.maximum_concurrency, str(source.batch_size))
    # What the row of events says beside its first number.
    assert EVENT_PROFILES["high-volume"][0] == 1_000


def test_every_setting_of_ours_has_its_place() -> None:
    """Whoever moves in sees each setting; some are written by a deploy and stand for nothing that was set before."""
    told = set(re.findall(r"`([A-Z][A-Z_]+)`", text()))
    assert settings() - told == {
        "DATABASE_ADDRESS",
        "DATABASE_API_SECRET",
        "DATABASE_SECRET",
        "DATABASE_WORKER_SECRET",
        "JOB_STREAM",
        "RESULT_BUCKET",
        "SOCKET_STREAM",
        "TOKEN_SECRET_ARN",
        "WS_MANAGEMENT_ENDPOINT",
    }


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("results above {} KB in S3", RESULT_ITEM_LIMIT // 1024),
        ("`LEASE_S` ({})", DEFAULT.lease_s),
        ("`EVENT_RATE` ({}) events of an app", DEFAULT.event_rate),
        ("`RATE_SUBMIT` ({}) a minute", DEFAULT.rate_submit),
        ("`RATE_SUBMIT_ANONYMOUS` ({}) a minute", DEFAULT.rate_submit_anonymous),
        ("`RATE_READ` ({}) GETs", DEFAULT.rate_read),
        ("costs none for {} hours", OUTAGE_S // 3600),
        ("`TOKEN_TTL_S` ({})", DEFAULT.token_ttl_s),
        ("`EVENT_DAYS` ({})", DEFAULT.event_days),
        ("| {} MB; larger files by", DEFAULT.body_limit // 2**20),
        ("`POST /api/uploads`, {} MB", MAX_BYTES // 2**20),
        ("(admins {} GB)", MOST_BYTES // 2**30),
        ("an event {} KB", MAX_EVENT_BYTES // 1024),
        ("a batch {} KB", MAX_BATCH_BYTES // 1024),
        ("KB and {} events", MAX_EVENTS),
        ("{} s for a statement of a route", STATEMENT_TIMEOUT_MS // 1000),
        ("the others wait up to {} s", round(Turns().patience_s)),
        ("then 410 for {} days", TOMBSTONE_S // 86_400),
        ("| {} days; mails", WAIT_LIMIT_S // 86_400),
        ("pauses of {} s", FIRST_S),
        (".. {} min, half", LONGEST_S // 60),
        ("| page: {} |", MAX_TRIALS),
        ("a new sheet after {} rows", SHEET_ROWS - 1),
    ],
)
def test_number_is_that_of_the_code(said: str, value: int) -> None:
    assert said.format(value) in text() or said.format(f"{value:,}") in text()

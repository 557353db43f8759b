"""The local environment as a context manager: everything up inside the block, everything gone after it."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from localstack import demo, deploy, precheck
from localstack.door import Target, open_door
from localstack.emulator import Emulator, clean_environment, running_emulator
from localstack.errors import LocalStackError
from localstack.postgres import Database, running_database
from localstack.progress import Progress
from localstack.settings import Settings
from localstack.supervise import Child, Program

_BUNDLE_S = 60.0


class LocalStack(msgspec.Struct, frozen=True, kw_only=True):
    """A running local environment; `.local/run.json` holds the same for other programs."""

    url: str
    endpoint: str  # of every AWS service, credentials test/test, us-east-1
    database_url: str
    rest_api_id: str
    websocket_api_id: str | None
    prefix: str  # of queue and table names
    outputs: Mapping[str, str]  # of infra/stack.yaml
    pids: list[int]
    state: Path
    children: list[Child]

    def check_alive(self) -> None:
        """Raise when a child has ended."""
        for child in self.children:
            if not child.is_alive():
                raise LocalStackError(f"{child.program.name} ended (log: {child.program.log}) {child.last_line()}")


@contextmanager
def local_stack(settings: Settings, progress: Progress | None = None) -> Iterator[LocalStack]:
    """Start database, emulator, both stacks and front door, and end them all when the block is left."""
    shown = progress or Progress()
    precheck.check_python()
    precheck.check_packages()
    with ExitStack() as cleanup:
        listening = cleanup.enter_context(precheck.reserved_port(settings.port))
        precheck.check_disk(settings.state, settings.min_free_mib)
        lock_fd = cleanup.enter_context(precheck.locked(settings))
        bundler = _start_bundler(settings)  # beside the database: both take about a second
        cleanup.callback(bundler.stop)
        database = cleanup.enter_context(running_database(settings, lock_fd))
        shown.step(f"database ready ({database.label})")
        emulator = cleanup.enter_context(running_emulator(settings))
        shown.step("AWS emulator ready (ministack)")
        _fill_database(settings.root, database.dsn, shown)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = _deploy(settings, _Parts(url=url, database=database, emulator=emulator, bundler=bundler), shown)
        target = Target(endpoint=emulator.endpoint, rest_api_id=app.rest_api_id, websocket_api_id=app.websocket_api_id)
        cleanup.enter_context(open_door(listening, target))
        children = [c for c in (database.child, emulator.child) if c]
        stack = LocalStack(
            url=url, endpoint=emulator.endpoint, database_url=database.dsn, rest_api_id=app.rest_api_id,
            websocket_api_id=app.websocket_api_id, prefix=_prefix(settings.root), outputs=app.outputs,
            pids=[os.getpid(), *(pid for c in children for pid in c.pids)], state=settings.state, children=children,
        )  # fmt: skip
        cleanup.enter_context(_run_file(stack))
        shown.step(f"front door open at {url}")
        if (settings.root / "chalicelib" / "events").is_dir():
            shown.step(f"app {demo.APP} takes events at {demo.ensure_app(url)}")
            if settings.keep_data:
                deploy.wake_sweeper(emulator)
        yield stack


class _Parts(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    database: Database
    emulator: Emulator
    bundler: Child


def _start_bundler(settings: Settings) -> Child:
    argv = [sys.executable, "-m", "localstack.bundle", str(settings.root), str(settings.state / "bundle")]
    # the app may live elsewhere than this package (tests), and Chalice puts its root on the path by itself
    own = {"PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
    # how many messages a worker takes at a time is decided while the app is packaged
    env = clean_environment() | dict(settings.environment) | own
    log = settings.state / "bundle.log"
    log.unlink(missing_ok=True)
    return Child(Program(name="packaging the app", argv=argv, env=env, log=log, cwd=str(settings.root)))


def _fill_database(root: Path, dsn: str, shown: Progress) -> None:
    if not (root / "chalicelib" / "db").is_dir():  # an app without a database
        return
    from chalicelib.db.migrate import migrate

    applied = migrate(dsn)
    demo.ensure_accounts(dsn)
    shown.step(f"database migrated ({len(applied)} applied), account {demo.EMAIL} / {demo.PASSWORD} ready")
    shown.step(f"{demo.ensure_contracts(dsn)} awarded contracts to search")


def _deploy(settings: Settings, parts: _Parts, shown: Progress) -> deploy.App:
    outputs = deploy.deploy_infrastructure(settings, parts.emulator)
    shown.step("infra/stack.yaml deployed")
    if parts.bundler.wait(_BUNDLE_S) != 0:
        log = parts.bundler.program.log
        raise LocalStackError(f"the app cannot be packaged (log: {log}) {parts.bundler.last_line()}")
    environment = {
        "DATABASE_URL": parts.database.dsn,
        "TOKEN_SECRET": deploy.token_secret(settings.state),
        "PUBLIC_URL": parts.url,
        "RESULT_BUCKET": outputs.get("ResultBucketName", ""),
        "MAIL_FROM": "alerts@sluice.test",  # the emulator keeps mail and sends none
    }
    found = deploy.deploy_app(settings, parts.emulator, bundle=settings.state / "bundle", environment=environment)
    shown.step("app deployed")
    return deploy.App(rest_api_id=found["RestAPIId"], websocket_api_id=found.get("WebsocketAPIId"), outputs=outputs)


def _prefix(root: Path) -> str:
    config = json.loads((root / ".chalice" / "config.json").read_text())
    return f"{config['app_name']}-local"


@contextmanager
def _run_file(stack: LocalStack) -> Iterator[None]:
    path = stack.state / "run.json"
    path.unlink(missing_ok=True)
    shown = {name: getattr(stack, name) for name in stack.__struct_fields__ if name not in ("children", "state")}
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)  # it holds the database's address, which may have a password
    draft.write_text(json.dumps(shown, indent=2) + "\n")
    draft.rename(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)

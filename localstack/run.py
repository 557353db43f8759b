"""The local environment as a context manager: everything up inside the block, everything gone after it."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from psycopg2.extensions import make_dsn

from localstack import community, containers, demo, deploy, precheck
from localstack.backends import Cloud
from localstack.door import Target, open_door
from localstack.emulator import clean_environment, running_emulator
from localstack.errors import LocalStackError
from localstack.postgres import Database, running_database
from localstack.progress import Progress
from localstack.settings import Settings
from localstack.supervise import Child, Program

_BUNDLE_S = 60.0
_PACKAGE_S = 600.0  # with all dependencies


class LocalStack(msgspec.Struct, frozen=True, kw_only=True):
    """A running local environment; `.local/run.json` holds the same for other programs."""

    url: str
    endpoint: str  # of every AWS service, credentials test/test, us-east-1
    services: Mapping[str, str]  # variables that lead boto3 to the services that are elsewhere
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
    if settings.backend == "localstack":
        containers.check_docker()
    elif settings.backend == "localstack-host":
        community.install(shown)
    with ExitStack() as cleanup:
        listening = cleanup.enter_context(precheck.reserved_port(settings.port))
        precheck.check_disk(settings.state, settings.min_free_mib)
        lock_fd = cleanup.enter_context(precheck.locked(settings))
        bundler = _start_bundler(settings)  # beside the database: both take about a second
        cleanup.callback(bundler.stop)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        database, cloud = cleanup.enter_context(_backend(settings, url, lock_fd, shown))
        _fill_database(settings.root, database.dsn, shown)
        app = _deploy(settings, _Parts(url=url, database=database, cloud=cloud, bundler=bundler), shown)
        target = Target(
            endpoint=cloud.main.endpoint, rest_api_id=app.rest_api_id, websocket_api_id=app.websocket_api_id,
            websocket_endpoint=cloud.embedded.endpoint,
        )  # fmt: skip
        cleanup.enter_context(open_door(listening, target))
        children = [c for c in (database.child, *(each.child for each in cloud.emulators)) if c]
        stack = LocalStack(
            url=url, endpoint=cloud.main.endpoint, services=cloud.variables(inside=False),
            database_url=database.dsn, rest_api_id=app.rest_api_id, websocket_api_id=app.websocket_api_id,
            prefix=_prefix(settings.root), outputs=app.outputs,
            pids=[os.getpid(), *(pid for c in children for pid in c.pids)], state=settings.state, children=children,
        )  # fmt: skip
        cleanup.enter_context(_run_file(stack))
        shown.step(f"front door open at {url}")
        if (settings.root / "chalicelib" / "events").is_dir():
            shown.step(f"app {demo.APP} takes events at {demo.ensure_app(url)}")
            if settings.keep_data:
                deploy.wake_sweeper(cloud.main)
        yield stack


class _Parts(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    database: Database
    cloud: Cloud
    bundler: Child


@contextmanager
def _backend(settings: Settings, url: str, lock_fd: int, shown: Progress) -> Iterator[tuple[Database, Cloud]]:
    with ExitStack() as cleanup:
        if settings.backend == "localstack":
            parts = cleanup.enter_context(containers.running_containers(settings, url))
            shown.step("containers ready (LocalStack, ministack, PostgreSQL)")
            yield parts
            return
        database = cleanup.enter_context(running_database(settings, lock_fd))
        shown.step(f"database ready ({database.label})")
        embedded = cleanup.enter_context(running_emulator(settings))
        shown.step("AWS emulator ready (ministack)")
        localstack = None
        if settings.backend == "localstack-host":
            localstack = cleanup.enter_context(community.running_localstack(settings, url))
            shown.step("LocalStack ready")
        yield database, Cloud(embedded=embedded, localstack=localstack)


def _start_bundler(settings: Settings) -> Child:
    argv = [sys.executable, "-m", "localstack.bundle", str(settings.root), str(settings.state / "bundle")]
    if settings.backend == "localstack":
        argv.append("--package")
    # the app may live elsewhere than this package (tests), and Chalice puts its root on the path by itself
    own = {"PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
    own |= {name: os.environ[name] for name in ("PACKAGE_PYTHON", "PYENV_ROOT") if name in os.environ}
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
    outputs = deploy.deploy_infrastructure(settings, parts.cloud)
    shown.step("infra/stack.yaml deployed")
    if parts.bundler.wait(_PACKAGE_S if settings.backend == "localstack" else _BUNDLE_S) != 0:
        log = parts.bundler.program.log
        raise LocalStackError(f"the app cannot be packaged (log: {log}) {parts.bundler.last_line()}")
    environment = {
        "DATABASE_URL": parts.database.dsn_inside or parts.database.dsn,
        "TOKEN_SECRET": deploy.token_secret(settings.state),
        "PUBLIC_URL": parts.url,
        "RESULT_BUCKET": outputs.get("ResultBucketName", ""),
        "MAIL_FROM": "alerts@sluice.test",  # the emulator keeps mail and sends none
    }
    bundle, own = settings.state / "bundle", _logins(settings.root, parts.database)
    found = deploy.deploy_app(settings, parts.cloud, bundle=bundle, environment=environment, own=own)
    shown.step("app deployed")
    return deploy.App(rest_api_id=found["RestAPIId"], websocket_api_id=found.get("WebsocketAPIId"), outputs=outputs)


def _logins(root: Path, database: Database) -> dict[str, dict[str, str]]:
    """The database as each function is told of it: as a role that may do no more than on AWS."""
    if database.child is None or not (root / "chalicelib" / "db").is_dir():
        return {}  # another server may not let us make roles
    from chalicelib.db.roles import Role, ensure_roles
    from chalicelib.migration import API_CONNECTIONS, WORKER_CONNECTIONS
    from infra.functions import PLACES

    roles = {
        "api": Role("sluice_api", None, API_CONNECTIONS),
        "worker": Role("sluice_worker", None, WORKER_CONNECTIONS),
    }
    ensure_roles(database.dsn, list(roles.values()))
    logins = {place: make_dsn(database.dsn, user=role.name) for place, role in roles.items()}
    return {
        name: {"DATABASE_URL": logins[place.database]} for name, place in PLACES.items() if place.database in logins
    }


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

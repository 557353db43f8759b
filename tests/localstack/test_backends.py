"""Which emulator has what when LocalStack stands for a part of AWS, and how the command line asks for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse

from infra.ops import find_local
from localstack.backends import ON_EMBEDDED, ON_LOCALSTACK, Cloud, split
from localstack.bundle import TEMPLATE
from localstack.containers import COMPOSE
from localstack.emulator import Emulator, aws_session, clean_environment
from localstack.errors import LocalStackError
from localstack.settings import BACKENDS, read_settings
from tests.localstack.tiny_project import launcher_command, launcher_environment

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def infrastructure() -> dict[str, Any]:
    template: dict[str, Any] = yaml_parse((ROOT / "infra" / "stack.yaml").read_text("utf-8"))
    return template


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("bundle")
    making = [sys.executable, "-m", "localstack.bundle", str(ROOT), str(out)]
    subprocess.run(making, cwd=ROOT, env=clean_environment(), check=True)
    template: dict[str, Any] = json.loads((out / TEMPLATE).read_text("utf-8"))
    return template


def types(share: dict[str, Any]) -> set[str]:
    return {resource["Type"] for resource in share["Resources"].values()}


def handlers(share: dict[str, Any]) -> set[str]:
    return {each["Properties"]["Handler"] for each in share["Resources"].values() if "Handler" in each["Properties"]}


def test_tables_and_mail_stay_on_the_embedded_emulator_and_the_rest_goes_to_localstack(
    infrastructure: dict[str, Any],
) -> None:
    embedded, localstack = split(infrastructure)
    assert types(embedded) == {"AWS::DynamoDB::Table", "AWS::SES::EmailIdentity"}
    services = {each.split("::")[1] for each in types(localstack)}
    assert services == {"CloudWatch", "IAM", "Logs", "S3", "SNS", "SQS", "SecretsManager"}


def test_only_network_database_and_budget_are_on_neither_with_what_names_them(infrastructure: dict[str, Any]) -> None:
    kept = {name for share in split(infrastructure) for name in share["Resources"]}
    gone = {name: each["Type"].split("::")[1] for name, each in infrastructure["Resources"].items() if name not in kept}
    assert {name for name, service in gone.items() if service not in ("Budgets", "EC2", "RDS")} == set()
    assert "Database" in gone


def test_function_is_where_its_trigger_is_and_its_role_with_it(package: dict[str, Any]) -> None:
    embedded, localstack = split(package)
    sockets = {"app.websocket_connect", "app.websocket_message", "app.websocket_disconnect"}
    assert handlers(embedded) == sockets | {"app.push_changes", "app.greet_connections"}
    assert handlers(embedded) | handlers(localstack) == handlers(package)
    assert handlers(embedded) & handlers(localstack) == set()
    for share in (embedded, localstack):
        functions = [each for each in share["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]
        roles = {name for name, each in share["Resources"].items() if each["Type"] == "AWS::IAM::Role"}
        assert {each["Properties"]["Role"]["Fn::GetAtt"][0] for each in functions} == roles


def test_nothing_is_on_both_emulators(package: dict[str, Any], infrastructure: dict[str, Any]) -> None:
    for template in (package, infrastructure):
        embedded, localstack = split(template)
        assert set(embedded["Resources"]) & set(localstack["Resources"]) == set()
        assert set(embedded["Outputs"]) & set(localstack["Outputs"]) == set()


def test_output_goes_with_its_resource(package: dict[str, Any]) -> None:
    embedded, localstack = split(package)
    assert {"WebsocketAPIId", "RestAPIId"} & set(embedded["Outputs"]) == {"WebsocketAPIId"}
    assert {"WebsocketAPIId", "RestAPIId"} & set(localstack["Outputs"]) == {"RestAPIId"}


def test_resource_of_a_service_without_a_place_is_refused() -> None:
    template = {"Resources": {"Cache": {"Type": "AWS::ElastiCache::CacheCluster", "Properties": {}}}}
    with pytest.raises(LocalStackError, match=r"^Cache \(AWS::ElastiCache::CacheCluster\) has no place in "):
        split(template)


@pytest.mark.parametrize("reference", [{"Ref": "Table"}, {"Fn::GetAtt": "Table.Arn"}, {"Fn::Sub": "see ${Table.Arn}"}])
def test_resource_that_needs_one_on_the_other_emulator_is_refused(reference: object) -> None:
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {}}
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Dimensions": [reference]}}
    with pytest.raises(LocalStackError, match=r"^Alarm needs Table, which is on the other emulator$"):
        split({"Resources": {"Table": table, "Alarm": alarm}})


def test_what_depends_on_something_left_out_is_left_out_as_well() -> None:
    database = {"Type": "AWS::RDS::DBInstance", "Properties": {}}
    alarm = {"Type": "AWS::CloudWatch::Alarm", "DependsOn": "Database", "Properties": {}}
    topic = {"Type": "AWS::SNS::Topic", "Properties": {}}
    template = {"Resources": {"Database": database, "Alarm": alarm, "Topic": topic}}
    assert [set(share["Resources"]) for share in split(template)] == [set(), {"Topic"}]


def test_boto3_finds_each_service_at_its_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud(embedded=Emulator(1001, None), localstack=Emulator(1002, None, "http://inside:4566"))
    for name, value in cloud.variables(inside=False).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1003")

    def endpoint(service: str) -> str:
        session: Any = aws_session()  # the stubs know services by literal names
        return str(session.client(service).meta.endpoint_url)

    on_embedded = ("apigatewaymanagementapi", "apigatewayv2", "dynamodb", "dynamodbstreams", "ses", "sesv2")
    on_localstack = ("apigateway", "cloudwatch", "lambda", "logs", "s3", "secretsmanager", "sns", "sqs")
    assert {endpoint(service) for service in on_embedded} == {"http://127.0.0.1:1001"}
    assert {endpoint(service) for service in on_localstack} == {"http://127.0.0.1:1002"}
    # none is forgotten above
    named = [name for names in (*ON_EMBEDDED.values(), *ON_LOCALSTACK.values(), ("LAMBDA",)) for name in names]
    assert len(named) == len(on_embedded) + len(on_localstack)
    assert cloud.variables(inside=True)["AWS_ENDPOINT_URL_SQS"] == "http://inside:4566"


def test_operations_follow_the_services_to_where_they_are(tmp_path: Path) -> None:
    told = {"endpoint": "http://127.0.0.1:1002", "services": {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1001"}}
    (tmp_path / "run.json").write_text(json.dumps(told))
    found = find_local({}, tmp_path / "run.json")
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1002"
    assert found["AWS_ENDPOINT_URL_DYNAMODB"] == "http://127.0.0.1:1001"


def test_backend_is_embedded_unless_named_and_an_unknown_one_is_refused_with_the_three() -> None:
    assert read_settings({}).backend == read_settings({"BACKEND": ""}).backend == "embedded"
    assert read_settings({"BACKEND": "localstack-host"}).backend == "localstack-host"
    with pytest.raises(LocalStackError) as refused:
        read_settings({"BACKEND": "moto"})
    assert str(refused.value) == "BACKEND must be one of embedded, localstack-host, localstack, got 'moto'"


def test_page_of_the_backends_names_each_and_the_version() -> None:
    page = (ROOT / "docs" / "local.md").read_text("utf-8")
    assert [name for name in BACKENDS if f"\n| `{name}`" not in page] == []
    pinned = (ROOT / "requirements-localstack.txt").read_text("utf-8")
    assert f"localstack-core[runtime]=={page.split(' is the last LocalStack')[0].split()[-1]}\n" in pinned


def refusal(tmp_path: Path, **environment: str) -> str:
    """The one line that a start with this environment is refused with, before it has written anything."""
    state = tmp_path / "state"
    ended = subprocess.run(
        launcher_command("up", "--once"), cwd=ROOT, text=True, capture_output=True, timeout=60, check=False,
        env=launcher_environment(SLUICE_STATE=str(state), PORT="1", **environment),
    )  # fmt: skip
    assert (ended.returncode, ended.stdout, state.exists()) == (1, "", False)
    (line,) = ended.stderr.splitlines()
    return line


def test_localstack_without_docker_is_refused_with_the_way_out(tmp_path: Path) -> None:
    said = refusal(tmp_path, BACKEND="localstack", PATH=str(tmp_path))
    assert said == "error: BACKEND=localstack needs Docker, and there is none; BACKEND=localstack-host does not"


@pytest.mark.parametrize(
    ("fails_at", "lacking"),
    [("compose", "its compose plugin (no such thing)"), ("info", "a running Docker engine (no such thing)")],
)
def test_docker_without_compose_or_engine_is_refused_with_its_own_words(
    tmp_path: Path, fails_at: str, lacking: str
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\nif [ "$1" = {fails_at} ]; then echo no such thing >&2; exit 1; fi\n')
    docker.chmod(0o755)
    said = refusal(tmp_path, BACKEND="localstack", PATH=f"{tmp_path}:{os.defpath}")
    assert said == f"error: BACKEND=localstack needs {lacking}; BACKEND=localstack-host does not"


def test_localstack_host_without_its_python_is_refused_with_what_to_do(tmp_path: Path) -> None:
    project = tmp_path / "project"  # where nothing is installed yet
    shutil.copytree(ROOT / "localstack", project / "localstack", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("chalicelib", "infra", "requirements-localstack.txt", "requirements-localstack-functions.txt"):
        (project / name).symlink_to(ROOT / name)
    said = refusal(
        tmp_path, BACKEND="localstack-host", LOCALSTACK_PYTHON="/nowhere/python3.13", PYTHONPATH=str(project),
        PYTHONSAFEPATH="1",
    )  # fmt: skip
    assert said == "error: no Python 3.13 on PATH or with pyenv; install it, or name it in LOCALSTACK_PYTHON"


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))
    return found


def test_containers_are_published_on_the_loopback_address_alone() -> None:
    ports = [port for service in compose()["services"].values() for port in service["ports"]]
    assert sorted(ports) == ["127.0.0.1:4566:4566", "127.0.0.1:4567:4566", "127.0.0.1:54329:5432"]


def test_every_container_has_a_health_check_and_a_version() -> None:
    services = compose()["services"]
    assert set(services) == {"localstack", "emulator", "postgres"}
    assert all(service["healthcheck"]["test"][0] == "CMD" for service in services.values())
    assert services["localstack"]["image"] == "${LOCALSTACK_IMAGE:-localstack/localstack:4.14.0}"
    assert services["localstack"]["environment"]["LOCALSTACK_AUTH_TOKEN"] == "${LOCALSTACK_AUTH_TOKEN:-}"
    assert "latest" not in COMPOSE.read_text("utf-8")


def test_postgres_has_the_major_version_of_the_database_on_aws(infrastructure: dict[str, Any]) -> None:
    (on_aws,) = (
        each["Properties"]["EngineVersion"]
        for each in infrastructure["Resources"].values()
        if each["Type"] == "AWS::RDS::DBInstance"
    )
    assert compose()["services"]["postgres"]["image"] == f"postgres:{on_aws.split('.')[0]}"


def test_containers_pins_are_those_of_the_tests() -> None:
    """LocalStack's version is the same with and without Docker, and the built image takes ours from our file."""
    release = compose()["services"]["localstack"]["image"].removesuffix("}").rsplit(":", 1)[1]
    assert f"localstack-core[runtime]=={release}\n" in (ROOT / "requirements-localstack.txt").read_text("utf-8")
    recipe = compose()["services"]["emulator"]["build"]["dockerfile_inline"]
    asked = recipe.split("grep -E '^(", 1)[1].split(")==", 1)[0].split("|")
    pinned = (ROOT / "requirements-dev.txt").read_text("utf-8").splitlines()
    assert all(any(line.startswith(f"{name}==") for line in pinned) for name in asked)


@pytest.mark.skipif(
    shutil.which("docker") is None
    or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0,
    reason="docker has no compose plugin here",
)
def test_compose_itself_accepts_the_file() -> None:
    subprocess.run(["docker", "compose", "--file", str(COMPOSE), "config", "--quiet"], check=True)

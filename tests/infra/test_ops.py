"""The command line of operators: where it looks for the deployment."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.ops import find_local, main


def test_local_stage_is_found_by_the_file_of_the_running_environment(tmp_path: Path) -> None:
    run_file = tmp_path / "run.json"
    run_file.write_text('{"endpoint": "http://127.0.0.1:4566"}')
    assert find_local({}, run_file)["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"


def test_local_stage_that_does_not_run_is_never_looked_for_on_aws(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="start it with `make up`"):
        find_local({"STAGE": "local"}, tmp_path / "run.json")


@pytest.mark.parametrize("environ", [{"STAGE": "prod"}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}])
def test_named_deployment_is_left_as_it_is(environ: dict[str, str], tmp_path: Path) -> None:
    assert find_local(environ, tmp_path / "run.json") == {}


@pytest.mark.parametrize(("command", "needs"), [("purge", "purge needs QUEUE=..."), ("redrive", "or ID=...")])
def test_command_that_changes_something_must_name_it(command: str, needs: str) -> None:
    with pytest.raises(SystemExit, match=needs):
        main([command, "--queue", ""])


def test_maintenance_is_on_or_off_and_nothing_else() -> None:
    with pytest.raises(SystemExit, match="ON must be 1 or 0, got 'maybe'"):
        main(["maintenance", "--on", "maybe"])

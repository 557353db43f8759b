"""The embedded database: what survives, what is cleaned up, whose folders are trusted."""

import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg2
import pytest

from localstack.errors import LocalStackError
from localstack.postgres import Database, _private_folder, running_database
from localstack.settings import Settings, named_postgres
from tests.localstack.tiny_project import wait_for


def database(state: Path, *, keep: bool = True) -> AbstractContextManager[Database]:
    lock = os.open(state / "lock", os.O_CREAT | os.O_RDWR)
    settings = Settings(root=state, state=state, postgres=named_postgres(), keep_data=keep)
    return running_database(settings, lock)


def run(dsn: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def test_rows_survive_an_orderly_restart_a_crash_and_a_process_id_in_other_hands(tmp_path: Path) -> None:
    with database(tmp_path) as first:
        run(first.dsn, "CREATE TABLE kept AS SELECT 1 AS n")
    with database(tmp_path) as second:
        assert run(second.dsn, "SELECT n FROM kept") == [(1,)]
        data = Path(str(run(second.dsn, "SHOW data_directory")[0][0]))
        child = second.child
        assert child is not None
        os.kill(child.pid, signal.SIGKILL)
        wait_for(lambda: not child.is_alive(), "the server is gone")
    pid_file = data / "postmaster.pid"
    assert pid_file.exists(), "a crash leaves the pid file behind"
    with database(tmp_path) as third:
        assert run(third.dsn, "SELECT n FROM kept") == [(1,)]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        pid_file.write_text(f"{other.pid}\n{data}\n")
        with database(tmp_path, keep=False) as fourth:
            assert run(fourth.dsn, "SELECT n FROM kept") == [(1,)]
        other.communicate(b"\n")
    assert not data.exists()


@pytest.mark.skipif(named_postgres() is None, reason="SLUICE_POSTGRES names no other server; `make postgres` does")
def test_server_is_the_one_whose_programs_are_named(tmp_path: Path) -> None:
    programs = named_postgres()
    assert programs is not None
    told = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    with database(tmp_path, keep=False) as fresh:
        ((running,),) = run(fresh.dsn, "SHOW server_version")
        assert told.strip() == f"postgres (PostgreSQL) {running}"


def test_case_of_letters_beyond_ascii_is_folded_and_the_needed_extensions_are_there(tmp_path: Path) -> None:
    with database(tmp_path, keep=False) as fresh:
        assert run(fresh.dsn, "SELECT lower('ÑÁ')") == [("ñá",)]
        run(fresh.dsn, "CREATE EXTENSION pg_trgm")
        run(fresh.dsn, "CREATE EXTENSION unaccent")
        assert run(fresh.dsn, "SHOW listen_addresses") == [("",)]


def test_folder_of_another_account_is_not_trusted(tmp_path: Path) -> None:
    stranger = (os.getuid() + 1, os.getgid())
    (tmp_path / "taken").mkdir()
    with pytest.raises(LocalStackError, match="taken belongs to another account"):
        _private_folder(tmp_path / "taken", stranger)


def test_link_is_not_taken_for_a_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(LocalStackError, match="link belongs to another account"):
        _private_folder(tmp_path / "link", None)


def test_password_in_database_url_is_not_shown(tmp_path: Path) -> None:
    url = "postgresql://u:geheim@127.0.0.1:1/x?application_name=geheim"
    with (
        pytest.raises(LocalStackError) as refused,
        running_database(Settings(root=tmp_path, state=tmp_path, database_url=url), -1),
    ):
        pass
    assert "127.0.0.1:1/x" in str(refused.value)
    assert "geheim" not in str(refused.value)

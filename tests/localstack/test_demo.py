"""The demo's history and the checks that need no process."""

from pathlib import Path

import pytest

from localstack.demo import weekly_throughput
from localstack.errors import LocalStackError
from localstack.precheck import check_packages, check_python
from localstack.settings import read_settings


def test_weeks_are_seven_days_back_from_the_last_closing_with_idle_ones_kept(tmp_path: Path) -> None:
    history = tmp_path / "items.csv"
    history.write_text("item,closed_date\n1,2021-01-01\n2,2021-01-29\n3,2021-01-30\n4,2021-02-05\n5,2021-01-16\n")
    assert weekly_throughput(history, weeks=5) == [0, 0, 1, 1, 2]


def test_shipped_history_has_work_in_half_a_year() -> None:
    weeks = weekly_throughput()
    assert (len(weeks), sum(weeks), weeks[-1]) == (26, 66, 2)
    assert weeks.count(0) == 10


def test_older_python_is_refused_with_what_to_do() -> None:
    with pytest.raises(LocalStackError, match=r"Python 3\.11 or newer is needed, this is 3\.10; remove \.venv"):
        check_python((3, 10))


def test_missing_package_is_named() -> None:
    with pytest.raises(LocalStackError, match="not installed: no_such_package; run: pip install"):
        check_packages(["msgspec", "no_such_package"])


@pytest.mark.parametrize("port", ["0", "65536", "-1", "8e3", "abc", "²"])
def test_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(LocalStackError, match="PORT must be a number from 1 to 65535"):
        read_settings({"PORT": port})


def test_settings_come_from_the_environment() -> None:
    settings = read_settings({"PORT": "8001", "DATABASE_URL": "postgresql://x", "SLUICE_STATE": "/s"})
    assert (settings.port, settings.database_url, settings.state) == (8001, "postgresql://x", Path("/s"))
    assert settings.environment == {}


def test_profile_of_events_reaches_the_functions() -> None:
    assert read_settings({"EVENT_PROFILE": "high-volume", "TOKEN_SECRET": "x"}).environment == {
        "EVENT_PROFILE": "high-volume"
    }

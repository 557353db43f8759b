"""A project's saved history replayed: which of its histories, for whom, and what is answered without any."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.db.connect import Database
from tests.api.published import broken, published
from tests.db.desks import Desk, desk, expect

PATH = "/api/backtest-project"
LONG = [4, 5, 3, 6, 4, 5, 4, 6, 5, 3, 4, 5]


@pytest.fixture
def mine(database: Database) -> Desk:
    return desk(database, "Ann")


def project(owner: Desk, *inputs: dict[str, Any]) -> int:
    """A project with a saved forecast for each request, oldest first."""
    made: int = owner.post("/api/projects", {"name": "Relaunch"})["id"]
    for number, sent in enumerate(inputs):
        body = {"project_id": made, "name": f"F{number}", "forecast_data": {}, "input_data": sent}
        owner.post("/api/forecasts", body | ({"backlog": sent["backlog"]} if "backlog" in sent else {}))
    return made


def test_longest_history_is_replayed_once_however_often_it_was_saved(mine: Desk) -> None:
    sent = {"tpSamples": LONG, "backlog": 10}
    made = project(mine, {"tpSamples": LONG[:6], "backlog": 20}, sent, sent)
    found = expect(mine.call("POST", PATH, {"project_id": made, "zzqq": 1}), 200)
    assert found["project"] == {"id": made, "name": "Relaunch"}
    assert (found["data_info"]["total_forecasts"], found["data_info"]["total_samples"]) == (3, 12)
    # (20 + 10 + 10) / 3
    assert found["data_info"]["avg_backlog"] == 13
    assert [row["train_size"] for row in found["results"]] == [5, 6, 7, 8, 9, 10, 11]
    # 13 items from week 5: 5, 4, 6 make 15 in the third week.
    assert (found["results"][0]["actual"], found["results"][0]["confidence_level"]) == (3.0, "P85")
    assert found["coverage"]["p85"]["of"] > 0
    assert found["warnings"][0] == "/zzqq is not known and was ignored"
    assert broken(published(mine.api), "ProjectBacktest", found) == []


def test_old_figures_are_those_of_the_rows(mine: Desk) -> None:
    made = project(mine, {"tp_samples": LONG, "backlog": 10})
    found = expect(mine.call("POST", PATH, {"project_id": str(made), "min_train_size": 8}), 200)
    shares = [abs(row["error_pct"]) for row in found["results"] if row["error_pct"] is not None]
    assert found["metrics"]["avg_error_pct"] == pytest.approx(sum(shares) / len(shares))
    assert found["metrics"]["avg_accuracy"] == pytest.approx(sum(max(0, 1 - s / 100) for s in shares) / len(shares))


def test_backlog_is_ten_mean_weeks_where_none_was_saved(mine: Desk) -> None:
    made = project(mine, {"tpSamples": [1] * 40})
    assert expect(mine.call("POST", PATH, {"project_id": made}), 200)["data_info"]["avg_backlog"] == 10


def test_project_without_a_history_and_one_of_somebody_else_are_404(mine: Desk, database: Database) -> None:
    empty = project(mine, {"tpSamples": "lost"}, {})
    refused = expect(mine.call("POST", PATH, {"project_id": empty}), 404)
    assert refused["detail"] == f"project {empty} has no saved forecast with a throughput history"
    theirs = project(desk(database, "Bob"), {"tpSamples": LONG})
    expect(mine.call("POST", PATH, {"project_id": theirs}), 404)
    expect(mine.call("POST", PATH, {"project_id": 999999}), 404)
    expect(mine.api.call("POST", PATH, {"project_id": theirs}), 401)


def test_bad_bodies_are_told_with_what_is_needed(mine: Desk) -> None:
    made = project(mine, {"tpSamples": [1, 2, 3]})
    short = expect(mine.call("POST", PATH, {"project_id": made}), 400)
    assert short["errors"] == [
        {
            "pointer": "/min_train_size",
            "detail": "the project's history must have at least 6 values, 5 to learn from, got 3",
        }
    ]
    missing = expect(mine.call("POST", PATH, {}), 400)
    assert missing["errors"] == [{"pointer": "/project_id", "detail": "is required"}]

"""What a request may say."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from chalicelib.errors import FieldError
from chalicelib.sim.inputs import SimulateRequest, check
from chalicelib.sim.project import plan
from tests.sim.cases import request


def test_two_fields_are_enough() -> None:
    project = plan(request(tpSamples=[5, 6], numberOfTasks=7))
    assert (project.backlog_low, project.backlog_high) == (7, 7)
    assert (project.team.low, project.team.high, project.team.history, project.team.focus) == (100, 100, 100, 1000)


def test_everything_that_an_old_page_sends_is_declared() -> None:
    body = {
        "projectName": "x", "project_id": 7, "numberOfSimulations": 10000, "confidenceLevel": 85, "tpSamples": [1],
        "ltSamples": [1], "splitRateSamples": [1], "risks": [], "numberOfTasks": 1, "totalContributors": 2,
        "minContributors": 1, "maxContributors": 2, "sCurveSize": 20, "startDate": "1/2/2025", "teamFocus": 0.8,
        "historical_team_size": 2, "backlogAdjustedMin": 1, "backlogAdjustedMax": 2, "backlogMin": 1, "backlogMax": "",
        "backlogOriginalMin": 1, "backlogOriginalMax": 1, "backlogLowMultiplier": 1, "backlogHighMultiplier": 2,
        "backlogComplexity": "low", "dependencies": [], "currentDate": "", "completedTasks": 0, "remainingTasks": 0,
        "tpSamplesNormalized": [1.5], "throughputCadenceDays": 7, "forecastHorizon": 12, "actualRemaining": 4,
        "teamFocusPercent": 80, "deadlineDate": "2025-09-01",
    }  # fmt: skip
    names = {field.encode_name for field in msgspec.structs.fields(SimulateRequest)}
    assert set(body) <= names
    assert check(msgspec.json.decode(json.dumps(body).encode(), type=SimulateRequest)) == []


def test_every_field_of_a_request_is_described() -> None:
    schema = msgspec.json.schema(SimulateRequest)["$defs"]
    bare = [
        (kind, name)
        for kind in schema
        for name, field in schema[kind]["properties"].items()
        if "description" not in field
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"tpSamples": [0.5, 0.8]},
            FieldError("/tpSamples", "at least one value must be 1 or more, the largest is 0.8"),
        ),
        (
            {"minContributors": 5, "maxContributors": 2},
            FieldError("/minContributors", "must be at most maxContributors (2), got 5"),
        ),
        (
            {"maxContributors": 0.05},
            FieldError("/maxContributors", "must be 0 (not given) or at least 0.1, got 0.05"),
        ),
        (
            {"historicalTeamSize": 4, "historical_team_size": 5},
            FieldError("/historical_team_size", "must equal historicalTeamSize (4) when both are given, got 5"),
        ),
        ({"teamFocus": 0}, FieldError("/teamFocus", "must be at least 0.01 (1 %), got 0")),
        ({"risks": [{"likelihood": 5}]}, FieldError("/risks/0", "lowImpact or highImpact must be given")),
        (
            {"risks": [{"likelihood": 5, "lowImpact": 9, "highImpact": 3}]},
            FieldError("/risks/0/lowImpact", "must be at most highImpact (3), got 9"),
        ),
        (
            {"risks": [{"likelihood": 5, "lowImpact": 1, "highImpact": 3, "mediumImpact": 4}]},
            FieldError("/risks/0/mediumImpact", "must be from 1 to 3, got 4"),
        ),
        (
            {"startDate": "31/2/2025"},
            FieldError(
                "/startDate",
                "must be a date like d/m/yy, d/m/yyyy, yyyy-m-d, d-m-yy, d-m-yyyy, yyyy/m/d or d.m.yyyy, "
                "got '31/2/2025'",
            ),
        ),
    ],
)
def test_broken_rule_is_reported_where_it_is(fields: dict[str, Any], expected: FieldError) -> None:
    assert check(request(**fields)) == [expected]


def test_number_that_no_decoder_lets_through_is_reported_all_the_same() -> None:
    built = SimulateRequest(tp_samples=(5.0,), number_of_tasks=1, lt_samples=(1.0, float("nan")))
    assert check(built) == [FieldError("/ltSamples/1", "must be a finite number, got nan")]


def test_all_broken_rules_are_reported_at_once() -> None:
    broken = check(request(tpSamples=[0], teamFocus=0, startDate="soon", currentDate="later"))
    assert [each.pointer for each in broken] == ["/tpSamples", "/teamFocus", "/startDate", "/currentDate"]


@pytest.mark.parametrize(
    "fields",
    [
        {"tpSamples": []},
        {"tpSamples": [-1, 5]},
        {"tpSamples": [1] * 1001},
        {"tpSamples": "5,6"},
        {"numberOfTasks": 10_000},
        {"numberOfSimulations": 0},
        {"numberOfSimulations": 10_000_001},
        {"engine": "fast"},
        {"sampling": "normal"},
        {"seed": -1},
        {"seed": 2**53},
        {"tpSamples": [float("nan")]},
        {"risks": [{"likelihood": -1, "lowImpact": 1}]},
        {"splitRateSamples": [0.1]},
        {"splitRateSamples": [10.5]},
        {"confidenceLevel": 100},
        {"totalContributors": 0},
        {"teamFocus": 1.5},
        {"risks": [{"likelihood": 101, "lowImpact": 1}]},
        {"risks": [{"likelihood": 5, "lowImpact": 1}] * 101},
        {"dependencies": [{"on_time_probability": 1.5}]},
        {"dependencies": [{"delay_impact_distribution": [-1]}]},
    ],
)
def test_value_outside_its_bounds_is_refused_by_the_schema(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        request(**fields)


def test_ramp_outside_its_bounds_is_clamped() -> None:
    assert plan(request(sCurveSize=70)).team.ramp_percent == 50
    assert plan(request(sCurveSize=-5)).team.ramp_percent == 0


@pytest.mark.parametrize(
    ("fields", "low", "high"),
    [
        ({}, 500, 500),
        ({"minContributors": 0, "maxContributors": 0}, 500, 500),
        ({"minContributors": 2}, 200, 500),
        ({"maxContributors": 3}, 300, 300),
        ({"minContributors": 7}, 700, 700),
    ],
)
def test_missing_team_size_follows_the_whole_team(fields: dict[str, Any], low: int, high: int) -> None:
    sent = request(totalContributors=5, **fields)
    team = plan(sent).team
    assert (check(sent), team.low, team.high) == ([], low, high)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6/1/25", "2025-01-06"),
        ("6/1/2025", "2025-01-06"),
        ("2025-1-6", "2025-01-06"),
        ("6-1-25", "2025-01-06"),
        ("06-01-2025", "2025-01-06"),
        ("2025/01/06", "2025-01-06"),
        ("6.1.2025", "2025-01-06"),
        ("2025-01-06T00:00:00.000Z", "2025-01-06"),
    ],
)
def test_start_is_read_in_every_accepted_format(text: str, expected: str) -> None:
    start = plan(request(startDate=text)).calendar.start
    assert start is not None
    assert start.isoformat() == expected

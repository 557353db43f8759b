"""Questions that are answered at once: risks, dependencies, trends, costs, steadiness and share links."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import pytest

from chalicelib.api.resources import RESOURCES
from tests.api.calls import Api, details, document
from tests.api.published import broken, component, published
from tests.contract.bounds import Bound, bounds
from tests.test_imports import loaded_by

# What old clients send.
BODIES: dict[str, dict[str, Any]] = {
    "/api/risk-summary": {
        "risks": [
            {"likelihood": 30, "lowImpact": 5, "mediumImpact": 8, "highImpact": 20, "description": "Supplier"},
            {"likelihood": 0.1, "lowImpact": 2, "highImpact": 6},
        ],
        "tpSamples": [5, 6, 7, 8, 0, 3],
        "baselineDurationWeeks": 12,
    },
    "/api/dependency-analysis": {
        "dependencies": [
            {
                "id": "DEP-1",
                "name": "Payments",
                "source_project": "Shop",
                "target_project": "Bank",
                "on_time_probability": 0.6,
                "delay_impact_days": 10,
                "criticality": "HIGH",
            }
        ],
        "num_simulations": 10_000,
    },
    "/api/trend-analysis": {
        "tpSamples": "3, 4, 3, 5; 6 5\n7 6 8 9",
        "leadTimeSamples": [9, 8, 10, 7, 6, 7, 5, 6],
        "metricName": "throughput",
    },
    "/api/cost-analysis": {
        "optimistic": 3000,
        "mostLikely": 5000,
        "pessimistic": 10_000,
        "backlog": 50.0,
        "nSimulations": 10_000,
        "avgCostPerItem": 5_400,
        "teamSize": 4,
        "minContributors": None,
        "maxContributors": 4,
        "tpSamples": "5, 6, 7",
    },
    "/api/pbc-analysis": {"tp_samples": [5, 6, 7, 8, 6, 3, 6, 5, 7, 14]},
}
every_analysis = pytest.mark.parametrize("path", BODIES)
every_route = pytest.mark.parametrize("path", [*BODIES, "/api/encode", "/api/decode"])


@cache
def openapi() -> Any:  # the OpenAPI document
    return published(Api())


def operation(path: str) -> Any:  # an OpenAPI operation
    return openapi()["paths"][path]["post"]


def example(path: str) -> Any:  # the body that the document shows
    return operation(path)["requestBody"]["content"]["application/json"]["example"]


def ask(path: str, body: Any) -> Any:  # the answer as a client reads it
    answer = Api().call("POST", path, body)
    assert answer.status == 200, document(answer)
    return document(answer)


@every_analysis
def test_body_of_an_old_client_and_the_example_are_answered_as_published(path: str) -> None:
    name, _ = component(openapi(), operation(path)["responses"]["200"])
    for body in (BODIES[path], example(path)):
        found = ask(path, body)
        assert broken(openapi(), name, found) == []
        assert found["warnings"] == []


def test_risks_are_ranked_under_the_names_of_the_contract() -> None:
    found = ask("/api/risk-summary", BODIES["/api/risk-summary"])
    # 0.3 x 33 / 3 and 0.1 x 12 / 3.
    assert [row["expected_impact"] for row in found["risk_summaries"]] == pytest.approx([3.3, 0.4])
    assert [row["likelihood"] for row in found["risk_summaries"]] == [0.3, 0.1]
    assert (found["total_expected_impact"], found["high_priority_count"]) == (pytest.approx(3.7), 1)
    assert found["recommendations"][0].startswith('Begin with "Supplier"')


def test_dependencies_have_both_sets_of_names() -> None:
    found = ask("/api/dependency-analysis", BODIES["/api/dependency-analysis"])
    assert (found["on_time_probability_percentage"], found["odds_ratio"]) == (60.0, "1 in 1.67")
    assert found["expected_delay_days"] == pytest.approx(4)
    assert (found["critical_path"], found["critical_dependencies"][0]["id"]) == (["DEP-1 (Payments)"], "DEP-1")
    assert found["recommendations"] == found["advice"]


def test_trend_has_all_metrics_and_the_first_one_at_the_top() -> None:
    found = ask("/api/trend-analysis", BODIES["/api/trend-analysis"])
    throughput, lead_time = found["metrics"]
    assert (throughput["metric_key"], lead_time["metric_key"]) == ("throughput", "lead_time")
    assert {name: found[name] for name in throughput if name not in ("metric_key", "display_name")} == {
        name: value for name, value in throughput.items() if name not in ("metric_key", "display_name")
    }
    assert (throughput["trend"]["trend_direction"], lead_time["trend"]["trend_direction"]) == ("improving", "improving")
    assert [each["scenario_name"] for each in found["projections"]] == ["conservative", "moderate", "optimistic"]


def test_cost_has_the_names_of_the_contract() -> None:
    found = ask("/api/cost-analysis", BODIES["/api/cost-analysis"])
    results = found["simulation_results"]
    assert (results["mean"], results["avg_throughput_per_contributor"]) == (pytest.approx(275_000), 1.5)
    assert results["percentiles"]["p10"] < results["percentiles"]["p50"] < results["percentiles"]["p95"]
    # 270,000 is below the mean.
    assert 0 < results["prob_below_avg"] < 0.5
    assert "budget" not in found["risk_metrics"]


def test_steadiness_has_the_names_of_the_contract() -> None:
    found = ask("/api/pbc-analysis", BODIES["/api/pbc-analysis"])
    # Sum 67; ranges 1 1 1 2 3 3 1 2 7 make 21.
    assert (found["analysis"]["average"], found["analysis"]["average_moving_range"]) == (6.7, pytest.approx(21 / 9))
    assert found["input_data"] == {"tp_samples": BODIES["/api/pbc-analysis"]["tp_samples"], "n_samples": 10}


@every_analysis
def test_unknown_field_is_a_warning_and_refused_when_strict(path: str) -> None:
    body = BODIES[path] | {"zzqq": 1}
    assert "/zzqq is not known and was ignored" in ask(path, body)["warnings"]
    refused = Api().call("POST", f"{path}?strict=1", body)
    assert (refused.status, details(refused)) == (400, [("/zzqq", "is not known")])


@every_route
def test_route_needs_an_account_where_forecasts_do(path: str) -> None:
    assert Api(public_forecasts=False).call("POST", path, BODIES.get(path, {"encoded": "MQ=="})).status == 401
    assert {} in operation(path)["security"]


@every_route
@pytest.mark.parametrize("body", [b"", b"{", b'{"x": NaN}', b'{"x": Infinity}', b"\xff", b"[" * 40 + b"]" * 40])
def test_body_that_is_no_json_is_a_client_error(path: str, body: bytes) -> None:
    answer = Api().call("POST", path, body)
    assert (answer.status, [pointer for pointer, _ in details(answer)]) == (400, [""])


@every_analysis
@pytest.mark.parametrize("body", [[], "x", 5, None])
def test_body_that_is_no_object_is_a_client_error(path: str, body: object) -> None:
    assert Api().call("POST", path, json.dumps(body).encode()).status == 400


@pytest.mark.parametrize(
    ("path", "body", "errors"),
    [
        ("/api/risk-summary", {}, [("/risks", "No risks provided: at least 1 is needed, got 0")]),
        (
            "/api/risk-summary",
            {"risks": [{"likelihood": 101, "lowImpact": -1}, {"lowImpact": 1}]},
            [
                ("/risks/0/likelihood", "must be at most 100, got 101"),
                ("/risks/0/lowImpact", "must be at least 0, got -1"),
                ("/risks/1/likelihood", "is required"),
            ],
        ),
        (
            "/api/dependency-analysis",
            {"dependencies": []},
            [("/dependencies", "No dependencies provided: at least 1 is needed, got 0")],
        ),
        (
            "/api/dependency-analysis",
            {"dependencies": [{"on_time_probability": 80}]},
            [("/dependencies/0/on_time_probability", "must be at most 1, got 80")],
        ),
        ("/api/trend-analysis", {}, [("/tpSamples", "tpSamples or ltSamples must be given")]),
        ("/api/trend-analysis", {"tpSamples": "1 2 x"}, [("/tpSamples", "number 3 must be a number, got 'x'")]),
        ("/api/trend-analysis", {"tpSamples": [1, 2, -3]}, [("/tpSamples/2", "must be at least 0, got -3")]),
        (
            "/api/cost-analysis",
            {"optimistic": -1, "mostLikely": 2, "pessimistic": 3},
            [("/backlog", "is required"), ("/optimistic", "must be at least 0, got -1")],
        ),
        (
            "/api/cost-analysis",
            {"optimistic": 3, "mostLikely": 2, "pessimistic": 4, "backlog": 1},
            [("/mostLikely", "must be more than optimistic (3), got 2")],
        ),
        ("/api/pbc-analysis", {"tp_samples": [5]}, [("/tp_samples", "must have at least 2 samples, got 1")]),
        ("/api/decode", {}, [("/encoded", "is required")]),
    ],
)
def test_refusal_names_field_value_and_bound(path: str, body: object, errors: list[tuple[str, str]]) -> None:
    answer = Api().call("POST", path, body)
    assert (answer.status, sorted(details(answer))) == (400, errors)
    assert broken(openapi(), "Problem", document(answer)) == []


class BoundCase(NamedTuple):
    """One bound of one route's request."""

    path: str
    bound: Bound

    def __str__(self) -> str:
        return f"{self.path}-{self.bound.pointer}-{self.bound.keyword}"


def every_bound() -> Iterator[BoundCase]:
    for path in BODIES:
        _, schema = component(openapi(), operation(path)["requestBody"])
        for bound in bounds(schema, openapi()["components"]["schemas"], example(path)):
            yield BoundCase(path, bound)


BOUNDS = sorted(every_bound(), key=str)


@pytest.mark.parametrize("one", BOUNDS, ids=str)
def test_value_outside_a_bound_is_refused_where_it_stands_and_one_at_it_never_crashes(one: BoundCase) -> None:
    refused = Api().call("POST", one.path, one.bound.outside)
    assert (refused.status, [pointer for pointer, _ in details(refused)]) == (400, [one.bound.pointer])
    assert Api().call("POST", one.path, one.bound.within).status in (200, 400)


VALUES: list[Any] = [
    {"projectName": "Übersicht 🚀", "tpSamples": [5, 6.5, 0], "risks": [], "save": None},
    [1, [2, {"a": False}]],
    "text",
    5,
    -0.1,
    True,
    None,
    {},
]


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_any_value_comes_back_as_it_was(value: object) -> None:
    sent = json.dumps(value).encode()
    encoded = ask("/api/encode", sent)["encoded"]
    assert json.loads(base64.b64decode(encoded, validate=True)) == value
    assert ask("/api/decode", {"encoded": encoded}) == value


def test_link_holds_the_text_without_its_spaces() -> None:
    encoded = ask("/api/encode", b' { "a" : 1.0, "b c": 12345678901234567890123 } ')["encoded"]
    assert base64.b64decode(encoded) == b'{"a":1.0,"b c":12345678901234567890123}'


# Python's json writes spaces and escapes; the text has a + and a / in base64.
OLD = {"name": "x?ab>", "tpSamples": [5, 6]}
OLD_LINK = base64.b64encode(json.dumps(OLD).encode()).decode()


@pytest.mark.parametrize(
    "encoded",
    [
        OLD_LINK,
        OLD_LINK.rstrip("="),
        OLD_LINK.replace("+", "-").replace("/", "_"),
        OLD_LINK.replace("+", " "),
        OLD_LINK.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
        f"  {OLD_LINK[:20]}\r\n{OLD_LINK[20:]}\n",
    ],
)
def test_link_is_decoded_whatever_has_been_done_to_it(encoded: str) -> None:
    assert {"+", "/", "="} <= set(OLD_LINK)
    assert ask("/api/decode", {"encoded": encoded}) == OLD


def test_unknown_field_beside_a_link_is_ignored_unless_strict() -> None:
    assert ask("/api/decode", {"encoded": "MQ==", "other": 1}) == 1
    refused = Api().call("POST", "/api/decode?strict=1", {"encoded": "MQ==", "other": 1})
    assert (refused.status, details(refused)) == (400, [("/other", "is not known")])


def coded(text: bytes) -> str:
    return base64.b64encode(text).decode()


@pytest.mark.parametrize(
    ("encoded", "detail"),
    [
        ("", "must have at least 1 characters, got 0"),
        ("MQ==x", "must be base64"),
        ("A", "must be base64"),
        ("Ünder", "must be base64"),
        (5, "must be a text, got 5"),
        (coded(b"\xff1"), "must hold UTF-8: byte 0 cannot be read"),
        ("   ", "must hold JSON: a JSON body is required"),
        (coded(b"{"), "must hold JSON: "),
        (coded(b"NaN"), "must hold JSON: NaN is not a number that JSON knows"),
        (coded(b'{"a": [Infinity]}'), "must hold JSON: Infinity is not a number that JSON knows"),
        (coded(b"[" * 33 + b"]" * 33), "must hold JSON: the body must not be nested deeper than 32 levels"),
        (coded(b"[" * 100_000 + b"]" * 100_000), "must hold JSON: the body must not be nested deeper than 32 levels"),
        ("A" * 2_000_001, "must have at most 2000000 characters, got 2000001"),
    ],
)
def test_link_that_holds_no_json_is_refused_where_it_stands(encoded: object, detail: str) -> None:
    answer = Api().call("POST", "/api/decode", {"encoded": encoded})
    ((pointer, said),) = details(answer)
    assert (answer.status, pointer) == (400, "/encoded")
    assert said.startswith(detail)


def test_largest_value_makes_a_link_that_can_be_decoded_and_a_larger_one_none() -> None:
    largest = b'"' + b"x" * 1_499_998 + b'"'
    encoded = ask("/api/encode", largest)["encoded"]
    assert len(encoded) == 2_000_000
    assert ask("/api/decode", {"encoded": encoded}) == "x" * 1_499_998
    refused = Api().call("POST", "/api/encode", b'"' + b"x" * 1_499_999 + b'"')
    assert refused.status == 413
    assert document(refused)["detail"] == "the JSON text must be at most 1500000 bytes without spaces, got 1500001"


@every_route
def test_module_of_a_route_is_loaded_without_numpy(path: str) -> None:
    (module,) = [module for _, known, module, _ in RESOURCES if known == path]
    assert "numpy" not in loaded_by(f"import chalicelib.api.{module}")

"""The routes of what is kept, and of small questions that are answered at once: a table, read without their modules.

The module of a route has the view under the name that stands here, and its description under the same name in `DOCS`.
It is loaded by the first call, or when the API describes itself: a start pays for this table and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from chalicelib.api.http import Answer, Call, View
from chalicelib.api.route import Doc, Route

# Method, path, module in chalicelib.api, view.
RESOURCES: tuple[tuple[str, str, str, str], ...] = (
    ("GET", "/api/projects", "projects", "list_projects"),
    ("POST", "/api/projects", "projects", "create_project"),
    ("GET", "/api/projects/{project_id}", "projects", "get_project"),
    ("PUT", "/api/projects/{project_id}", "projects", "change_project"),
    ("DELETE", "/api/projects/{project_id}", "projects", "delete_project"),
    ("GET", "/api/forecasts", "forecasts", "list_forecasts"),
    ("POST", "/api/forecasts", "forecasts", "create_forecast"),
    ("POST", "/api/forecasts/import", "forecasts", "import_forecast"),
    ("GET", "/api/forecasts/{forecast_id}", "forecasts", "get_forecast"),
    ("DELETE", "/api/forecasts/{forecast_id}", "forecasts", "delete_forecast"),
    ("GET", "/api/forecasts/{forecast_id}/export", "forecasts", "export_forecast"),
    ("GET", "/api/forecasts/{forecast_id}/versions", "forecasts", "list_versions"),
    ("GET", "/api/actuals", "actuals", "list_actuals"),
    ("POST", "/api/actuals", "actuals", "create_actual"),
    ("GET", "/api/actuals/{actual_id}", "actuals", "get_actual"),
    ("PUT", "/api/actuals/{actual_id}", "actuals", "change_actual"),
    ("DELETE", "/api/actuals/{actual_id}", "actuals", "delete_actual"),
    ("GET", "/api/accuracy-analysis", "accuracy", "analyse_accuracy"),
    ("GET", "/api/forecast-vs-actual/dashboard", "accuracy", "show_dashboard"),
    ("POST", "/api/v1/data-processing/tasks/search", "contract_tasks", "search"),
    ("POST", "/api/v1/data-processing/tasks/analytics", "contract_tasks", "analytics"),
    ("POST", "/api/v1/data-processing/tasks/analytics-paginated", "contract_tasks", "table"),
    ("POST", "/api/v1/data-processing/tasks/aggregates", "contract_tasks", "aggregates"),
    ("GET", "/api/v1/data-processing/tasks/status", "contract_tasks", "status"),
    ("GET", "/api/v1/data-processing/tasks/result", "contract_tasks", "result"),
    ("GET", "/api/v1/data-processing/tasks/active", "contract_tasks", "active"),
    ("POST", "/api/v1/data-processing/tasks/cancel", "contract_tasks", "cancel"),
    ("POST", "/api/v1/contracts/value-distribution", "contract_amounts", "distribute"),
    ("POST", "/api/v1/data-processing/benfords-law", "contract_amounts", "compare_first_digits"),
    ("POST", "/api/v1/data-processing/rounding-patterns", "contract_amounts", "describe_rounding"),
    ("POST", "/api/uploads", "uploads", "create"),
    ("POST", "/api/projects/{project_id}/pbc-analysis", "pbc_analysis", "analyse_project"),
    ("POST", "/api/backtest-project", "backtest_project", "replay_project"),
    ("POST", "/api/pbc-analysis", "pbc_analysis", "analyse"),
    ("POST", "/api/risk-summary", "risk_summary", "summarise"),
    ("POST", "/api/dependency-analysis", "dependency_analysis", "analyse"),
    ("POST", "/api/trend-analysis", "trend_analysis", "analyse"),
    ("POST", "/api/cost-analysis", "cost_analysis", "analyse"),
    ("POST", "/api/encode", "share_links", "encode"),
    ("POST", "/api/decode", "share_links", "decode"),
)


def resource_routes() -> Iterator[Route]:
    """The routes of the table, in its order."""
    for method, path, module, name in RESOURCES:
        yield Route(path, method, _view(module, name), _doc(module, name))


def _view(module: str, name: str) -> View:
    def view(call: Call) -> Answer:
        answer: Answer = getattr(import_module(f"chalicelib.api.{module}"), name)(call)
        return answer

    view.__name__ = f"{module}_{name}"
    return view


def _doc(module: str, name: str) -> Callable[[], Doc]:
    def doc() -> Doc:
        found: Doc = import_module(f"chalicelib.api.{module}").DOCS[name]
        return found

    return doc

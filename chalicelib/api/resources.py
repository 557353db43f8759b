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
Table = tuple[tuple[str, str, str, str], ...]
RESOURCES: Table = (
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
    ("POST", "/api/v1/data-processing/tasks/export", "contract_tasks", "export"),
    ("GET", "/api/v1/data-processing/tasks/status", "contract_tasks", "status"),
    ("GET", "/api/v1/data-processing/tasks/result", "contract_tasks", "result"),
    ("GET", "/api/v1/data-processing/tasks/active", "contract_tasks", "active"),
    ("POST", "/api/v1/data-processing/tasks/cancel", "contract_tasks", "cancel"),
    ("POST", "/api/v1/contracts/chip-export", "contract_exports", "export"),
    ("POST", "/api/v1/contracts/chip-export-estimate", "contract_exports", "estimate"),
    ("POST", "/api/v1/contracts/chip-export-aggregated", "contract_exports", "export_sums"),
    ("POST", "/api/v1/contracts/chip-export-aggregated-estimate", "contract_exports", "estimate_sums"),
    ("POST", "/api/v1/contracts/imports", "contract_imports", "create"),
    ("POST", "/api/v1/contracts/value-distribution", "contract_amounts", "distribute"),
    ("POST", "/api/v1/data-processing/benfords-law", "contract_amounts", "compare_first_digits"),
    ("POST", "/api/v1/data-processing/rounding-patterns", "contract_amounts", "describe_rounding"),
    ("GET", "/api/v1/ocds/releases", "contract_releases", "releases"),
    ("POST", "/api/v1/data-processing/supplier-concentration", "contract_review", "concentration"),
    ("POST", "/api/v1/data-processing/threshold-bunching", "contract_review", "bunching"),
    ("GET", "/api/v1/contracts/filter-options", "contract_lists", "options"),
    ("GET", "/api/v1/contracts/contractors", "contract_lists", "contractors"),
    ("GET", "/api/v1/contracts/organizations", "contract_lists", "organizations"),
    ("GET", "/api/v1/contracts/business-categories", "contract_lists", "business_categories"),
    ("GET", "/api/v1/contracts/areas-of-delivery", "contract_lists", "areas_of_delivery"),
    ("POST", "/api/v1/contracts/facets", "contract_facets", "count"),
    ("POST", "/api/v1/contracts/harvest", "contract_harvest", "harvest"),
    ("GET", "/api/v1/data-processing/query-entities", "contract_entities", "list_entities"),
    ("GET", "/api/v1/data-processing/query-related-entities", "contract_entities", "list_related"),
    ("POST", "/api/v1/data-processing/query-contracts-by-entity", "contract_entities", "list_contracts"),
    ("GET", "/api/v1/data-processing/available-time-ranges", "contract_entities", "list_times"),
    ("GET", "/api/v1/entities/{kind}/{entity_id}", "contract_entities", "show"),
    ("GET", "/api/v1/contracts/saved-searches", "saved_searches", "list_searches"),
    ("POST", "/api/v1/contracts/saved-searches", "saved_searches", "create_search"),
    ("GET", "/api/v1/contracts/saved-searches/{search_id}", "saved_searches", "get_search"),
    ("PUT", "/api/v1/contracts/saved-searches/{search_id}", "saved_searches", "change_search"),
    ("DELETE", "/api/v1/contracts/saved-searches/{search_id}", "saved_searches", "delete_search"),
    ("GET", "/api/v1/contracts/saved-searches/{search_id}/alerts", "saved_searches", "list_alerts"),
    ("POST", "/api/v1/contracts/saved-searches/{search_id}/test", "saved_searches", "send_test"),
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


def resource_routes(table: Table = RESOURCES) -> Iterator[Route]:
    """The routes of the table, in its order."""
    for method, path, module, name in table:
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

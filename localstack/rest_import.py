"""ministack, with REST APIs that are made from a document, as `chalice deploy` makes them.

By itself version 1.5 knows such documents in CloudFormation only: ImportRestApi makes an empty API, PutRestApi is
unknown. And it leaves out what a mock integration answers, so that no preflight of CORS would be. Installed into the
emulator's process by its launcher.
"""

import json
from typing import Any

from ministack.services import apigateway_v1 as rest

_by_itself = rest.handle_request
_operation_by_itself = rest._import_operation
# The document's name for it, and the API's.
_BINARY, _COMPRESSION = "x-amazon-apigateway-binary-media-types", "x-amazon-apigateway-minimum-compression-size"


def install() -> None:
    """Has the emulator read the documents of ImportRestApi and PutRestApi, and all of an operation in them."""
    rest.handle_request = handle_request
    rest._import_operation = _import_operation


async def handle_request(method: str, path: str, headers: Any, body: Any, query_params: Any) -> Any:
    """One request to API Gateway's own API."""
    parts = path.strip("/").split("/")
    if parts == ["restapis"] and method == "POST" and _first(query_params, "mode") == "import":
        return _described(rest._import_rest_api(json.loads(body), _base(json.loads(body), query_params)))
    if len(parts) == 2 and parts[0] == "restapis" and method == "PUT" and parts[1] in rest._rest_apis:
        return _overwrite(parts[1], json.loads(body))
    return await _by_itself(method, path, headers, body, query_params)


def _overwrite(api_id: str, document: dict[str, Any]) -> Any:
    """All that the document describes is replaced, gateway responses too; stages and deployments stay."""
    api = rest._rest_apis[api_id]
    kept = {name: getattr(rest, name)[api_id] for name in ("_stages_v1", "_deployments_v1")}
    fresh = rest._import_rest_api(document, {**api, **_base(document, {})})
    for name in ("_resources", "_authorizers_v1", "_models", "_gateway_responses", "_documentation_parts"):
        table = getattr(rest, name)
        table[api_id] = table.pop(fresh)
    rest._rest_apis[api_id] = {**rest._rest_apis.pop(fresh), "id": api_id, "createdDate": api["createdDate"]}
    for name, value in kept.items():
        getattr(rest, name).pop(fresh, None)
        getattr(rest, name)[api_id] = value
    return _described(api_id)


def _import_operation(api_id: str, resource_id: str, method: str, operation: Any, *more: Any) -> None:
    _operation_by_itself(api_id, resource_id, method, operation, *more)
    integration = (operation or {}).get("x-amazon-apigateway-integration", {})
    if integration.get("type") != "mock":
        return
    for pattern, answer in integration.get("responses", {}).items():
        known = {**answer, "selectionPattern": "" if pattern == "default" else pattern}
        rest._put_integration_response(api_id, resource_id, method, answer["statusCode"], known)


def _base(document: dict[str, Any], query_params: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"binaryMediaTypes": document.get(_BINARY, [])}
    if _COMPRESSION in document:
        base["minimumCompressionSize"] = document[_COMPRESSION]
    types = _first(query_params, "endpointConfigurationTypes")
    return base | ({"endpointConfiguration": {"types": [types]}} if types else {})


def _first(query_params: Any, name: str) -> str:
    found = (query_params or {}).get(name, "")
    return str(found[0] if isinstance(found, list) else found)


def _described(api_id: str) -> Any:
    return rest._get_rest_api(api_id)

"""What the API publishes about itself, and whether a value is as published."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from tests.api.calls import Api, document


def published(api: Api) -> Any:  # a JSON object, in OpenAPI's shape
    """The OpenAPI document as a client reads it."""
    return document(api.call("GET", "/api/openapi.json"))


def broken(openapi: Any, name: str, value: Any) -> list[str]:
    """Every way in which the value is not what the document says of `name`; fields that it does not know included."""
    root = {"$ref": f"#/components/schemas/{name}", "components": openapi["components"]}
    schema = openapi["components"]["schemas"][name]
    unknown = set(value) - set(schema["properties"]) if isinstance(value, dict) else set()
    errors = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(root).iter_errors(value)]
    return errors + [f"$.{name}: not published" for name in sorted(unknown)]


def component(openapi: Any, content: Any) -> tuple[str, Any]:
    """The name and the schema of the component that a request or an answer consists of."""
    name = content["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return name, openapi["components"]["schemas"][name]

"""A template without some types of resources: what an emulator knows of it."""

from __future__ import annotations

import json
from typing import Any


def without(body: str, types: frozenset[str]) -> str:
    """The template without these types, and without the outputs and properties that name what is left out."""
    if not types:
        return body
    template: dict[str, Any] = json.loads(body)
    gone = {name for name, resource in template["Resources"].items() if resource["Type"] in types}
    template["Resources"] = {name: each for name, each in template["Resources"].items() if name not in gone}
    outputs = template.get("Outputs", {})
    template["Outputs"] = {name: each for name, each in outputs.items() if not _names(each, gone)}
    return json.dumps(template)


def _names(value: object, gone: set[str]) -> bool:
    text = json.dumps(value)
    return any(f'"{name}"' in text or f'"{name}.' in text or f"${{{name}" in text for name in gone)

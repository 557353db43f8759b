"""A template without some types of resources: what an emulator knows of it."""

from __future__ import annotations

import json
from typing import Any


def without(body: str, types: frozenset[str]) -> str:
    """The template's text without these types, and without the outputs that name what is left out."""
    return json.dumps(left_of(json.loads(body), types)) if types else body


def left_of(template: dict[str, Any], types: frozenset[str]) -> dict[str, Any]:
    """The same of a template that was read."""
    gone = {name for name, resource in template["Resources"].items() if resource["Type"] in types}
    resources = {name: each for name, each in template["Resources"].items() if name not in gone}
    outputs = {name: each for name, each in template.get("Outputs", {}).items() if not _names(each, gone)}
    return {**template, "Resources": resources, "Outputs": outputs}


def _names(value: object, gone: set[str]) -> bool:
    text = json.dumps(value)
    return any(f'"{name}"' in text or f'"{name}.' in text or f"${{{name}" in text for name in gone)

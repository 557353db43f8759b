"""CloudFormation templates as plain data, with the short forms of intrinsic functions kept as one-key objects."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Reads `!Sub x` as {"Fn::Sub": "x"} and `!Ref x` as {"Ref": "x"}."""


def _intrinsic(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _intrinsic)


@cache
def load(path: Path) -> dict[str, Any]:
    """The template as data."""
    template: dict[str, Any] = yaml.load(path.read_text("utf-8"), _Loader)
    return template


def resource(path: Path, name: str) -> dict[str, Any]:
    """One resource of the template."""
    found: dict[str, Any] = load(path)["Resources"][name]
    return found


def resources(path: Path, kind: str) -> dict[str, Any]:
    """The resources of one type by logical name."""
    return {name: found for name, found in load(path)["Resources"].items() if found["Type"] == kind}

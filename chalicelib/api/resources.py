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
RESOURCES: tuple[tuple[str, str, str, str], ...] = ()


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

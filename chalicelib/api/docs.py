"""The docs page: the OpenAPI document as one static HTML page without scripts and without any other host."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

Json = dict[str, Any]  # a JSON object, in OpenAPI's shape

_CSS = Path(__file__).with_name("docs.css").read_text("utf-8")
_HASH = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
# The page may use its own style sheet, named by its hash, and nothing else.
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page(document: Json) -> str:
    """The whole page; everything on it is read from the document."""
    info = document["info"]
    title = f"{info['title']} API"
    parts = [
        f"<header><h1>{escape(title)} <small>{escape(info['version'])}</small></h1>{_prose(info['description'])}"
        '<p>The same as an <a href="api/openapi.json">OpenAPI 3.1 document</a>. In the curl lines, <code>$BASE</code> '
        "is the address of this service and <code>$TOKEN</code> the token of a login.</p></header>",
        _contents(document),
        *_groups(document),
        _authentication(document),
        _states(document),
        _errors(document),
        _types(document),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_CSS}</style></head>\n<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _contents(document: Json) -> str:
    lines = "".join(
        f'<li><a href="#{operation["operationId"]}">{_signature(method, path)}</a> {escape(operation["summary"])}</li>'
        for path, method, operation in _operations(document)
    )
    rest = {"authentication": "Authentication", "states": "States of a task", "errors": "Errors", "types": "Types"}
    links = " · ".join(f'<a href="#{name}">{title}</a>' for name, title in rest.items())
    return f"<nav><ul>{lines}</ul><p>{links}</p></nav>"


def _signature(method: str, path: str) -> str:
    # A long path may be broken after each slash.
    return f'<span class="method {method.lower()}">{method}</span> <code>{escape(path).replace("/", "/<wbr>")}</code>'


def _groups(document: Json) -> Iterator[str]:
    for group in (tag["name"] for tag in document["tags"]):
        yield f"<h2>{escape(group)}</h2>"
        for path, method, operation in _operations(document):
            if group in operation["tags"]:
                yield _operation(document, path, method, operation)


def _operation(document: Json, path: str, method: str, operation: Json) -> str:
    parts = [
        f'<section id="{operation["operationId"]}"><h3>{_signature(method, path)}</h3>',
        f'<p class="lead">{escape(operation["summary"])}</p>',
        _prose(operation.get("description", "")),
        f"<p>{_access(operation['security'])}</p>",
        _parameters(operation.get("parameters", [])),
        _request(document, operation),
        f"<h4>Try it</h4><pre><code>{escape(_curl(document, path, method, operation))}</code></pre>",
        _responses(document, operation),
        "</section>",
    ]
    return "".join(parts)


def _access(ways: list[Json]) -> str:
    if not ways:
        return "Open to everybody."
    if {} in ways:
        return '<a href="#authentication">Credentials</a> are not always needed.'
    names = ", ".join(f"<code>{escape(name)}</code>" for way in ways for name in way)
    return f'Needs one of these <a href="#authentication">credentials</a>: {names}.'


def _parameters(parameters: list[Json]) -> str:
    if not parameters:
        return ""
    rows = (
        _field(one["name"], {**one["schema"], "description": one["description"]},
               where=one["in"], is_required=one.get("required", False))
        for one in parameters
    )  # fmt: skip
    return f"<h4>Parameters</h4><dl>{''.join(rows)}</dl>"


def _request(document: Json, operation: Json) -> str:
    if "requestBody" not in operation:
        return ""
    content = operation["requestBody"]["content"]["application/json"]
    schema = _resolve(document, content["schema"])
    example = json.dumps(content["example"], indent=2, ensure_ascii=False) if "example" in content else ""
    shown = f"<h4>Example</h4><pre><code>{escape(example)}</code></pre>" if example else ""
    return f"<h4>Body</h4>{_prose(schema.get('description', ''))}{_fields(schema)}{shown}"


def _curl(document: Json, path: str, method: str, operation: Json) -> str:
    server = document["servers"][0]["url"].rstrip("/") or "$BASE"
    command = "curl" if method == "GET" else f"curl -X {method}"
    address = re.sub(r"{(\w+)}", lambda found: "$" + found[1].upper(), path)
    lines = [f'{command} "{server}{address}"']
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        body = json.dumps(content.get("example", {}), ensure_ascii=False)
        # How a shell writes an apostrophe within apostrophes.
        lines += ["-H 'Content-Type: application/json'", "-d '" + body.replace("'", "'\\''") + "'"]
    return " \\\n  ".join(lines)


def _responses(document: Json, operation: Json) -> str:
    rows = "".join(_response(document, status, response) for status, response in operation["responses"].items())
    return f"<h4>Answers</h4><dl>{rows}</dl>"


def _response(document: Json, status: str, response: Json) -> str:
    if "$ref" in response:
        told = _resolve(document, response)["description"].partition(" (")[0]
        return f'<div><dt><code>{status}</code> <a href="#errors">{escape(told)}</a></dt></div>'
    bodies = " ".join(
        f"{_type(content['schema'])} as <code>{escape(media)}</code>"
        for media, content in response.get("content", {}).items()
    )
    headers = "".join(
        f"<p><code>{escape(name)}</code>: {_inline(header['description'])}</p>"
        for name, header in response.get("headers", {}).items()
        # Those of the limits are everywhere the same, and told at the top.
        if "$ref" not in header
    )
    told = _inline(response["description"])
    return f"<div><dt><code>{status}</code> {told}</dt><dd><p>{bodies}</p>{headers}</dd></div>"


def _authentication(document: Json) -> str:
    schemes = document["components"]["securitySchemes"]
    rows = "".join(
        f"<div><dt><code>{escape(name)}</code></dt><dd>{_prose(scheme['description'])}</dd></div>"
        for name, scheme in schemes.items()
    )
    return f'<h2 id="authentication">Authentication</h2><p>Any one of these:</p><dl>{rows}</dl>'


def _states(document: Json) -> str:
    states = document["components"]["schemas"]["State"]["x-enumDescriptions"]
    rows = "".join(
        f"<div><dt><code>{escape(name)}</code></dt><dd>{_prose(told)}</dd></div>" for name, told in states.items()
    )
    return f'<h2 id="states">States of a task</h2><dl>{rows}</dl>'


def _errors(document: Json) -> str:
    problem = document["components"]["schemas"]["Problem"]
    refusals = {
        (status, _resolve(document, response)["description"])
        for _, _, operation in _operations(document)
        for status, response in operation["responses"].items()
        if "$ref" in response
    }
    rows = "".join(f"<li><code>{status}</code> {_inline(told)}</li>" for status, told in sorted(refusals))
    example = json.dumps(problem["examples"][0], indent=2, ensure_ascii=False)
    return (
        f'<h2 id="errors">Errors</h2><p>Every refusal is a {_link("Problem")} as '
        f"<code>application/problem+json</code>:</p><ul>{rows}</ul>"
        f"<p>Of a body all broken rules are told at once:</p><pre><code>{escape(example)}</code></pre>"
    )


def _types(document: Json) -> str:
    schemas = document["components"]["schemas"]
    rows = "".join(
        f'<section id="type-{escape(name)}"><h3><code>{escape(name)}</code></h3>'
        f"{_prose(schema.get('description', ''))}{_fields(schema) or f'<p>{_type(schema)}</p>'}</section>"
        for name, schema in schemas.items()
    )
    return f'<h2 id="types">Types</h2>{rows}'


def _fields(schema: Json) -> str:
    required = schema.get("required", [])
    rows = [_field(name, field, is_required=name in required) for name, field in schema.get("properties", {}).items()]
    return f"<dl>{''.join(rows)}</dl>" if rows else ""


def _field(name: str, schema: Json, *, where: str = "", is_required: bool) -> str:
    marks = [f"<span>{escape(where)}</span>"] if where else []
    if is_required:
        marks.append('<span class="required">required</span>')
    if schema.get("default") not in (None, []):  # nothing, which needs no saying
        marks.append(f"<span>default <code>{escape(json.dumps(schema['default']))}</code></span>")
    notes = "".join(f" {one}" for one in (f'<span class="type">{_type(schema)}</span>', *marks))
    return f"<div><dt><code>{escape(name)}</code>{notes}</dt><dd>{_prose(schema.get('description', ''))}</dd></div>"


def _type(schema: Json) -> str:
    """A schema in a few words, bounds included."""
    if "$ref" in schema:
        return _link(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    match schema.get("type"):
        case "array":
            items = f" of {_type(schema['items'])}" if schema.get("items") else ""
            return f"list{items}{_range(schema, 'minItems', 'maxItems', ' items', after=';')}"
        case "object" if schema.get("additionalProperties"):
            return f"object of {_type(schema['additionalProperties'])}"
        case "string":
            return f"text{_range(schema, 'minLength', 'maxLength', ' characters')}"
        case "integer" | "number" as name:
            word = "whole number" if name == "integer" else "number"
            open_range = _range(schema, "exclusiveMinimum", "exclusiveMaximum")
            return f"{word}{_range(schema, 'minimum', 'maximum')}{open_range}"
        case None:
            return "anything"
        case other:
            return escape(str(other))


def _range(schema: Json, low: str, high: str, unit: str = "", *, after: str = ",") -> str:
    is_open = low.startswith("exclusive")
    least, most = (None if bound is None else f"{bound:.15g}" for bound in (schema.get(low), schema.get(high)))
    if least is None and most is None:
        return ""
    if least is not None and most is not None and not is_open:
        return f"{after} {least} to {most}{unit}"
    ends = [f"{'more than' if is_open else 'at least'} {least}"] if least is not None else []
    ends += [f"{'less than' if is_open else 'at most'} {most}"] if most is not None else []
    return f"{after} {' and '.join(ends)}{unit}"


def _link(name: str) -> str:
    return f'<a href="#type-{escape(name)}">{escape(name)}</a>'


def _resolve(document: Json, schema: Json) -> Json:
    """What a local reference points to, or the schema itself."""
    found = document
    for part in schema.get("$ref", "").split("/")[1:]:
        found = found[part]
    return found if "$ref" in schema else schema


def _prose(text: str) -> str:
    return f"<p>{_inline(text)}</p>" if text else ""


def _inline(text: str) -> str:
    """Escaped text in which `code` between backticks is set as such."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))

"""The API's description of itself through the running stack: packaged, routed and sent as what it is."""

from __future__ import annotations

import urllib.request

from localstack.run import LocalStack
from tests.e2e.client import Client


def test_docs_page_comes_as_html_with_its_policy(stack: LocalStack) -> None:
    with urllib.request.urlopen(f"{stack.url}/docs", timeout=40) as answer:
        page = answer.read().decode()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>\n")


def test_openapi_document_comes_as_json_once(stack: LocalStack) -> None:
    client = Client(stack.url)
    first = client.call("GET", "/api/openapi.json")
    assert (first.status, first.body["openapi"]) == (200, "3.1.0")
    again = client.call("GET", "/api/openapi.json", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, None)

"""The docs page: whole, inert and from nowhere else."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from chalicelib import kinds
from chalicelib.api.http import Answer
from tests.api.calls import Api
from tests.api.published import published
from tests.doubles import echo_kind


def page_of(answer: Answer) -> str:
    assert isinstance(answer.body, bytes)
    return answer.body.decode()


def page(api: Api) -> str:
    return page_of(api.call("GET", "/docs"))


@pytest.fixture
def local() -> Api:
    return Api(*kinds.registry("local"))


def test_page_is_html(local: Api) -> None:
    answer = local.call("GET", "/docs")
    assert (answer.status, answer.content_type) == (200, "text/html; charset=utf-8")
    assert page_of(answer).startswith("<!doctype html>")


def test_every_operation_and_every_type_has_its_place(local: Api) -> None:
    openapi = published(local)
    operations = {operation["operationId"] for methods in openapi["paths"].values() for operation in methods.values()}
    wanted = operations | {f"type-{name}" for name in openapi["components"]["schemas"]}
    sections = re.findall(r'<section id="([^"]+)"', page(local))
    assert sorted(sections) == sorted(wanted)


def test_every_link_on_the_page_leads_somewhere(local: Api) -> None:
    shown = page(local)
    targets = set(re.findall(r'href="#([^"]+)"', shown))
    assert targets - set(re.findall(r'id="([^"]+)"', shown)) == set()
    assert {"authentication", "states", "errors", "types", "type-Risk"} <= targets


def test_page_loads_and_runs_nothing(local: Api) -> None:
    shown = page(local)
    assert re.findall(r"<(?:script|link|img|iframe|form|object)\b|\son\w+=|\sstyle=|@import|url\(", shown) == []
    assert re.findall(r'(?:href|src)="(?!#)([^"]*)"', shown) == ["api/openapi.json"]


def test_policy_allows_the_style_sheet_of_the_page_and_nothing_else(local: Api) -> None:
    answer = local.call("GET", "/docs")
    (style,) = re.findall(r"<style>(.*?)</style>", page_of(answer), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert answer.headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def test_field_is_shown_with_type_bounds_and_whether_it_is_required(local: Api) -> None:
    assert (
        '<dt><code>numberOfTasks</code> <span class="type">whole number, 0 to 9999</span> '
        '<span class="required">required</span></dt><dd><p>Planned backlog, in tasks.</p></dd>'
    ) in page(local)


def test_field_is_shown_with_its_default(local: Api) -> None:
    assert (
        '<dt><code>numberOfSimulations</code> <span class="type">whole number, 1 to 10000000</span> '
        "<span>default <code>10000</code></span></dt>"
    ) in page(local)


def test_list_is_shown_with_its_items_and_length(local: Api) -> None:
    assert '<span class="type">list of number, 0 to 100000; 1 to 1000 items</span>' in page(local)


def test_curl_line_can_be_pasted() -> None:
    shown = page(Api(public_url="https://sluice.test"))
    assert (
        "curl -X POST &quot;https://sluice.test/api/async/echo&quot; \\\n"
        "  -H &quot;Authorization: Bearer $TOKEN&quot; \\\n"
        "  -H &#x27;Content-Type: application/json&#x27; \\\n"
        "  -d &#x27;{&quot;text&quot;: &quot;hello&quot;}&#x27;"
    ) in shown


def test_text_of_a_kind_is_text_on_the_page() -> None:
    shown = page(Api(echo_kind(summary="<script>alert(1)</script>")))
    assert "<script" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_page_that_the_client_has_is_not_sent_again(local: Api) -> None:
    tag = local.call("GET", "/docs").headers["ETag"]
    assert local.call("GET", "/docs", if_none_match=tag).status == 304

"""The console's page and files as they are served; what they do is looked at in a browser (tests/browser)."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from chalicelib.api.http import Answer, encode
from tests.api.calls import Api, document

STATIC = Path("chalicelib/console/static")
MOST_BYTES = 250_000


def page(**headers: str) -> Answer:
    return Api().call("GET", "/", accept="text/html,application/xhtml+xml,*/*;q=0.8", **headers)


def text(answer: Answer) -> str:
    return encode(answer.body).decode()


def test_programs_get_the_index_and_browsers_the_page() -> None:
    assert document(Api().call("GET", "/", accept="*/*"))["service"] == "sluice"
    assert document(Api().call("GET", "/"))["links"]["docs"] == "/docs"
    answer = page()
    assert answer.content_type == "text/html; charset=utf-8"
    assert text(answer).startswith("<!doctype html>")
    assert {page().headers["Vary"], Api().call("GET", "/").headers["Vary"]} == {"Accept"}


def test_page_allows_its_own_style_sheet_and_nothing_from_elsewhere() -> None:
    answer = page()
    (style,) = re.findall(r"<style>(.*?)</style>", text(answer), re.DOTALL)
    assert style == (STATIC / "console.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == f"'sha256-{digest}'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"


def test_page_names_files_that_are_there() -> None:
    named = re.findall(r'(?:src|href)="(static/[^"]+)"', text(page()))
    assert "static/js/app.js" in named
    for name in named:
        assert Api().call("GET", f"/{name}").status == 200, name


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/static/js/sluice.js", "text/javascript; charset=utf-8"),
        ("/static/js/uplot.LICENSE.txt", "text/plain; charset=utf-8"),
        ("/static/icon.svg", "image/svg+xml"),
        ("/static/console.css", "text/css; charset=utf-8"),
    ],
)
def test_file_is_served_as_it_lies_there(path: str, content_type: str) -> None:
    answer = Api().call("GET", path)
    assert (answer.status, answer.content_type) == (200, content_type)
    assert text(answer) == (STATIC / path.removeprefix("/static/")).read_text("utf-8")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_file_that_the_browser_has_is_not_sent_again() -> None:
    tag = Api().call("GET", "/static/js/app.js").headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = Api().call("GET", "/static/js/app.js", **{"if-none-match": known})
        assert (again.status, again.body, again.headers["ETag"]) == (304, None, tag)
    assert Api().call("GET", "/static/js/app.js", **{"if-none-match": '"other"'}).status == 200
    assert page(**{"if-none-match": page().headers["ETag"]}).status == 304


@pytest.mark.parametrize("name", ["nothing.js", "..", "index.html", "%2e%2e%2fapp.py", "..%2Fapp.py", "uplot.d.ts"])
def test_no_other_file_is_served(name: str) -> None:
    for path in (f"/static/{name}", f"/static/js/{name}"):
        answer = Api().call("GET", path)
        assert (answer.status, document(answer)["title"]) == (404, "Not found")


def test_other_sites_may_load_the_client_library_and_no_page_of_ours() -> None:
    assert Api().call("GET", "/static/js/async_simulator.js").headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert Api().call("GET", "/static/console.css").headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_all_files_together_are_small() -> None:
    served = [file for file in STATIC.rglob("*") if file.suffix in (".html", ".css", ".js", ".svg")]
    assert sum(file.stat().st_size for file in served) < MOST_BYTES


def test_no_file_names_another_host() -> None:
    for file in STATIC.rglob("*.*"):
        addresses = set(re.findall(r"https?://[\w.-]+", file.read_text("utf-8")))
        assert addresses <= {"http://www.w3.org", "https://github.com"}, file  # of SVG, and of a licence

"""The web console: one page and its files, as they lie in `chalicelib/console/static`, read once per process.

The page brings its style sheet along, so that it is painted after one request; scripts are fetched as they are needed.
Nothing on it comes from another host, and its policy has the browser refuse what would.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from chalicelib.api import answers, service
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import KNOWN_TAG, TAG, UNCHANGED, Access, Doc, Param, Reply
from chalicelib.api.tags import kept_answer
from chalicelib.errors import NotFound

_FILES = Path(__file__).parent.parent / "console" / "static"
_STYLE_HERE = "/* console.css */"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_OF_ALL = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}


def index(call: Call) -> Answer:
    """GET /: the console for a browser, and where to go from here for everybody else."""
    if "text/html" not in call.headers.get("accept", ""):
        return service.index(call)
    page, policy = _page()
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "same-origin",
        "Vary": "Accept",
        **_OF_ALL,
    }
    return kept_answer(call, page, "text/html; charset=utf-8", headers)


def asset(call: Call) -> Answer:
    """GET /static/{file}: a file of the console."""
    return _file(call, "")


def script(call: Call) -> Answer:
    """GET /static/js/{file}: a script of the console, or of a page that uses its client."""
    return _file(call, "js")


def _file(call: Call, folder: str) -> Answer:
    files, name = _files(folder), call.params["file"]
    if name not in files:
        raise NotFound(f"there is no file {name[:100]}")
    headers = dict(_OF_ALL)
    if folder:
        # Pages of other hosts use the client library, like any other script.
        headers |= {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"}
    return kept_answer(call, files[name], _TYPES[Path(name).suffix], headers)


@cache
def _files(folder: str) -> Mapping[str, bytes]:
    """The files of a folder by name; a name that is not among them, however it is spelled, opens nothing."""
    return {file.name: file.read_bytes() for file in (_FILES / folder).iterdir() if file.suffix in _TYPES}


@cache
def _page() -> tuple[bytes, str]:
    """The page with its style sheet in it, and its policy, which allows that sheet by its hash."""
    style = _files("")["console.css"].decode()
    page = (_FILES / "index.html").read_text("utf-8").replace(_STYLE_HERE, style)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'sha256-{digest}'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    )
    return page.encode(), policy


_FILE = Param(name="file", where="path", summary="Name of the file.")
_OF_A_FILE = {
    200: Reply(
        summary="The file", media="text/plain", also=("text/css", "text/javascript", "image/svg+xml"), headers=TAG
    ),
    304: UNCHANGED,
}
DOCS = {
    "index": Doc(
        name="get_index",
        group="Service",
        summary="Where to go from here",
        details="A browser, which asks for `text/html`, gets the console.",
        access=Access.OPEN,
        params=(KNOWN_TAG,),
        replies={
            200: Reply(summary="The service and a few of its routes", body=answers.Index, also=("text/html",)),
            304: UNCHANGED,
        },
    ),
    "asset": Doc(
        name="get_asset",
        group="Service",
        summary="A file of the console",
        access=Access.OPEN,
        params=(_FILE, KNOWN_TAG),
        replies=_OF_A_FILE,
        refusals=(NotFound,),
    ),
    "script": Doc(
        name="get_script",
        group="Service",
        summary="A script: of the console, or the client library",
        details="`async_simulator.js` is for pages that used it before, `sluice.js` is the module that it wraps.",
        access=Access.OPEN,
        params=(_FILE, KNOWN_TAG),
        replies=_OF_A_FILE,
        refusals=(NotFound,),
    ),
}

"""How soon the console is painted, and how much it loads, from the local stage that `make up` has started.

    python -m bench.console [--url URL] [--json FILE]

Each load is that of a browser that has nothing in its cache. Exit code 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from playwright.sync_api import Browser, sync_playwright

from localstack.settings import read_settings
from tests.browser.conftest import FLAGS, browser_path

LOADS = 9
PAINT_BAR_MS, SIZE_BAR = 1000.0, 250_000
STATIC = Path(__file__).parent.parent / "chalicelib" / "console" / "static"
_SERVED = (".html", ".css", ".js", ".svg")
PAGES = ("forecast", "contracts", "events", "jobs")


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One page, loaded some times; medians, and the worst."""

    page: str
    first_paint_ms: float
    worst_paint_ms: float
    # Until its heading is there, which its scripts make.
    heading_ms: float
    requests: int
    bytes: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    loads: list[Load]
    assets_bytes: int
    missed: list[str]


def measure(url: str) -> Report:
    """Loads each page of the console with an empty cache."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=list(FLAGS))
        loads = [_load(browser, url, page) for page in PAGES]
        browser.close()
    size = sum(file.stat().st_size for file in STATIC.rglob("*") if file.suffix in _SERVED)
    missed = [f"first paint of {load.page}" for load in loads if load.worst_paint_ms > PAINT_BAR_MS]
    missed += ["size of all assets"] if size >= SIZE_BAR else []
    return Report(loads=loads, assets_bytes=size, missed=missed)


def _load(browser: Browser, url: str, name: str) -> Load:
    paints, headings, counts, sizes = [], [], [], []
    # The first one starts functions that have not been asked for a while.
    for number in range(LOADS + 1):
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{url}/#/{name}")
        page.wait_for_selector("main h1")
        heading = page.evaluate("performance.now()")
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        loaded = page.evaluate(
            "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
            ".map((each) => each.transferSize)"
        )
        context.close()
        if number:
            paints.append(paint)
            headings.append(heading)
            counts.append(len(loaded))
            sizes.append(sum(loaded))
    return Load(
        page=name,
        first_paint_ms=round(statistics.median(paints), 1),
        worst_paint_ms=round(max(paints), 1),
        heading_ms=round(statistics.median(headings), 1),
        requests=max(counts),
        bytes=max(sizes),
    )


def table(report: Report) -> str:
    """The report as a person reads it."""
    lines = [
        f"{load.page:<10} first paint {load.first_paint_ms:>6.0f} ms (worst of {LOADS}: {load.worst_paint_ms:.0f}), "
        f"heading after {load.heading_ms:>6.0f} ms, {load.requests} requests, {load.bytes / 1000:.0f} kB"
        for load in report.loads
    ]
    lines.append(f"all assets {report.assets_bytes / 1000:.1f} kB, bar {SIZE_BAR / 1000:.0f}")
    return "\n".join([*lines, *(f"MISSED: {each}" for each in report.missed)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; answers 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.console")
    parser.add_argument("--url", help="where the console is; by default the local stage")
    parser.add_argument("--json", type=Path, metavar="FILE")
    said = parser.parse_args(arguments)
    file = read_settings().state / "run.json"
    if said.url is None and not file.exists():
        parser.error("the local stage does not run: start it with make up, or name --url")
    report = measure((said.url or json.loads(file.read_text())["url"]).rstrip("/"))
    print(table(report))
    if said.json:
        said.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())

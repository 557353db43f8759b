"""The client library in pages of others: as the reference guide prints them, and when things go wrong."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from localstack.run import LocalStack
from tests.browser.conftest import Opened
from tests.e2e.client import Client

DEMO = ("demo@sluice.test", "demo-password")

# The reference guide's page, its script as printed.
GUIDE = """
<!-- Include async_simulator.js -->
<script src="/static/js/async_simulator.js"></script>

<script>
// Submit simulation
const data = {
  projectName: "My Project",
  numberOfSimulations: 10000,
  tpSamples: [5, 6, 7, 8],
  numberOfTasks: 50,
  totalContributors: 5
};

// Progress bar
const progressBar = createProgressBar('progressContainer');

// Submit
window.asyncSimulator.submitSimulation(
  '/api/async/simulate',
  data,
  {
    onProgress: (progress) => {
      progressBar.update(
        progress.progress,
        progress.total,
        progress.stage,
        progress.status
      );
    },
    onComplete: (result) => {
      progressBar.setSuccess();
      console.log('Simulation complete:', result);
      displayResults(result);
    },
    onError: (error) => {
      progressBar.setError(error.message);
      console.error('Simulation failed:', error);
    }
  },
  true // save to database
);
</script>
"""
# What the guide leaves to the page around it.
AROUND = """<!doctype html><html lang="en"><title>Guide</title><link rel="icon" href="data:,">
<div id="progressContainer"></div><p id="results"></p><button id="cancelBtn">Cancel</button>
<script>
  const displayResults = (result) => { document.getElementById('results').textContent = JSON.stringify(result); };
</script>
"""
LIBRARY = AROUND + '<script src="/static/js/async_simulator.js"></script>'
# The guide's advanced usage, around a task that takes long.
ADVANCED = """
async () => {
  const health = await window.asyncSimulator.checkHealth();
  window.said = { health: health.status };
  if (health.status === 'healthy') {
    const bar = createProgressBar('progressContainer');
    const taskId = await window.asyncSimulator.submitSimulation('/api/async/slow', { seconds: 60 }, {
      onProgress: (progress) => bar.update(progress.progress, progress.total, progress.stage, progress.status),
      onComplete: () => { window.said.done = true; },
      onError: (error) => { bar.setError(error.message); window.said.error = error.message; }
    });
    localStorage.setItem('currentTask', taskId);
    document.getElementById('cancelBtn').onclick = () => { window.asyncSimulator.cancelTask(taskId); };
  }
  return window.asyncSimulator.getActiveTaskIds();
}
"""
FOLLOW = """
async ({ seconds, socket, pollMs }) => {
  const { Sluice } = await import('/static/js/sluice.js');
  const sluice = new Sluice({ socket });
  window.said = { progress: [] };
  sluice.run('/api/async/slow', { seconds }, {
    pollMs, onSubmit: (id) => { window.said.id = id; }, onProgress: (task) => window.said.progress.push(task.progress),
  }).then((task) => { window.said.end = task.state; window.said.result = task.result; },
          (error) => { window.said.end = error.task?.state ?? error.name; window.said.error = error.message; });
}
"""


@pytest.fixture
def hosted(opened: Opened, stack: LocalStack) -> Callable[..., Page]:
    """A page of somebody else's that is served by the host of the API."""

    def host(html: str, **options: Any) -> Page:
        page = opened(None, **options)
        page.route("**/guide.html", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(f"{stack.url}/guide.html")
        return page

    return host


def said(page: Page, name: str) -> Any:  # any JSON value
    page.wait_for_function("name => window.said && name in window.said", arg=name)
    return page.evaluate("name => window.said[name]", name)


def test_guides_page_shows_and_saves_a_forecast(hosted: Callable[..., Page], stack: LocalStack) -> None:
    page = hosted(AROUND + GUIDE, login=DEMO)
    expect(page.locator("#results")).to_contain_text("percentile_stats")
    result = json.loads(page.locator("#results").inner_text())
    expect(page.locator("#progressContainer")).to_contain_text("Done")
    expect(page.locator("#progressContainer progress")).to_have_js_property("value", 100)
    saved = Client(stack.url).login(*DEMO).call("GET", f"/api/forecasts/{result['forecast_id']}").body
    assert saved["input_data"]["tpSamples"] == [5, 6, 7, 8]


def test_guides_page_without_a_login_says_what_is_wrong(hosted: Callable[..., Page]) -> None:
    page = hosted(AROUND + GUIDE, expects=("401", "Simulation failed", "saving needs an account"))
    with page.expect_event("pageerror"):  # the promise is rejected too
        pass
    expect(page.locator("#progressContainer")).to_contain_text("log in")


def test_advanced_usage_cancels_and_forgets(hosted: Callable[..., Page], stack: LocalStack) -> None:
    page = hosted(LIBRARY)
    (task_id,) = page.evaluate(ADVANCED)
    assert page.evaluate("localStorage.getItem('currentTask')") == task_id
    expect(page.locator("#progressContainer")).to_contain_text(re.compile("[1-9] %"))
    page.click("#cancelBtn")
    assert said(page, "error") == "The task was cancelled"
    expect(page.locator("#progressContainer")).to_contain_text("cancelled")
    assert page.evaluate("window.asyncSimulator.getActiveTaskCount()") == 0
    assert Client(stack.url).call("GET", f"/api/tasks/{task_id}").body["state"] == "REVOKED"


def test_task_that_was_stored_is_followed_after_a_reload(hosted: Callable[..., Page]) -> None:
    page = hosted(LIBRARY)
    page.evaluate(
        "async () => localStorage.setItem('currentTask', await window.asyncSimulator.submitSimulation("
        "'/api/async/slow', { seconds: 4 }))"
    )
    page.reload()
    page.evaluate(
        """() => {
          window.said = { active: window.asyncSimulator.getActiveTaskCount() };
          window.asyncSimulator.pollTask(localStorage.getItem('currentTask'),
            (progress) => { window.said.progress = progress; }, (result) => { window.said.result = result; });
        }"""
    )
    assert said(page, "active") == 0
    assert said(page, "result")["task_id"] == page.evaluate("localStorage.getItem('currentTask')")
    assert {"progress", "total", "stage", "status"} <= set(said(page, "progress"))


def test_refused_simulation_calls_on_error_and_rejects(hosted: Callable[..., Page]) -> None:
    page = hosted(LIBRARY, expects=("400",))
    first, caught = page.evaluate(
        """async () => {
          const seen = [];
          try {
            await window.asyncSimulator.submitSimulation('/api/async/simulate', { tpSamples: [] },
              { onProgress: (progress) => seen.push(progress.progress), onError: (error) => seen.push(error.message) });
          } catch (error) { return [seen, error.status]; }
        }"""
    )
    assert (first[0], caught) == (0, 400)
    assert "tpSamples" in first[1]


def test_bar_without_its_container_is_null(hosted: Callable[..., Page]) -> None:
    assert hosted(LIBRARY).evaluate("createProgressBar('nowhere')") is None


def test_texts_of_a_bar_are_never_markup(hosted: Callable[..., Page]) -> None:
    page = hosted(LIBRARY)
    evil = "<img src=x onerror=alert(1)>"
    page.evaluate("text => { createProgressBar('progressContainer').update(5, 100, text, text); }", evil)
    expect(page.locator("#progressContainer")).to_contain_text(evil)
    assert page.locator("#progressContainer img").count() == 0


@pytest.mark.parametrize("socket", [True, False])
def test_progress_comes_with_a_socket_and_without(hosted: Callable[..., Page], socket: bool) -> None:
    page = hosted(LIBRARY)
    page.evaluate(FOLLOW, {"seconds": 4, "socket": socket, "pollMs": 300})
    assert said(page, "end") == "SUCCESS"
    progress = said(page, "progress")
    assert progress == sorted(progress)
    assert len(set(progress)) >= 3


def test_polls_are_rare_while_the_socket_tells(hosted: Callable[..., Page]) -> None:
    page = hosted(LIBRARY)
    heard: list[str | bytes] = []
    polls: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda text: heard.append(text)))
    page.on("request", lambda request: polls.append(len(heard)) if "/api/tasks/" in request.url else None)
    page.evaluate(FOLLOW, {"seconds": 10, "socket": True, "pollMs": 300})
    assert said(page, "end") == "SUCCESS"
    # By themselves they would be one a second. Once the task's state has come by the socket, its third message, there
    # is one that may be waited for already, and that at the end.
    assert len(heard) >= 5
    assert sum(1 for before in polls if before >= 3) <= 2


def test_task_that_is_cancelled_elsewhere_ends(hosted: Callable[..., Page], stack: LocalStack) -> None:
    page = hosted(LIBRARY)
    page.evaluate(FOLLOW, {"seconds": 60, "socket": False, "pollMs": 300})
    assert Client(stack.url).call("DELETE", f"/api/tasks/{said(page, 'id')}").status == 200
    assert said(page, "end") == "REVOKED"


def test_outage_is_waited_out_as_long_as_the_service_says(hosted: Callable[..., Page]) -> None:
    page = hosted(LIBRARY, expects=("503",))
    answers: list[float] = []

    def away(route: Route) -> None:
        answers.append(time.monotonic())
        if len(answers) <= 5:
            route.fulfill(status=503, json={"detail": "away"}, headers={"Retry-After": "1"})
        else:
            route.continue_()

    page.route("**/api/tasks/*", away)
    page.evaluate(FOLLOW, {"seconds": 1, "socket": False, "pollMs": 100})
    # More failures in a row than the three that the old client took.
    assert said(page, "end") == "SUCCESS"
    assert all(later - earlier >= 0.9 for earlier, later in pairwise(answers[:6]))


def test_network_that_was_lost_is_no_end(hosted: Callable[..., Page]) -> None:
    page = hosted(LIBRARY, expects=("ERR_INTERNET_DISCONNECTED",))
    page.evaluate(FOLLOW, {"seconds": 2, "socket": True, "pollMs": 300})
    said(page, "id")
    with page.expect_event("requestfailed"):
        page.context.set_offline(True)
    page.context.set_offline(False)
    assert said(page, "end") == "SUCCESS"


def test_tab_that_slept_for_hours_goes_on(hosted: Callable[..., Page]) -> None:
    page = hosted(LIBRARY)
    page.clock.install()
    page.evaluate(FOLLOW, {"seconds": 2, "socket": False, "pollMs": 300})
    said(page, "id")
    page.clock.fast_forward("03:00:00")
    page.clock.resume()
    assert said(page, "end") == "SUCCESS"


def test_polls_do_not_overlap(hosted: Callable[..., Page]) -> None:
    page = hosted(LIBRARY)
    page.evaluate(
        """() => {
          const real = window.fetch;
          window.open_ = 0; window.most = 0;
          window.fetch = async (...all) => {
            window.most = Math.max(window.most, ++window.open_);
            try {
              const answer = await real(...all);
              await new Promise((done) => setTimeout(done, 700));
              return answer;
            } finally { window.open_--; }
          };
        }"""
    )
    page.evaluate(FOLLOW, {"seconds": 2, "socket": False, "pollMs": 50})
    assert said(page, "end") == "SUCCESS"
    assert page.evaluate("window.most") == 1


def test_task_that_is_not_there_is_an_error_at_once(hosted: Callable[..., Page]) -> None:
    page = hosted(LIBRARY, expects=("404",))
    error = page.evaluate(
        "() => new Promise((resolve) => "
        "window.asyncSimulator.pollTask('nothing', null, null, (error) => resolve(error.message)))"
    )
    assert error == "The task is not there any more"


SEARCH = """
async (body) => {
  const { Sluice } = await import('/static/js/sluice.js');
  return new Sluice().submitSearch('search', body);
}
"""


def test_search_is_answered_by_its_task_and_then_from_the_cache(hosted: Callable[..., Page], stack: LocalStack) -> None:
    page = hosted(LIBRARY)
    body = {"filters": {"keywords": ["bridge"], "page_size": 3, "page": 1}}
    first = page.evaluate(SEARCH, body)
    expected = Client(stack.url).call(
        "POST", "/api/v1/contracts/chip-search/", {"keywords": ["bridge"], "page_size": 3}
    )
    assert [row["id"] for row in first["data"]] == [row["id"] for row in expected.body["data"]]
    with page.expect_request("**/tasks/search/"):
        second = page.evaluate(SEARCH, body)
    assert second["data"] == first["data"]


def test_file_is_uploaded_and_named(hosted: Callable[..., Page]) -> None:
    page = hosted(LIBRARY, login=DEMO)
    upload_id, sent = page.evaluate(
        """async () => {
          const { Sluice } = await import('/static/js/sluice.js');
          const sent = [];
          const file = new Blob(['date\\n2025-01-01\\n'.repeat(1000)]);
          return [await new Sluice().uploadFile(file, { onProgress: (done, all) => sent.push([done, all]) }), sent];
        }"""
    )
    assert upload_id
    assert sent[-1] == [16_000, 16_000]

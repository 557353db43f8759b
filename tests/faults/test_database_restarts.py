"""Forecasts to be saved while Postgres is ended and started again under the workers."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

from chalicelib.db.connect import connect
from tests.faults.site import SIMULATIONS, SMALL, Site, say, wait_for

JOBS = int(os.environ.get("FAULT_SAVES", "100"))
# Immediate mode drops every connection as a crash does, and the next start recovers; fast mode ends them in order.
STOPS = (signal.SIGQUIT, signal.SIGINT, signal.SIGQUIT, signal.SIGINT)
# Runs that have to meet each outage before it ends.
RUNS = 5


def test_each_forecast_is_saved_once_while_the_database_is_stopped_and_started(site: Site) -> None:
    began, demo, name = time.monotonic(), site.demo, f"restarts {uuid.uuid4()}"
    before, during = list[str](), list[str]()
    with ThreadPoolExecutor(8) as pool:

        def submit(number: int) -> list[str]:
            body = SMALL | {"projectName": name}
            return list(pool.map(lambda _: demo.submit("/api/async/simulate?save=true", body), range(number)))

        for how in STOPS:
            before += submit(JOBS // len(STOPS) // 2)
            with database_away(site, how):
                during += submit(JOBS // len(STOPS) - JOBS // len(STOPS) // 2)
        ended = list(pool.map(lambda task_id: demo.wait(task_id, timeout_s=300), before + during))
    took_s = time.monotonic() - began
    saved = {task["task_id"]: task["result"].get("forecast_id") for task in ended if task["state"] == "SUCCESS"}
    rows = saved_forecasts(site, name)
    per_job = Counter(task_id for task_id, _, _ in rows)
    attempts = dict(sorted(Counter(task["attempt"] for task in ended).items()))
    say(
        f"database ended {len(STOPS)} times, {STOPS.count(signal.SIGQUIT)} of them without notice; {len(before)} "
        f"forecasts submitted before that, {len(during)} while it was away: "
        f"{len(saved)} succeeded, {len(rows)} rows, {len(rows) - len(per_job)} doubled, {len(ended) - len(per_job)} "
        f"lost; {len(set(waiting(site)) & set(saved))} jobs waited for it; attempts {attempts}; {took_s:.0f} s"
    )
    assert Counter(task["state"] for task in ended) == {"SUCCESS": len(ended)}
    assert {task_id: forecast_id for task_id, forecast_id, _ in rows} == saved
    assert per_job == Counter(before + during)
    assert len({project_id for _, _, project_id in rows}) == len(ended)
    assert site.dead_letters() == {}
    # The message of a job that has ended may come once more.
    wait_for(lambda: site.count(SIMULATIONS) == 0, "the queue is empty")


@contextmanager
def database_away(site: Site, how: signal.Signals) -> Iterator[None]:
    """Ends the server before the block, and starts it after the block when some runs have met the outage."""
    with site.database_stopped(how):
        said = len(waiting(site))
        yield
        wait_for(lambda: len(set(waiting(site)[said:])) >= RUNS, f"{RUNS} runs meet the outage", timeout_s=60)


def waiting(site: Site) -> list[str]:
    """The jobs that wait to try again, once for each time that one met the outage."""
    return site.jobs_in(b'"waiting to try again: ')


def saved_forecasts(site: Site, name: str) -> list[tuple[str, int, int]]:
    """Job, forecast and project of each row; also projects without a forecast, which there must not be."""
    statement = """
        SELECT coalesce(job_id, ''), coalesce(forecasts.id, 0), projects.id
        FROM projects LEFT JOIN forecasts ON project_id = projects.id
        WHERE projects.name = %s
    """
    with closing(connect(site.stack.database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, (name,))
        return [(str(job), int(forecast), int(project)) for job, forecast, project in cursor.fetchall()]

"""Spikes of invalid events: found in the right windows, told once to the owner, and not to anybody who is not to be."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from chalicelib import kinds
from chalicelib.alerting import DeliveryRequest
from chalicelib.aws.mail import Mail
from chalicelib.counting import CountRequest, CountResult
from chalicelib.db.connect import Database
from chalicelib.db.events.apps import Apps
from chalicelib.db.viewer import Viewer
from chalicelib.errors import Unavailable
from chalicelib.hourly import Counting
from chalicelib.jobs.context import Unwatched
from chalicelib.jobs.kind import Continue
from chalicelib.jobs.memory import MemoryQueues
from chalicelib.jobs.queue import Message
from chalicelib.kinds.event_statistics import run as run_kind
from tests.db.events.conftest import NewApp
from tests.db.events.watched import event, result, store
from tests.db.test_database import query
from tests.doubles import MemoryRuntime

MINUTE = 60_000
QUARTER = 15 * MINUTE
# The clock of the tests stands at 15:06:40; the last window that is over began at 14:45.
WINDOW = datetime(2025, 6, 15, 14, 45, tzinfo=UTC)
T = int(WINDOW.timestamp() * 1000)

NewWatched = Callable[..., int]


@pytest.fixture
def runtime(database: Database, dsn: str) -> MemoryRuntime:
    return office(database, dsn)


def office(database: Database, dsn: str, **settings: object) -> MemoryRuntime:
    chosen: dict[str, object] = {"mail_from": "alerts@example.org", "public_url": "https://sluice.test"} | settings
    runtime = MemoryRuntime(database_url=dsn, **chosen)
    runtime.__dict__["database"] = database
    return runtime


@pytest.fixture
def shop(dsn: str, new_app: NewApp) -> int:
    """An app whose owner wants to know of spikes."""
    app = new_app("shop")
    change(dsn, "spike_alerts = true")
    return app


def change(dsn: str, said: str) -> None:
    query(dsn, f"UPDATE apps SET {said} RETURNING 1")


def invalid(database: Database, app: int, count: int, at_ms: int = T, **said: Any) -> None:
    """Invalid events from a moment on, a millisecond apart; the window does not know them by then."""
    prefix = f"{at_ms}-{said.get('name', '')}"
    store(
        database,
        *(
            event(app, f"{prefix}-{number}", accepted_ms=at_ms + number, **{"status": "invalid"} | said)
            for number in range(count)
        ),
    )


def run(runtime: MemoryRuntime) -> CountResult:
    done = run_kind(CountRequest(), Unwatched(runtime, ""))
    assert isinstance(done, CountResult)
    return done


def sent(runtime: MemoryRuntime, queue: str) -> list[Message]:
    return list(runtime.parts.queues.sent.get(queue, ()))


def mails(runtime: MemoryRuntime) -> list[Mail]:
    """What was handed to the queue of mails, by the requests of its jobs."""
    found = []
    for message in sent(runtime, "emails"):
        request = runtime.parts.store.request_of(message.id)
        assert request is not None
        mail = msgspec.json.decode(request, type=DeliveryRequest).mail
        assert mail is not None
        found.append(mail)
    return found


def spikes(dsn: str) -> list[tuple[object, ...]]:
    return query(dsn, "SELECT slot, invalid, usual, delivery FROM event_spikes ORDER BY slot")


def test_owner_is_told_of_a_window_with_more_invalid_events_than_usual(
    runtime: MemoryRuntime, database: Database, shop: int, dsn: str
) -> None:
    wrong = result("items[3].price", "x", "Invalid/Wrong datatype/value", comment="a number")
    invalid(database, shop, 15, name="Buy", results=msgspec.json.encode([wrong, result("other")]).decode())
    invalid(database, shop, 6, name="login", results=msgspec.json.encode([result("a", status="broken")]).decode())
    invalid(database, shop, 9, name="see", status="valid")
    assert run(runtime) == CountResult(events=30, spikes=1, mails=1)
    assert spikes(dsn) == [(WINDOW, 21, 0.0, "handed_on")]
    (mail,) = mails(runtime)
    assert (mail.to, mail.subject) == ("ann@example.org", "21 invalid events in 15 minutes: App")
    assert mail.text == (
        "Hello Ann,\n\n"
        "between 14:45 and 15:00 UTC on 15 June 2025, 21 of the 30 events of App broke its rules. Usual are 0: the "
        "median of the quarters of an hour of the 24 hours before.\n\n"
        "Events that broke rules most often: buy (15), login (6).\n\n"
        "Fields that were wrong most often: items[].price (15), a (6).\n\n"
        "The events: https://sluice.test/api/apps/shop/logs?status=invalid"
        "&from=2025-06-15T14:45:00Z&to=2025-06-15T15:00:00Z\n\n"
        "You are told when there are more than 3 times the usual and more than 20. For 60 minutes there is no other "
        'mail about this app. To get none at all, set spike_alerts to false: send {"spike_alerts": false} by PUT to '
        "https://sluice.test/api/apps/shop\n"
    )
    assert mail.unsubscribe_url == "https://sluice.test/api/apps/shop"
    assert "items[].price (15)" in mail.html


def test_spike_is_told_once_however_often_the_job_runs(
    runtime: MemoryRuntime, database: Database, shop: int, dsn: str
) -> None:
    invalid(database, shop, 21)
    assert [run(runtime).mails for _ in range(3)] == [1, 0, 0]
    # More of the same window, late.
    invalid(database, shop, 50, T + 1000)
    assert run(runtime) == CountResult(events=50)
    assert len(mails(runtime)) == 1
    assert len(spikes(dsn)) == 1


def test_mail_that_could_not_be_queued_is_queued_by_the_next_run(
    runtime: MemoryRuntime, database: Database, shop: int, dsn: str
) -> None:
    invalid(database, shop, 21)

    class Away(MemoryQueues):
        def send(self, queue: str, message: Message, *, delay_s: int = 0) -> None:
            raise Unavailable("the queue is away")

    runtime.__dict__["background"] = replace(runtime.engine, queues=Away())
    with pytest.raises(Unavailable):
        run(runtime)
    assert spikes(dsn) == [(WINDOW, 21, 0.0, "due")]
    runtime.__dict__["background"] = runtime.engine
    assert run(runtime) == CountResult(mails=1)
    assert len(mails(runtime)) == 1


def test_run_that_is_killed_after_it_has_queued_the_mail_queues_no_other(
    runtime: MemoryRuntime, database: Database, shop: int, dsn: str
) -> None:
    invalid(database, shop, 21)
    run(runtime)
    # As it was before the run noted that the mail was handed on; something else is said of the window by now.
    query(dsn, "UPDATE event_spikes SET delivery = 'due' RETURNING 1")
    invalid(database, shop, 5, T + 1000)
    run(runtime)
    assert spikes(dsn) == [(WINDOW, 21, 0.0, "handed_on")]
    assert len(mails(runtime)) == 1


@pytest.mark.parametrize(("count", "told"), [(20, 0), (21, 1)])
def test_window_that_is_not_above_the_floor_is_none(
    runtime: MemoryRuntime, database: Database, shop: int, count: int, told: int
) -> None:
    invalid(database, shop, count)
    assert run(runtime).mails == told


@pytest.mark.parametrize(("count", "told"), [(30, 0), (31, 1)])
def test_window_that_is_not_above_the_factor_is_none(
    runtime: MemoryRuntime, database: Database, shop: int, count: int, told: int
) -> None:
    # Ten in each of the 49 windows before it, more than half of the 96 of a day.
    for back in range(1, 50):
        invalid(database, shop, 10, T - back * QUARTER)
    invalid(database, shop, count)
    assert run(runtime).mails == told


def test_windows_without_events_are_usual_too(runtime: MemoryRuntime, database: Database, shop: int, dsn: str) -> None:
    # Ten in 48 of 96 windows: the median is between 0 and 10.
    for back in range(1, 49):
        invalid(database, shop, 10, T - back * QUARTER)
    invalid(database, shop, 21)
    assert run(runtime).mails == 1
    assert spikes(dsn) == [(WINDOW, 21, 5.0, "handed_on")]


def test_windows_of_more_than_a_day_before_say_nothing_of_what_is_usual(
    runtime: MemoryRuntime, database: Database, shop: int, dsn: str
) -> None:
    for back in range(97, 160):
        invalid(database, shop, 10, T - back * QUARTER)
    invalid(database, shop, 21)
    assert run(runtime).mails == 1
    assert spikes(dsn) == [(WINDOW, 21, 0.0, "handed_on")]


def test_valid_events_and_those_without_rules_are_no_spike(
    runtime: MemoryRuntime, database: Database, shop: int
) -> None:
    invalid(database, shop, 500, status="valid")
    invalid(database, shop, 500, T + 1000, status="no_rules")
    assert run(runtime) == CountResult(events=1000)


@pytest.mark.parametrize(
    ("at_ms", "found"),
    [(T - 3 * QUARTER, 1), (T - 3 * QUARTER - 100, 0), (T + QUARTER, 0), (T + QUARTER - 100, 1)],
    ids=["first", "before the first", "not over", "last"],
)
def test_windows_of_the_last_hour_that_are_over_are_judged(
    runtime: MemoryRuntime, database: Database, shop: int, at_ms: int, found: int
) -> None:
    invalid(database, shop, 100, at_ms)
    assert run(runtime).spikes == found


def test_window_is_judged_when_it_is_over_though_nothing_comes_any_more(
    runtime: MemoryRuntime, database: Database, shop: int
) -> None:
    invalid(database, shop, 21, T + QUARTER)
    registry, starter = kinds.registry("local"), Counting()
    assert run(runtime) == CountResult(events=21)
    starter.start(runtime, registry)
    assert len(sent(runtime, "batch")) == 0
    # Until 15:17:00, two minutes after its end.
    runtime.parts.clock.sleep(620)
    starter.start(runtime, registry)
    assert len(sent(runtime, "batch")) == 1
    assert run(runtime) == CountResult(spikes=1, mails=1)
    # It was judged, so there is nothing to do any more.
    runtime.parts.clock.sleep(300)
    starter.start(runtime, registry)
    assert len(sent(runtime, "batch")) == 1


def test_one_mail_in_the_pause_and_a_new_one_after_it(
    runtime: MemoryRuntime, database: Database, shop: int, dsn: str
) -> None:
    change(dsn, "spike_pause_minutes = 30")
    told = []
    for number in range(5):
        # Each clearly more than what was usual: nothing.
        invalid(database, shop, 100, T + number * QUARTER)
        told.append(run(runtime).mails)
        runtime.parts.clock.sleep(15 * 60)
    assert told == [1, 0, 1, 0, 1]
    assert [delivery for *_, delivery in spikes(dsn)] == ["handed_on", "kept", "handed_on", "kept", "handed_on"]


def test_spikes_of_the_pause_are_not_told_after_it(
    runtime: MemoryRuntime, database: Database, shop: int, dsn: str
) -> None:
    for back in range(2):
        invalid(database, shop, 50, T - back * QUARTER)
    # Both at once: the newer one is told.
    assert run(runtime) == CountResult(events=100, spikes=2, mails=1)
    assert [delivery for *_, delivery in spikes(dsn)] == ["kept", "handed_on"]
    change(dsn, "spike_pause_minutes = 15")
    runtime.parts.clock.sleep(16 * 60)
    assert run(runtime) == CountResult()


@pytest.mark.parametrize(
    "said",
    [
        "UPDATE apps SET spike_alerts = false RETURNING 1",
        "DELETE FROM apps RETURNING 1",
    ],
)
def test_app_that_is_switched_off_or_gone_is_not_judged(
    runtime: MemoryRuntime, database: Database, shop: int, dsn: str, said: str
) -> None:
    invalid(database, shop, 100)
    query(dsn, said)
    done = run(runtime)
    assert (done.spikes, done.mails, spikes(dsn)) == (0, 0, [])


@pytest.mark.parametrize(
    "said",
    [
        "UPDATE apps SET spike_alerts = false RETURNING 1",
        "UPDATE users SET is_active = false RETURNING 1",
        "UPDATE users SET access_expires_at = now() RETURNING 1",
    ],
)
def test_spike_of_an_owner_who_is_not_to_be_told_any_more_is_kept_only(
    database: Database, dsn: str, shop: int, said: str
) -> None:
    runtime = office(database, dsn)
    invalid(database, shop, 100)
    run(office(database, dsn, mail_from=""))
    assert spikes(dsn) == [(WINDOW, 100, 0.0, "kept")]
    query(dsn, "UPDATE event_spikes SET delivery = 'due' RETURNING 1")
    query(dsn, said)
    assert run(runtime) == CountResult()
    assert spikes(dsn) == [(WINDOW, 100, 0.0, "kept")]
    assert mails(runtime) == []


def test_app_that_is_removed_before_its_mail_is_not_told(
    runtime: MemoryRuntime, database: Database, shop: int, dsn: str, owner: int
) -> None:
    invalid(database, shop, 100)
    run(office(database, dsn, mail_from=""))
    query(dsn, "UPDATE event_spikes SET delivery = 'due' RETURNING 1")
    Apps(database).remove("shop", Viewer(account=owner, sees_all=False, changes_all=False))
    assert (run(runtime), spikes(dsn), mails(runtime)) == (CountResult(), [], [])


def test_step_that_is_over_goes_on_where_it_was(runtime: MemoryRuntime, database: Database, shop: int) -> None:
    # Each write leaves a row, and each run of the kind takes 20,000 of them at a time.
    query(
        runtime.settings.database_url,
        "WITH many AS (INSERT INTO event_news (app, slot, event_name, status, is_user, count) "
        f"SELECT {shop}, '2025-06-15T14:45Z', 'login', 'invalid', true, 1 FROM generate_series(1, 20000) RETURNING 1) "
        "SELECT count(*) FROM many",
    )
    first = run_kind(CountRequest(), Unwatched(runtime, ""), step_s=0)
    assert first == Continue('{"events":20000,"spikes":0,"mails":0}')
    assert isinstance(first, Continue)
    second = run_kind(CountRequest(), Unwatched(runtime, "", cursor=first.cursor), step_s=0)
    assert second == CountResult(events=20_000, spikes=1, mails=1)


def test_counting_is_started_once_a_turn_and_only_if_there_is_anything(
    runtime: MemoryRuntime, database: Database, new_app: NewApp
) -> None:
    registry = kinds.registry("local")
    one = Counting()
    one.start(runtime, registry)
    assert len(sent(runtime, "batch")) == 0
    store(database, event(new_app("shop"), "1"))
    # This turn it was asked already; another process has not.
    one.start(runtime, registry)
    assert len(sent(runtime, "batch")) == 0
    for _ in range(3):
        Counting().start(runtime, registry)
    assert [message.kind for message in sent(runtime, "batch")] == ["event_statistics"]
    runtime.parts.clock.sleep(300)
    one.start(runtime, registry)
    one.start(runtime, registry)
    assert len(sent(runtime, "batch")) == 2
    run(runtime)
    runtime.parts.clock.sleep(300)
    one.start(runtime, registry)
    assert len(sent(runtime, "batch")) == 2


def test_database_that_is_away_stops_no_sweeper(dsn: str) -> None:
    runtime = MemoryRuntime(database_url="host=127.0.0.1 port=1 dbname=none")
    with closing(Database(runtime.settings.database_url)) as database:
        runtime.__dict__["database"] = database
        Counting().start(runtime, kinds.registry("local"))
    assert len(sent(runtime, "batch")) == 0

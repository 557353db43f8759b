"""Replays of stored events: verdicts are those of the new rules, and each event is changed once, whatever happens."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from chalicelib.db.events.apps import App, AppFields, Apps, NewSheet
from chalicelib.db.events.watch_filters import Filters
from chalicelib.db.events.watch_removal import EventRemoval
from chalicelib.db.events.writer import EventWriter, NewEvent, moment
from chalicelib.db.migrate import migrate
from chalicelib.db.viewer import Viewer
from chalicelib.errors import Cancelled, JobFailed, NotFound
from chalicelib.events.bodies import Event
from chalicelib.events.judge import compile_sheet
from chalicelib.events.results import HARMLESS, Judgement
from chalicelib.events.rules import Rule, RuleSheet
from chalicelib.jobs.context import Unwatched
from chalicelib.jobs.kind import Continue
from chalicelib.replaying import Change, ReplayRequest, ReplayResult, Sizes, Verdicts, replay
from tests.db.events.test_watch_removal import LATEST, NEWEST, Halting
from tests.db.events.watched import NOW_MS, event
from tests.db.test_database import query
from tests.doubles import MemoryRuntime

_numbers = count()
_jobs = count()

WRONG, MISSING = "Invalid/Wrong datatype/value", "Payload not present in the log"
TEXT, NUMBER = (Rule(event="login", path="a", type=type_, required=True) for type_ in ("text", "integer"))
ROWS = "SELECT message_id, status, is_user, rules_version, results FROM log_entries ORDER BY id"


class Shop:
    """An app with rules and events, and replays of it."""

    def __init__(self, database: Database, dsn: str, owner: str) -> None:
        self.database, self.dsn = database, dsn
        self.runtime = MemoryRuntime(database_url=dsn)
        self.runtime.__dict__["database"] = database
        self._viewer = Viewer(account=int(owner), sees_all=False, changes_all=False)
        self.app_id = f"shop-{next(_numbers)}"
        self.app: App = Apps(database).add(self.app_id, int(owner), AppFields(name="Shop"), b"s" * 32)

    def use(self, *rules: Rule) -> RuleSheet:
        """Makes the rules the app's next version."""
        sheet = RuleSheet(rules=rules)
        stored = NewSheet(rules=msgspec.json.encode(sheet).decode(), label="first", source="", created_by=None)
        self.app = Apps(self.database).add_sheet(self.app_id, self._viewer, self.app.rules_version, stored)
        return sheet

    def send(self, sheet: RuleSheet, *events: tuple[str, dict[str, Any]], **said: Any) -> list[NewEvent]:
        """Stores events as they are when these rules have judged them; each has its place as message id."""
        rows = []
        for name, body in events:
            judgement = judged(sheet, name, body)
            rows.append(
                event(
                    self.app.id,
                    f"m-{next(_numbers)}",
                    name=name,
                    status=judgement.status,
                    is_user=judgement.status != "no_rules" and body.get("eventId", 0) == 0,
                    rules_version=self.app.rules_version,
                    body=body,
                    results=msgspec.json.encode(judgement.results).decode(),
                    **said,
                )
            )
        EventWriter(self.database).store(rows)
        return rows

    def run(self, sizes: Sizes = Sizes(), job: str = "", **said: Any) -> ReplayResult:  # noqa: B008 - it is frozen
        """A replay from its beginning to its end, step by step."""
        job = job or f"job-{next(_jobs)}"
        while isinstance(found := self.step(job, sizes, **said), Continue):
            pass
        return found

    def step(self, job: str, sizes: Sizes, progress: Any = Unwatched, **said: Any) -> ReplayResult | Continue:
        request = ReplayRequest(app=self.app.id, app_id=self.app_id, **said)
        # As a job is stored and read again.
        request = msgspec.json.decode(msgspec.json.encode(request), type=ReplayRequest)
        return replay(request, progress(self.runtime, "1", job_id=job), sizes)

    def rows(self) -> list[tuple[object, ...]]:
        return query(self.dsn, ROWS.replace("ORDER", f"WHERE app = {self.app.id} ORDER"))


def judged(sheet: RuleSheet, name: str, body: dict[str, Any]) -> Judgement:
    return compile_sheet(sheet).judge(name, Event(name, "", body).payload(frozenset()))


@pytest.fixture
def shop(database: Database, dsn: str, owner: int) -> Shop:
    return Shop(database, dsn, str(owner))


def test_replay_tells_what_turns_and_changes_nothing(shop: Shop) -> None:
    old = shop.use(TEXT)
    shop.send(old, ("login", {"a": "x"}), ("login", {"a": 1}), ("login", {"a": "y"}), ("buy", {}), ("login", {}))
    new = shop.use(NUMBER)
    before = shop.rows()
    ids = [number for (number,) in query(shop.dsn, "SELECT id FROM log_entries ORDER BY id")]
    assert shop.run() == ReplayResult(
        rules_version=2,
        is_applied=False,
        events=5,
        before=Verdicts(valid=2, invalid=2, no_rules=1),
        after=Verdicts(valid=1, invalid=3, no_rules=1),
        turned_invalid=2,
        turned_valid=1,
        changes=(
            Change(event_name="login", change="turned_invalid", field_name="a", validation_status=WRONG, events=2,
                   sample_id=int(str(ids[2]))),
            Change(event_name="login", change="turned_valid", field_name="a", validation_status=WRONG, events=1,
                   sample_id=int(str(ids[1]))),
        ),
        are_changes_complete=True,
        stored=0,
        not_judged=0,
        partly_judged=0,
        without_body=0,
        too_long=0,
        removed=0,
        is_complete=True,
    )  # fmt: skip
    assert (shop.rows(), new.rules) == (before, (NUMBER,))


def test_applied_replay_stores_verdict_results_and_version_once(shop: Shop) -> None:
    old = shop.use(TEXT)
    shop.send(old, ("login", {"a": "x"}), ("login", {"a": 1}), ("buy", {"b": 1}))
    new = shop.use(NUMBER, Rule(event="buy", path="b", type="integer"))
    found = shop.run(is_applied=True)
    assert (found.stored, found.turned_invalid, found.turned_valid, found.removed) == (3, 1, 1, 0)
    bodies: list[tuple[str, dict[str, Any]]] = [("login", {"a": "x"}), ("login", {"a": 1}), ("buy", {"b": 1})]
    expected = [judged(new, *each) for each in bodies]
    assert [row[1:] for row in shop.rows()] == [
        (each.status, True, 2, list(msgspec.to_builtins(each.results))) for each in expected
    ]
    # The event without rules before is one of a user now.
    assert query(shop.dsn, LATEST) == query(shop.dsn, NEWEST)
    again = shop.run(is_applied=True)
    assert (again.stored, again.turned_invalid, again.turned_valid, again.before) == (0, 0, 0, found.after)


def test_named_version_judges_and_is_stored(shop: Shop) -> None:
    old = shop.use(TEXT)
    shop.send(old, ("login", {"a": "x"}))
    shop.use(NUMBER)
    shop.run(is_applied=True)
    assert [row[1:4] for row in shop.rows()] == [("invalid", True, 2)]
    assert shop.run(is_applied=True, rules_version=1).turned_valid == 1
    assert [row[1:4] for row in shop.rows()] == [("valid", True, 1)]
    with pytest.raises(JobFailed, match="has no rules of version 7"):
        shop.run(rules_version=7)


def test_app_without_rules_judges_nothing(shop: Shop) -> None:
    shop.send(RuleSheet(), ("login", {"a": "x"}))
    found = shop.run(is_applied=True)
    assert (found.rules_version, found.events, found.stored, found.after) == (0, 1, 0, Verdicts(no_rules=1))


def test_app_that_is_gone_is_not_found(shop: Shop, database: Database) -> None:
    Apps(database).remove(shop.app_id, Viewer(account=None, sees_all=True, changes_all=True))
    with pytest.raises(NotFound):
        shop.run()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"filters": Filters(event_names=("BUY",))}, [2]),
        ({"filters": Filters(status="invalid")}, [1, 2]),
        ({"filters": Filters(accepted_from=moment(NOW_MS + 1))}, [3]),
        ({"filters": Filters(accepted_before=moment(NOW_MS + 1), status="valid")}, [0]),
        ({"filters": Filters(field_names=("b",), validation_statuses=(MISSING,))}, [2]),
        ({"filters": Filters(latest_only=True)}, [2, 3]),
        ({"ids": (1, 2)}, [0, 1]),
    ],
)
def test_only_what_is_selected_is_judged(shop: Shop, said: dict[str, Any], expected: list[int]) -> None:
    old = shop.use(TEXT, Rule(event="buy", path="b", type="text", required=True))
    shop.send(old, ("login", {"a": "x"}), ("login", {"a": 1}), ("buy", {}))
    shop.send(old, ("login", {"a": "z"}), accepted_ms=NOW_MS + 1)
    # All are judged to be something else than before: without rules.
    shop.use()
    assert shop.run(is_applied=True, **said).events == len(expected)
    assert [place for place, row in enumerate(shop.rows()) if row[1] == "no_rules"] == expected


def test_events_are_selected_by_their_numbers(shop: Shop) -> None:
    shop.send(shop.use(TEXT), *[("login", {"a": "x"})] * 4)
    ids = [int(str(number)) for (number,) in query(shop.dsn, "SELECT id FROM log_entries ORDER BY id")]
    shop.use(NUMBER)
    assert shop.run(is_applied=True, ids=(ids[0], ids[2], 10**15)).events == 2
    assert [row[1] for row in shop.rows()] == ["invalid", "valid", "invalid", "valid"]
    both = shop.run(is_applied=True, ids=(ids[1], ids[2]), filters=Filters(status="valid"))
    assert (both.events, both.stored) == (1, 1)


def test_event_that_comes_after_the_beginning_is_not_judged(shop: Shop) -> None:
    old = shop.use(TEXT)
    shop.send(old, *[("login", {"a": "x"})] * 3)
    shop.use(NUMBER)
    sizes = Sizes(at_once=1, step_s=0)
    assert isinstance(shop.step("job", sizes), Continue)
    shop.send(old, ("login", {"a": "x"}))
    assert shop.run(sizes, "job").events == 3


def test_rules_and_switches_are_those_of_the_beginning(shop: Shop) -> None:
    shop.send(shop.use(TEXT), *[("login", {"a": "x"})] * 3)
    shop.use(NUMBER)
    sizes = Sizes(at_once=1, step_s=0)
    shop.step("job", sizes, is_applied=True)
    shop.use(TEXT)
    found = shop.run(sizes, "job", is_applied=True)
    assert (found.rules_version, found.turned_invalid) == (2, 3)


def test_replay_looks_at_no_more_than_its_bound(shop: Shop) -> None:
    shop.send(shop.use(TEXT), *[("login", {"a": "x"})] * 5)
    shop.use(NUMBER)
    for at_once in (1, 2, 3, 10):
        found = shop.run(Sizes(at_once=at_once, most_events=4))
        assert (found.events, found.is_complete) == (4, False)
        assert shop.run(Sizes(at_once=at_once, most_events=5)).is_complete
    assert shop.run(Sizes(at_once=2, most_events=4), is_applied=True).stored == 4
    assert [row[1] for row in shop.rows()] == ["valid", *["invalid"] * 4]


def test_personal_data_keeps_its_verdict_and_is_counted(shop: Shop) -> None:
    secret = Rule(event="login", path="email", type="integer", pii="drop")
    old = shop.use(TEXT, secret)
    results = judged(old, "login", {"a": "x", "email": "a@b"}).results
    shop.send(old, ("login", {"a": "x"}))
    sent = event(shop.app.id, "p", status="invalid", body={"a": "x"}, results=msgspec.json.encode(results).decode())
    EventWriter(shop.database).store([sent])
    shop.use(NUMBER, secret, Rule(event="login", path="b", type="text"))
    found = shop.run(is_applied=True)
    assert (found.events, found.not_judged, found.partly_judged, found.turned_invalid) == (2, 1, 1, 1)
    kept = [each["validationStatus"] for each in shop.rows()[1][4] if each["key"] == "email"]  # type: ignore[attr-defined]
    assert kept == [WRONG]
    shop.use(TEXT, secret)
    back = shop.run(is_applied=True)
    assert (back.turned_valid, back.after, back.not_judged) == (1, Verdicts(valid=1, invalid=1), 1)


@pytest.fixture(scope="module")
def shared(module_dsn: str) -> Iterator[tuple[Database, str, str]]:
    """A database for many examples, and an owner of apps in it."""
    migrate(module_dsn)
    with closing(Database(module_dsn)) as database:
        owner = Accounts(database).put(email="bob@example.org", name="Bob", password_hash="hash", role="student")
        yield database, module_dsn, owner


a_rule = st.builds(
    Rule,
    event=st.sampled_from(["login", "buy"]),
    path=st.sampled_from(["a", "b", "items[].n"]),
    type=st.sampled_from(["text", "integer", "boolean"]),
    required=st.booleans(),
)
a_sheet = st.lists(a_rule, max_size=4, unique_by=lambda rule: (rule.event, rule.path))
a_value = st.sampled_from(["x", 1, True, None, "", [{"n": 1}, {"n": "x"}, {}]])
an_event = st.tuples(
    st.sampled_from(["login", "buy", "see"]),
    st.dictionaries(st.sampled_from(["a", "b", "items", "eventId"]), a_value, max_size=3),
)


def faults(judgement: Judgement) -> set[tuple[str, str]]:
    return {
        (re.sub(r"\[\d+\]", "[]", each.key), each.validation_status)
        for each in judgement.results
        if each.validation_status not in HARMLESS
    }


@settings(max_examples=100)
@given(
    old=a_sheet,
    new=a_sheet,
    events=st.lists(an_event, min_size=1, max_size=10),
    at_once=st.integers(1, 5),
    breaks=st.sets(st.integers(0, 9), max_size=4),
    is_applied=st.booleans(),
)
def test_replay_is_what_judging_each_event_anew_finds(
    shared: tuple[Database, str, str],
    old: list[Rule],
    new: list[Rule],
    events: list[tuple[str, dict[str, Any]]],
    at_once: int,
    breaks: set[int],
    is_applied: bool,
) -> None:
    shop = Shop(*shared)
    first = shop.use(*old)
    shop.send(first, *events)
    second = shop.use(*new)
    before = shop.rows()
    was = [judged(first, *each) for each in events]
    now = [judged(second, *each) for each in events]
    job, sizes = f"job-{next(_jobs)}", Sizes(at_once=at_once)
    for place in sorted(breaks):
        with suppress(Cancelled):
            shop.step(job, sizes, partial(Dying, turns=place), is_applied=is_applied)
    found = shop.run(sizes, job, is_applied=is_applied)

    turned = [(b.status == "invalid", a.status == "invalid") for b, a in zip(was, now, strict=True)]
    assert (found.events, found.is_complete) == (len(events), True)
    assert (found.before, found.after) == (verdicts(was), verdicts(now))
    assert (found.turned_invalid, found.turned_valid) == (turned.count((False, True)), turned.count((True, False)))
    expected = Counter[tuple[str, str, str, str]]()
    for (name, _), b, a, (was_bad, is_bad) in zip(events, was, now, turned, strict=True):
        if was_bad != is_bad:
            change = "turned_invalid" if is_bad else "turned_valid"
            expected.update((name, change, *fault) for fault in faults(a if is_bad else b))
    got = {
        (each.event_name, each.change, each.field_name, each.validation_status): each.events for each in found.changes
    }
    assert got == dict(expected)
    if is_applied:
        assert [row[1:] for row in shop.rows()] == [
            (each.status, is_user(body) and each.status != "no_rules", 2, list(msgspec.to_builtins(each.results)))
            for each, (_, body) in zip(now, events, strict=True)
        ]
    else:
        assert (shop.rows(), found.stored) == (before, 0)
    latest = query(shop.dsn, LATEST.replace("ORDER", f"WHERE latest_event.app = {shop.app.id} ORDER"))
    assert latest == query(shop.dsn, NEWEST.replace("ORDER", f"WHERE app = {shop.app.id} ORDER", 1))


def verdicts(judgements: list[Judgement]) -> Verdicts:
    statuses = [each.status for each in judgements]
    return Verdicts(
        valid=statuses.count("valid"), invalid=statuses.count("invalid"), no_rules=statuses.count("no_rules")
    )


def is_user(body: dict[str, Any]) -> bool:
    said = body.get("eventId")
    return said is None or str(said) == "0"


class Dying(Unwatched):
    """The progress of a worker that dies when it has ended so many transactions."""

    def __init__(self, *args: Any, turns: int, **said: Any) -> None:
        super().__init__(*args, **said)
        self._turns = turns

    def __call__(self, fraction: float, stage: str) -> None:
        self._turns -= 1
        if self._turns < 0:
            raise Cancelled("the worker is gone")


def test_transaction_that_fails_at_its_end_has_changed_nothing(shop: Shop) -> None:
    shop.send(shop.use(TEXT), *[("login", {"a": "x"})] * 6)
    shop.use(NUMBER)
    query(
        shop.dsn,
        """
        CREATE SEQUENCE saves;
        CREATE FUNCTION refuse_second() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('saves') = 2 THEN RAISE EXCEPTION 'no'; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER refuse_second BEFORE UPDATE ON event_replays FOR EACH ROW EXECUTE FUNCTION refuse_second();
        SELECT 1
        """,
    )
    sizes = Sizes(at_once=2)
    with pytest.raises(JobFailed, match="Postgres refused: no"):
        shop.run(sizes, "job", is_applied=True)
    assert [row[1] for row in shop.rows()] == [*["valid"] * 4, *["invalid"] * 2]
    found = shop.run(sizes, "job", is_applied=True)
    assert (found.events, found.stored, found.turned_invalid) == (6, 6, 6)
    assert [row[1] for row in shop.rows()] == ["invalid"] * 6


def test_result_that_was_lost_is_told_again(shop: Shop) -> None:
    shop.send(shop.use(TEXT), ("login", {"a": "x"}))
    shop.use(NUMBER)
    first = shop.run(job="job", is_applied=True)
    assert shop.run(job="job", is_applied=True) == first
    assert first.stored == 1


def test_two_runs_of_one_job_count_and_change_each_event_once(shop: Shop) -> None:
    shop.send(shop.use(TEXT), *[("login", {"a": "x"})] * 60)
    shop.use(NUMBER)
    start = threading.Barrier(3)

    def run() -> ReplayResult:
        with closing(Database(shop.dsn)) as own:
            runtime = MemoryRuntime(database_url=shop.dsn)
            runtime.__dict__["database"] = own
            start.wait(timeout=20)
            request = ReplayRequest(app=shop.app.id, app_id=shop.app_id, is_applied=True)
            found = replay(request, Unwatched(runtime, "1", job_id="job"), Sizes(at_once=2))
            assert isinstance(found, ReplayResult)
            return found

    with ThreadPoolExecutor(3) as pool:
        results = [one.result() for one in [pool.submit(run) for _ in range(3)]]
    assert results[0] == results[1] == results[2]
    assert (results[0].events, results[0].stored, results[0].turned_invalid) == (60, 60, 60)


def test_newest_of_each_name_stays_true_beside_writers_removals_and_replays(shop: Shop) -> None:
    old = shop.use(TEXT)
    names = ("login", "apple", "zebra")
    new = shop.use(NUMBER, *(Rule(event=name, path="a", type="integer") for name in names[1:]))
    assert len(new.rules) == 3
    start = threading.Barrier(5)

    def row(message_id: str, name: str, ms: int) -> NewEvent:
        results = msgspec.json.encode(judged(old, name, {"a": "x"}).results).decode()
        status = judged(old, name, {"a": "x"}).status
        return event(shop.app.id, message_id, name=name, status=status, accepted_ms=NOW_MS + ms, body={"a": "x"},
                     results=results)  # fmt: skip

    def write(writer: int) -> None:
        with closing(Database(shop.dsn)) as own:
            start.wait(timeout=20)
            for number in range(40):
                EventWriter(own).store([row(f"{writer}-{number}-{name}", name, number) for name in names])

    def remove() -> None:
        with closing(Database(shop.dsn)) as own:
            start.wait(timeout=20)
            for _ in range(40):
                for (number,) in query(shop.dsn, f"SELECT id FROM latest_event WHERE app = {shop.app.id}"):
                    EventRemoval(own).remove(shop.app.id, int(str(number)))

    def judge(version: int) -> int:
        with closing(Database(shop.dsn)) as own:
            runtime = MemoryRuntime(database_url=shop.dsn)
            runtime.__dict__["database"] = own
            start.wait(timeout=20)
            stored = 0
            for number in range(20):
                request = ReplayRequest(
                    app=shop.app.id, app_id=shop.app_id, is_applied=True, rules_version=version
                )  # fmt: skip
                progress = Unwatched(runtime, "1", job_id=f"job-{version}-{number}")
                found = replay(request, progress, Sizes(at_once=7))
                assert isinstance(found, ReplayResult)
                assert found.events >= found.stored
                stored += found.stored
            return stored

    with ThreadPoolExecutor(5) as pool:
        running = [pool.submit(write, 0), pool.submit(write, 1), pool.submit(remove)]
        replays = [pool.submit(judge, 1), pool.submit(judge, 2)]
        assert [one.result() for one in running] == [None] * 3
        assert all(one.result() > 0 for one in replays)
    assert query(shop.dsn, LATEST) == query(shop.dsn, NEWEST)


def test_newest_event_that_is_being_removed_gives_way_to_one_with_its_new_verdict(shop: Shop) -> None:
    shop.send(shop.use(TEXT), *[("login", {"a": "x"})] * 2)
    shop.use(NUMBER)
    ((older, newest),) = query(shop.dsn, "SELECT min(id), max(id) FROM log_entries")
    with closing(Halting(shop.dsn)) as other, ThreadPoolExecutor(2) as pool:
        # It has found the event before the newest one, with its old verdict, and not told anybody yet.
        removing = pool.submit(EventRemoval(other).remove, shop.app.id, int(str(newest)))
        assert other.is_there.wait(20)
        running = pool.submit(shop.run, is_applied=True, ids=(older,))
        while not query(shop.dsn, "SELECT 1 FROM pg_locks WHERE NOT granted"):
            assert not running.done()
        other.may_go_on.set()
        assert removing.result()
        assert running.result().stored == 1
    assert [row[3] for row in query(shop.dsn, LATEST)] == ["invalid"]


def test_event_that_is_removed_while_it_is_judged_is_counted_and_stays_away(shop: Shop) -> None:
    shop.send(shop.use(TEXT), *[("login", {"a": "x"})] * 2)
    shop.use(NUMBER)
    # Takes the newest event away as soon as the replay waits for what is known of it.
    with closing(Database(shop.dsn)) as other, ThreadPoolExecutor(1) as pool:
        with other.transaction() as cursor:
            cursor.execute("SELECT FROM latest_event FOR UPDATE")
            cursor.execute("DELETE FROM log_entries WHERE id = (SELECT max(id) FROM log_entries)")
            running = pool.submit(shop.run, is_applied=True)
            while not query(shop.dsn, "SELECT 1 FROM pg_locks WHERE NOT granted"):
                assert not running.done()
        found = running.result()
    assert (found.events, found.stored, found.removed) == (1, 1, 1)
    assert [row[1] for row in shop.rows()] == ["invalid"]


def test_replays_that_nobody_goes_on_with_are_forgotten(shop: Shop) -> None:
    shop.run(job="old")
    query(shop.dsn, "UPDATE event_replays SET touched_at = now() - interval '16 days' RETURNING 1")
    shop.run(job="new")
    assert query(shop.dsn, "SELECT job_id FROM event_replays") == [("new",)]

"""Erasing an account in Postgres: all of it goes, and nothing of anybody else's."""

from __future__ import annotations

import re
from contextlib import closing

import psycopg2
import pytest
from psycopg2 import sql

from chalicelib.clock import Clock
from chalicelib.db.erasure import Erasure, OwnedApp
from chalicelib.db.migrate import migrate
from chalicelib.errors import NotFound

ADA, BOB = "ada.erase@sluice.test", "bob.keep@sluice.test"
# Ids that are nobody else's number in any table.
IDS = {ADA: 900_001, BOB: 900_002}
APPS = {ADA: 700_001, BOB: 700_002}
NAMES = {ADA: "Ada Erased", BOB: "Bob Kept"}
OWN = """
INSERT INTO users (id, email, name, password_hash, role) VALUES (%(id)s, %(email)s, %(name)s, '-', 'instructor');
INSERT INTO projects (id, user_id, name, owner) VALUES (%(id)s, %(id)s, 'p', %(name)s);
INSERT INTO forecasts (id, user_id, project_id, name, forecast_data, input_data, created_by)
VALUES (%(id)s, %(id)s, %(id)s, 'f', '{}', jsonb_build_object('by', %(email)s::text), %(name)s);
INSERT INTO actuals (forecast_id, notes, recorded_by) VALUES (%(id)s, %(email)s, %(name)s);
INSERT INTO saved_searches (id, user_id, name, filters, canonical, channel, last_version)
VALUES (%(id)s, %(id)s, %(email)s, '{}', '{}', 'email', 0);
INSERT INTO search_alerts (saved_search_id, version, base_version, matches, first_rows, delivery)
VALUES (%(id)s, 1, 0, 1, '[]', 'kept');
INSERT INTO one_time_codes (purpose, address, digest, mailed_at, expires_at)
VALUES ('reset', %(email)s, '', now(), now());
INSERT INTO set_aside (source_table, source_id, reason, value)
VALUES ('users', %(id)s, 'r', jsonb_build_object('email', upper(%(email)s)));
INSERT INTO apps (id, app_id, user_id, name, salt, revision)
VALUES (%(app)s, 'app-' || %(app)s, %(id)s, %(name)s, decode(repeat('00', 32), 'hex'), 42);
INSERT INTO rule_sheets (app, version, rules, label, created_by) VALUES (%(app)s, 1, '[]', 'first', %(id)s);
INSERT INTO log_entries (app, accepted_at, event_name, message_id, status, is_user, rules_version, body, results)
SELECT %(app)s, now(), 'e', n, 'valid', false, 1, jsonb_build_object('email', %(email)s::text), '[]'
FROM generate_series(1, 25) AS n;
INSERT INTO event_ids (app, message_id, body_hash, accepted_at)
SELECT %(app)s, n, '', now() FROM generate_series(1, 25) AS n;
INSERT INTO latest_event (app, event_name, id, accepted_at, status, is_user)
VALUES (%(app)s, 'e', 1, now(), 'valid', false);
INSERT INTO event_news (app, slot, event_name, status, is_user, count) VALUES (%(app)s, now(), 'e', 'valid', false, 1);
INSERT INTO event_quarters (app, slot, event_name, status, count) VALUES (%(app)s, now(), 'e', 'valid', 1);
INSERT INTO event_hours (app, slot, event_name, status, is_user, count) VALUES (%(app)s, now(), 'e', 'valid', false, 1);
INSERT INTO event_spikes (app, slot, invalid, usual, found_at, delivery) VALUES (%(app)s, now(), 1, 0, now(), 'kept');
INSERT INTO event_replays (job_id, app, plan, stand) VALUES (%(email)s, %(app)s, '{}', '{}');
"""
# What each has done in the work of the other.
IN_OTHERS_WORK = """
INSERT INTO forecasts (user_id, project_id, name, forecast_data, input_data, created_by)
VALUES (%(other)s, %(other)s, 'g', '{}', '{}', %(name)s);
INSERT INTO actuals (forecast_id, recorded_by) VALUES (%(other)s, %(name)s);
INSERT INTO rule_sheets (app, version, rules, label, created_by) VALUES (%(other_app)s, 2, '[]', 'same', %(id)s);
"""


@pytest.fixture
def full(dsn: str) -> str:
    """A database in which Ada and Bob have something in every table that can be anybody's."""
    migrate(dsn)
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        for email, id in IDS.items():
            cursor.execute(OWN, {"id": id, "email": email, "name": NAMES[email], "app": APPS[email]})
        for email, other in ((ADA, BOB), (BOB, ADA)):
            values = {"id": IDS[email], "name": NAMES[email], "other": IDS[other], "other_app": APPS[other]}
            cursor.execute(IN_OTHERS_WORK, values)
    return dsn


def rows(dsn: str) -> dict[str, list[str]]:
    """Every row of every table as text."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm')"
        )
        found = {}
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("SELECT row::text FROM {} AS row").format(sql.Identifier(table)))
            found[table] = sorted(text for (text,) in cursor.fetchall())
        return found


def of(email: str, found: dict[str, list[str]]) -> dict[str, list[str]]:
    """The rows in which the account's id, app, address or name stands."""
    trace = re.compile(rf"\b({IDS[email]}|{APPS[email]}|{re.escape(email)}|{NAMES[email]})\b", re.IGNORECASE)
    traces = {table: [row for row in lines if trace.search(row)] for table, lines in found.items()}
    return {table: lines for table, lines in traces.items() if lines}


def test_no_table_has_a_trace_of_the_erased_account(full: str) -> None:
    # Of every table that can have any: else this would show nothing.
    assert set(of(ADA, rows(full))) >= {
        "users", "projects", "forecasts", "actuals", "saved_searches", "search_alerts", "one_time_codes", "set_aside",
        "apps", "rule_sheets", "event_ids_0", "log_entries_other", "latest_event", "event_news", "event_quarters",
        "event_hours", "event_spikes", "event_replays",
    }  # fmt: skip
    assert Erasure(full, Clock()).remove(ADA) is True
    assert of(ADA, rows(full)) == {}


def test_others_keep_all_that_is_theirs(full: str) -> None:
    before = of(BOB, rows(full))
    Erasure(full, Clock()).remove(ADA)
    after = of(BOB, rows(full))
    ada = re.compile(rf"{IDS[ADA]}|{APPS[ADA]}|{re.escape(ADA)}|{NAMES[ADA]}")
    for table, lines in before.items():
        # What stands in Ada's own work is gone with it; in Bob's, her name and number alone.
        own = [line for line in lines if not ada.search(line)]
        assert set(own) <= set(after.get(table, [])), table
    assert len(after["forecasts"]) == 2
    assert len(after["actuals"]) == 2
    assert len(after["rule_sheets"]) == 2
    assert len([line for table in after if table.startswith("event_ids") for line in after[table]]) == 25


def test_everything_is_counted_before_and_nothing_changed(full: str) -> None:
    before = rows(full)
    found = Erasure(full, Clock()).count(str(IDS[ADA]))
    assert (found.id, found.email, found.apps) == ("900001", ADA, [OwnedApp(APPS[ADA], "app-700001", 42)])
    assert found.rows == {
        "accounts": 1, "projects": 1, "forecasts": 2, "actuals": 2, "saved_searches": 1, "search_alerts": 1, "apps": 1,
        "rule_sheets": 2, "events": 25, "message_ids": 25, "one_time_codes": 1, "set_aside": 1,
        "named_in_work_of_others": 2,
    }  # fmt: skip
    assert rows(full) == before


def test_address_is_found_in_any_case_and_closed_account_is_still_there(full: str) -> None:
    assert Erasure(full, Clock()).close(ADA.upper()).id == "900001"
    with closing(psycopg2.connect(full)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT email, is_active FROM users ORDER BY id")
        assert cursor.fetchall() == [(ADA, False), (BOB, True)]


class _HurriedClock(Clock):
    """Ten minutes pass between two looks."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now(self) -> float:
        self._now_s += 600
        return self._now_s


def test_what_does_not_fit_into_one_call_is_asked_for_again(full: str) -> None:
    erasure = Erasure(full, _HurriedClock(), at_once=10)
    answers = [erasure.remove(ADA)]
    while not answers[-1]:
        answers.append(erasure.remove(ADA))
    assert len(answers) > 2
    assert of(ADA, rows(full)) == {}


def test_name_that_two_have_is_left_in_the_work_of_others(full: str) -> None:
    with closing(psycopg2.connect(full)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO users (email, name, password_hash) VALUES ('namesake@sluice.test', %s, '-')", (NAMES[ADA],)
        )
    erasure = Erasure(full, Clock())
    assert erasure.count(ADA).rows["named_in_work_of_others"] == 0
    erasure.remove(ADA)
    assert [line for line in of(BOB, rows(full))["forecasts"] if NAMES[ADA] in line]


@pytest.mark.parametrize("account", ["", "nobody@sluice.test", "900003", "%", "900001 OR true"])
def test_account_that_is_not_there_is_told(full: str, account: str) -> None:
    with pytest.raises(NotFound):
        Erasure(full, Clock()).count(account)

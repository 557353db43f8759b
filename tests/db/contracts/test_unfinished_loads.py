"""What becomes of a load that does not come to its end at once, or at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Event

import psycopg2
import pytest

from chalicelib.db.connect import connect
from chalicelib.db.contracts.load import PHASES, Load, run_phase
from chalicelib.db.contracts.session import Session
from chalicelib.db.contracts.state import Sizes
from chalicelib.db.contracts.versions import Versions
from chalicelib.errors import Cancelled, JobFailed, Superseded, Unavailable
from chalicelib.jobs.context import Unwatched
from chalicelib.search.award_file import AwardFile
from chalicelib.search.awards import Award, Rejection
from chalicelib.search.source import Place
from tests.db.contracts.loading import FOUR, ONE, SCHEMAS, STATES, award_file, begin, finish, hurry, load_text
from tests.db.test_database import query


@pytest.mark.parametrize("until", [*PHASES])
def test_load_that_is_given_up_leaves_no_more_than_a_row(dsn: str, versions: Versions, until: str) -> None:
    kept = load_text(dsn, ONE)
    version = begin(dsn)
    finish(dsn, version, FOUR, until=until)
    assert versions.abandon(version)
    assert query(dsn, SCHEMAS) == [(f"contracts_v{kept}",)]
    assert query(dsn, STATES) == [(kept, "current"), (version, "failed")]
    with pytest.raises(JobFailed, match=f"version {version} of the contracts is not being loaded"):
        run_phase("stage", dsn, version, Unwatched(None, ""), source=award_file(FOUR))


def test_load_that_was_forgotten_is_given_up_by_a_later_one(dsn: str) -> None:
    forgotten, recent = begin(dsn), begin(dsn)
    age = "UPDATE contract_versions SET created_at = now() - interval '25 hours' WHERE id = {} RETURNING id"
    query(dsn, age.format(forgotten))
    version = begin(dsn)
    assert query(dsn, STATES) == [(forgotten, "failed"), (recent, "loading"), (version, "loading")]
    assert query(dsn, SCHEMAS) == [(f"contracts_v{recent}",), (f"contracts_v{version}",)]


def test_phase_that_was_done_is_not_done_again(dsn: str) -> None:
    version = begin(dsn)
    finish(dsn, version, FOUR, until="words")
    finish(dsn, version, FOUR)
    finish(dsn, version, FOUR)
    assert query(dsn, f"SELECT count(*) FROM contracts_v{version}.fact") == [(4,)]


def test_phase_that_is_not_due_is_refused(dsn: str) -> None:
    version = begin(dsn)
    with pytest.raises(JobFailed, match="the load has to go on with stage, not with words"):
        run_phase("words", dsn, version, Unwatched(None, ""))


class Torn:
    """A source whose reader is gone after some records."""

    size = 0
    told_again = AwardFile.told_again

    def __init__(self, file: AwardFile, records: int, then: Callable[[], None]) -> None:
        self._file = file
        self._records = records
        self._then = then

    @property
    def place(self) -> Place:
        return self._file.place

    @place.setter
    def place(self, place: Place) -> None:
        self._file.place = place

    def records(self, start: Place) -> Iterator[Award | Rejection]:
        for count, record in enumerate(self._file.records(start)):
            if count == self._records:
                self._then()
            yield record


def away() -> None:
    raise Unavailable("the file store is away")


def test_source_that_went_away_is_read_on_from_the_last_batch(dsn: str) -> None:
    version = begin(dsn)
    with closing(Session(dsn, Unwatched(None, ""))) as session:
        load = Load(session, version, Sizes(batch_rows=2))
        with pytest.raises(Unavailable):
            load.run("stage", Torn(award_file(FOUR), 3, away))
    assert query(dsn, f"SELECT rows_read, lines FROM contracts_v{version}.load") == [(2, 3)]
    finish(dsn, version, FOUR)
    number = f"SELECT contract_number FROM contracts_v{version}.title ORDER BY rid"
    assert query(dsn, number) == [("1",), ("2",), ("3",), ("4",)]


def test_two_runs_of_the_same_step_load_every_row_once(dsn: str) -> None:
    version = begin(dsn)

    def overtake() -> None:
        while not run_phase("stage", dsn, version, Unwatched(None, ""), source=award_file(FOUR)):
            pass

    with closing(Session(dsn, Unwatched(None, ""))) as session:
        load = Load(session, version, Sizes(batch_rows=2))
        with pytest.raises(Superseded):
            load.run("stage", Torn(award_file(FOUR), 3, overtake))
    finish(dsn, version, FOUR)
    assert query(dsn, f"SELECT count(*) FROM contracts_v{version}.fact") == [(4,)]


def test_crash_of_the_database_ends_a_load(dsn: str) -> None:
    version = begin(dsn)
    finish(dsn, version, FOUR, until="facts")
    # What a crash leaves of tables without a journal.
    query(dsn, f"TRUNCATE contracts_v{version}.load, contracts_v{version}.stage; SELECT 1")
    with pytest.raises(JobFailed, match="the database lost the load when it crashed; start it again"):
        run_phase("facts", dsn, version, Unwatched(None, ""))


class Stopping(Unwatched):
    """The Progress of a load that is stopped as soon as one of its statements waits for a lock."""

    def __init__(self, dsn: str) -> None:
        super().__init__(None, "")
        self._dsn = dsn

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        over = Event()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(self._watch, interrupt, over)
            try:
                yield
            except psycopg2.errors.QueryCanceled:
                raise Cancelled("the job was cancelled") from None
            finally:
                over.set()

    def _watch(self, interrupt: Callable[[], None], over: Event) -> None:
        while not over.is_set():
            if query(self._dsn, "SELECT 1 FROM pg_locks WHERE NOT granted AND mode <> 'ExclusiveLock'"):
                interrupt()
                return


@pytest.mark.parametrize(
    ("phase", "table"),
    [("stage", "stage"), ("facts", "fact"), ("indexes", "fact"), ("vacuum", "contractor"), ("publish", "stage")],
)
def test_statement_that_takes_long_is_interrupted_when_the_load_is_cancelled(
    dsn: str, versions: Versions, phase: str, table: str
) -> None:
    hurry(dsn)
    version = begin(dsn)
    finish(dsn, version, FOUR, until=phase)
    with closing(connect(dsn)) as connection, connection.cursor() as blocker:
        blocker.execute(f"LOCK TABLE contracts_v{version}.{table} IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Cancelled):
            run_phase(phase, dsn, version, Stopping(dsn), source=award_file(FOUR))
    assert versions.abandon(version)
    assert query(dsn, SCHEMAS) == []


def test_load_that_is_told_to_stop_between_two_batches_stops(dsn: str, versions: Versions) -> None:
    class Told(Unwatched):
        def __call__(self, fraction: float, stage: str) -> None:
            if fraction:
                raise Cancelled(stage)

    version = begin(dsn)
    with pytest.raises(Cancelled, match="reading rows"):
        run_phase("stage", dsn, version, Told(None, ""), source=award_file(FOUR))
    assert versions.abandon(version)


def test_load_tells_how_far_it_is(dsn: str) -> None:
    told: list[tuple[float, str]] = []

    class Listening(Unwatched):
        def __call__(self, fraction: float, stage: str) -> None:
            told.append((fraction, stage))

    version = begin(dsn)
    for phase in PHASES:
        while not run_phase(phase, dsn, version, Listening(None, ""), source=award_file(FOUR)):
            pass
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert (fractions[0], 0.98 < fractions[-1] < 1) == (0, True)
    assert list(dict.fromkeys(stage for _, stage in told)) == [
        "reading rows",
        "sorting names",
        "sorting rows",
        "keeping titles",
        "collecting words",
        "collecting words in sequence",
        "making indexes",
        "summing up",
        "tidying up",
        "summing up common words",
        "tidying up again",
        "publishing",
    ]

"""The load of a version, phase by phase; readers stay with the version before until the last one.

How far it has come is kept in the database, so each phase may run in another process, and one that ended without a
word is gone on with. The tables that stay are written with the journal of writes from the start: making them so
afterwards would write them twice, and take back the marks that VACUUM sets.
"""

from __future__ import annotations

from contextlib import closing, suppress

import msgspec
from psycopg2 import sql
from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.dimensions import DIMENSIONS, fill_dimension
from chalicelib.db.contracts.session import Session
from chalicelib.db.contracts.staging import Staging
from chalicelib.db.contracts.state import Sizes, State, expect_state, keep_state, read_state
from chalicelib.db.contracts.sums import SHARES, fill_share
from chalicelib.db.contracts.versions import Counts, Versions, compose, current_version, one_row
from chalicelib.db.contracts.words import RangeFiller
from chalicelib.db.sql import statements
from chalicelib.errors import JobFailed, SluiceError
from chalicelib.jobs.kind import Progress
from chalicelib.search.source import Source

# In their order, with what a person is told.
_DOING = {
    "stage": "reading rows",
    "dimensions": "sorting names",
    "facts": "sorting rows",
    "titles": "keeping titles",
    "words": "collecting words",
    "grams": "collecting words in sequence",
    "indexes": "making indexes",
    "rollups": "summing up",
    "vacuum": "tidying up",
    "sums": "summing up common words",
    "vacuum_sums": "tidying up again",
    "publish": "publishing",
}
PHASES = tuple(_DOING)
# Where each phase ends, of a whole of 100, as measured.
_ENDS = dict(zip(PHASES, (21, 26, 31, 37, 55, 74, 78, 80, 83, 98, 99, 100), strict=True))
# What is summed up from facts without a look at their table needs its pages marked.
_VACUUMED = {
    "vacuum": (*DIMENSIONS, "fact", "title", "word", "gram", "month", "entity_year"),
    "vacuum_sums": ("summed", "summed_month", "summed_name"),
}
_INDEXES = tuple(statements("contracts_indexes"))
_PARTS = {
    "dimensions": len(DIMENSIONS),
    "indexes": len(_INDEXES),
    "rollups": len(DIMENSIONS) + 1,
    "sums": SHARES,
    **{phase: len(tables) for phase, tables in _VACUUMED.items()},
}


class Load:
    """The load of one version; raises what a Session raises, and JobFailed where the source has nothing to load."""

    def __init__(self, session: Session, version: int, sizes: Sizes | None = None) -> None:
        self._session = session
        self._version = version
        self._sizes = sizes or Sizes()

    def run(self, phase: str, source: Source | None = None) -> bool:
        """Does the next part of a phase; answers whether that was the last one, or had been done before.

        Raises Superseded if another run goes on with the same load at the same time.
        """
        state = self._state()
        if state is None or PHASES.index(state.phase) > PHASES.index(phase):
            return True
        if state.phase != phase:
            raise JobFailed(f"the load has to go on with {state.phase}, not with {phase}")
        self._tell(phase, self._share(state, source))
        if phase == "stage":
            assert source is not None
            return self._stage(state, source)
        if phase in _VACUUMED:
            return self._vacuum(state)
        if phase == "publish":
            return self._publish(state)
        return self._fill(state)

    def _state(self) -> State | None:
        """What is to be done next; None if all is done."""
        with self._session.transaction() as cursor:
            return None if current_version(cursor) == self._version else read_state(cursor, self._version)

    def _stage(self, state: State, source: Source) -> bool:
        staging = Staging(self._session, self._version, source, self._sizes)
        end = staging.stage(state, lambda share: self._tell("stage", share))
        if end is None:
            return False
        with self._session.transaction() as cursor:
            expect_state(cursor, self._version, end)
            staging.merge(cursor)
            cursor.execute(self._compose("analyze_stage"))
            self._keep(cursor, end, is_last=True)
        return True

    def _fill(self, state: State) -> bool:
        fill = {
            "dimensions": self._fill_dimension,
            "facts": self._fill_facts,
            "titles": self._fill_titles,
            "words": self._fill_words,
            "grams": self._fill_grams,
            "indexes": self._make_index,
            "rollups": self._fill_rollup,
            "sums": self._fill_sums,
        }[state.phase]
        with self._session.transaction() as cursor:
            expect_state(cursor, self._version, state)
            is_last = fill(cursor, state)
            self._keep(cursor, state, is_last=is_last)
        return is_last

    def _fill_dimension(self, cursor: RealDictCursor, state: State) -> bool:
        cursor.execute(self._compose("is_staged"))
        if not one_row(cursor)["is_staged"]:
            raise JobFailed(f"of {state.rows_read} rows none can be loaded")
        fill_dimension(cursor, self._version, DIMENSIONS[state.part])
        return state.part + 1 == len(DIMENSIONS)

    def _fill_facts(self, cursor: RealDictCursor, state: State) -> bool:
        cursor.execute(self._compose("place_rows"))
        cursor.execute(self._compose("fill_facts"))
        return True

    def _fill_titles(self, cursor: RealDictCursor, state: State) -> bool:
        cursor.execute(self._compose("fill_titles"))
        return True

    def _fill_words(self, cursor: RealDictCursor, state: State) -> bool:
        is_last = self._ranges(cursor, state).words(state.part, self._sizes.range_rows)
        if is_last:
            cursor.execute(self._compose("fill_words"), msgspec.structs.asdict(self._sizes))
        return is_last

    def _fill_grams(self, cursor: RealDictCursor, state: State) -> bool:
        ranges = self._ranges(cursor, state)
        if state.part == 0:
            ranges.choose_grams(self._sizes)
        is_last = ranges.grams(state.part, self._sizes.range_rows)
        if is_last:
            cursor.execute(self._compose("fill_grams"))
        return is_last

    def _ranges(self, cursor: RealDictCursor, state: State) -> RangeFiller:
        share = self._share(state, None)
        return RangeFiller(cursor, self._version, lambda: self._tell(state.phase, share))

    def _make_index(self, cursor: RealDictCursor, state: State) -> bool:
        cursor.execute(compose("contracts_indexes", _INDEXES[state.part], self._version))
        return state.part + 1 == len(_INDEXES)

    def _fill_rollup(self, cursor: RealDictCursor, state: State) -> bool:
        if state.part < len(DIMENSIONS):
            text = compose("contracts_load", "fill_entity_years", self._version, dimension=DIMENSIONS[state.part])
            cursor.execute(text, {"kind": state.part + 1})
            return False
        cursor.execute(self._compose("fill_months"))
        cursor.execute(self._compose("index_entity_years"))
        return True

    def _fill_sums(self, cursor: RealDictCursor, state: State) -> bool:
        return fill_share(cursor, self._version, state.part, self._sizes)

    def _vacuum(self, state: State) -> bool:
        tables = _VACUUMED[state.phase]
        with self._session.statements() as cursor:
            cursor.execute(compose("contracts_load", "vacuum", self._version, table=tables[state.part]))
        is_last = state.part + 1 == len(tables)
        with self._session.transaction() as cursor:
            expect_state(cursor, self._version, state)
            self._keep(cursor, state, is_last=is_last)
        return is_last

    def _publish(self, state: State) -> bool:
        versions = Versions(self._session)
        with self._session.transaction() as cursor:
            expect_state(cursor, self._version, state)
            counts = self._count(cursor, state)
            cursor.execute(self._compose("clear"))
            versions.publish(cursor, self._version, counts)
        # What is left of the outdated ones the next load drops; this version is published all the same.
        with suppress(SluiceError):
            versions.drop_outdated()
        return True

    def _count(self, cursor: RealDictCursor, state: State) -> Counts:
        cursor.execute(self._compose("count"))
        loaded, rejected = (int(count) for count in one_row(cursor).values())
        if state.rows_read != loaded + rejected:
            raise JobFailed(f"of {state.rows_read} rows {loaded} were loaded and {rejected} rejected")
        return Counts(rows_read=state.rows_read, rows_loaded=loaded, rows_rejected=rejected)

    def _keep(self, cursor: RealDictCursor, state: State, *, is_last: bool) -> None:
        after = PHASES[PHASES.index(state.phase) + is_last]
        part = 0 if is_last else state.part + 1
        keep_state(cursor, self._version, msgspec.structs.replace(state, phase=after, part=part))

    def _share(self, state: State, source: Source | None) -> float:
        """How much of its phase is done, as far as that is known between two parts."""
        if state.phase == "stage":
            return min(1.0, state.byte / source.size) if source is not None and source.size else 0.0
        if state.phase in ("words", "grams"):
            return min(1.0, state.part * self._sizes.range_rows / state.rows_read)
        return state.part / _PARTS.get(state.phase, 1)

    def _tell(self, phase: str, share: float = 0.0) -> None:
        begin = (0, *_ENDS.values())[PHASES.index(phase)]
        self._session.progress((begin + share * (_ENDS[phase] - begin)) / 100, _DOING[phase])

    def _compose(self, statement: str) -> sql.Composed:
        return compose("contracts_load", statement, self._version)


def run_phase(phase: str, dsn: str, version: int, progress: Progress, *, source: Source | None = None) -> bool:
    """Does the next part of a phase; answers whether the phase is done. `stage` needs the source."""
    with closing(Session(dsn, progress)) as session:
        return Load(session, version).run(phase, source)

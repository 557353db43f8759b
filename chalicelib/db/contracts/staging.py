"""The first phase of a load: rows of a source go into the stage table, and rejections beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.copying import copy_rows
from chalicelib.db.contracts.session import Session
from chalicelib.db.contracts.state import Sizes, State, expect_state, keep_state
from chalicelib.db.contracts.versions import compose
from chalicelib.search.awards import Award, Rejection, search_text
from chalicelib.search.source import Place, Source


class Staging:
    """Stages the rows of one source for one version."""

    def __init__(self, session: Session, version: int, source: Source, sizes: Sizes) -> None:
        self._session = session
        self._version = version
        self._source = source
        self._sizes = sizes

    def stage(self, state: State, tell: Callable[[float], None]) -> State | None:
        """Stages the next part of the rows; answers where the source ends, None if it does not yet.

        Each batch is committed together with the place behind it, so whoever comes after an end without a word goes
        on there. `tell` gets the share of the source that has been read. Raises Superseded.
        """
        records = self._source.records(Place(state.byte, state.lines))
        for _ in range(self._sizes.part_batches):
            batch = self._batch(records)
            if not batch:
                return state
            with self._session.transaction() as cursor:
                expect_state(cursor, self._version, state)
                self._copy(cursor, state.rows_read, batch)
                state = self._after(state, len(batch))
                keep_state(cursor, self._version, state)
            if self._source.size:
                tell(min(1.0, state.byte / self._source.size))
        return None

    def merge(self, cursor: RealDictCursor) -> None:
        """Rejects the rows that tell of an award again that another row counts for."""
        cursor.execute(
            compose("contracts_load", "reject_told_again", self._version), {"reason": self._source.told_again}
        )

    def _batch(self, records: Iterator[Award | Rejection]) -> list[Award | Rejection]:
        """The next rows up to a place where somebody else can go on: an item of the source may have many."""
        batch: list[Award | Rejection] = []
        before = self._source.place
        for record in records:
            batch.append(record)
            if len(batch) >= self._sizes.batch_rows and self._source.place != before:
                break
            before = self._source.place
        return batch

    def _copy(self, cursor: RealDictCursor, before: int, batch: Sequence[Award | Rejection]) -> None:
        numbered = list(enumerate(batch, before + 1))
        awards = (_award_row(place, record) for place, record in numbered if isinstance(record, Award))
        copy_rows(cursor, compose("contracts_load", "copy_awards", self._version), awards)
        rejections = (_rejection_row(place, record) for place, record in numbered if isinstance(record, Rejection))
        copy_rows(cursor, compose("contracts_load", "copy_rejections", self._version), rejections)
        mentions = [
            (place, *msgspec.structs.astuple(record.mention))
            for place, record in numbered
            if record.mention is not None
        ]
        if mentions:
            copy_rows(cursor, compose("contracts_load", "copy_mentions", self._version), mentions)

    def _after(self, state: State, rows: int) -> State:
        place = self._source.place
        return msgspec.structs.replace(state, rows_read=state.rows_read + rows, byte=place.byte, lines=place.lines)


def _award_row(place: int, award: Award) -> tuple[object, ...]:
    *values, _ = msgspec.structs.astuple(award)
    return (place, *values, search_text(award))


def _rejection_row(place: int, rejection: Rejection) -> tuple[object, ...]:
    return (place, rejection.line, rejection.column, rejection.value, rejection.reason)

"""What holds for every file."""

from __future__ import annotations

import contextlib
import csv
import io
from collections import Counter
from datetime import date, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import InvalidRequest
from chalicelib.sim.intake.result import ImportResult
from tests.sim.intake.intakes import taken

some = settings(max_examples=150, deadline=None)

ids = st.sampled_from(["", "1", "2", "3", "4", "5", "6", "7"])
titles = st.sampled_from(["One", "Two, three", 'a "quoted" word', "two\nlines", ""])
types = st.sampled_from(["Bug", "story", ""])
dates = st.dates(date(2025, 12, 1), date(2026, 2, 10)).map(date.isoformat)
cells = st.one_of(dates, dates, dates, st.just(""), st.sampled_from(["never", "2026-02-30"]))
rows = st.lists(st.tuples(ids, titles, types, cells, cells), min_size=1, max_size=25)


@st.composite
def wishes(draw: st.DrawFn) -> dict[str, object]:
    first = draw(st.dates(date(2025, 12, 1), date(2026, 1, 10)))
    found = {
        "fromDate": first.isoformat(),
        "toDate": (first + timedelta(days=draw(st.integers(0, 60)))).isoformat(),
        "asOf": (first + timedelta(days=draw(st.integers(0, 60)))).isoformat(),
        "throughputCadenceDays": draw(st.integers(1, 10)),
        "itemTypes": draw(st.sampled_from([["Bug"], ["Story", "bug"]])),
    }
    return {name: found[name] for name in draw(st.sets(st.sampled_from(sorted(found))))}


def written(items: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("id", "title", "type", "started", "closed"), *items])
    return text.getvalue()


def outcome(text: str, **fields: object) -> ImportResult | None:
    """The answer; None if the file was refused with a reason."""
    with contextlib.suppress(InvalidRequest):
        return taken(text, **fields)
    return None


@some
@given(rows, wishes())
def test_every_row_is_counted_once(items: list[tuple[str, ...]], fields: dict[str, object]) -> None:
    found = outcome(written(items), **fields)
    if found is None:
        return
    assert found.rows_read == sum(any(item) for item in items)
    assert found.rows_read == (
        found.items_closed + found.items_open + found.items_outside_window + found.items_filtered + found.rejected_count
    )
    assert len(found.rejected) == found.rejected_count >= found.duplicates


@some
@given(rows, wishes())
def test_every_closed_item_is_in_a_bucket_or_said_not_to_be(
    items: list[tuple[str, ...]], fields: dict[str, object]
) -> None:
    found = outcome(written(items), **fields)
    if found is None:
        return
    partial = found.partial_bucket.closed if found.partial_bucket else 0
    assert found.items_closed == sum(found.tp_samples) + partial + found.items_before_first_bucket
    assert found.tp_samples == [bucket.closed for bucket in found.buckets]


@some
@given(rows, wishes())
def test_buckets_follow_one_another_up_to_as_of(items: list[tuple[str, ...]], fields: dict[str, object]) -> None:
    found = outcome(written(items), **fields)
    if found is None:
        return
    every = [*found.buckets, *([found.partial_bucket] if found.partial_bucket else [])]
    ends = [date.fromisoformat(bucket.end) for bucket in every]
    starts = [date.fromisoformat(bucket.start) for bucket in every]
    size = fields.get("throughputCadenceDays", 7)
    assert all((end - start).days + 1 == size for start, end in zip(starts, ends, strict=True))
    assert [start - timedelta(days=1) for start in starts[1:]] == ends[:-1]
    assert all(bucket.end <= found.as_of for bucket in found.buckets)
    assert found.partial_bucket is None or found.partial_bucket.start <= found.as_of < found.partial_bucket.end


@some
@given(st.lists(st.dates(date(2026, 1, 1), date(2026, 3, 31)), min_size=1, max_size=60), st.integers(1, 20))
def test_buckets_hold_what_a_count_by_day_holds(days: list[date], size: int) -> None:
    found = taken("closed\n" + "".join(f"{day}\n" for day in days), throughputCadenceDays=size)
    closed_on = Counter(days)
    end, counted = max(days), list[int]()
    while end - timedelta(days=size - 1) >= min(days):
        counted.insert(0, sum(closed_on[end - timedelta(days=back)] for back in range(size)))
        end -= timedelta(days=size)
    assert found.tp_samples == counted


@some
@given(st.text(alphabet=st.sampled_from('idclose,;\t"\n\r\0\ufeff2026-01/5 x'), max_size=120), st.booleans())
def test_any_text_is_answered_or_refused(text: str, has_header: bool) -> None:
    found = outcome(("id,closed\n1,2026-01-05\n" if has_header else "") + text)
    assert found is None or b"\\u0000" not in msgspec.json.encode(found)

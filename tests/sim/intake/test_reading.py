"""From a file of work items to throughput: buckets, windows, and where each row is counted.

Buckets are worked out on a calendar: 1 January 2026 is a Thursday.
"""

from __future__ import annotations

import pytest

from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.intake.inputs import ImportRequest
from chalicelib.sim.intake.reading import take_in
from chalicelib.sim.intake.result import (
    Bucket,
    CycleTime,
    ImportResult,
    OpenItem,
    Parts,
    Rejected,
    ServiceLevel,
)
from tests.sim.intake.intakes import refused, taken

JIRA = """\
Issue key;Summary;Issue Type;Status;Created;Resolved
WEB-1;Log in;Story;Done;05/Jan/26 3:15 PM;09/Jan/26 10:02 AM
WEB-2;"Log out; for good";Bug;Done;05/Jan/26 4:00 PM;14/Jan/26 9:00 AM
WEB-3;Pay;Story;In Progress;07/Jan/26 8:00 AM;
WEB-4;Ship;Story;Done;12/Jan/26 8:00 AM;08/Jan/26 8:00 AM
WEB-2;Log out again;Bug;Done;05/Jan/26 4:00 PM;15/Jan/26 9:00 AM
WEB-6;Return;Story;Done;20/Jan/26 8:00 AM;22/Jan/26 5:30 PM
"""

HISTORY = "closed\n2026-01-01\n2026-01-05\n2026-01-08\n2026-01-29\n"


def test_whole_answer_to_a_small_export() -> None:
    # Weeks end on Thursdays as the 22nd is one; the first closing date, Friday the 9th, begins a week.
    assert taken(JIRA) == ImportResult(
        format="jira",
        delimiter=";",
        date_order=None,
        as_of="2026-01-22",
        columns=Parts(
            id="Issue key", title="Summary", type="Issue Type", status="Status", started="Created", closed="Resolved"
        ),
        stages=[],
        headers=["Issue key", "Summary", "Issue Type", "Status", "Created", "Resolved"],
        rows_read=6,
        items_closed=3,
        items_open=1,
        items_outside_window=0,
        items_filtered=0,
        rejected_count=2,
        rejected=[
            Rejected(
                line=5, column="Resolved", value="08/Jan/26 8:00 AM", reason="is before the start, 12/Jan/26 8:00 AM"
            ),
            Rejected(line=6, column="Issue key", value="WEB-2", reason="has the same id as line 3"),
        ],
        duplicates=1,
        tp_samples=[2, 1],
        buckets=[
            Bucket(start="2026-01-09", end="2026-01-15", closed=2),
            Bucket(start="2026-01-16", end="2026-01-22", closed=1),
        ],
        partial_bucket=None,
        items_before_first_bucket=0,
        lt_samples=[5, 10, 3],
        cycle_time=CycleTime(count=3, mean=6.0, p50=5, p70=10, p85=10, p95=10, min=3, max=10),
        sle=[
            ServiceLevel(percentile=50, days=5, text="50 % of the items were finished within 5 days"),
            ServiceLevel(percentile=70, days=10, text="70 % of the items were finished within 10 days"),
            ServiceLevel(percentile=85, days=10, text="85 % of the items were finished within 10 days"),
            ServiceLevel(percentile=95, days=10, text="95 % of the items were finished within 10 days"),
        ],
        ageing=[
            OpenItem(id="WEB-3", title="Pay", started="2026-01-07", age_days=16, share_faster=1.0, level="above p95")
        ],
        ageing_count=1,
        warnings=[
            "No column says when work began, so 'Created' was taken: cycle times and ages include the time that an "
            "item waited. startColumn can name another.",
            "Rows rejected because they were closed before their start: 1.",
            "Only 2 samples of throughput: 7 or more are advised for a forecast.",
        ],
    )


def test_comma_and_semicolon_tell_the_same() -> None:
    commas = JIRA.replace("Log out; for good", "Log out, for good").replace(";", ",")
    assert taken(commas).buckets == taken(JIRA).buckets


def test_samples_can_be_pasted_in_a_forecast() -> None:
    found = taken(JIRA)
    SimulateRequest(tp_samples=tuple(found.tp_samples), lt_samples=tuple(found.lt_samples), number_of_tasks=10)


def test_idle_weeks_are_kept_and_a_week_that_is_covered_in_part_is_not() -> None:
    found = taken(HISTORY)
    # Weeks end on Thursday the 29th; of the week from 26 December the file tells its last day only.
    assert (found.tp_samples, found.items_before_first_bucket) == ([2, 0, 0, 1], 1)
    assert (found.buckets[0].start, found.buckets[-1].end) == ("2026-01-02", "2026-01-29")
    assert "Items closed before the first bucket, which are in none as it would not be whole: 1." in found.warnings


def test_first_week_counts_if_the_first_item_was_closed_on_its_first_day() -> None:
    found = taken(HISTORY.replace("2026-01-01", "2026-01-02"))
    assert (found.tp_samples, found.items_before_first_bucket) == ([3, 0, 0, 1], 0)


@pytest.mark.parametrize(
    ("first", "samples", "before"),
    [
        ("2025-12-19", [0, 1, 2, 0, 0, 1], 0),
        ("2025-12-26", [1, 2, 0, 0, 1], 0),
        ("2025-12-27", [2, 0, 0, 1], 1),
        ("2026-01-08", [0, 0, 1], 1),
        ("2026-01-24", [], 1),
    ],
)
def test_first_date_of_the_window_is_where_the_file_is_complete(first: str, samples: list[int], before: int) -> None:
    found = taken(HISTORY, fromDate=first)
    assert (found.tp_samples, found.items_before_first_bucket) == (samples, before)


def test_as_of_adds_the_weeks_in_which_nothing_was_closed() -> None:
    # Back from Thursday 12 February; idle are the weeks of the 22nd, of 5 and of 12 February.
    found = taken(HISTORY, asOf="2026-02-12")
    assert (found.tp_samples, found.as_of) == ([2, 0, 0, 1, 0, 0], "2026-02-12")


def test_last_date_of_the_window_is_where_weeks_end() -> None:
    # Sundays the 25th, 18th, 11th: Monday the 5th begins a week.
    found = taken(HISTORY, toDate="2026-01-25")
    assert (found.tp_samples, found.items_outside_window, found.items_before_first_bucket) == ([2, 0, 0], 1, 1)


def test_week_that_is_not_over_is_left_out_and_shown() -> None:
    # Weeks end on Sundays, 1 February is one, and the file tells up to Thursday the 29th.
    found = taken(HISTORY, toDate="2026-02-01")
    assert found.tp_samples == [2, 0, 0]
    assert found.partial_bucket == Bucket(start="2026-01-26", end="2026-02-01", closed=1)


def test_week_that_ends_on_the_last_day_told_is_whole() -> None:
    found = taken(HISTORY, toDate="2026-02-05")
    assert (found.tp_samples, found.partial_bucket) == ([2, 0, 0, 1], None)


@pytest.mark.parametrize(("days", "samples"), [(1, [0, 0, 1]), (14, [2, 1]), (30, [])])
def test_cadence_sets_the_days_of_a_bucket(days: int, samples: list[int]) -> None:
    # By fortnights: 2 to 15 and 16 to 29 January.
    found = taken(HISTORY, throughputCadenceDays=days)
    assert found.tp_samples[-3:] == samples
    told = f"A sample covers {days} days: in a forecast each stands for a week."
    assert (told in found.warnings) == bool(samples)


def test_first_and_last_day_of_the_window_belong_to_it() -> None:
    found = taken(HISTORY, fromDate="2026-01-05", toDate="2026-01-08")
    assert (found.items_closed, found.items_outside_window) == (2, 2)


def test_days_up_to_as_of_are_told_as_they_stood_then() -> None:
    text = (
        "id,started,closed\n1,2026-01-01,2026-01-02\n2,2026-01-03,2026-01-20\n3,2026-01-12,2026-01-20\n4,,2026-01-20\n"
    )
    found = taken(text, asOf="2026-01-10")
    assert (found.items_closed, found.items_open, found.items_outside_window) == (1, 1, 2)
    assert [(item.id, item.age_days) for item in found.ageing] == [("2", 8)]


def test_types_are_chosen_in_any_case() -> None:
    found = taken(JIRA, itemTypes=["bug "])
    assert (found.items_closed, found.items_filtered, found.rejected_count) == (1, 4, 1)


def test_weeks_of_one_type_are_those_that_the_whole_file_covers() -> None:
    # The bug was closed on the 14th: the week that begins with the story of the 9th holds it, the next is idle.
    assert taken(JIRA, itemTypes=["Bug"]).tp_samples == [1, 0]


def test_unknown_type_is_told_with_those_that_there_are() -> None:
    found = taken(JIRA, itemTypes=["Epic", "Bug"])
    assert "No row has the type 'Epic'; the types are 'Bug', 'Story'." in found.warnings


def test_types_need_a_column() -> None:
    error = refused(HISTORY, itemTypes=["Bug"])
    assert error.pointer == "/itemTypes"
    assert error.detail == "must be empty, as no column holds types; the columns are 'closed'"


def test_row_with_the_id_of_a_rejected_one_is_the_first_of_its_id() -> None:
    found = taken("id,closed\n1,never\n1,2026-01-05\n1,2026-01-06\n")
    assert [(row.line, row.reason) for row in found.rejected] == [
        (2, "is no date that can be read"),
        (4, "has the same id as line 3"),
    ]
    assert found.duplicates == 1


def test_rows_without_an_id_are_no_duplicates() -> None:
    assert taken("id,closed\n,2026-01-05\n,2026-01-05\n").items_closed == 2


def test_dates_of_either_order_in_one_column_are_told() -> None:
    found = taken("closed\n01/26/2026\n01/27/2026\n28/01/2026\n")
    assert (found.date_order, found.items_closed, [row.line for row in found.rejected]) == ("mdy", 2, [4])
    note = "Some closing dates have the day first and some the month: all were read as month, day, year."
    assert note in found.warnings


def test_columns_in_different_orders_are_told() -> None:
    found = taken("started,closed\n13/01/2026,01/26/2026\n")
    assert found.lt_samples == [14]
    assert (
        "Start dates were read as day, month, year, closing dates as month, day, year: their values say so."
        in found.warnings
    )


def test_order_of_the_dates_is_decided_by_their_values() -> None:
    found = taken("closed\n01/05/2026\n01/26/2026\n")
    assert (found.date_order, found.as_of, found.items_closed) == ("mdy", "2026-01-26", 2)


def test_undecided_order_is_said_to_be_assumed() -> None:
    found = taken("closed\n01/05/2026\n02/05/2026\n")
    assert (found.date_order, found.as_of) == ("dmy", "2026-05-02")
    note = "Dates like 03/04/2026 were read as day, month, year: no date in the file decides. See dateOrder."
    assert note in found.warnings
    assert note not in taken("closed\n01/05/2026\n02/05/2026\n", dateOrder="dmy").warnings


def test_date_against_the_order_is_rejected_with_the_order() -> None:
    (row,) = taken("closed\n01/05/2026\n01/26/2026\n", dateOrder="dmy").rejected
    assert (row.line, row.reason) == (3, "is no date that can be read as day, month, year")


def test_long_idle_time_is_told() -> None:
    # Between the weeks that end on 1 and on 29 January lie three; a closing date four weeks later makes it more.
    note = (
        "Nothing was closed from 2026-01-30 to 2026-03-05, which counts as idle time. If no work was under way, or a "
        "date is wrong, set fromDate, toDate or asOf."
    )
    assert note in taken(HISTORY, asOf="2026-03-05").warnings
    assert not any("idle time" in warning for warning in taken(HISTORY).warnings)


def test_newest_thousand_buckets_are_kept() -> None:
    found = taken("closed\n2020-01-01\n2026-01-29\n", throughputCadenceDays=1)
    assert (len(found.tp_samples), found.tp_samples[-1], found.items_before_first_bucket) == (1_000, 1, 1)
    assert any("only the newest 1000 buckets are kept" in warning for warning in found.warnings)


def test_file_without_a_readable_date_is_refused_with_its_first_fault() -> None:
    assert refused("id,closed\n1,\n2\n").detail == (
        "must hold a date that can be read in the columns of closing and start; "
        "line 3: '' has 1 fields, the first row has 2"
    )


def test_window_without_a_closed_item_is_told() -> None:
    found = taken(HISTORY, fromDate="2026-01-10", toDate="2026-01-20")
    assert (found.items_closed, found.tp_samples, found.cycle_time, found.sle) == (0, [0], None, [])
    assert "No item was closed within the window." in found.warnings


def test_progress_is_told_on_the_way() -> None:
    told: list[tuple[float, str]] = []
    take_in("closed\n" + "2026-01-05\n" * 20_000, ImportRequest(), progress=lambda *each: told.append(each))
    shares = [share for share, _ in told]
    assert len(told) == 6
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1


def test_what_progress_raises_ends_the_import() -> None:
    def stop(share: float, stage: str) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        take_in(HISTORY, ImportRequest(), progress=stop)

"""Which column is taken for what, and how a caller sets it right."""

from __future__ import annotations

import pytest

from chalicelib.sim.intake.result import Parts
from tests.sim.intake.intakes import refused, taken

CREATED_NOTE = (
    "No column says when work began, so 'Created' was taken: cycle times and ages include the time that an item "
    "waited. startColumn can name another."
)


def one_row(**values: str) -> str:
    """A file with these columns and one row."""
    return f"{','.join(values)}\n{','.join(values.values())}\n"


@pytest.mark.parametrize(
    "name",
    [
        *("closed", "Closed Date", "closed_date", "closedAt", "CLOSED ON", "Date closed", "close date", "done"),
        *("Done Date", "resolved", "Resolution Date", "completed", "Completed Date", "completion_date", "end date"),
        *("finished", "finish_date", "merged_at", "Custom field (Completed date)", "date", "delivered"),
    ],
)
def test_closing_date_goes_by_many_names(name: str) -> None:
    found = taken(f"id,{name},due date\n1,2026-01-05,2026-01-09\n")
    assert (found.columns.closed, found.items_closed, found.as_of) == (name, 1, "2026-01-05")


@pytest.mark.parametrize(
    "name",
    ["Start Date", "started", "started_at", "In Progress", "Actual start", "Custom field (Actual start)", "begin"],
)
def test_start_goes_by_many_names(name: str) -> None:
    found = taken(f"id,created,{name},closed\n1,2026-01-01,2026-01-04,2026-01-05\n")
    assert (found.columns.started, found.lt_samples) == (name, [2])


def test_start_of_work_goes_before_creation() -> None:
    found = taken("Created,Started,Closed\n2026-01-01,2026-01-05,2026-01-05\n")
    assert (found.columns.started, found.lt_samples) == ("Started", [1])
    assert CREATED_NOTE not in found.warnings


def test_creation_is_the_last_resort_and_is_said_not_to_be_the_start() -> None:
    found = taken("Created,Closed\n2026-01-01,2026-01-05\n")
    assert (found.columns.started, found.lt_samples) == ("Created", [5])
    assert CREATED_NOTE in found.warnings


def test_start_that_no_row_has_gives_way_to_creation() -> None:
    assert taken("Created,Started,Closed\n2026-01-01,,2026-01-05\n").columns.started == "Created"


def test_name_alone_is_no_closing_date() -> None:
    found = taken("id,Done,Finished\n1,yes,2026-01-05\n2,no,\n")
    assert (found.columns.closed, found.items_closed, found.items_open) == ("Finished", 1, 1)


def test_lone_column_of_dates_is_taken_and_said_to_be() -> None:
    found = taken("id,went live\n1,2026-01-05\n")
    assert found.columns.closed == "went live"
    assert "'went live' was taken as the date of closing: it is the one column of dates." in found.warnings


def test_dates_of_plans_and_records_are_no_closing_dates() -> None:
    detail = refused("id,Due date,Updated,Created\n1,2026-01-05,2026-01-05,2026-01-05\n").detail
    assert detail == (
        "must have a column of closing dates; the columns are 'id', 'Due date', 'Updated', 'Created'; "
        "endColumn can name one"
    )


def test_two_nameless_columns_of_dates_are_not_guessed() -> None:
    assert refused("a,b\n2026-01-05,2026-01-06\n").detail.startswith("must have a column of closing dates")


def test_closing_column_without_a_date_is_told_with_what_it_holds() -> None:
    assert refused("id,closed\n1,45678\n2,45680\n").detail == (
        "must have a column of closing dates; the columns are 'id', 'closed', and 'closed' holds '45678', which is no "
        "date; endColumn can name one"
    )


def test_named_columns_go_before_the_guess() -> None:
    text = "id,Picked up,Started,Live,Closed\n1,2026-01-01,2026-01-02,2026-01-04,2026-01-09\n"
    found = taken(text, startColumn="picked_up", endColumn="Live")
    assert (found.columns.started, found.columns.closed, found.lt_samples) == ("Picked up", "Live", [4])


def test_named_creation_is_taken_without_a_word() -> None:
    found = taken("Created,Closed\n2026-01-01,2026-01-05\n", startColumn="Created")
    assert CREATED_NOTE not in found.warnings


@pytest.mark.parametrize(("field", "pointer"), [("startColumn", "/startColumn"), ("endColumn", "/endColumn")])
def test_named_column_that_is_not_there_is_refused_with_those_that_are(field: str, pointer: str) -> None:
    error = refused("id,closed\n1,2026-01-05\n", **{field: "Live"})
    assert (error.pointer, error.detail) == (pointer, "must be one of the columns 'id', 'closed', got 'Live'")


def test_start_is_not_the_column_that_closes() -> None:
    error = refused("id,closed\n1,2026-01-05\n", startColumn="closed")
    assert (error.pointer, error.detail) == ("/startColumn", "must be another column than 'closed', which closes")


def test_long_list_of_columns_is_cut() -> None:
    detail = refused(",".join(f"c{n}" for n in range(60)) + "\n" + ",".join(["x"] * 60) + "\n").detail
    assert "'c49' and 10 more" in detail


def test_jira_export_is_told_by_its_names() -> None:
    text = one_row(
        **{
            "Summary": "Log in",
            "Issue key": "WEB-1",
            "Issue id": "10001",
            "Issue Type": "Story",
            "Status": "Done",
            "Resolution": "Done",
            "Created": "05/Jan/26 3:15 PM",
            "Updated": "20/Jan/26 9:00 AM",
            "Resolved": "09/Jan/26 10:02 AM",
            "Due date": "30/Jan/26 12:00 AM",
            "Custom field (Start date)": "07/Jan/26 12:00 AM",
        }
    )
    found = taken(text)
    assert found.format == "jira"
    assert found.columns == Parts(
        id="Issue key",
        title="Summary",
        type="Issue Type",
        status="Status",
        started="Custom field (Start date)",
        closed="Resolved",
    )
    assert (found.as_of, found.lt_samples) == ("2026-01-09", [3])


def test_jira_export_without_resolved_items_has_open_ones_only() -> None:
    found = taken("Issue key,Created,Resolved,Status\nA-1,2026-01-05,,Done\nA-2,2026-01-06,,To Do\n")
    assert (found.items_closed, found.items_open, found.columns.closed) == (0, 2, "Resolved")
    assert "Rows with a status like Done but no closing date, so not counted as closed: 1." in found.warnings


STAGED = (
    "ID,Link,Title,Backlog,Analysis,Build,Done,Type,Blocked Days\n"
    "A-1,https://x/1,One,2026-01-01,2026-01-03,2026-01-04,2026-01-08,Bug,0\n"
    "A-2,https://x/2,Two,2026-01-01,,2026-01-06,2026-01-09,Story,1\n"
    "A-3,https://x/3,Three,2026-01-02,2026-01-07,,,Story,0\n"
    "A-4,https://x/4,Four,2026-01-05,,,,Bug,0\n"
)


def test_stages_are_the_dates_behind_the_title() -> None:
    found = taken(STAGED)
    assert (found.format, found.stages) == ("actionable_agile", ["Backlog", "Analysis", "Build", "Done"])
    assert found.columns == Parts(id="ID", title="Title", type="Type", status=None, started="Analysis", closed="Done")


def test_work_begins_with_the_first_stage_behind_the_backlog() -> None:
    found = taken(STAGED)
    assert (found.items_closed, found.items_open, found.lt_samples) == (2, 2, [6, 4])
    assert [(item.id, item.started) for item in found.ageing] == [("A-3", "2026-01-07")]


def test_named_stages_move_start_and_end() -> None:
    assert taken(STAGED, startColumn="Backlog").lt_samples == [8, 9]
    found = taken(STAGED, endColumn="Build")
    assert (found.columns.closed, found.stages, found.lt_samples) == ("Build", ["Backlog", "Analysis", "Build"], [2, 1])


def test_bad_date_does_not_hide_its_stage() -> None:
    found = taken(STAGED.replace("2026-01-09", "soon"))
    assert (found.stages[-1], [(row.line, row.column) for row in found.rejected]) == ("Done", [(3, "Done")])


def test_bad_start_is_told_by_the_stage_in_which_it_stands() -> None:
    (row,) = taken(STAGED.replace("2026-01-06", "soon")).rejected
    assert (row.line, row.column, row.value) == (3, "Build", "soon")


def test_first_stage_named_like_work_is_no_backlog() -> None:
    assert taken(STAGED.replace("Backlog", "In Progress")).lt_samples == [8, 9]


def test_two_stages_are_start_and_end() -> None:
    found = taken("ID,Link,Name,Doing,Done\n1,,One,2026-01-03,2026-01-08\n")
    assert (found.stages, found.lt_samples) == (["Doing", "Done"], [6])


def test_two_stages_of_which_the_first_is_creation_are_said_to_wait() -> None:
    found = taken("ID,Link,Name,Created,Done\n1,,One,2026-01-03,2026-01-08\n")
    assert any(warning.startswith("No column says when work began, so 'Created'") for warning in found.warnings)


def test_last_stage_that_nothing_has_reached_is_a_stage() -> None:
    found = taken("ID,Link,Title,Ready,Build,Done,Owner\n1,,One,2026-01-03,2026-01-08,,\n")
    assert (found.stages, found.items_open) == (["Ready", "Build", "Done"], 1)


def test_stage_that_no_item_has_entered_is_a_stage() -> None:
    found = taken("ID,Link,Title,Ideas,Ready,Done\n1,,One,,2026-01-03,2026-01-08\n")
    assert (found.stages, found.lt_samples) == (["Ideas", "Ready", "Done"], [6])


def test_wish_for_stages_is_granted_without_a_link() -> None:
    text = "id,title,Ready,Build,Live\n1,One,2026-01-03,2026-01-04,2026-01-08\n"
    assert refused(text).detail.startswith("must have a column of closing dates")
    found = taken(text, format="actionable_agile")
    assert (found.columns.closed, found.lt_samples) == ("Live", [5])


def test_wish_for_stages_is_refused_without_dates() -> None:
    assert refused("id,title\n1,One\n", format="actionable_agile").pointer == "/content"


def test_number_column_first_in_the_file_is_the_id() -> None:
    assert taken("Epic ID,Closed\n1,2026-01-05\n").columns.id == "Epic ID"

"""One conformance suite for every job store: the memory twin and DynamoDB's API (moto)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from chalicelib.jobs.blobs import Blobs
from chalicelib.jobs.dynamo import DynamoStore
from chalicelib.jobs.memory import MemoryStore
from chalicelib.jobs.state import (
    BEAT,
    CLAIM,
    FAIL,
    FOLLOW,
    MOVES,
    RECLAIM,
    REDRIVE,
    REQUEST_CANCEL,
    RESEND,
    RETRY_LATER,
    REVOKE,
    STOP,
    SUCCEED,
    Guard,
    State,
)
from chalicelib.jobs.store import BadCursor, Change, Found, Job, Problem, Refused, Store, Taken
from tests.infra.template import resource

NOW_MS = 1_750_000_000_000
JOB = Job(
    id="job-1",
    kind="echo",
    state=State.PENDING,
    created_ms=NOW_MS,
    updated_ms=NOW_MS,
    expires_s=NOW_MS // 1000 + 1000,
    keep_s=3600,
    owner="7",
    stage="queued",
    warnings=("a warning",),
    request_id="request-1",
)


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        # The table as the stack declares it, so that the store and the template cannot drift apart.
        boto3.client("dynamodb").create_table(TableName="jobs", **table_properties())
        boto3.client("s3").create_bucket(Bucket="results")
        yield DynamoStore("jobs", Blobs("results"))


def table_properties() -> dict[str, Any]:
    declared = resource(Path("infra/stack.yaml"), "JobTable")["Properties"]
    return {
        name: declared[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
    }


def bring(store: Store, state: State) -> Job:
    """A stored job in the state, reached by allowed moves; running ones are attempt 1."""
    store.add(JOB, b'{"text":"hello"}')
    if state is State.PENDING:
        return JOB
    if state is State.REVOKED:
        return store.apply(JOB.id, REVOKE, Change(now_ms=NOW_MS))
    job = store.apply(JOB.id, CLAIM, Change(now_ms=NOW_MS, lease_ms=NOW_MS + 30_000))
    if state is State.PROGRESS:
        return store.apply(JOB.id, BEAT, Change(now_ms=NOW_MS, attempt=1, progress=10))
    if state is State.RETRY:
        return store.apply(JOB.id, RETRY_LATER, Change(now_ms=NOW_MS, attempt=1, due_ms=NOW_MS + 5_000))
    if state is State.SUCCESS:
        store.complete(job, Change(now_ms=NOW_MS, attempt=1, progress=100), b"{}")
    if state is State.FAILURE:
        return store.apply(JOB.id, FAIL, Change(now_ms=NOW_MS, attempt=1, problem=Problem("internal", "broken")))
    found = store.find(JOB.id)
    assert found is not None
    return found.job


def test_added_job_is_found_as_it_was_with_its_request(store: Store) -> None:
    store.add(JOB, b'{"text":"hello"}')
    assert store.find("job-1") == Found(JOB, None)
    assert store.request_of("job-1") == b'{"text":"hello"}'


def test_public_job_without_owner_is_found_as_it_was(store: Store) -> None:
    public = msgspec.structs.replace(JOB, owner="", warnings=())
    store.add(public, b"{}")
    assert store.find("job-1") == Found(public, None)


def test_unknown_job_is_not_found(store: Store) -> None:
    assert store.find("job-2") is None
    assert store.request_of("job-2") is None


def test_second_job_of_one_id_is_refused_and_the_first_kept(store: Store) -> None:
    store.add(JOB, b"first")
    with pytest.raises(Refused) as refused:
        store.add(msgspec.structs.replace(JOB, owner="8"), b"second")
    assert refused.value.job == JOB
    assert store.request_of("job-1") == b"first"


def test_withdrawn_job_is_gone(store: Store) -> None:
    bring(store, State.PENDING)
    store.withdraw("job-1")
    assert store.find("job-1") is None
    assert store.request_of("job-1") is None


def test_job_that_has_started_is_not_withdrawn(store: Store) -> None:
    bring(store, State.STARTED)
    store.withdraw("job-1")
    assert store.find("job-1") is not None
    assert store.request_of("job-1") is not None


def test_claim_answers_the_job_with_its_first_attempt_and_lease(store: Store) -> None:
    bring(store, State.PENDING)
    claimed = store.apply("job-1", CLAIM, Change(now_ms=NOW_MS + 5, lease_ms=NOW_MS + 30_005, stage="started"))
    assert claimed == msgspec.structs.replace(
        JOB,
        state=State.STARTED,
        attempt=1,
        updated_ms=NOW_MS + 5,
        first_start_ms=NOW_MS + 5,
        last_start_ms=NOW_MS + 5,
        lease_ms=NOW_MS + 30_005,
        stage="started",
    )


def test_first_and_latest_start_and_the_end_are_kept_until_the_job_begins_anew(store: Store) -> None:
    bring(store, State.STARTED)
    store.apply("job-1", RETRY_LATER, Change(now_ms=NOW_MS + 10, attempt=1))
    again = store.apply("job-1", CLAIM, Change(now_ms=NOW_MS + 20, lease_ms=NOW_MS))
    failed = store.apply("job-1", FAIL, Change(now_ms=NOW_MS + 30, attempt=2))
    revived = store.apply("job-1", REDRIVE, Change(now_ms=NOW_MS + 40))
    times = [(job.first_start_ms, job.last_start_ms, job.ended_ms) for job in (again, failed, revived)]
    assert times == [
        (NOW_MS, NOW_MS + 20, None),
        (NOW_MS, NOW_MS + 20, NOW_MS + 30),
        (NOW_MS, NOW_MS + 20, None),
    ]


def test_end_of_a_job_stays_when_somebody_follows_it_later(store: Store) -> None:
    job = bring(store, State.STARTED)
    store.complete(job, Change(now_ms=NOW_MS + 9_000, attempt=1), b"{}")
    followed = store.apply("job-1", FOLLOW, Change(now_ms=NOW_MS + 60_000))
    assert (followed.ended_ms, followed.updated_ms) == (NOW_MS + 9_000, NOW_MS + 60_000)


def test_second_claim_is_refused_with_the_job_that_holds_it(store: Store) -> None:
    started = bring(store, State.STARTED)
    with pytest.raises(Refused) as refused:
        store.apply("job-1", CLAIM, Change(now_ms=NOW_MS, lease_ms=NOW_MS))
    assert refused.value.job == started


def test_move_of_an_unknown_job_is_refused_without_a_job(store: Store) -> None:
    with pytest.raises(Refused) as refused:
        store.apply("job-2", CLAIM, Change(now_ms=NOW_MS, lease_ms=NOW_MS))
    assert refused.value.job is None
    assert store.find("job-2") is None


@pytest.mark.parametrize(("passed_ms", "taken"), [(30_000, False), (30_001, True)])
def test_job_is_taken_over_only_after_its_lease(store: Store, passed_ms: int, taken: bool) -> None:
    bring(store, State.PROGRESS)
    change = Change(now_ms=NOW_MS + passed_ms, lease_ms=NOW_MS + 60_000)
    if taken:
        assert store.apply("job-1", RECLAIM, change).attempt == 2
    else:
        with pytest.raises(Refused):
            store.apply("job-1", RECLAIM, change)


@pytest.mark.parametrize("move", [BEAT, FAIL, STOP], ids=lambda move: move.name)
def test_worker_of_an_older_attempt_changes_nothing(store: Store, move: Any) -> None:
    bring(store, State.STARTED)
    newer = store.apply("job-1", RECLAIM, Change(now_ms=NOW_MS + 40_000, lease_ms=NOW_MS + 70_000))
    with pytest.raises(Refused):
        store.apply("job-1", move, Change(now_ms=NOW_MS + 41_000, attempt=1))
    assert store.find("job-1") == Found(newer, None)


def test_result_of_an_older_attempt_is_not_stored(store: Store) -> None:
    old = bring(store, State.STARTED)
    newer = store.apply("job-1", RECLAIM, Change(now_ms=NOW_MS + 40_000, lease_ms=NOW_MS + 70_000))
    with pytest.raises(Refused) as refused:
        store.complete(old, Change(now_ms=NOW_MS + 41_000, attempt=1), b"late")
    assert refused.value.job == newer
    assert store.find("job-1") == Found(newer, None)


def test_beat_is_refused_once_cancel_is_requested(store: Store) -> None:
    bring(store, State.STARTED)
    asked = store.apply("job-1", REQUEST_CANCEL, Change(now_ms=NOW_MS + 1, cancel_requested=True))
    assert asked.state is State.STARTED
    with pytest.raises(Refused) as refused:
        store.apply("job-1", BEAT, Change(now_ms=NOW_MS + 2, attempt=1))
    assert refused.value.job == asked


def test_completed_job_has_its_result_and_its_time_to_be_read_starts(store: Store) -> None:
    job = bring(store, State.STARTED)
    store.complete(job, Change(now_ms=NOW_MS + 9_000, attempt=1, progress=100, stage="done"), b'{"text":"hello"}')
    ended = msgspec.structs.replace(
        job,
        state=State.SUCCESS,
        updated_ms=NOW_MS + 9_000,
        ended_ms=NOW_MS + 9_000,
        expires_s=NOW_MS // 1000 + 9 + 3600,
        progress=100,
        stage="done",
    )
    assert store.find("job-1") == Found(ended, b'{"text":"hello"}', 16)
    assert store.result_link("job-1", "job.json") is None


@pytest.mark.parametrize(("size", "is_file"), [(32 * 1024, False), (32 * 1024 + 1, True), (4 * 1024 * 1024, True)])
def test_large_result_becomes_a_file_and_is_still_found(store: Store, size: int, is_file: bool) -> None:
    job = bring(store, State.STARTED)
    store.complete(job, Change(now_ms=NOW_MS, attempt=1), b"x" * size)
    found = store.find("job-1")
    assert found is not None
    assert (found.result, found.result_size) == (b"x" * size, size)
    link = store.result_link("job-1", "echo.json")
    assert (link is not None) == is_file
    assert link is None or "echo.json" in link


def test_result_too_large_for_an_answer_is_only_behind_its_link(store: Store) -> None:
    job = bring(store, State.STARTED)
    store.complete(job, Change(now_ms=NOW_MS, attempt=1), b"x" * (4 * 1024 * 1024 + 1))
    found = store.find("job-1")
    assert found is not None
    assert (found.result, found.result_size) == (None, 4 * 1024 * 1024 + 1)
    assert store.result_link("job-1", "echo.json") is not None


def test_large_request_comes_back_whole(store: Store) -> None:
    store.add(JOB, b"x" * 500_000)
    assert store.request_of("job-1") == b"x" * 500_000


def test_failed_job_keeps_its_problem(store: Store) -> None:
    assert bring(store, State.FAILURE).problem == Problem("internal", "broken")


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.name)
def test_move_is_made_from_its_sources_only(store: Store, move: Any, state: State) -> None:
    before = bring(store, state)
    # A change that satisfies every guard, so that the state alone decides.
    change = Change(now_ms=NOW_MS + 31_000, attempt=1, lease_ms=NOW_MS + 60_000, resends=0)
    if move.guard is Guard.FOLLOWED and state in FOLLOW.sources:
        before = store.apply("job-1", FOLLOW, Change(now_ms=NOW_MS))
    if state in move.sources:
        assert store.apply("job-1", move, change).state is (move.target or state)
    else:
        with pytest.raises(Refused) as refused:
            store.apply("job-1", move, change)
        assert refused.value.job == before


def test_due_jobs_are_those_that_have_not_ended_and_whose_time_has_come(store: Store) -> None:
    for number, due_ms in enumerate((300, 100, 200, 400), start=1):
        store.add(msgspec.structs.replace(JOB, id=f"job-{number}", due_ms=due_ms), b"{}")
    store.apply("job-3", REVOKE, Change(now_ms=NOW_MS))
    assert store.due(300, 10) == ["job-2", "job-1"]
    assert store.due(300, 1) == ["job-2"]


def test_job_is_due_again_after_its_redrive(store: Store) -> None:
    bring(store, State.FAILURE)
    assert store.due(NOW_MS + 10**9, 10) == []
    revived = store.apply(JOB.id, REDRIVE, Change(now_ms=NOW_MS + 1_000, forgiven=1, due_ms=NOW_MS + 61_000))
    assert (revived.state, revived.problem, revived.tries) == (State.PENDING, None, 0)
    assert revived.expires_s == NOW_MS // 1000 + 1 + 14 * 24 * 3600
    assert store.due(NOW_MS + 61_000, 10) == [JOB.id]


def test_resend_is_counted_once_however_many_try_it(store: Store) -> None:
    bring(store, State.PENDING)
    change = Change(now_ms=NOW_MS, resends=0, due_ms=NOW_MS + 600_000)
    assert store.apply(JOB.id, RESEND, change).resends == 1
    with pytest.raises(Refused):
        store.apply(JOB.id, RESEND, change)
    claimed = store.apply(JOB.id, CLAIM, Change(now_ms=NOW_MS, lease_ms=NOW_MS + 30_000))
    assert claimed.resends == 0


KEYED = msgspec.structs.replace(JOB, cache_key="echo:1")
TASK = msgspec.structs.replace(JOB, id="task-2", owner="8", follows="job-1", cache_key="echo:1")
NOW = Change(now_ms=NOW_MS)


def followed(store: Store) -> Job:
    """The job after one task has begun to follow it."""
    store.add(KEYED, b"{}")
    store.follow(TASK, NOW)
    return found_job(store, "job-1")


def found_job(store: Store, job_id: str) -> Job:
    found = store.find(job_id)
    assert found is not None
    return found.job


def test_second_job_of_one_cache_key_is_told_the_first(store: Store) -> None:
    store.add(KEYED, b"{}")
    with pytest.raises(Taken) as taken:
        store.add(msgspec.structs.replace(KEYED, id="job-2"), b"{}")
    assert taken.value.job_id == "job-1"
    assert store.find("job-2") is None
    store.add(msgspec.structs.replace(KEYED, id="job-3", cache_key="echo:2"), b"{}")


def test_job_that_stands_for_a_cache_key_is_found_by_it(store: Store) -> None:
    assert store.holder("echo:1") == ""
    store.add(KEYED, b"{}")
    assert (store.holder("echo:1"), store.holder("echo:2")) == ("job-1", "")


def test_cache_key_passes_only_from_the_job_that_held_it(store: Store) -> None:
    store.add(KEYED, b"{}")
    store.add(msgspec.structs.replace(KEYED, id="job-2"), b"{}", instead_of="job-1")
    with pytest.raises(Taken) as taken:
        store.add(msgspec.structs.replace(KEYED, id="job-3"), b"{}", instead_of="job-1")
    assert taken.value.job_id == "job-2"


def test_id_that_is_taken_comes_before_a_cache_key_that_is(store: Store) -> None:
    store.add(KEYED, b"{}")
    with pytest.raises(Refused) as refused:
        store.add(KEYED, b"{}")
    assert refused.value.job == KEYED


def test_task_that_follows_is_stored_and_counted(store: Store) -> None:
    assert followed(store) == msgspec.structs.replace(KEYED, followers=1)
    assert found_job(store, "task-2") == TASK
    assert store.due(2**53, 10) == ["job-1"]


@pytest.mark.parametrize("state", [State.FAILURE, State.REVOKED])
def test_job_that_ended_badly_is_not_followed(store: Store, state: State) -> None:
    ended = bring(store, state)
    with pytest.raises(Refused) as refused:
        store.follow(TASK, NOW)
    assert refused.value.job == ended
    assert store.find("task-2") is None


def test_task_whose_id_is_taken_follows_nothing(store: Store) -> None:
    once = followed(store)
    with pytest.raises(Refused) as refused:
        store.follow(TASK, NOW)
    assert refused.value.job == TASK
    assert found_job(store, "job-1") == once


def test_job_that_is_gone_is_not_followed(store: Store) -> None:
    with pytest.raises(Refused) as refused:
        store.follow(TASK, NOW)
    assert refused.value.job is None
    assert store.find("task-2") is None


def test_task_leaves_once(store: Store) -> None:
    followed(store)
    change = Change(now_ms=NOW_MS + 5, stage="cancelled")
    store.leave(TASK, change)
    with pytest.raises(Refused):
        store.leave(TASK, change)
    assert found_job(store, "job-1") == msgspec.structs.replace(KEYED, followers=0, updated_ms=NOW_MS + 5)
    left = found_job(store, "task-2")
    assert (left.state, left.stage, left.expires_s) == (State.REVOKED, "cancelled", NOW_MS // 1000 + 3600)


def test_nobody_leaves_a_job_that_has_ended(store: Store) -> None:
    followed(store)
    job = store.apply("job-1", CLAIM, Change(now_ms=NOW_MS, lease_ms=NOW_MS))
    store.complete(job, Change(now_ms=NOW_MS, attempt=1), b"{}")
    with pytest.raises(Refused) as refused:
        store.leave(TASK, NOW)
    assert refused.value.job == found_job(store, "job-1")
    assert found_job(store, "task-2") == TASK


def test_followed_job_is_not_withdrawn(store: Store) -> None:
    followed(store)
    store.withdraw("job-1")
    assert store.find("job-1") is not None
    assert store.request_of("job-1") == b"{}"


def test_jobs_that_are_there_are_read_by_id(store: Store) -> None:
    for number in range(1, 121):
        store.add(msgspec.structs.replace(JOB, id=f"job-{number}"), b"{}")
    ids = [f"job-{number}" for number in range(120, 0, -1)]
    found = store.jobs([*ids, "job-1", "job-999"])
    assert {job_id: job.id for job_id, job in found.items()} == {job_id: job_id for job_id in ids}
    assert store.jobs([]) == {}


def test_pages_hold_the_owners_jobs_newest_first(store: Store) -> None:
    for number in range(1, 6):
        store.add(msgspec.structs.replace(JOB, id=f"job-{number}", created_ms=NOW_MS + number), b"{}")
    store.add(msgspec.structs.replace(JOB, id="job-6", owner="8"), b"{}")
    pages, cursor = [], ""
    while True:
        page = store.page("7", 2, cursor)
        pages.append([job.id for job in page.jobs])
        cursor = page.cursor
        if not cursor:
            break
    assert [ids for ids in pages if ids] == [["job-5", "job-4"], ["job-3", "job-2"], ["job-1"]]


@pytest.mark.parametrize("cursor", ["x", "bm9uc2Vuc2U=", "%"])
def test_cursor_that_no_page_gave_out_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(BadCursor):
        store.page("7", 2, cursor)


def test_the_table_of_moves_is_the_one_that_is_documented() -> None:
    documented = {
        ("claim", "PENDING RETRY", "STARTED", Guard.NOTHING),
        ("reclaim", "PROGRESS STARTED", "STARTED", Guard.LEASE_EXPIRED),
        ("revoke", "PENDING RETRY", "REVOKED", Guard.UNFOLLOWED),
        ("drop", "PENDING RETRY", "REVOKED", Guard.NOTHING),
        ("detach", "PENDING PROGRESS RETRY STARTED", None, Guard.FOLLOWED),
        ("follow", "PENDING PROGRESS RETRY STARTED SUCCESS", None, Guard.NOT_CANCELLED),
        ("leave", "PENDING PROGRESS RETRY STARTED", None, Guard.FOLLOWED),
        ("continue", "PROGRESS STARTED", "PENDING", Guard.MINE_NOT_CANCELLED),
        ("retry later", "PROGRESS STARTED", "RETRY", Guard.MINE_NOT_CANCELLED),
        ("redrive", "FAILURE", "PENDING", Guard.NOTHING),
        ("resend", "PENDING RETRY", None, Guard.SAME_RESENDS),
        ("defer", "PENDING RETRY", None, Guard.NOTHING),
        ("requeue", "PROGRESS STARTED", "PENDING", Guard.LEASE_EXPIRED),
        ("give up", "PROGRESS STARTED", "FAILURE", Guard.LEASE_EXPIRED),
        ("abandon", "PROGRESS STARTED", "REVOKED", Guard.LEASE_EXPIRED),
        ("request cancel", "PROGRESS STARTED", None, Guard.UNFOLLOWED),
        ("beat", "PROGRESS STARTED", "PROGRESS", Guard.MINE_NOT_CANCELLED),
        ("succeed", "PROGRESS STARTED", "SUCCESS", Guard.MINE),
        ("fail", "PROGRESS STARTED", "FAILURE", Guard.MINE),
        ("stop", "PROGRESS STARTED", "REVOKED", Guard.MINE),
    }
    assert {(m.name, " ".join(sorted(m.sources)), m.target, m.guard) for m in MOVES} == documented
    assert SUCCEED in MOVES

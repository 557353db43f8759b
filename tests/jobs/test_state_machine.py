"""Both stores and a small model, driven side by side through any sequence of moves."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import boto3
import hypothesis.strategies as st
import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from moto import mock_aws

from chalicelib.jobs.blobs import Blobs
from chalicelib.jobs.dynamo import DynamoStore
from chalicelib.jobs.memory import MemoryStore
from chalicelib.jobs.state import MOVES, Move, State
from chalicelib.jobs.store import Change, Job, Problem, Refused, Store
from tests.jobs.test_stores import JOB, NOW_MS, table_properties

RUNNING, ENDED = ("STARTED", "PROGRESS"), ("SUCCESS", "FAILURE", "REVOKED")


class Model:
    """What must be true of a job, written down from the table in words and not from the code."""

    def __init__(self) -> None:
        self.state, self.attempt, self.lease_ms, self.resends, self.cancel = "PENDING", 0, 0, 0, False
        self.followers, self.detached = 0, False

    def allows(self, move: str, change: Change) -> bool:
        running, mine = self.state in RUNNING, change.attempt == self.attempt
        match move:
            case "claim" | "drop" | "defer":
                return self.state in ("PENDING", "RETRY")
            case "revoke":
                return self.state in ("PENDING", "RETRY") and self.followers == 0
            case "detach" | "leave":
                return self.state not in ENDED and self.followers > 0
            case "follow":
                return self.state not in ("FAILURE", "REVOKED") and not self.cancel
            case "resend":
                return self.state in ("PENDING", "RETRY") and change.resends == self.resends
            case "redrive":
                return self.state == "FAILURE"
            case "request cancel":
                return running and self.followers == 0
            case "reclaim" | "requeue" | "give up" | "abandon":
                return running and self.lease_ms < change.now_ms
            case "beat" | "continue" | "retry later":
                return running and mine and not self.cancel
            case _:
                return running and mine

    def make(self, move: str, change: Change) -> None:
        after = {"claim": "STARTED", "reclaim": "STARTED", "beat": "PROGRESS", "continue": "PENDING"}
        after |= {"retry later": "RETRY", "succeed": "SUCCESS", "fail": "FAILURE", "give up": "FAILURE"}
        after |= {"stop": "REVOKED", "revoke": "REVOKED", "abandon": "REVOKED", "drop": "REVOKED"}
        after |= {"redrive": "PENDING", "requeue": "PENDING"}
        self.state = after.get(move, self.state)
        if move in ("claim", "reclaim"):
            self.attempt, self.resends = self.attempt + 1, 0
        self.resends += move == "resend"
        self.followers += (move == "follow") - (move == "leave")
        self.detached = self.detached if change.detached is None else change.detached
        self.lease_ms = self.lease_ms if change.lease_ms is None else change.lease_ms
        self.cancel = self.cancel if change.cancel_requested is None else change.cancel_requested


changes = st.builds(
    Change,
    now_ms=st.integers(0, 5).map(lambda step: NOW_MS + 20_000 * step),
    attempt=st.integers(0, 3),
    resends=st.integers(0, 2),
    lease_ms=st.none() | st.integers(0, 5).map(lambda step: NOW_MS + 20_000 * step),
    due_ms=st.none() | st.integers(0, 5).map(lambda step: NOW_MS + 20_000 * step),
    progress=st.none() | st.integers(0, 100),
    stage=st.none() | st.sampled_from(["", "working"]),
    cancel_requested=st.none() | st.just(True),
    detached=st.none() | st.just(True),
    problem=st.none() | st.just(Problem("internal", "broken")),
    hops=st.none() | st.integers(0, 3),
    cursor=st.none() | st.sampled_from(["", "page 2"]),
)


class Jobs(RuleBasedStateMachine):
    """One job in two stores and a model."""

    def __init__(self) -> None:
        super().__init__()
        self.cleanup = ExitStack()
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        self.cleanup.enter_context(
            patch.dict(os.environ, dict.fromkeys(names, "test") | {"AWS_DEFAULT_REGION": "us-east-1"})
        )
        self.cleanup.enter_context(mock_aws())
        boto3.client("dynamodb").create_table(TableName="jobs", **table_properties())
        self.stores: tuple[Store, Store] = (MemoryStore(), DynamoStore("jobs", Blobs("")))
        self.model = Model()

    def teardown(self) -> None:
        self.cleanup.close()

    @initialize()
    def submit(self) -> None:
        for store in self.stores:
            store.add(JOB, b"{}")

    @rule(move=st.sampled_from([move for move in MOVES if move.name != "succeed"]), change=changes)
    def try_move(self, move: Move, change: Change) -> None:
        if move.revives:
            # It takes the problem away, so that nobody writes one with it.
            change = msgspec.structs.replace(change, problem=None)
        self._try(move.name, change, lambda store: store.apply(JOB.id, move, change))

    @rule(change=changes)
    def try_complete(self, change: Change) -> None:
        self._try("succeed", change, lambda store: store.complete(JOB, change, b'{"done":true}'))

    @rule(name=st.sampled_from([move.name for move in MOVES if move.name != "succeed"]), lease_ms=st.just(NOW_MS))
    def make_allowed_move(self, name: str, lease_ms: int) -> None:
        """A change that satisfies every guard, so that long lives are explored and not only refusals."""
        change = Change(
            now_ms=self.model.lease_ms + 1 + NOW_MS, attempt=self.model.attempt, resends=self.model.resends,
            lease_ms=lease_ms,
        )  # fmt: skip
        move = next(move for move in MOVES if move.name == name)
        self._try(name, change, lambda store: store.apply(JOB.id, move, change))

    def _try(self, name: str, change: Change, make: Any) -> None:  # a call on either store
        outcomes = []
        for store in self.stores:
            try:
                outcomes.append(("made", make(store)))
            except Refused as refused:
                outcomes.append(("refused", refused.job))
        assert outcomes[0] == outcomes[1]
        assert outcomes[0][0] == ("made" if self.model.allows(name, change) else "refused")
        if outcomes[0][0] == "made":
            self.model.make(name, change)

    @invariant()
    def both_stores_hold_what_the_model_says(self) -> None:
        found = [store.find(JOB.id) for store in self.stores]
        assert found[0] == found[1]
        if found[0] is None:
            return
        job: Job = found[0].job
        model = self.model
        assert (job.state, job.attempt, job.lease_ms, job.resends, job.cancel_requested) == (
            State(model.state), model.attempt, model.lease_ms, model.resends, model.cancel,
        )  # fmt: skip
        assert (job.followers, job.detached) == (model.followers, model.detached)
        assert (found[0].result is not None) == (model.state == "SUCCESS")

    @invariant()
    def only_a_job_that_has_not_ended_is_watched(self) -> None:
        for store in self.stores:
            watched = store.due(2**53, 10) == [JOB.id]
            assert watched == (store.find(JOB.id) is not None and self.model.state not in ENDED)


Jobs.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # No shrinking: at the speed of the DynamoDB double it takes minutes, and the steps of a failure are printed anyway.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
TestJobs = Jobs.TestCase

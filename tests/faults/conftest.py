"""A stack of the faults' own: short leases, a proxy before SQS and one before DynamoDB, production-like visibility."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from localstack.run import local_stack
from localstack.settings import Settings
from tests.faults.events import QUEUE as EVENTS
from tests.faults.proxy import FaultProxy
from tests.faults.site import Site
from tests.infra.policies import calls_of, refused

# These take minutes; `make faults` runs them too.
_LONG = (
    "database_away_long", "database_restarts", "events_database_restarts", "events_killed_workers", "killed_workers",
    "outages_during_runs", "unsent_messages", "wrong_clocks",
)  # fmt: skip
collect_ignore = [] if os.environ.get("FAULTS") else [f"test_{name}.py" for name in _LONG]

ROOT = Path(__file__).parents[2]
LEASE_S = 6
EVENTS_HIDDEN_S = 20


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Messages of dead workers stay hidden for ten minutes: only the sweeper can bring their jobs back in time."""
    state, clocks = tmp_path_factory.mktemp("faults"), tmp_path_factory.mktemp("clocks")
    sqs, dynamodb = FaultProxy(state / "run.json"), FaultProxy(state / "run.json")
    settings = Settings(
        root=ROOT,
        state=state,
        keep_data=False,
        record_calls=True,
        environment={
            "AWS_ENDPOINT_URL_SQS": sqs.url,
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.url,
            "LEASE_S": str(LEASE_S),
            "PYTHONPATH": str(Path(__file__).parent / "clocks"),
            "CLOCKS": str(clocks),
        },
        parameters={"Stage": "local", "VisibilitySeconds": "600"},
    )
    with local_stack(settings) as stack:
        site = Site(stack, sqs, dynamodb, clocks)
        # Nobody but the queue brings back the events of a dead worker.
        site.sqs.set_queue_attributes(QueueUrl=site.url(EVENTS), Attributes={"VisibilityTimeout": str(EVENTS_HIDDEN_S)})
        yield site
    sqs.close()
    dynamodb.close()
    # What functions do about failures, they must be allowed as well.
    assert refused(calls_of(state)) == []

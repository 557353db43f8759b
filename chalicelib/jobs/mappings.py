"""Switching a queue's workers off and on through its event source mapping in Lambda, which is the only record of it."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from chalicelib.errors import Conflict
from chalicelib.jobs.clients import client, outages


class Mapping(NamedTuple):
    """The mapping that feeds a queue's worker."""

    id: str
    is_enabled: bool


class Mappings:
    """Event source mappings by the ARN of their queue."""

    def find(self, queue_arn: str) -> Mapping | None:
        """The queue's mapping; None for a queue that no function works on."""
        with outages("Lambda"):
            answer = self._lambda.list_event_source_mappings(EventSourceArn=queue_arn)
        found = answer["EventSourceMappings"]
        # Changes take a while, and a mapping that is being disabled counts as disabled already.
        return Mapping(found[0]["UUID"], found[0]["State"] not in ("Disabled", "Disabling")) if found else None

    def switch(self, mapping: Mapping, *, on: bool) -> None:
        """Enables or disables it; raises Conflict while an earlier change is under way."""
        with outages("Lambda"):
            try:
                self._lambda.update_event_source_mapping(UUID=mapping.id, Enabled=on)
            except self._lambda.exceptions.ResourceInUseException:
                raise Conflict("the queue is being paused or resumed at this moment; try again in a minute") from None

    @cached_property
    def _lambda(self) -> Any:  # boto3 makes its classes at run time, and there are no stubs for this one
        return client("lambda", read_timeout_s=5)

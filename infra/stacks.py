"""A CloudFormation stack as a template and its parameters: made, brought up to date, or deleted."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

# What CloudFormation takes without a bucket to read it from.
MOST_BYTES = 51_200
# A database with a standby takes half an hour.
_PATIENCE_S = 3_600.0


class StackFailed(Exception):
    """The stack is not what the template says; the message names the first resource that failed, and why."""


def read_template(text: str) -> str:
    """A template without its comments, as JSON: the same to CloudFormation, and smaller."""
    return json.dumps(yaml_parse(text), separators=(",", ":"), default=str)


def apply(cloudformation: Any, name: str, body: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Makes the stack or brings it up to date, waits for it and answers its outputs; raises StackFailed.

    Parameters that are not given keep the value that they have, and a new stack's are the template's defaults.
    """
    found = find(cloudformation, name)
    if found and found["StackStatus"] in ("ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"):
        # The first attempt failed: nothing was kept, and CloudFormation takes no update of it.
        delete(cloudformation, name)
        found = None
    kept = {each["ParameterKey"] for each in (found or {}).get("Parameters", [])} - set(parameters)
    kept &= set(json.loads(body).get("Parameters", {}))
    given: list[dict[str, object]] = []
    given += [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(parameters.items())]
    given += [{"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept)]
    order = {"StackName": name, "TemplateBody": body, "Parameters": given, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    try:
        if found is None:
            cloudformation.create_stack(**order)
        else:
            cloudformation.update_stack(**order)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise StackFailed(
                f"CloudFormation refuses the stack {name}: {' '.join(str(error).split())[-500:]}"
            ) from error
    return _wait(cloudformation, name)


def delete(cloudformation: Any, name: str) -> None:
    """Deletes the stack, where there is one, and waits until it is gone; raises StackFailed."""
    found = find(cloudformation, name)
    if found is None:
        return
    cloudformation.delete_stack(StackName=name)
    ends_s = time.monotonic() + _PATIENCE_S
    while (state := find(cloudformation, name)) is not None:
        if state["StackStatus"] == "DELETE_FAILED" or time.monotonic() > ends_s:
            raise StackFailed(f"the stack {name} is not deleted: {_reason(cloudformation, name)}")
        _pause(state)


def find(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """The stack as CloudFormation describes it, or None."""
    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return None if found["StackStatus"] == "DELETE_COMPLETE" else found


def outputs_of(found: Mapping[str, Any]) -> dict[str, str]:
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def _wait(cloudformation: Any, name: str) -> dict[str, str]:
    ends_s = time.monotonic() + _PATIENCE_S
    while True:
        found = find(cloudformation, name)
        status = found["StackStatus"] if found else "gone"
        if found and status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return outputs_of(found)
        if found is None or not status.endswith("IN_PROGRESS"):
            raise StackFailed(f"the stack {name} is {status}: {_reason(cloudformation, name)}")
        if time.monotonic() > ends_s:
            raise StackFailed(f"the stack {name} is still {status} after {_PATIENCE_S / 60:.0f} min")
        _pause(found)


def _pause(found: Mapping[str, Any]) -> None:
    """CloudFormation limits how often it is asked; what has just begun is asked more often, for it may be small."""
    age_s = time.time() - found["CreationTime"].timestamp() if "CreationTime" in found else 60.0
    time.sleep(0.2 if age_s < 20 else 5)


def _reason(cloudformation: Any, name: str) -> str:
    try:
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    except ClientError:
        return "no reason is given"
    failed = [event for event in events if event.get("ResourceStatus", "").endswith("_FAILED")]
    # Newest first; of this attempt alone, for a stack keeps what it was through.
    starts = [at for at, event in enumerate(events) if _is_start(event, name)]
    failed = [event for event in failed if events.index(event) <= starts[0]] if starts else failed
    if not failed:
        return "no resource is reported as failed"
    first = failed[-1]
    reason = " ".join(first.get("ResourceStatusReason", "no reason given").split())
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {reason}"


def _is_start(event: Mapping[str, Any], name: str) -> bool:
    starts = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
    return bool(event.get("LogicalResourceId") == name and event.get("ResourceStatus") in starts)

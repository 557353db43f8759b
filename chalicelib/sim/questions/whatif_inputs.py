"""What if the project were another one: scenarios beside each other, and which input moves the date most. No numpy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from chalicelib.errors import FieldError
from chalicelib.sim.dates import ACCEPTED, read_date
from chalicelib.sim.fields import DayText, SavingFields, Text
from chalicelib.sim.inputs import SimulateRequest, check

MOST_SCENARIOS = 5


class Scenario(Struct, frozen=True, kw_only=True):
    """One way in which the project might be another one."""

    name: Annotated[Text, Meta(min_length=1, description="What it is called.")]
    changes: Annotated[
        dict[str, Any],
        Meta(description='Fields of the base that are different, such as `{"totalContributors": 4}`; {} for the base.'),
    ]


class ScenariosRequest(SavingFields, frozen=True, kw_only=True, rename="camel"):
    """How do these ways to do a project compare?"""

    base: Annotated[SimulateRequest, Meta(description="The project as it is: a body of `/api/simulate`.")]
    scenarios: Annotated[
        tuple[Scenario, ...], Meta(min_length=1, max_length=MOST_SCENARIOS, description="What might be different.")
    ]
    deadline_date: Annotated[DayText | None, Meta(description=f"A day by which all should be done: {ACCEPTED}.")] = None


class SensitivityRequest(SavingFields, frozen=True, kw_only=True, rename="camel"):
    """Which input moves the date most?"""

    base: Annotated[SimulateRequest, Meta(description="The project: a body of `/api/simulate`.")]
    step_percent: Annotated[
        float, Meta(ge=1, le=50, description="By how much numbers are changed, up and down, in %.")
    ] = 10.0


def projects_of(request: ScenariosRequest) -> list[SimulateRequest]:
    """The base and each scenario as simulate requests; the request has passed its check."""
    return [quick(request.base), *(quick(_changed(request.base, each)) for each in request.scenarios)]


def quick(request: SimulateRequest) -> SimulateRequest:
    """The request without what a comparison does not show."""
    return msgspec.structs.replace(request, history_interval=False, save=False)


def check_scenarios(request: ScenariosRequest) -> list[FieldError]:
    """Every broken rule of the base and of each scenario, where it stands."""
    return [FieldError(pointer, detail) for pointer, detail in _rules(request)]


def check_sensitivity(request: SensitivityRequest) -> list[FieldError]:
    """Every broken rule of the base."""
    return [FieldError(f"/base{error.pointer}", error.detail) for error in check(request.base)]


def _rules(request: ScenariosRequest) -> Iterator[tuple[str, str]]:
    for error in check(request.base):
        yield f"/base{error.pointer}", error.detail
    names = [each.name for each in request.scenarios]
    for index, scenario in enumerate(request.scenarios):
        if scenario.name in names[:index]:
            yield f"/scenarios/{index}/name", f"must differ from the others, got {scenario.name!r} twice"
        yield from _rules_of_changes(request.base, scenario, f"/scenarios/{index}/changes")
    if request.deadline_date and read_date(request.deadline_date) is None:
        yield "/deadlineDate", f"must be a date like {ACCEPTED}, got {request.deadline_date!r}"


def _rules_of_changes(base: SimulateRequest, scenario: Scenario, pointer: str) -> Iterator[tuple[str, str]]:
    known = {field.encode_name for field in msgspec.structs.fields(SimulateRequest)}
    for name in scenario.changes.keys() - known:
        yield f"{pointer}/{name}", "is not a field of a simulate request"
    if scenario.changes.keys() - known:
        return
    try:
        changed = _changed(base, scenario)
    except msgspec.ValidationError as error:
        yield pointer, str(error)
        return
    for broken in check(changed):
        yield f"{pointer}{broken.pointer}", broken.detail


def _changed(base: SimulateRequest, scenario: Scenario) -> SimulateRequest:
    return msgspec.convert({**msgspec.to_builtins(base), **scenario.changes}, SimulateRequest)

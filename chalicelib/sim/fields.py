"""Groups of fields that several forecasts share, and the bounds that go with them. No numpy: the API reads these."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

MAX_TASKS = 9_999
MAX_PEOPLE = 9_999.0
MAX_TRIALS = 10_000_000
# Whole numbers up to here survive every JSON parser, those of browsers included.
MAX_SEED = 2**53 - 1

Weekly = Annotated[float, Meta(ge=0, le=100_000)]
Text = Annotated[str, Meta(max_length=200)]
DayText = Annotated[str, Meta(max_length=40)]


class SavingFields(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a request may say about keeping its answer."""

    project_name: Annotated[Text | None, Meta(description="Label, repeated in the answer.")] = None
    save: Annotated[
        bool,
        Meta(
            description="Keep the forecast in the caller's account; the same as `?save=true`, which goes before it. In "
            "the background only."
        ),
    ] = False
    project_id: Annotated[
        str | int | None,
        Meta(description="Project of the caller's in which the forecast is saved; a new one is made when missing."),
    ] = field(default=None, name="project_id")
    parent_forecast_id: Annotated[
        str | int | None,
        Meta(
            description="Saved forecast of the caller's that this one renews: it is saved as that one's next version, "
            "in the same project unless `project_id` names another, and the older one is kept."
        ),
    ] = field(default=None, name="parent_forecast_id")


class SavedFields(Struct, frozen=True, kw_only=True):
    """What an answer says about having been kept."""

    forecast_id: Annotated[int | UnsetType, Meta(description="Names the saved forecast; only if it was saved.")] = UNSET
    save_error: Annotated[
        str | UnsetType, Meta(description="Why it could not be saved; only if that was asked for and failed.")
    ] = UNSET

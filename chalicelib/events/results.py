"""What judging an event finds: one result for each field, and the verdict that follows from them.

The one definition of valid: an event is invalid if one of its results makes it so. Fields and events that the sheet
does not know make none invalid.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

VALID = "Valid"
WRONG = "Invalid/Wrong datatype/value"
EMPTY = "Payload value is Empty"
MISSING = "Payload not present in the log"
OPTIONAL_ABSENT = "Optional payload not present in the log"
EXTRA_KEY = "Extra key present in the log"
EXTRA_EVENT = "Extra event (not in sheet)"
OF_EXTRA_EVENT = "Payload from extra event"
LEFT_OUT = "Further results left out"
# A broken condition has a sentence of its own, so what makes an event invalid is what is not listed here.
HARMLESS = frozenset({VALID, OPTIONAL_ABSENT, EXTRA_KEY, EXTRA_EVENT, OF_EXTRA_EVENT, LEFT_OUT})

# What stands for values that were not sent, that the sheet does not know, and that are personal data.
NOT_PRESENT = "not present"
EXTRA = "EXTRA"
HIDDEN = "[hidden]"
# Of a condition that is broken.
INVALID = "invalid"

Verdict = Literal["valid", "invalid", "no_rules"]

MOST_RESULTS = 1_000


class FieldResult(Struct, frozen=True, gc=False, rename="camel"):
    """What was found about one field of an event."""

    event_name: Annotated[str, Meta(description="The event, in lower case.")]
    key: Annotated[str, Meta(description="Path of the field; elements of arrays by number from 0: items[0].price.")]
    value: Annotated[
        str,
        Meta(
            description="The value as text, cut to 1,000 characters; of arrays and objects the size; [hidden] for "
            "personal data; empty where nothing was sent."
        ),
    ]
    expected_type: Annotated[str, Meta(description="The type in the rule sheet; EXTRA for what is not in it.")]
    received_type: Annotated[
        str,
        Meta(
            description="null, boolean, integer, float, date, datetime, text, array, object or unknown; not present "
            "where nothing was sent, invalid for a broken condition."
        ),
    ]
    validation_status: Annotated[
        str,
        Meta(
            description=f"{VALID}; {WRONG}; {EMPTY}; {MISSING}; {OPTIONAL_ABSENT}; {EXTRA_KEY}; {EXTRA_EVENT}; "
            f"{OF_EXTRA_EVENT}; {LEFT_OUT}; or the condition that is broken."
        ),
    ]
    comment: Annotated[str, Meta(description="What would be valid; empty where there is nothing to say.")] = ""


class Judgement(Struct, frozen=True):
    """The verdict on an event, and the results that it follows from."""

    status: Annotated[
        Verdict, Meta(description="valid, invalid, or no_rules for an event that the rule sheet does not know.")
    ]
    results: Annotated[
        tuple[FieldResult, ...],
        Meta(description="Plain fields by name, then those of arrays by array, number and name; at most 1,000."),
    ]


def makes_invalid(result: FieldResult) -> bool:
    """Whether an event with this result is invalid."""
    return result.validation_status not in HARMLESS


class Results:
    """Results as they come, of which no more than can be shown are kept; the verdict knows all."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._kept: list[FieldResult] = []
        self._left_out = 0
        self._first_invalid: FieldResult | None = None

    def add(self, results: list[FieldResult]) -> None:
        room = MOST_RESULTS - 2 - len(self._kept)
        if len(results) <= room:
            self._kept += results
            return
        self._kept += results[:room]
        left_out = results[room:]
        self._left_out += len(left_out)
        if self._first_invalid is None:
            self._first_invalid = next(filter(makes_invalid, left_out), None)

    def judgement(self) -> Judgement:
        """The verdict; where results were left out, the first that is invalid stands before the note on them."""
        if self._first_invalid:
            self._kept.append(self._first_invalid)
            self._left_out -= 1
        if self._left_out:
            note = f"{self._left_out} more"
            self._kept.append(FieldResult(self._event, "...", "", EXTRA, "unknown", LEFT_OUT, note))
        is_invalid = any(map(makes_invalid, self._kept))
        return Judgement("invalid" if is_invalid else "valid", tuple(self._kept))

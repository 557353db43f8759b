"""The answer to an import as it goes over the wire. No numpy: the API describes it without reading a file."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from chalicelib.sim.intake.inputs import FileFormat

AgeLevel = Literal["below p50", "p50 to p70", "p70 to p85", "p85 to p95", "above p95"]


class Parts(Struct, frozen=True, kw_only=True):
    """The columns that were taken for each part, by name; null where the file has none."""

    id: str | None
    title: str | None
    type: str | None
    status: str | None
    started: Annotated[
        str | None,
        Meta(description="When work began; of several stages the first that counts as work, the next if it is empty."),
    ]
    closed: str


class Rejected(Struct, frozen=True, kw_only=True):
    """A row that was not counted, and why."""

    line: Annotated[int, Meta(description="Line of the file on which the row begins; the first line is 1.")]
    column: Annotated[str | None, Meta(description="Where the fault is; null if it is the row as a whole.")]
    value: Annotated[str, Meta(description="What stands there, at most 100 characters of it.")]
    reason: Annotated[str, Meta(description="What is wrong with it.")]


class Bucket(Struct, frozen=True, kw_only=True):
    """What was closed within some days, both ends included."""

    start: Annotated[str, Meta(description="First day, yyyy-mm-dd.")]
    end: Annotated[str, Meta(description="Last day, yyyy-mm-dd.")]
    closed: Annotated[int, Meta(description="Items closed.")]


class CycleTime(Struct, frozen=True, kw_only=True):
    """Days from start to closing, both included. A percentile is the fewest days that so many % did not exceed."""

    count: Annotated[int, Meta(description="Closed items with a known start.")]
    mean: float
    p50: int
    p70: int
    p85: int
    p95: int
    min: int
    max: int


class ServiceLevel(Struct, frozen=True, kw_only=True):
    """What can be told to whoever waits for one item."""

    percentile: Annotated[int, Meta(description="In %.")]
    days: int
    text: Annotated[str, Meta(description="The same as a sentence.")]


class OpenItem(Struct, frozen=True, kw_only=True):
    """An item in progress, against the cycle times of the closed ones."""

    id: str | None
    title: str | None
    started: Annotated[str, Meta(description="Day on which work began, yyyy-mm-dd.")]
    age_days: Annotated[int, Meta(description="Days from start to as_of, both included.")]
    share_faster: Annotated[
        float | None,
        Meta(
            description="Share of the closed items that took fewer days than this age, 0 to 1; null if none is known."
        ),
    ]
    level: Annotated[
        AgeLevel | None,
        Meta(description="Between which percentiles of the cycle time the age lies; at a percentile it is below it."),
    ]


class ImportResult(Struct, frozen=True, kw_only=True):
    """What a file of work items says about throughput, cycle times and ageing, and how it was read.

    rows_read = items_closed + items_open + items_outside_window + items_filtered + rejected_count.
    items_closed = sum of tpSamples + closed in partial_bucket + items_before_first_bucket.
    """

    format: Annotated[FileFormat, Meta(description="As what the file was read.")]
    delimiter: Annotated[str | None, Meta(description="Between two columns; null if the file has a single column.")]
    date_order: Annotated[
        Literal["dmy", "mdy"] | None,
        Meta(description="How closing dates like 03/04/2026 were read; null if none depends on it."),
    ]
    as_of: Annotated[str, Meta(description="Day up to which the file tells, yyyy-mm-dd: as given, or its latest date.")]
    columns: Annotated[Parts, Meta(description="What each column was taken for.")]
    stages: Annotated[list[str], Meta(description="actionable_agile: columns taken for stages of the workflow.")]
    headers: Annotated[list[str], Meta(description="All columns, to choose startColumn and endColumn from.")]
    rows_read: Annotated[int, Meta(description="Rows below the header; rows without any value are not counted.")]
    items_closed: Annotated[int, Meta(description="Closed within the window.")]
    items_open: Annotated[int, Meta(description="Not closed by as_of.")]
    items_outside_window: Annotated[
        int, Meta(description="Closed before fromDate or after toDate, or not begun by as_of.")
    ]
    items_filtered: Annotated[int, Meta(description="Of other types than itemTypes.")]
    rejected_count: Annotated[int, Meta(description="Rows that were not counted because of a fault.")]
    rejected: Annotated[list[Rejected], Meta(description="The first 100 of them by line.")]
    duplicates: Annotated[int, Meta(description="How many of them repeat the id of an earlier row.")]
    tp_samples: Annotated[
        list[int],
        Meta(
            description="Items closed in each whole bucket, oldest first, idle ones as 0, at most the newest 1,000: "
            "ready for a forecast. The last bucket ends on as_of, or the buckets are counted back from toDate. The "
            "first one begins on or after fromDate, or else on or after the first closing date in the file, of any "
            "type: a bucket of which the file covers a part would look like a slow one."
        ),
    ] = field(name="tpSamples")
    buckets: Annotated[list[Bucket], Meta(description="The same with their days.")]
    partial_bucket: Annotated[
        Bucket | None,
        Meta(
            description="What was closed in the bucket that ends after as_of, and so is no sample; null if none does."
        ),
    ]
    items_before_first_bucket: Annotated[
        int, Meta(description="Closed within the window but before the first whole bucket, so in no sample.")
    ]
    lt_samples: Annotated[
        list[int],
        Meta(
            description="Cycle times in days of the newest closed items, oldest first, at most 1,000 and none above "
            "3,650 days: ready for a forecast."
        ),
    ] = field(name="ltSamples")
    cycle_time: Annotated[
        CycleTime | None, Meta(description="Of all closed items with a start; null if there is none.")
    ]
    sle: Annotated[list[ServiceLevel], Meta(description="Service level expectations at 50, 70, 85 and 95 %.")]
    ageing: Annotated[list[OpenItem], Meta(description="Open items with a start, oldest first, at most 200.")]
    ageing_count: Annotated[int, Meta(description="All open items with a start.")]
    warnings: Annotated[list[str], Meta(description="What was assumed, and what makes the numbers less certain.")]

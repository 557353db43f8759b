"""What judging one event costs in CPU, with the rules compiled before: an event of 40 fields of all types.

    python -m bench.event_validation [--json FILE]

Reports microseconds for each event as the best and the median of several rounds, and what is paid once for the sheet.
Exit code 1 when the median misses the bar.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import msgspec

from chalicelib.events.judge import compile_sheet
from chalicelib.events.rules import Compat, Condition, Rule, RuleSheet, tidy

BAR_US = 100.0
ROUNDS = 15
EVENTS = 1_000
EVENT = "order_completed"
# Plain fields 1 to 25, four below an object, three of each of three items, two of an array of texts: 40 values.
PAYLOAD: dict[str, Any] = {
    **{f"text_{n}": f"value {n}" for n in range(6)},
    **{f"count_{n}": n * 7 for n in range(4)},
    **{f"price_{n}": n * 7.25 + 0.5 for n in range(3)},
    **{f"flag_{n}": n % 2 == 0 for n in range(3)},
    **{f"code_{n}": f"AB-{n}234" for n in range(4)},
    "placed": "2024-05-06 07:08:09",
    "sent": "2024-05-06T07:08:09.123Z",
    "currency": "EUR",
    "channel": "app",
    "total": 99.5,
    "user": {"id": 5, "name": "Ann", "email": "ann@example.org", "is_new": True},
    "items": [{"sku": f"AB-{n}111", "price": 1.5 + n, "count": n + 1} for n in range(3)],
    "tags": ["sale", "spring"],
}
FIELDS = 40


class Figures(msgspec.Struct, kw_only=True):
    """CPU of one judgement in microseconds; what a sheet of one event costs before its first, in milliseconds."""

    fields: int
    best_us: float
    median_us: float
    invalid_median_us: float
    first_event_ms: float
    bar_us: float = BAR_US

    @property
    def is_met(self) -> bool:
        return self.median_us <= self.bar_us


def rules() -> RuleSheet:
    """Rules for all fields of the payload; every tenth or so has a bound, five a pattern, two a condition."""
    named: dict[str, dict[str, Any]] = {
        "placed": {"type": "date"},
        "sent": {"type": "datetime"},
        "currency": {"type": "enum", "enum": ("EUR", "USD", "GBP")},
        "channel": {"type": "text", "enum": ("app", "web")},
        "total": {"type": "number", "minimum": 0, "maximum": 10_000},
        "user.id": {"type": "integer", "minimum": 1},
        "user.name": {"type": "text", "max_length": 100},
        "user.email": {"type": "text", "pii": "hash"},
        "user.is_new": {"type": "boolean"},
        "items[].sku": {"type": "text", "pattern": "^[A-Z]{2}-[0-9]+$"},
        "items[].price": {"type": "float", "minimum": 0},
        "items[].count": {"type": "integer"},
        "tags[]": {"type": "text"},
    }
    named |= {f"text_{n}": {"type": "text", "min_length": 2, "max_length": 50} for n in range(6)}
    named |= {f"count_{n}": {"type": "integer", "minimum": 0} for n in range(4)}
    named |= {f"price_{n}": {"type": "float"} for n in range(3)}
    named |= {f"flag_{n}": {"type": "boolean"} for n in range(3)}
    named |= {f"code_{n}": {"type": "text", "pattern": "^[A-Z]{2}-[0-9]{4}$"} for n in range(4)}
    named["channel"]["condition"] = Condition(if_field="currency", if_value="EUR")
    named["total"]["condition"] = Condition(if_field="count_1", operator="gt", if_value=3, then_field="user.id")
    return tidy(
        RuleSheet(
            rules=tuple(
                msgspec.convert({"event": EVENT, "path": path, "required": True, **said}, Rule)
                for path, said in named.items()
            )
        )
    )


def measure() -> Figures:
    sheet = rules()
    began = time.process_time()
    compiled = compile_sheet(sheet, Compat())
    first = compiled.judge(EVENT, PAYLOAD)
    first_event_ms = (time.process_time() - began) * 1000
    if first.status != "valid" or len(first.results) != FIELDS:
        raise SystemExit(f"the event is {first.status} by {len(first.results)} results")
    broken = {**PAYLOAD, "total": "x", "code_1": "y", "unknown": 1}

    def rounds(payload: dict[str, Any]) -> list[float]:
        taken = []
        for _ in range(ROUNDS):
            began = time.process_time()
            for _ in range(EVENTS):
                compiled.judge(EVENT, payload)
            taken.append((time.process_time() - began) / EVENTS * 1e6)
        return taken

    valid, invalid = rounds(PAYLOAD), rounds(broken)
    return Figures(
        fields=FIELDS,
        best_us=round(min(valid), 1),
        median_us=round(statistics.median(valid), 1),
        invalid_median_us=round(statistics.median(invalid), 1),
        first_event_ms=round(first_event_ms, 2),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.event_validation")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    figures = measure()
    print(f"one event of {figures.fields} fields: best {figures.best_us} us, median {figures.median_us} us CPU")
    print(
        f"invalid, with a key too many: median {figures.invalid_median_us} us; first event {figures.first_event_ms} ms"
    )
    print(f"{figures.median_us} of {BAR_US} us: {'met' if figures.is_met else 'MISSED'}")
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    return 0 if figures.is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""From measured work to dollars: what each invocation costs by line of the bill, and what a month costs at a rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from bench.cost_units import SQS_BYTES, units
from bench.cost_work import Invocation, Work
from infra.functions import PLACES

HOURS = 730.0
SECONDS = HOURS * 3600
# Of Lambda: at so many MB a function has one vCPU, and below its share of one. AWS, "Configure Lambda function memory".
VCPU_MB = 1769
_RECEIVED_AT_ONCE = 10
_GB = 1e9
# What stands between Lambda's functions in the VPC and AWS: DynamoDB and S3 have gateways, which are free.
_BY_INTERFACE = ("sqs", "secretsmanager", "lambda")

# Dollars by line of the bill.
Lines = dict[str, float]


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """A list price; `as_of` is the date of the page that it stands on, or says that it was not looked up."""

    usd: float
    per: str
    source: str
    as_of: str


class PriceList(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    region: str
    read_on: str
    note: str
    prices: dict[str, Price]

    def __getitem__(self, name: str) -> float:
        return self.prices[name].usd


def read_prices() -> PriceList:
    return msgspec.json.decode(Path(__file__).with_name("prices.json").read_bytes(), type=PriceList)


class Assumptions(msgspec.Struct, frozen=True, kw_only=True):
    """What was not measured here. Each is varied in the report."""

    # How long a vCPU of AWS takes for what a core of this machine does in a second.
    cpu_ratio: float = 1.0
    # Milliseconds of waiting for AWS, by operation or by service; from experience, no source.
    call_ms: dict[str, float] = msgspec.field(
        default_factory=lambda: {"dynamodb": 5.0, "dynamodb.TransactWriteItems": 10.0, "sqs": 10.0, "s3": 25.0}
    )
    # Of all statements of an invocation that asks Postgres, for the network; the local one is a Unix socket.
    network_ms: float = 2.0
    # START, END and REPORT, which Lambda writes for each invocation.
    platform_log_bytes: int = 300
    # Headers that API Gateway adds to an answer.
    added_header_bytes: int = 400
    # Whether infra/edge.yaml stands in front.
    has_edge: bool = True
    # Of all invocations, those that begin with loading the app.
    cold_share: float = 0.005
    # The busiest minutes' rate by the month's mean; what is always on is there for the busiest.
    peak: float = 3.0
    # Share of its CPU that a server is planned to be used.
    target: float = 0.6

    def allowed_ms(self, operation: str) -> float:
        """Of waiting for one call."""
        return self.call_ms.get(operation, self.call_ms.get(operation.partition(".")[0], 0.0))


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """Turns work into dollars."""

    prices: PriceList
    assumptions: Assumptions
    memory_mb: dict[str, int]
    # Whether the functions' calls are traced (`xray` in .chalice/config.json).
    is_traced: bool = False
    # Of loading the app, by function; "" is every other one's.
    cold_cpu_ms: Mapping[str, float] = {}

    def of(self, work: Work) -> Lines:
        """Dollars of one piece of work, by line."""
        total: Lines = {}
        for invocation in work.invocations:
            for line, usd in self.of_invocation(invocation).items():
                total[line] = total.get(line, 0.0) + usd * invocation.times
        return total

    def of_invocation(self, one: Invocation) -> Lines:
        """Dollars of one invocation, by line."""
        price = self.prices
        gb = self.memory(one) / 1024
        lines: Lines = {
            "Lambda requests": price["lambda_request"],
            "Lambda time": gb * self.duration_ms(one) / 1000 * price["lambda_gb_s"],
            "logs": (one.log_bytes + self.assumptions.platform_log_bytes) / _GB * price["log_gb"],
            "DynamoDB": sum(
                each.write_units * price["dynamodb_write_unit"] + each.read_units * price["dynamodb_read_unit"]
                for each in one.calls.values()
            ),
            "SQS": (_settled(one) + sum(each.requests for each in one.calls.values())) * price["sqs_request"],
            "S3": sum(
                each.count * price["s3_put" if name.endswith("PutObject") else "s3_get"]
                for name, each in one.calls.items()
                if name.startswith("s3.")
            ),
            "interface endpoints": self._through_endpoints(one),
        }
        if one.answer_bytes:
            sent = (one.answer_bytes + self.assumptions.added_header_bytes) / _GB
            edge = self.assumptions.has_edge
            lines["API Gateway"] = price["api_request"]
            lines["CloudFront"] = price["edge_request"] if edge else 0.0
            lines["bytes out"] = sent * price["edge_gb" if edge else "transfer_gb"]
        return {name: usd for name, usd in lines.items() if usd}

    def duration_ms(self, one: Invocation) -> int:
        """What Lambda bills: CPU at the function's share of a vCPU, waits, and a part of a cold start; whole ms."""
        given = self.assumptions
        cold = self.cold_cpu_ms.get(one.function, self.cold_cpu_ms.get("", 0.0)) * given.cold_share
        cpu = (one.cpu_ms + cold) * given.cpu_ratio / min(1.0, self.memory(one) / VCPU_MB)
        database = one.database_ms + given.network_ms if one.database_ms else 0.0
        return math.ceil(cpu + database + sum(given.allowed_ms(name) * each.count for name, each in one.calls.items()))

    def memory(self, one: Invocation) -> int:
        return self.memory_mb.get(one.function, self.memory_mb[""])

    def _through_endpoints(self, one: Invocation) -> float:
        if not PLACES[one.function].database:
            # It stands outside the network.
            return 0.0
        sent = sum(each.body_bytes for name, each in one.calls.items() if name.partition(".")[0] in _BY_INTERFACE)
        return sent / _GB * self.prices["endpoint_gb"]

    def api_usd(self, requests: float) -> float:
        """Of so many REST requests in a month, whose price falls in steps."""
        steps = (333e6, 667e6, 19e9, math.inf)
        names = ("api_request", "api_request_next", "api_request_then", "api_request_rest")
        total, left = 0.0, requests
        for most, name in zip(steps, names, strict=True):
            total += min(left, most) * self.prices[name]
            left = max(0.0, left - most)
        return total


def _settled(one: Invocation) -> float:
    """Requests by which Lambda fetches an invocation's messages and deletes them."""
    if not one.messages:
        return 0
    calls = math.ceil(one.messages / _RECEIVED_AT_ONCE)
    return max(calls, units(one.message_bytes, SQS_BYTES)) + calls


def monthly_usd(bill: Bill, work: Work, per_s: float) -> float:
    """Of a month with so much of the work a second, without what is there anyway and without Postgres."""
    lines = bill.of(work)
    lines.pop("API Gateway", None)
    requests = sum(one.times for one in work.invocations if one.answer_bytes)
    return (
        per_s * SECONDS * sum(lines.values())
        + bill.api_usd(per_s * SECONDS * requests)
        + _traces_per_s(work, per_s) * SECONDS * bill.prices["trace"] * bill.is_traced
    )


def _traces_per_s(work: Work, per_s: float) -> float:
    """At most: each function has the first in a second and 5 % of the others traced, whatever called it."""
    rates: dict[str, float] = {}
    for one in work.invocations:
        rates[one.function] = rates.get(one.function, 0.0) + per_s * one.times
    return sum(min(rate, 1.0) + 0.05 * max(0.0, rate - 1.0) for rate in rates.values())


def dearer_from(
    ours: Callable[[float], float], theirs: Callable[[float], float], rates: Sequence[float]
) -> float | None:
    """The lowest rate from which on ours is dearer at each higher one; None where it is cheaper at the highest."""
    found = None
    for rate in reversed(rates):
        if ours(rate) <= theirs(rate):
            break
        found = rate
    return found

"""What a month costs before anything is sent: of a stage as infra/ makes it, and of servers that are always on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
from samtranslator.yaml_helper import yaml_parse

from bench.cost_bill import HOURS, SECONDS, Assumptions, Lines, PriceList

ROOT = Path(__file__).parents[1]
TEMPLATES = ("infra/stack.yaml", "infra/watch.yaml")
# Queues that Lambda reads for us: five in settings.QUEUES and that of live rows; each is read by five pollers, which
# the setting of a maximum concurrency keeps from becoming fewer. AWS, "Configuring scaling behavior for SQS".
QUEUES_READ, POLLERS = 6, 5
# How long an empty queue keeps a poller waiting: SQS's longest. What Lambda uses is not documented.
LONG_POLL_S = 20.0
_DAYS_KEPT = 30
# vCPUs, and what a burstable class may use of them all day; `db.m7g` and `db.r7g` may use all.
_CLASSES = (
    ("db.t4g.medium", 2, 0.4),
    ("db.m7g.large", 2, 2.0),
    ("db.m7g.xlarge", 4, 4.0),
    ("db.r7g.2xlarge", 8, 8.0),
    ("db.m7g.4xlarge", 16, 16.0),
    ("db.m7g.8xlarge", 32, 32.0),
    ("db.m7g.16xlarge", 64, 64.0),
)


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What the templates make that is paid by the month."""

    alarms: int
    dashboards: int
    secrets: int
    # Interface endpoints times their zones.
    endpoints: int
    database_class: str
    database_gib: int
    # Up to which the disk grows by itself.
    database_most_gib: int


def read_stage(root: Path = ROOT) -> Stage:
    """The stage as the templates have it, with their defaults."""
    templates = [yaml_parse((root / name).read_text()) for name in TEMPLATES if (root / name).exists()]
    resources = [each for template in templates for each in template["Resources"].values()]
    defaults = {name: each.get("Default") for name, each in templates[0]["Parameters"].items()}

    def of(kind: str) -> list[dict[str, Any]]:
        return [each for each in resources if each["Type"] == kind]

    interfaces = [
        each["Properties"]
        for each in of("AWS::EC2::VPCEndpoint")
        if each["Properties"]["VpcEndpointType"] == "Interface"
    ]
    return Stage(
        alarms=len(of("AWS::CloudWatch::Alarm")),
        dashboards=len(of("AWS::CloudWatch::Dashboard")),
        secrets=len(of("AWS::SecretsManager::Secret")),
        endpoints=sum(len(each["SubnetIds"]) for each in interfaces),
        database_class=str(defaults["DatabaseClass"]),
        database_gib=int(defaults["DatabaseGiB"]),
        database_most_gib=int(defaults["DatabaseMostGiB"]),
    )


def fixed_lines(stage: Stage, prices: PriceList, *, series: int, sweeper_usd: float) -> Lines:
    """Dollars of a month in which nothing comes, without Postgres; `series` are the custom metrics that are written."""
    return {
        "interface endpoints": stage.endpoints * prices["endpoint_hour"] * HOURS,
        "custom metrics": series * prices["metric"],
        "dashboards": stage.dashboards * prices["dashboard"],
        "alarms": stage.alarms * prices["alarm"],
        "secrets": stage.secrets * prices["secret"],
        "empty polls": QUEUES_READ * POLLERS * SECONDS / LONG_POLL_S * prices["sqs_request"],
        "sweeper": sweeper_usd * SECONDS / 60,
    }


def database(prices: PriceList, given: Assumptions, *, vcpu: float, gib: float) -> tuple[str, float]:
    """The smallest class that does so many vCPUs' work all day and its peak, and dollars of its month with storage."""
    for name, vcpus, all_day in _CLASSES:
        # A burstable one may be used up to its baseline all day, any other to what is planned.
        steady = all_day if all_day < vcpus else vcpus * given.target
        if vcpu * given.cpu_ratio <= steady and vcpu * given.cpu_ratio * given.peak <= vcpus * given.target:
            return name, prices[name] * HOURS + gib * prices["database_storage_gb"]
    return "none is large enough", math.inf


def stored_gib(per_s: float, row_bytes: float) -> float:
    """Of the events of so many days."""
    return per_s * 86_400 * _DAYS_KEPT * row_bytes / 2**30


class AlwaysOn(msgspec.Struct, frozen=True, kw_only=True):
    """A set of servers for Flask + Celery beside a Redis and a load balancer, without Postgres."""

    name: str
    redis: str

    def usd(self, prices: PriceList, given: Assumptions, *, vcpu: float, requests_per_s: float) -> float:
        """Of a month: servers for the peak of so many vCPUs' work, never less than two of each part."""
        hourly = self._servers(prices, given, vcpu) + prices[self.redis] + prices["balancer_hour"]
        # A client's request is a connection of its own: events come from many devices.
        return (hourly + requests_per_s / 25 * prices["balancer_unit_hour"]) * HOURS

    def _servers(self, prices: PriceList, given: Assumptions, vcpu: float) -> float:
        raise NotImplementedError


class Containers(AlwaysOn, frozen=True, kw_only=True):
    """Fargate tasks of half a vCPU and 1 GB, at least two for requests and two for tasks."""

    def _servers(self, prices: PriceList, given: Assumptions, vcpu: float) -> float:
        tasks = max(4, math.ceil(vcpu * given.cpu_ratio * given.peak / (0.5 * given.target)))
        return tasks * (0.5 * prices["fargate_vcpu_hour"] + prices["fargate_gb_hour"])


class Machines(AlwaysOn, frozen=True, kw_only=True):
    """Two t4g.small with everything on both while 20 % of their vCPUs are enough, then m7g.large; patched by hand."""

    def _servers(self, prices: PriceList, given: Assumptions, vcpu: float) -> float:
        needed = vcpu * given.cpu_ratio
        if needed <= 2 * 0.4 and needed * given.peak <= 2 * 2 * given.target:
            return 2 * prices["t4g.small"]
        return max(2, math.ceil(needed * given.peak / (2 * given.target))) * prices["m7g.large"]


SETS = (Containers(name="containers", redis="cache.t4g.small"), Machines(name="machines", redis="cache.t4g.micro"))

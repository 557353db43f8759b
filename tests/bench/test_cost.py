"""From measured work to dollars, at round prices; and what stands in the list of prices and in the templates."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest
from chalice.app import SQSEventConfig

import app
from bench.cost import read_memory_mb
from bench.cost_bill import SECONDS, Assumptions, Bill, Price, PriceList, dearer_from, monthly_usd, read_prices
from bench.cost_month import QUEUES_READ, Containers, Machines, Stage, database, fixed_lines, read_stage, stored_gib
from bench.cost_recorder import Calls
from bench.cost_work import Invocation, Work
from infra.functions import PLACES

NOTHING_ELSE = Assumptions(
    call_ms={}, network_ms=0.0, platform_log_bytes=0, added_header_bytes=0, has_edge=False, cold_share=0.0, peak=1.0
)
PRICES = read_prices()


def at(**usd: float) -> PriceList:
    """A list in which everything is free but this."""
    free = {name: msgspec.structs.replace(price, usd=0.0) for name, price in PRICES.prices.items()}
    paid = {name: Price(usd=value, per="", source="", as_of="") for name, value in usd.items()}
    return msgspec.structs.replace(PRICES, prices=free | paid)


def bill(prices: PriceList, given: Assumptions = NOTHING_ELSE, **memory_mb: int) -> Bill:
    return Bill(prices=prices, assumptions=given, memory_mb={"": 1024, **memory_mb})


def invocation(function: str = "api_handler", **changed: object) -> Invocation:
    plain = Invocation(function=function, step="x", times=1, cpu_ms=0.0, database_ms=0.0, log_bytes=0)
    return msgspec.structs.replace(plain, **changed)


def work(*invocations: Invocation, events: int = 1) -> Work:
    return Work(name="x", events=events, rounds=1, database_cpu_ms=0.0, invocations=invocations)


def test_time_is_cpu_at_the_functions_share_and_waits_in_whole_ms() -> None:
    given = msgspec.structs.replace(NOTHING_ELSE, call_ms={"dynamodb": 5.0, "dynamodb.Query": 7.0}, network_ms=2.0)
    half = bill(at(), given, work_events=1769, api_handler=884)
    calls = {"dynamodb.Query": Calls(count=1), "dynamodb.PutItem": Calls(count=2), "sqs.SendMessage": Calls(count=9)}
    # 3 ms at half a vCPU and a bit are 6.003 ms, and 7 + 2 x 5 of waiting; SQS has no allowance here.
    assert half.duration_ms(invocation(cpu_ms=3.0, calls=calls)) == math.ceil(3.0 * 1769 / 884 + 17)
    # A vCPU of its own; more memory gives one piece of work no more than that.
    assert half.duration_ms(invocation("work_events", cpu_ms=3.0, database_ms=4.0)) == 3 + 4 + 2
    assert bill(at(), work_events=3538).duration_ms(invocation("work_events", cpu_ms=3.0)) == 3


def test_a_share_of_invocations_loads_the_function_first() -> None:
    given = msgspec.structs.replace(NOTHING_ELSE, cold_share=0.1)
    loading = msgspec.structs.replace(
        bill(at(), given, work_events=1769), cold_cpu_ms={"": 100.0, "work_events": 400.0}
    )
    assert loading.duration_ms(invocation("work_events", cpu_ms=1.0)) == 41


def test_each_line_of_the_bill_is_its_own_count_at_its_own_price() -> None:
    one = invocation(
        cpu_ms=1024 / 1769 * 1000,  # a second at 1,024 MB: one GB-second
        log_bytes=2_000_000,
        answer_bytes=1_000_000,
        calls={
            "dynamodb.UpdateItem": Calls(count=1, write_units=3, read_units=2, body_bytes=1e9),
            "s3.PutObject": Calls(count=1),
            "s3.GetObject": Calls(count=2),
            "sqs.SendMessage": Calls(count=1, requests=4, body_bytes=1e9),
        },
    )
    prices = at(
        lambda_request=1, lambda_gb_s=10, log_gb=1_000, dynamodb_write_unit=5, dynamodb_read_unit=7, s3_put=11,
        s3_get=13, sqs_request=17, endpoint_gb=19, api_request=23, transfer_gb=1_000, edge_gb=99, edge_request=99,
    )  # fmt: skip
    assert bill(prices).of_invocation(one) == pytest.approx(
        {
            "Lambda requests": 1,
            "Lambda time": 10,
            "logs": 2,
            "DynamoDB": 3 * 5 + 2 * 7,
            "S3": 11 + 2 * 13,
            "SQS": 4 * 17,
            # DynamoDB is reached by a gateway, which is free.
            "interface endpoints": 19,
            "API Gateway": 23,
            "bytes out": 1,
        }
    )


def test_with_cloudfront_its_request_and_its_bytes_are_paid() -> None:
    given = msgspec.structs.replace(NOTHING_ELSE, has_edge=True, added_header_bytes=500_000)
    lines = bill(at(edge_request=2, edge_gb=1_000, transfer_gb=99), given).of_invocation(
        invocation(answer_bytes=500_000)
    )
    assert lines == {"CloudFront": 2, "bytes out": 1}


@pytest.mark.parametrize(
    ("messages", "size", "requests"),
    # Received and deleted ten at a time; a receive of more than 64 KB is several.
    [(0, 0, 0), (1, 2_000, 2), (10, 20_000, 2), (11, 22_000, 4), (10, 640 * 1024, 11)],
)
def test_lambda_pays_for_receiving_and_deleting(messages: int, size: int, requests: int) -> None:
    lines = bill(at(sqs_request=1)).of_invocation(invocation("work_events", messages=messages, message_bytes=size))
    assert lines.get("SQS", 0) == requests


def test_functions_outside_the_network_pay_for_no_endpoint() -> None:
    calls = {"sqs.SendMessage": Calls(count=1, body_bytes=1e9)}
    paid = {name: bill(at(endpoint_gb=1)).of_invocation(invocation(name, calls=calls)) for name in PLACES}
    assert {name for name, lines in paid.items() if not lines} == {
        name for name, one in PLACES.items() if not one.database
    }


def test_work_is_its_invocations_as_often_as_they_run() -> None:
    both = work(invocation(times=3), invocation("work_events"))
    assert bill(at(lambda_request=1)).of(both) == {"Lambda requests": 4}


def test_requests_get_cheaper_by_steps() -> None:
    mine = bill(at(api_request=4, api_request_next=3, api_request_then=2, api_request_rest=1))
    assert mine.api_usd(1e6) == 4e6
    assert mine.api_usd(1.5e9) == 333e6 * 4 + 667e6 * 3 + 500e6 * 2
    assert mine.api_usd(21e9) == 333e6 * 4 + 667e6 * 3 + 19e9 * 2 + 1e9


def test_a_month_is_its_seconds_and_its_requests_at_their_steps() -> None:
    mine = bill(at(api_request=1, api_request_next=0.5, lambda_request=1))
    one = work(invocation(answer_bytes=1))
    assert monthly_usd(mine, one, 1.0) == pytest.approx(2 * SECONDS)
    assert monthly_usd(mine, one, 200.0) == pytest.approx(200 * SECONDS + 333e6 + (200 * SECONDS - 333e6) / 2)


def test_each_function_has_one_call_a_second_and_a_twentieth_of_the_others_traced() -> None:
    mine = msgspec.structs.replace(bill(at(trace=1)), is_traced=True)
    both = work(invocation(times=11), invocation("work_events", times=0.5))
    assert monthly_usd(mine, both, 1.0) == pytest.approx((1 + 0.05 * 10 + 0.5) * SECONDS)
    assert monthly_usd(bill(at(trace=1)), both, 1.0) == 0


def test_dearer_from_is_the_lowest_rate_above_which_it_stays_so() -> None:
    rates = [1.0, 2.0, 3.0, 4.0]
    assert dearer_from(lambda rate: rate, lambda rate: 2.5, rates) == 3.0
    # Servers come in steps: at 2 it is dearer, at 3 it is not.
    assert dearer_from(lambda rate: rate, lambda rate: {2.0: 1.5}.get(rate, 3.5), rates) == 4.0
    assert dearer_from(lambda rate: rate, lambda rate: 9.0, rates) is None
    assert dearer_from(lambda rate: 9.0, lambda rate: rate, rates) == 1.0


def test_a_burstable_database_is_used_to_its_baseline_and_others_to_the_plan() -> None:
    prices = at(**{"db.t4g.medium": 1, "db.m7g.large": 2, "db.m7g.xlarge": 3, "database_storage_gb": 1})
    given = msgspec.structs.replace(NOTHING_ELSE, target=0.5)
    assert database(prices, given, vcpu=0.4, gib=10) == ("db.t4g.medium", 740)
    assert database(prices, given, vcpu=0.41, gib=10) == ("db.m7g.large", 1_470)
    assert database(prices, given, vcpu=1.01, gib=0)[0] == "db.m7g.xlarge"
    # A mean of 0.3 vCPUs with a peak of four times that is more than half of two.
    assert database(prices, msgspec.structs.replace(given, peak=4.0), vcpu=0.3, gib=0)[0] == "db.m7g.xlarge"
    assert database(prices, given, vcpu=1_000, gib=0)[1] == math.inf


def test_events_of_thirty_days_are_on_disk() -> None:
    assert stored_gib(1.0, 2**30 / 86_400) == pytest.approx(30)


def test_servers_are_there_for_the_peak_and_never_fewer_than_two_of_each() -> None:
    prices = at(fargate_vcpu_hour=2, fargate_gb_hour=1, balancer_unit_hour=1)
    given = msgspec.structs.replace(NOTHING_ELSE, target=0.5, peak=2.0)
    containers = Containers(name="containers", redis="cache.t4g.small")
    # Four tasks of half a vCPU and a GB are 8 dollars an hour; 1 vCPU at twice the mean and half used is 8 tasks.
    assert containers.usd(prices, given, vcpu=0.0, requests_per_s=0.0) == 4 * 2 * 730
    assert containers.usd(prices, given, vcpu=1.0, requests_per_s=50.0) == (8 * 2 + 2) * 730


def test_small_machines_do_until_their_baseline_is_used_up() -> None:
    prices = at(**{"t4g.small": 1, "m7g.large": 10})
    machines = Machines(name="machines", redis="cache.t4g.micro")
    given = msgspec.structs.replace(NOTHING_ELSE, target=0.5)
    assert machines.usd(prices, given, vcpu=0.8, requests_per_s=0.0) == 2 * 730
    assert machines.usd(prices, given, vcpu=0.81, requests_per_s=0.0) == 20 * 730
    assert machines.usd(prices, given, vcpu=3.0, requests_per_s=0.0) == 30 * 730


def test_what_is_there_anyway_is_counted_from_the_templates() -> None:
    stage = read_stage()
    assert (stage.secrets, stage.endpoints) == (4, 3 * 2)
    assert (stage.database_class, stage.database_gib, stage.database_most_gib) == ("db.t4g.medium", 50, 500)
    text = "".join(Path(name).read_text("utf-8") for name in ("infra/stack.yaml", "infra/watch.yaml"))
    assert (stage.alarms, stage.dashboards) == (
        text.count("Type: AWS::CloudWatch::Alarm\n"),
        text.count("Type: AWS::CloudWatch::Dashboard\n"),
    )


def test_a_quiet_month_is_hours_of_endpoints_and_pieces_of_the_rest() -> None:
    stage = Stage(
        alarms=3, dashboards=1, secrets=4, endpoints=6, database_class="", database_gib=0, database_most_gib=0
    )
    prices = at(endpoint_hour=1, metric=2, dashboard=5, alarm=7, secret=11, sqs_request=1)
    lines = fixed_lines(stage, prices, series=10, sweeper_usd=1.0)
    assert lines == {
        "interface endpoints": 6 * 730,
        "custom metrics": 20,
        "dashboards": 5,
        "alarms": 21,
        "secrets": 44,
        # Five pollers of six queues, three times a minute.
        "empty polls": 6 * 5 * 3 * 60 * 730,
        "sweeper": 60 * 730,
    }


def test_lambda_reads_as_many_queues_as_are_counted() -> None:
    mapped = [source for source in app.app.event_sources if isinstance(source, SQSEventConfig)]
    assert len(mapped) == QUEUES_READ


def test_memory_is_that_of_the_deployed_functions() -> None:
    memory_mb = read_memory_mb()
    assert set(memory_mb) == {"", *PLACES}
    assert (memory_mb["api_handler"], memory_mb["work_events"]) == (1024, 1769)


def test_each_price_says_where_it_stands_and_from_when_it_is() -> None:
    assert PRICES.region == "us-east-1"
    for name, price in PRICES.prices.items():
        assert 0 < price.usd < 10, name
        assert price.source.startswith(("https://", "http://")), name
        assert price.per, name
        assert price.as_of in ("recalled, not looked up", "undated page") or price.as_of[:3] == "202", name

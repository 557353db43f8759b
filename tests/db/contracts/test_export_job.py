"""Exports as a portal asks for them: at once where they are small, by a task of many steps where they are not."""

from __future__ import annotations

import gzip
import hashlib
from functools import partial
from typing import Any

import msgspec
import pytest

from chalicelib.aws.job_files import MemoryJobFiles
from chalicelib.errors import Unavailable
from chalicelib.exporting import Sizes, write_export
from chalicelib.jobs.kind import AnyKind, Continue, Progress
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.worker import ComeAgain, Worker
from chalicelib.kinds import contract_export
from chalicelib.search.export.request import ExportRequest, ExportResult
from tests.api.calls import document
from tests.db.contracts.desk import TASKS, THREE, Desk
from tests.doubles import registry

NAMES = (
    "reference_id,contract_no,award_title,notice_title,awardee_name,organization_name,area_of_delivery,"
    "business_category,contract_amount,award_date,award_status\r\n"
)
PAPER = "A-2,A-2,Supply of paper,,Paper & Co,City of Manila,Manila,Office,200.00,2024-05-01,active\r\n"
BRIDGE = "A-1,A-1,Repair of the bridge,,Acme Builders,City of Manila,Manila,Construction,1000.50,2024-03-01,active\r\n"
ROAD = "A-3,A-3,Repair of the road,,Acme Builders,Cebu,Cebu,Construction,3000.00,2023-01-01,active\r\n"
SYNC = "/api/v1/contracts"


def many_rows(count: int) -> str:
    head = THREE.splitlines()[0]
    lines = (
        f"N-{number},2024-01-01,Title {number},{number},Builder {number % 7},City,Area,Kind"
        for number in range(1, count + 1)
    )
    return "\n".join([head, *lines])


def files_of(desk: Desk) -> MemoryJobFiles:
    files = desk.api.runtime.job_files
    assert isinstance(files, MemoryJobFiles)
    return files


def downloaded(desk: Desk, task_id: str) -> bytes:
    with files_of(desk).open(task_id) as file:
        return file.read()


def status_of(desk: Desk, task_id: str) -> Any:  # a task
    return desk.get(f"status?task_id={task_id}")[1]


def in_parts(run: Any = write_export) -> AnyKind:  # of the kind's own types
    """The kind with parts of a few rows, each of which is a step of its own."""
    sizes = Sizes(part_bytes=1, step_s=0)
    kind = msgspec.structs.replace(contract_export.KIND, run=partial(run, sizes=sizes))
    return kind  # type: ignore[return-value]


def step(desk: Desk, kind: AnyKind) -> None:
    worker = Worker(desk.api.parts.serving(desk.api.runtime), registry(kind), "batch")
    body = msgspec.json.encode(desk.api.parts.queues.sent["batch"].popleft()).decode()
    worker.settle([Delivery(message_id="message-1", body=body, receipt="receipt-1")])


def finish(desk: Desk, kind: AnyKind) -> int:
    steps = 0
    while desk.api.parts.queues.sent["batch"]:
        step(desk, kind)
        steps += 1
    return steps


def test_export_is_queued_written_and_downloaded(desk: Desk) -> None:
    queued = desk.ask("export", {"filters": {"keywords": ["repair"]}})
    task_id = queued["task_id"]
    assert queued == {
        "status": "queued",
        "task_id": task_id,
        "export_id": task_id,
        "message": "A file of awarded contracts: queued",
        "warnings": [],
    }
    desk.work("batch")
    task = status_of(desk, task_id)
    content = ("\ufeff" + NAMES + BRIDGE + ROAD).encode()
    assert (task["state"], task["progress"], task["cache_key"]) == ("SUCCESS", 100, None)
    assert task["result"] == {
        "status": "completed",
        "cache_key": None,
        "export_id": task_id,
        "file_name": "contracts_export.csv",
        "row_count": 2,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "download_url": f"/api/tasks/{task_id}/download",
        "dataset_version": 1,
    }
    assert downloaded(desk, task_id) == content
    answer = desk.api.call("GET", task["result"]["download_url"])
    assert (answer.status, answer.headers["Location"]) == (
        303,
        f"https://files.test/{task_id}/contracts_export.csv",
    )


def test_export_by_value_has_the_rows_of_that_value_only(desk: Desk) -> None:
    queued = desk.ask("export", {"filters": {"value_range": {"min": 1000, "max": 2000}}, "bom": False})
    desk.work("batch")
    assert downloaded(desk, queued["task_id"]).decode() == NAMES + BRIDGE


def test_export_of_sums_is_by_total(desk: Desk) -> None:
    queued = desk.ask("export", {"dimension": "by_contractor", "gzip": True})
    desk.work("batch")
    assert status_of(desk, queued["task_id"])["result"]["file_name"] == "contracts_by_contractor.csv.gz"
    assert gzip.decompress(downloaded(desk, queued["task_id"])).decode() == (
        "label,total_value,count,avg_value\r\nAcme Builders,4000.50,2,2000.25\r\nPaper & Co,200.00,1,200.0\r\n"
    )


def test_each_export_is_a_task_of_its_own(desk: Desk) -> None:
    first, second = desk.ask("export", {}), desk.ask("export", {})
    assert first["task_id"] != second["task_id"]


def test_export_is_gone_after_a_day(desk: Desk) -> None:
    queued = desk.ask("export", {})
    desk.work("batch")
    desk.api.parts.clock.advance(24 * 3600 - 1)
    assert desk.api.call("GET", f"/api/tasks/{queued['task_id']}/download").status == 303
    desk.api.parts.clock.advance(1)
    assert desk.api.call("GET", f"/api/tasks/{queued['task_id']}/download").status == 410


def test_export_that_has_not_ended_cannot_be_downloaded(desk: Desk) -> None:
    queued = desk.ask("export", {})
    assert desk.api.call("GET", f"/api/tasks/{queued['task_id']}/download").status == 409


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({"format": "pdf"}, "/format", 'must be one of "csv", "jsonl", "xlsx", got "pdf"'),
        ({"format": "xlsx", "gzip": True}, "/gzip", "must be false for xlsx, which is compressed already"),
        ({"format": "jsonl", "bom": True}, "/bom", "must be false for jsonl: the mark is for csv alone"),
        ({"filters": {"time_ranges": [{"type": "yearly"}]}}, "/filters/time_ranges/0/year", "is required for yearly"),
    ],
)
def test_export_that_cannot_be_is_refused(desk: Desk, body: object, pointer: str, detail: str) -> None:
    answer = desk.api.call("POST", f"{TASKS}/export", body)
    assert (answer.status, document(answer)["errors"]) == (400, [{"pointer": pointer, "detail": detail}])


def test_long_export_goes_on_part_by_part(desk: Desk) -> None:
    assert desk.import_text(many_rows(4_500))["state"] == "SUCCESS"
    queued = desk.ask("export", {"format": "jsonl", "gzip": True})
    # Three parts of at most 2,000 rows, the end and the seal.
    assert finish(desk, in_parts()) == 5
    task = status_of(desk, queued["task_id"])
    lines = gzip.decompress(downloaded(desk, queued["task_id"])).splitlines()
    assert (task["state"], task["result"]["row_count"], len(lines)) == ("SUCCESS", 4_500, 4_500)
    assert [msgspec.json.decode(line)["reference_id"] for line in lines] == [
        f"N-{number}" for number in range(4_500, 0, -1)
    ]


def test_step_that_is_run_again_writes_nothing_twice(desk: Desk) -> None:
    assert desk.import_text(many_rows(4_500))["state"] == "SUCCESS"
    queued = desk.ask("export", {"bom": False})
    failures = iter([False, True, False, True, False, True, False, False, False])

    def away_after_work(request: ExportRequest, progress: Progress, sizes: Sizes) -> ExportResult | Continue:
        outcome = write_export(request, progress, sizes)
        if next(failures):
            raise Unavailable("the job store went away")
        return outcome

    kind = in_parts(away_after_work)
    for _ in range(8):
        message = desk.api.parts.queues.sent["batch"][0]
        try:
            step(desk, kind)
        except ComeAgain:
            desk.api.parts.queues.sent["batch"].appendleft(message)
    task = status_of(desk, queued["task_id"])
    content = downloaded(desk, queued["task_id"])
    assert (task["state"], task["result"]["row_count"], content.count(b"\r\n")) == ("SUCCESS", 4_500, 4_501)
    assert task["result"]["sha256"] == hashlib.sha256(content).hexdigest()


def test_export_cancelled_between_two_steps_leaves_nothing(desk: Desk) -> None:
    assert desk.import_text(many_rows(4_500))["state"] == "SUCCESS"
    queued = desk.ask("export", {})
    step(desk, in_parts())
    assert files_of(desk).left == [queued["task_id"]]
    desk.ask("cancel", {"task_id": queued["task_id"]})
    step(desk, in_parts())
    assert status_of(desk, queued["task_id"])["state"] == "REVOKED"
    assert files_of(desk).left == []


def test_export_cancelled_while_its_first_step_runs_leaves_nothing(desk: Desk) -> None:
    queued = desk.ask("export", {})

    def cancelled(request: ExportRequest, progress: Progress, sizes: Sizes) -> ExportResult | Continue:
        desk.ask("cancel", {"task_id": queued["task_id"]})
        desk.api.parts.clock.advance(2)
        return write_export(request, progress, sizes)

    step(desk, in_parts(cancelled))
    assert status_of(desk, queued["task_id"])["state"] == "REVOKED"
    assert files_of(desk).left == []


def test_export_whose_data_set_was_replaced_twice_fails_with_the_reason(desk: Desk) -> None:
    assert desk.import_text(many_rows(4_500))["state"] == "SUCCESS"
    queued = desk.ask("export", {})
    step(desk, in_parts())
    waiting = desk.api.parts.queues.sent["batch"].popleft()
    desk.import_text(THREE)
    desk.import_text(THREE)
    desk.api.parts.queues.sent["batch"].append(waiting)
    step(desk, in_parts())
    task = status_of(desk, queued["task_id"])
    assert task["error"] == "the contracts were replaced twice while they were exported; start the export again"
    assert files_of(desk).left == []


def test_export_stays_with_the_data_set_that_it_began_with(desk: Desk) -> None:
    assert desk.import_text(many_rows(4_500))["state"] == "SUCCESS"
    queued = desk.ask("export", {})
    step(desk, in_parts())
    waiting = desk.api.parts.queues.sent["batch"].popleft()
    desk.import_text(THREE)
    desk.api.parts.queues.sent["batch"].append(waiting)
    finish(desk, in_parts())
    result = status_of(desk, queued["task_id"])["result"]
    assert (result["row_count"], result["dataset_version"]) == (4_500, 2)


def test_small_file_is_answered_at_once(desk: Desk) -> None:
    answer = desk.api.call("POST", f"{SYNC}/chip-export", {"contractors": ["paper"]})
    assert answer.status == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="contracts_export.csv"'
    assert answer.body == ("\ufeff" + NAMES + PAPER).encode()


def test_sums_are_answered_at_once(desk: Desk) -> None:
    answer = desk.api.call("POST", f"{SYNC}/chip-export-aggregated", {"dimension": "by_area"})
    assert answer.body == b"label,total_value,count,avg_value\r\nCebu,3000.00,1,3000.0\r\nManila,1200.50,2,600.25\r\n"


def test_sums_need_to_be_told_what_by(desk: Desk) -> None:
    answer = desk.api.call("POST", f"{SYNC}/chip-export-aggregated", {})
    assert (answer.status, document(answer)["errors"]) == (400, [{"pointer": "/dimension", "detail": "is required"}])


@pytest.mark.parametrize(
    ("path", "body", "rows", "size"),
    [
        ("chip-export-estimate", {"keywords": ["repair"]}, 2, 700),
        ("chip-export-estimate", {"value_range": {"min": 3000}}, 1, 350),
        ("chip-export-estimate", {}, 3, 1_050),
        ("chip-export-aggregated-estimate", {"dimension": "category"}, 2, 240),
        ("chip-export-aggregated-estimate", {"dimension": "category", "keywords": ["zzz"]}, 0, 0),
    ],
)
def test_size_is_estimated_from_the_true_number_of_rows(
    desk: Desk, path: str, body: object, rows: int, size: int
) -> None:
    answer = desk.api.call("POST", f"{SYNC}/{path}", body)
    assert (answer.status, document(answer)) == (
        200,
        {"total_count": rows, "estimated_csv_bytes": size, "dataset_version": 1},
    )


@pytest.mark.parametrize("body", [{"format": "xlsx"}, {"gzip": True}])
def test_file_that_is_no_text_is_written_by_a_task(desk: Desk, body: object) -> None:
    answer = desk.api.call("POST", f"{SYNC}/chip-export", body)
    assert answer.status == 303
    desk.work("batch")
    assert document(desk.api.call("GET", answer.headers["Location"]))["result"]["row_count"] == 3


def test_large_file_is_written_by_a_task(desk: Desk) -> None:
    text = many_rows(700).replace("Title ", "Title " + 1_900 * "long ")
    # 9.5 kB each: 6.6 MB.
    assert desk.import_text(text)["state"] == "SUCCESS"
    answer = desk.api.call("POST", f"{SYNC}/chip-export", {})
    assert answer.status == 303
    desk.work("batch")
    assert document(desk.api.call("GET", answer.headers["Location"]))["result"]["row_count"] == 700

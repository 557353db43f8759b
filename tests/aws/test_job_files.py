"""One suite for both ways to keep the files of jobs: S3 (moto) and the memory twin."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.job_files import LEAST_PART_BYTES, JobFiles, MemoryJobFiles, S3JobFiles
from chalicelib.errors import ConfigurationError, JobFailed
from chalicelib.jobs.kind import ResultFile

BUCKET = "sluice-test-results-1"
JOB = "2f1c5a0e-8f0e-4a53-9c53-0c6f2a1b7d11"
LARGE = b"x" * LEAST_PART_BYTES
GONE = "the file that this job was writing is gone"


@pytest.fixture(params=["s3", "memory"])
def files(request: pytest.FixtureRequest) -> Iterator[JobFiles]:
    if request.param == "memory":
        yield MemoryJobFiles()
        return
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
        yield S3JobFiles(BUCKET)


def content(files: JobFiles) -> bytes:
    with files.open(JOB) as opened:
        return opened.read()


def test_parts_stand_in_the_order_of_their_numbers(files: JobFiles) -> None:
    writing = files.begin(JOB)
    files.put(JOB, writing, 2, b"end")
    files.put(JOB, writing, 1, LARGE)
    assert files.finish(JOB, writing) == LEAST_PART_BYTES + 3
    assert content(files) == LARGE + b"end"


def test_part_that_is_written_again_takes_its_own_place(files: JobFiles) -> None:
    writing = files.begin(JOB)
    files.put(JOB, writing, 1, b"first try")
    files.put(JOB, writing, 1, b"second")
    files.finish(JOB, writing)
    assert content(files) == b"second"


def test_file_that_is_finished_again_is_as_it_was(files: JobFiles) -> None:
    writing = files.begin(JOB)
    files.put(JOB, writing, 1, b"once")
    assert [files.finish(JOB, writing), files.finish(JOB, writing)] == [4, 4]
    assert content(files) == b"once"


def test_file_that_is_begun_again_has_nothing_of_the_first_writing(files: JobFiles) -> None:
    first = files.begin(JOB)
    files.put(JOB, first, 1, LARGE)
    files.put(JOB, first, 2, b"left")
    second = files.begin(JOB)
    files.put(JOB, second, 1, b"right")
    files.finish(JOB, second)
    assert content(files) == b"right"


@pytest.mark.parametrize("is_finished", [True, False])
def test_removed_file_cannot_be_finished(files: JobFiles, is_finished: bool) -> None:
    writing = files.begin(JOB)
    files.put(JOB, writing, 1, b"gone")
    if is_finished:
        files.finish(JOB, writing)
    files.remove(JOB, writing)
    files.remove(JOB, writing)
    with pytest.raises(JobFailed, match=GONE):
        files.finish(JOB, writing)


def test_removed_file_cannot_be_written() -> None:
    # The twin alone: moto crashes where S3 answers NoSuchUpload.
    files = MemoryJobFiles()
    writing = files.begin(JOB)
    files.remove(JOB, writing)
    with pytest.raises(JobFailed, match=GONE):
        files.put(JOB, writing, 1, b"late")


def test_link_says_what_the_file_is_called_and_what_is_in_it() -> None:
    with mock_aws():
        url = S3JobFiles(BUCKET).link(JOB, ResultFile("contracts.csv", "text/csv"))
    assert f"/files/{JOB}?" in url
    assert "response-content-disposition=attachment%3B%20filename%3D%22contracts.csv%22" in url
    assert "response-content-type=text%2Fcsv" in url
    assert "X-Amz-Expires=300" in url


def test_file_without_a_bucket_is_a_wrong_configuration() -> None:
    with pytest.raises(ConfigurationError, match="RESULT_BUCKET"):
        S3JobFiles("").begin(JOB)

"""One suite for both ways to keep uploads: S3 (moto) and the memory twin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.files import Files, S3Files
from chalicelib.aws.memory_files import MemoryFiles
from chalicelib.errors import ConfigurationError, FieldError, InvalidRequest, NotFound

BUCKET = "sluice-test-results-1"
WHOLE_LIMIT = 4_000_000
ID = "2f1c5a0e-8f0e-4a53-9c53-0c6f2a1b7d11"


@pytest.fixture(params=["s3", "memory"])
def files(request: pytest.FixtureRequest) -> Iterator[Files]:
    if request.param == "memory":
        yield MemoryFiles(whole_limit=WHOLE_LIMIT)
        return
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
        yield S3Files(BUCKET, whole_limit=WHOLE_LIMIT)


def send(files: Files, owner: str, body: bytes) -> None:
    """What a client does with the link; moto has no server that would take it."""
    offer = files.offer(owner, ID, size=len(body))
    if isinstance(files, MemoryFiles):
        assert files.receive(offer.url, body)
    else:
        key = offer.url.partition(f"{BUCKET}.s3.amazonaws.com/")[2].partition("?")[0]
        boto3.client("s3", region_name="us-east-1").put_object(Bucket=BUCKET, Key=key, Body=body)


def test_file_is_read_and_fetched_as_it_was_sent(files: Files, tmp_path: Path) -> None:
    send(files, "7", b"a;b\n1;2\n")
    assert files.read("7", ID) == b"a;b\n1;2\n"
    files.fetch("7", ID, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"a;b\n1;2\n"


@pytest.mark.parametrize(("byte", "rest"), [(0, b"a;b\n1;2\n"), (4, b"1;2\n"), (8, b""), (9, b"")])
def test_file_is_read_line_by_line_from_a_byte_on(files: Files, byte: int, rest: bytes) -> None:
    send(files, "7", b"a;b\n1;2\n")
    assert files.size("7", ID) == 8
    with files.open_at("7", ID, byte) as opened:
        assert list(opened) == rest.splitlines(keepends=True)


def test_large_file_is_streamed_and_not_read_whole(files: Files) -> None:
    line = b"x" * 99 + b"\n"
    # More than one part of a stream, none of which ends where a line does.
    send(files, "7", line * 200_000)
    with files.open_at("7", ID, 100) as opened:
        assert sum(1 for each in opened if each == line) == 199_999
    with pytest.raises(InvalidRequest) as refused:
        files.read("7", ID)
    detail = f"must name a file of at most {WHOLE_LIMIT} bytes, got one of 20000000"
    assert refused.value.errors == (FieldError("/upload_id", detail),)


@pytest.mark.parametrize("owner", ["8", ""])
def test_file_of_another_owner_is_not_there(files: Files, owner: str, tmp_path: Path) -> None:
    send(files, "7", b"secret")
    with pytest.raises(NotFound, match=f"there is no upload {ID} of yours"):
        files.read(owner, ID)
    with pytest.raises(NotFound):
        files.fetch(owner, ID, tmp_path / "copy")
    with pytest.raises(NotFound):
        files.size(owner, ID)
    with pytest.raises(NotFound):
        files.open_at(owner, ID, 0)


def test_file_that_was_offered_and_not_sent_is_not_there(files: Files) -> None:
    files.offer("7", ID, size=3)
    with pytest.raises(NotFound):
        files.read("7", ID)


@pytest.mark.parametrize("name", ["../7/x", "a/b", "", "x y"])
def test_name_that_is_no_id_reaches_nothing(files: Files, name: str) -> None:
    with pytest.raises(NotFound):
        files.read("7", name)


def test_size_is_signed_into_the_link() -> None:
    with mock_aws():
        offer = S3Files(BUCKET).offer("7", ID, size=5)
    assert offer.method == "PUT"
    assert offer.headers == {"Content-Length": "5"}
    assert f"/uploads/7/{ID}?" in offer.url
    assert "X-Amz-SignedHeaders=content-length%3Bhost" in offer.url
    assert "X-Amz-Expires=900" in offer.url


def test_memory_twin_refuses_another_size_as_s3_does() -> None:
    files = MemoryFiles()
    assert not files.receive(files.offer("7", ID, size=5).url, b"123456")


def test_upload_without_a_bucket_is_a_wrong_configuration() -> None:
    with pytest.raises(ConfigurationError, match="RESULT_BUCKET"):
        S3Files("").offer("7", ID, size=5)

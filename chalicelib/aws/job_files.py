"""Files that jobs leave for their owners: written in parts by one function run after the other, fetched by a link.

One file for each job, below `files/` in the bucket of results, whose lifecycle removes files and unfinished ones. A
part that is written again takes its own place, so a step that is repeated does no harm.
"""

from __future__ import annotations

import io
from functools import cached_property
from typing import IO, TYPE_CHECKING, Protocol

from chalicelib.aws.files import InParts
from chalicelib.errors import ConfigurationError, JobFailed
from chalicelib.jobs.clients import client, outages
from chalicelib.jobs.kind import ResultFile

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

# All parts but the last one must have 5 MiB and more (S3, "Multipart upload limits").
LEAST_PART_BYTES = 5 * 2**20
# Long enough to start a download, too short to pass the link around.
_LINK_S = 300
_WHAT = "the bucket of files"


class JobFiles(Protocol):
    """Files by the ids of their jobs; raises Unavailable."""

    def begin(self, job_id: str) -> str:
        """Begins the file anew; answers a name for what is being written."""

    def put(self, job_id: str, writing: str, number: int, part: bytes) -> None:
        """Writes a part by its number, from 1; raises JobFailed where nothing is being written under that name."""

    def finish(self, job_id: str, writing: str) -> int:
        """Puts the parts together, once however often it is asked; answers the size in bytes. Raises JobFailed."""

    def open(self, job_id: str) -> IO[bytes]:
        """The finished file, read as it comes."""

    def link(self, job_id: str, file: ResultFile) -> str:
        """An address that gives the file to whoever has it, for five minutes."""

    def remove(self, job_id: str, writing: str) -> None:
        """Removes the file, finished or not; nothing where there is none."""


class S3JobFiles:
    """Files in one bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def begin(self, job_id: str) -> str:
        with outages(_WHAT):
            return self._s3.create_multipart_upload(Bucket=self._name(), Key=_key(job_id))["UploadId"]

    def put(self, job_id: str, writing: str, number: int, part: bytes) -> None:
        with outages(_WHAT):
            try:
                self._s3.upload_part(
                    Bucket=self._name(), Key=_key(job_id), UploadId=writing, PartNumber=number, Body=part
                )
            except self._s3.exceptions.NoSuchUpload:
                raise nothing_written() from None

    def finish(self, job_id: str, writing: str) -> int:
        key = _key(job_id)
        with outages(_WHAT):
            try:
                parts = self._parts(key, writing)
                self._s3.complete_multipart_upload(
                    Bucket=self._name(), Key=key, UploadId=writing, MultipartUpload={"Parts": parts}
                )
            except self._s3.exceptions.NoSuchUpload:
                # Perhaps since it was finished before.
                pass
        size = self._size(key)
        if size is None:
            raise nothing_written()
        return size

    def open(self, job_id: str) -> IO[bytes]:
        key = _key(job_id)
        size = self._size(key) or 0

        def fetch(first: int, last: int) -> bytes:
            with outages(_WHAT):
                found = self._s3.get_object(Bucket=self._name(), Key=key, Range=f"bytes={first}-{last}")
                return found["Body"].read()

        return io.BufferedReader(InParts(fetch, 0, size))

    def link(self, job_id: str, file: ResultFile) -> str:
        parameters = {
            "Bucket": self._name(),
            "Key": _key(job_id),
            "ResponseContentDisposition": f'attachment; filename="{file.name}"',
            "ResponseContentType": file.media,
        }
        return self._s3.generate_presigned_url("get_object", Params=parameters, ExpiresIn=_LINK_S)

    def remove(self, job_id: str, writing: str) -> None:
        key = _key(job_id)
        with outages(_WHAT):
            try:
                self._s3.abort_multipart_upload(Bucket=self._name(), Key=key, UploadId=writing)
            except self._s3.exceptions.NoSuchUpload:
                self._s3.delete_object(Bucket=self._name(), Key=key)

    def _parts(self, key: str, writing: str) -> list[CompletedPartTypeDef]:
        pages = self._s3.get_paginator("list_parts").paginate(Bucket=self._name(), Key=key, UploadId=writing)
        return [
            {"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for page in pages for part in page.get("Parts", [])
        ]

    def _size(self, key: str) -> int | None:
        with outages(_WHAT):
            try:
                return self._s3.head_object(Bucket=self._name(), Key=key)["ContentLength"]
            except self._s3.exceptions.ClientError as error:
                # S3 answers HEAD without a body, so without the name of the error.
                if error.response["Error"]["Code"] != "404":
                    raise
                return None

    @cached_property
    def _s3(self) -> S3Client:
        api: S3Client = client("s3", read_timeout_s=30)
        return api

    def _name(self) -> str:
        if not self._bucket:
            raise ConfigurationError("RESULT_BUCKET is not set, and files of jobs need it")
        return self._bucket


class MemoryJobFiles:
    """The twin in memory for tests."""

    def __init__(self) -> None:
        self._written: dict[tuple[str, str], dict[int, bytes]] = {}
        self._files: dict[str, bytes] = {}

    def begin(self, job_id: str) -> str:
        writing = f"writing-{len(self._written) + 1}"
        self._written[job_id, writing] = {}
        return writing

    def put(self, job_id: str, writing: str, number: int, part: bytes) -> None:
        if (job_id, writing) not in self._written:
            raise nothing_written()
        self._written[job_id, writing][number] = part

    def finish(self, job_id: str, writing: str) -> int:
        parts = self._written.pop((job_id, writing), None)
        if parts is not None:
            self._files[job_id] = b"".join(parts[number] for number in sorted(parts))
        if job_id not in self._files:
            raise nothing_written()
        return len(self._files[job_id])

    def open(self, job_id: str) -> IO[bytes]:
        return io.BytesIO(self._files[job_id])

    def link(self, job_id: str, file: ResultFile) -> str:
        return f"https://files.test/{job_id}/{file.name}"

    def remove(self, job_id: str, writing: str) -> None:
        if self._written.pop((job_id, writing), None) is None:
            self._files.pop(job_id, None)

    @property
    def left(self) -> list[str]:
        """The jobs of which there is anything, finished or not."""
        return sorted({job_id for job_id, _ in self._written} | set(self._files))


def nothing_written() -> JobFailed:
    """What a file is answered with that nobody is writing."""
    return JobFailed("the file that this job was writing is gone; start it again")


def _key(job_id: str) -> str:
    return f"files/{job_id}"

"""Files that clients send before the job that reads them: straight into S3 by a presigned link, never through the API.

An upload is its owner's: the owner is a part of the key, so that another account's id names nothing. The size is part
of what is signed; S3 refuses any other. The bucket's lifecycle removes uploads after a day.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

import msgspec

from chalicelib.errors import ConfigurationError, FieldError, InvalidRequest, NotFound
from chalicelib.jobs.clients import client, outages

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# Long enough for a slow line to begin; S3 lets what has begun end.
LINK_S = 900
# What a worker has the memory to hold whole; for files that are read piece by piece it is S3's own limit of one PUT.
MAX_BYTES = 100 * 2**20
MOST_BYTES = 5 * 2**30
_PART_BYTES = 8 * 2**20
_WHAT = "the upload bucket"
_NOBODY = "public"


class Offer(msgspec.Struct, frozen=True):
    """Where to send a file: a method, an address, and headers that must be sent as they are."""

    method: str
    url: str
    headers: dict[str, str]


class Files(Protocol):
    """Uploads by owner and id; raises Unavailable."""

    def offer(self, owner: str, upload_id: str, *, size: int) -> Offer:
        """A link for one file of exactly `size` bytes."""

    def read(self, owner: str, upload_id: str) -> bytes:
        """The file whole; raises NotFound where nothing was sent, InvalidRequest over MAX_BYTES."""

    def fetch(self, owner: str, upload_id: str, path: Path) -> None:
        """Writes the file to `path`; raises NotFound where nothing was sent."""

    def size(self, owner: str, upload_id: str) -> int:
        """Length of the file in bytes; raises NotFound where nothing was sent."""

    def open_at(self, owner: str, upload_id: str, byte: int) -> IO[bytes]:
        """The file from a byte of it on, read as it comes; raises NotFound where nothing was sent."""


class S3Files:
    """Uploads in one bucket, below `uploads/`."""

    def __init__(self, bucket: str, *, whole_limit: int = MAX_BYTES) -> None:
        self._bucket = bucket
        self._whole_limit = whole_limit

    def offer(self, owner: str, upload_id: str, *, size: int) -> Offer:
        parameters = {"Bucket": self._name(), "Key": _key(owner, upload_id), "ContentLength": size}
        url = self._s3.generate_presigned_url("put_object", Params=parameters, ExpiresIn=LINK_S)
        return Offer("PUT", url, {"Content-Length": str(size)})

    def read(self, owner: str, upload_id: str) -> bytes:
        with outages(_WHAT):
            try:
                found = self._s3.get_object(Bucket=self._name(), Key=_key(owner, upload_id))
            except self._s3.exceptions.NoSuchKey:
                raise missing(upload_id) from None
            with found["Body"] as body:
                check_size(found["ContentLength"], self._whole_limit)
                return body.read()

    def fetch(self, owner: str, upload_id: str, path: Path) -> None:
        with outages(_WHAT):
            try:
                body = self._s3.get_object(Bucket=self._name(), Key=_key(owner, upload_id))["Body"]
            except self._s3.exceptions.NoSuchKey:
                raise missing(upload_id) from None
            with path.open("wb") as file:
                for chunk in body.iter_chunks(1 << 20):
                    file.write(chunk)

    def size(self, owner: str, upload_id: str) -> int:
        with outages(_WHAT):
            try:
                return self._s3.head_object(Bucket=self._name(), Key=_key(owner, upload_id))["ContentLength"]
            except self._s3.exceptions.ClientError as error:
                # S3 answers HEAD without a body, so without the name of the error.
                if error.response["Error"]["Code"] != "404":
                    raise
                raise missing(upload_id) from None

    def open_at(self, owner: str, upload_id: str, byte: int) -> IO[bytes]:
        size, key = self.size(owner, upload_id), _key(owner, upload_id)

        def fetch(first: int, last: int) -> bytes:
            with outages(_WHAT):
                found = self._s3.get_object(Bucket=self._name(), Key=key, Range=f"bytes={first}-{last}")
                return found["Body"].read()

        return io.BufferedReader(InParts(fetch, byte, size))

    @cached_property
    def _s3(self) -> S3Client:
        api: S3Client = client("s3", read_timeout_s=10)
        return api

    def _name(self) -> str:
        if not self._bucket:
            raise ConfigurationError("RESULT_BUCKET is not set, and uploads need it")
        return self._bucket


class InParts(io.RawIOBase):
    """A file read part by part: between two of them its reader may take its time, and no connection waits.

    `fetch` answers the bytes from one to another, both included; the file has `size` bytes.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], byte: int, size: int) -> None:
        self._fetch = fetch
        self._next = byte
        self._size = size
        self._part = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader hands in
        # A range that begins behind the end is an error to S3.
        if not self._part and self._next < self._size:
            self._part = memoryview(self._fetch(self._next, min(self._next + _PART_BYTES, self._size) - 1))
            self._next += len(self._part)
        taken = self._part[: len(buffer)]
        buffer[: len(taken)] = taken
        self._part = self._part[len(taken) :]
        return len(taken)


def check_size(size: int, limit: int) -> None:
    """Refuses a file that is too large to be held whole."""
    if size > limit:
        detail = f"must name a file of at most {limit} bytes, got one of {size}"
        raise InvalidRequest([FieldError("/upload_id", detail)])


def missing(upload_id: str) -> NotFound:
    """What an upload that is not there is answered with."""
    return NotFound(
        f"there is no upload {upload_id[:60]} of yours: send the file to the link of POST /api/uploads first"
    )


def _key(owner: str, upload_id: str) -> str:
    # An id is a name of ours: anything else, such as one with a slash in it, must not reach other keys.
    if not upload_id.replace("-", "").isalnum():
        raise missing(upload_id)
    return f"uploads/{owner or _NOBODY}/{upload_id}"

"""Files that clients send before the job that reads them: straight into S3 by a presigned link, never through the API.

An upload is its owner's: the owner is a part of the key, so that another account's id names nothing. The size is part
of what is signed; S3 refuses any other. The bucket's lifecycle removes uploads after a day.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from chalicelib.errors import ConfigurationError, NotFound
from chalicelib.jobs.clients import client, outages

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# Long enough for a slow line to begin; S3 lets what has begun end.
LINK_S = 900
MAX_BYTES = 100 * 1024 * 1024
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
        """The file; raises NotFound where nothing was sent."""

    def fetch(self, owner: str, upload_id: str, path: Path) -> None:
        """Writes the file to `path`; raises NotFound where nothing was sent."""


class S3Files:
    """Uploads in one bucket, below `uploads/`."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def offer(self, owner: str, upload_id: str, *, size: int) -> Offer:
        parameters = {"Bucket": self._name(), "Key": _key(owner, upload_id), "ContentLength": size}
        url = self._s3.generate_presigned_url("put_object", Params=parameters, ExpiresIn=LINK_S)
        return Offer("PUT", url, {"Content-Length": str(size)})

    def read(self, owner: str, upload_id: str) -> bytes:
        with outages(_WHAT):
            try:
                return self._s3.get_object(Bucket=self._name(), Key=_key(owner, upload_id))["Body"].read()
            except self._s3.exceptions.NoSuchKey:
                raise missing(upload_id) from None

    def fetch(self, owner: str, upload_id: str, path: Path) -> None:
        with outages(_WHAT):
            try:
                body = self._s3.get_object(Bucket=self._name(), Key=_key(owner, upload_id))["Body"]
            except self._s3.exceptions.NoSuchKey:
                raise missing(upload_id) from None
            with path.open("wb") as file:
                for chunk in body.iter_chunks(1 << 20):
                    file.write(chunk)

    @cached_property
    def _s3(self) -> S3Client:
        api: S3Client = client("s3", read_timeout_s=10)
        return api

    def _name(self) -> str:
        if not self._bucket:
            raise ConfigurationError("RESULT_BUCKET is not set, and uploads need it")
        return self._bucket


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

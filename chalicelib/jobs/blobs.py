"""Where requests and results go that are too large for an item: one S3 bucket, whose lifecycle removes them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.errors import ConfigurationError
from chalicelib.jobs.clients import client, outages

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# Long enough to start a download, too short to pass the link around.
LINK_S = 300


class Blobs:
    """Objects in a bucket; raises Unavailable, and ConfigurationError where there is no bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def put(self, key: str, body: bytes) -> None:
        with outages("the result bucket"):
            self._s3.put_object(Bucket=self._name(), Key=key, Body=body, ContentType="application/json")

    def get(self, key: str) -> bytes:
        with outages("the result bucket"):
            return self._s3.get_object(Bucket=self._name(), Key=key)["Body"].read()

    def link(self, key: str, file_name: str) -> str:
        """An address that gives the object to whoever has it, for LINK_S seconds."""
        parameters = {
            "Bucket": self._name(),
            "Key": key,
            "ResponseContentDisposition": f'attachment; filename="{file_name}"',
        }
        return self._s3.generate_presigned_url("get_object", Params=parameters, ExpiresIn=LINK_S)

    @cached_property
    def _s3(self) -> S3Client:
        api: S3Client = client("s3", read_timeout_s=10)
        return api

    def _name(self) -> str:
        if not self._bucket:
            raise ConfigurationError("RESULT_BUCKET is not set, and this job needs it")
        return self._bucket

"""Uploads in memory: the twin of S3Files for tests, which send a file by `receive` instead of by a link."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO

from chalicelib.aws.files import MAX_BYTES, Offer, check_size, missing


class MemoryFiles:
    """Uploads by owner and id."""

    def __init__(self, *, whole_limit: int = MAX_BYTES) -> None:
        self._whole_limit = whole_limit
        self._files: dict[tuple[str, str], bytes] = {}
        self._sizes: dict[str, tuple[str, str, int]] = {}

    def offer(self, owner: str, upload_id: str, *, size: int) -> Offer:
        url = f"https://uploads.test/{owner}/{upload_id}"
        self._sizes[url] = (owner, upload_id, size)
        return Offer("PUT", url, {"Content-Length": str(size)})

    def receive(self, url: str, body: bytes) -> bool:
        """What a link does with a file: takes one of the offered size, refuses any other."""
        owner, upload_id, size = self._sizes[url]
        if len(body) != size:
            return False
        self._files[owner, upload_id] = body
        return True

    def read(self, owner: str, upload_id: str) -> bytes:
        body = self._find(owner, upload_id)
        check_size(len(body), self._whole_limit)
        return body

    def fetch(self, owner: str, upload_id: str, path: Path) -> None:
        path.write_bytes(self._find(owner, upload_id))

    def size(self, owner: str, upload_id: str) -> int:
        return len(self._find(owner, upload_id))

    def open_at(self, owner: str, upload_id: str, byte: int) -> IO[bytes]:
        return io.BytesIO(self._find(owner, upload_id)[byte:])

    def _find(self, owner: str, upload_id: str) -> bytes:
        found = self._files.get((owner, upload_id))
        if found is None:
            raise missing(upload_id)
        return found

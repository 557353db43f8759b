"""What is packed in a gzip file, opened at any byte of it.

A packed file has no place to begin at but its first byte: what lies before is unpacked and let go. So little is held in
memory whatever the file says; how much there is in all has a limit, because a thousand bytes can be made of one.
"""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO

from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.search.source import Open

MAGIC = b"\x1f\x8b"
# Of the 5 GB that a file may have itself, text as it usually is becomes this much.
MOST_BYTES = 40 << 30
_CHUNK = 1 << 17
_SAMPLE = 1 << 20


class Unpacked:
    """A gzip file of one member or several; reading raises InvalidRequest where it is damaged or becomes too much."""

    def __init__(self, open_at: Open, *, most_bytes: int = MOST_BYTES) -> None:
        self._open_at = open_at
        self._most_bytes = most_bytes

    def open_at(self, byte: int) -> IO[bytes]:
        """What is packed, from a byte of it on."""
        unpacking = _Unpacking(self._open_at(0), self._most_bytes)
        while byte > 0 and (skipped := len(unpacking.read(min(byte, _CHUNK)) or b"")):
            byte -= skipped
        return io.BufferedReader(unpacking, _CHUNK)

    def estimate(self, size: int) -> int:
        """About how many bytes a file of `size` becomes, by its first ones; exactly where those are all."""
        packed = _Counted(self._open_at(0))
        with _Unpacking(packed, self._most_bytes) as unpacking:
            unpacked = 0
            while unpacked < _SAMPLE:
                more = len(unpacking.read(_CHUNK) or b"")
                if not more:
                    return unpacked
                unpacked += more
        return unpacked * max(size, packed.count) // packed.count


class _Counted(io.RawIOBase):
    """A file that counts what is read of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what a reader hands in
        more = self._file.read(len(buffer))
        buffer[: len(more)] = more
        self.count += len(more)
        return len(more)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Unpacking(io.RawIOBase):
    """The members one after the other."""

    def __init__(self, packed: IO[bytes] | _Counted, most_bytes: int) -> None:
        self._packed = packed
        self._members = gzip.GzipFile(fileobj=packed)
        self._most_bytes = most_bytes
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader hands in
        try:
            more = self._members.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _refused(f"must be a whole gzip file: {error}") from None
        self._count += len(more)
        if self._count > self._most_bytes:
            raise _refused(f"must have at most {self._most_bytes} bytes when it is unpacked")
        buffer[: len(more)] = more
        return len(more)

    def close(self) -> None:
        self._packed.close()
        super().close()


def _refused(detail: str) -> InvalidRequest:
    return InvalidRequest([FieldError("", detail)])

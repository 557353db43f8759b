"""A ZIP archive written from front to back, which one process can begin and another go on with.

No library does that: their writers hold what they know in memory until the end. The layout is that of PKWARE's
APPNOTE.TXT 6.3.10 without the extensions for large files, which not all spreadsheets read: an archive of 4 GiB and
more is refused.
"""

from __future__ import annotations

import struct
import zlib

from msgspec import Struct

from chalicelib.errors import JobFailed

MOST_BYTES = 2**32 - 1
# Sizes and checksum follow the content (bit 3); names are UTF-8 (bit 11).
_FLAGS = 1 << 3 | 1 << 11
_DEFLATE = 8
_VERSION = 20
# 1980-01-01 00:00, the earliest there is: the same rows are the same bytes whenever they are written.
_TIME, _DAY = 0, 1 << 5 | 1
# The usual level takes twice the time for a tenth less.
_LEVEL = 3


class Member(Struct, frozen=True):
    """A file in the archive, and how far it has been written."""

    name: str
    offset: int
    crc: int = 0
    packed: int = 0
    size: int = 0


class Place(Struct, frozen=True):
    """All that is to be known to go on; the last member is open until it is closed."""

    written: int = 0
    members: tuple[Member, ...] = ()


class Archive:
    """Writes members one after the other; every method answers the next piece of the archive."""

    def __init__(self, place: Place | None = None, *, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._place = place or Place()
        self._packer = _new_packer()

    @property
    def member_size(self) -> int:
        """Bytes that went into the open member."""
        return self._place.members[-1].size

    def open(self, name: str) -> bytes:
        """Begins a member."""
        members = (*self._place.members, Member(name, self._place.written))
        self._place = Place(self._place.written, members)
        return self._counted(_local_header(name))

    def write(self, content: bytes) -> bytes:
        """Adds to the open member."""
        return self._packed(content, self._packer.compress(content))

    def close(self) -> bytes:
        """Ends the open member; raises JobFailed if it has become too large."""
        rest = self._packed(b"", self._packer.flush())
        self._packer = _new_packer()
        member = self._place.members[-1]
        if member.size > self._most_bytes:
            raise _too_large()
        return rest + self._counted(b"PK\x07\x08" + struct.pack("<LLL", member.crc, member.packed, member.size))

    def pause(self) -> tuple[bytes, Place]:
        """What is still held of the open member, and the place behind it."""
        rest = self._packed(b"", self._packer.flush(zlib.Z_FULL_FLUSH))
        # What follows refers to nothing before it.
        self._packer = _new_packer()
        return rest, self._place

    def end(self) -> bytes:
        """The directory; raises JobFailed if the archive has become too large."""
        directory = b"".join(map(_directory_entry, self._place.members))
        count, start = len(self._place.members), self._place.written
        if start + len(directory) > self._most_bytes:
            raise _too_large()
        return directory + b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, count, count, len(directory), start, 0)

    def _packed(self, content: bytes, packed: bytes) -> bytes:
        *closed, last = self._place.members
        grown = Member(
            last.name, last.offset, zlib.crc32(content, last.crc), last.packed + len(packed), last.size + len(content)
        )
        self._place = Place(self._place.written, (*closed, grown))
        return self._counted(packed)

    def _counted(self, piece: bytes) -> bytes:
        written = self._place.written + len(piece)
        if written > self._most_bytes:
            raise _too_large()
        self._place = Place(written, self._place.members)
        return piece


def _new_packer() -> zlib._Compress:
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)


def _local_header(name: str) -> bytes:
    encoded = name.encode()
    return (
        b"PK\x03\x04"
        + struct.pack("<HHHHHLLLHH", _VERSION, _FLAGS, _DEFLATE, _TIME, _DAY, 0, 0, 0, len(encoded), 0)
        + encoded
    )


def _directory_entry(member: Member) -> bytes:
    encoded = member.name.encode()
    fixed = struct.pack(
        "<HHHHHHLLLHHHHHLL",
        _VERSION, _VERSION, _FLAGS, _DEFLATE, _TIME, _DAY, member.crc, member.packed, member.size,
        len(encoded), 0, 0, 0, 0, 0, member.offset,
    )  # fmt: skip
    return b"PK\x01\x02" + fixed + encoded


def _too_large() -> JobFailed:
    return JobFailed("a workbook of this many rows would be larger than 4 GiB; ask for csv instead, or for fewer rows")

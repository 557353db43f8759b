"""What a load reads awards from: a file in whichever format, read on at any place where an earlier reading stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, Protocol, TypeAlias

import msgspec

from chalicelib.search.awards import Award, Rejection

# Opens a file at a byte of it.
Open: TypeAlias = Callable[[int], IO[bytes]]
BOM = b"\xef\xbb\xbf"


class Place(msgspec.Struct, frozen=True):
    """How far a source has been read."""

    # Of what was packed, where the file is.
    byte: int = 0
    # Or releases, where those are counted.
    lines: int = 0


class Source(Protocol):
    """Where awards come from."""

    # In bytes; 0 where it is not known. Of a packed file it is an estimate.
    size: int
    # Behind the last item all of whose records were handed out; an item, such as a release, can have several.
    place: Place
    # What a record is rejected with that tells of an award again; %s is the line of the one that counts.
    told_again: str

    def records(self, start: Place) -> Iterator[Award | Rejection]:
        """The records from a place on, in the same order each time; raises InvalidRequest where the file is unfit."""

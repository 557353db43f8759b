"""What is packed with gzip: read from any byte, within limits, and refused where it is damaged."""

from __future__ import annotations

import gzip
import io
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidRequest
from chalicelib.search.unpacked import Unpacked

TEXT = random.Random(6).randbytes(3_000_000)


def unpacked(content: bytes, **limits: int) -> Unpacked:
    return Unpacked(lambda byte: io.BytesIO(content[byte:]), **limits)


def bomb(megabytes: int) -> bytes:
    """Zeros, as small as they get."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4), st.integers(0, 170))
def test_members_are_read_as_one_file_from_any_byte(parts: list[bytes], byte: int) -> None:
    content = b"".join(map(gzip.compress, parts))
    with unpacked(content).open_at(byte) as file:
        assert file.read() == b"".join(parts)[byte:]


def test_byte_far_inside_is_found() -> None:
    with unpacked(gzip.compress(TEXT)).open_at(2_345_678) as file:
        assert file.read(100) == TEXT[2_345_678:2_345_778]


def test_zeros_behind_the_last_member_are_no_content() -> None:
    assert unpacked(gzip.compress(b"text") + bytes(512)).open_at(0).read() == b"text"


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(TEXT)[:-1],
        gzip.compress(TEXT)[:1000],
        gzip.compress(TEXT)[:-8] + bytes(8),
        gzip.compress(TEXT) + b"\x1f\x8bno more",
        gzip.compress(TEXT) + b"text",
        b"\x1f\x8b",
        b"\x1f\x8b\x08\x00" + b"\xff" * 100,
    ],
    ids=["end cut", "cut", "sum wrong", "bad member", "text behind", "magic alone", "no deflate"],
)
def test_file_that_is_damaged_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidRequest, match="must be a whole gzip file"):
        unpacked(content).open_at(0).read()


def test_file_that_becomes_too_much_is_refused_as_soon_as_it_does() -> None:
    content = bomb(64)
    assert len(content) < 100_000
    file = unpacked(content, most_bytes=10_000_000).open_at(0)
    assert file.read(9_000_000) == bytes(9_000_000)
    with pytest.raises(InvalidRequest, match="must have at most 10000000 bytes when it is unpacked"):
        file.read(2_000_000)


def test_what_lies_before_the_byte_counts_too() -> None:
    with pytest.raises(InvalidRequest, match="at most 10000000 bytes"):
        unpacked(bomb(64), most_bytes=10_000_000).open_at(40_000_000)


def test_size_is_known_of_a_small_file_and_estimated_of_a_large_one() -> None:
    assert unpacked(gzip.compress(b"text" * 1000)).estimate(31) == 4000
    even = gzip.compress(TEXT)
    assert unpacked(even).estimate(len(even)) == pytest.approx(len(TEXT), rel=0.05)

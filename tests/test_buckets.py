"""The bucket: a burst at once, then the rate."""

from __future__ import annotations

import pytest

from chalicelib.buckets import Bucket, Buckets


def test_burst_is_taken_at_once_and_more_when_it_has_filled() -> None:
    bucket = Bucket(rate=10, burst=20)
    assert [bucket.take(15, now_s=100), bucket.take(5, now_s=100)] == [0, 0]
    assert bucket.take(3, now_s=100.1) == pytest.approx(0.2)
    assert bucket.take(3, now_s=100.3) == 0


def test_bucket_holds_no_more_than_a_burst() -> None:
    bucket = Bucket(rate=10, burst=20)
    assert [bucket.take(20, now_s=0), bucket.take(20, now_s=1_000), bucket.take(1, now_s=1_000)] == [0, 0, 0.1]


def test_more_than_a_burst_is_taken_from_a_full_bucket() -> None:
    assert Bucket(rate=10, burst=20).take(2_500, now_s=0) == 0


def test_clock_that_goes_back_takes_nothing_away() -> None:
    bucket = Bucket(rate=10, burst=20)
    assert [bucket.take(20, now_s=50), bucket.take(1, now_s=40), bucket.take(5, now_s=50.5)] == [0, 0.1, 0]


def test_bucket_says_what_is_left_and_when_there_is_one_more() -> None:
    bucket = Bucket(rate=0.5, burst=3)
    bucket.take(1, now_s=100)
    assert (bucket.left, bucket.more_s) == (2, 2)
    bucket.take(2, now_s=101)
    assert (bucket.left, bucket.more_s) == (0, 1)


def test_each_key_has_a_bucket_of_its_own() -> None:
    buckets = Buckets(rate=1, burst=2, most=10)
    assert buckets.of("ann").take(2, now_s=0) == 0
    assert (buckets.of("ann").left, buckets.of("bob").left) == (0, 2)


def test_who_was_not_seen_for_longest_is_forgotten_first() -> None:
    buckets = Buckets(rate=1, burst=2, most=2)
    for key in ("ann", "bob", "ann", "eve"):
        buckets.of(key).take(1, now_s=0)
    # Bob, who made room for Eve, makes room in his turn; Ann was seen twice.
    assert [buckets.of(key).left for key in ("ann", "eve", "bob")] == [0, 1, 2]

"""Samples as lists and as texts."""

from __future__ import annotations

import pytest

from chalicelib.sim.analyses.series import read_series


@pytest.mark.parametrize("text", ["5 6.5 0", "5,6.5,0", "5;6.5;0", "5\n6.5\r\n0\n", " 5, 6.5 ;\t0 ,", "5e0 +6.5 0.0"])
def test_text_may_be_separated_in_any_usual_way(text: str) -> None:
    assert read_series(text, "/tpSamples").values == (5.0, 6.5, 0.0)


@pytest.mark.parametrize("sent", [None, "", " \n,;", ()])
def test_nothing_is_an_empty_series_and_no_error(sent: str | tuple[float, ...] | None) -> None:
    found = read_series(sent, "/tpSamples")
    assert (found.values, found.errors) == ((), ())


def test_every_wrong_number_of_a_text_is_named_by_its_place() -> None:
    found = read_series("5 six -1 100001 nan inf", "/tpSamples")
    assert found.values == ()
    assert {error.pointer for error in found.errors} == {"/tpSamples"}
    assert [error.detail for error in found.errors] == [
        "number 2 must be a number, got 'six'",
        "number 3 must be from 0 to 100000, got -1",
        "number 4 must be from 0 to 100000, got 100001",
        "number 5 must be a number, got 'nan'",
        "number 6 must be from 0 to 100000, got inf",
    ]


def test_text_holds_as_many_numbers_as_a_list() -> None:
    assert len(read_series("1 " * 1_000, "/x").values) == 1_000
    (error,) = read_series("1 " * 1_001, "/x").errors
    assert error.detail == "must have at most 1000 numbers, got 1001"

"""What a record's texts become, and why some records are rejected."""

from __future__ import annotations

from datetime import date

import pytest

from chalicelib.search.awards import FIELDS, Award, Rejection, fold, read_award, search_text, words_of

GOOD = {
    "contract_number": "2001",
    "award_date": "2024-05-06",
    "award_title": "Road",
    "notice_title": "A road",
    "amount": "12.5",
    "awardee": "Ann",
    "organization": "City",
    "area": "Cebu",
    "category": "Services",
}


def read(**changes: str | None) -> Award | Rejection:
    return read_award(7, [(GOOD | changes)[field] for field in FIELDS])


def good(**changes: str | None) -> Award:
    award = read(**changes)
    assert isinstance(award, Award)
    return award


def test_record_becomes_an_award() -> None:
    assert read() == Award(
        contract_number="2001",
        award_date=date(2024, 5, 6),
        award_title="Road",
        notice_title="A road",
        amount_centavos=1250,
        awardee="Ann",
        organization="City",
        area="Cebu",
        category="Services",
    )


@pytest.mark.parametrize("blank", [None, "", "  ", "NULL", " NULL "])
def test_blank_and_null_values_are_missing(blank: str | None) -> None:
    fields = ("contract_number", "award_date", "award_title", "notice_title", "organization", "area", "category")
    award = read(**dict.fromkeys(fields, blank))
    assert award == Award(None, None, None, None, 1250, "Ann", None, None, None)


def test_contract_number_zero_is_missing() -> None:
    assert good(contract_number="0").contract_number is None


def test_text_keeps_everything_but_the_blanks_around_it() -> None:
    assert good(organization="  PROVINCE  ОF\n100%_\\ 'x' ").organization == "PROVINCE  ОF\n100%_\\ 'x'"


@pytest.mark.parametrize(
    ("text", "centavos"),
    [
        ("1", 100),
        ("1234.50", 123_450),
        ("1,234.50", 123_450),
        ("12,345,678", 1_234_567_800),
        (" 5. ", 500),
        (".5", 50),
        ("+7", 700),
        ("1.5E+6", 150_000_000),
        ("0.005", 1),
        ("2.675", 268),
        ("2.6749999999999999999999999999999999999", 267),
        ("90000000000000", 9_000_000_000_000_000),
    ],
)
def test_amount_is_in_centavos_rounded_half_up(text: str, centavos: int) -> None:
    assert good(amount=text).amount_centavos == centavos


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must not be blank"),
        ("NULL", "must not be blank"),
        ("0", "must be at least 0.01, got 0"),
        ("-5.00", "must be at least 0.01, got -5.00"),
        ("0.0049", "must be at least 0.01, got 0.0049"),
        ("90000000000000.01", "must be at most 90000000000000, got 90000000000000.01"),
        ("9e99", "must be at most 90000000000000, got 9e99"),
        ("PHP 5", "must be a number such as 1234.50 or 1,234.50"),
        ("1,23", "must be a number such as 1234.50 or 1,234.50"),
        ("1_000", "must be a number such as 1234.50 or 1,234.50"),
        ("٣", "must be a number such as 1234.50 or 1,234.50"),
        (".", "must be a number such as 1234.50 or 1,234.50"),
        ("e5", "must be a number such as 1234.50 or 1,234.50"),
        ("NaN", "must be a number such as 1234.50 or 1,234.50"),
        ("1" * 61, "must be a number such as 1234.50 or 1,234.50"),
    ],
)
def test_other_amounts_are_rejected(text: str, reason: str) -> None:
    value = "" if reason == "must not be blank" else text
    assert read(amount=text) == Rejection(7, "amount", value, reason)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-12-31", date(2024, 12, 31)),
        ("31/12/2024", date(2024, 12, 31)),
        ("1/2/2024", date(2024, 2, 1)),
        ("01/02/2024 14:30", date(2024, 2, 1)),
        ("1920-01-08", date(1920, 1, 8)),
        ("2024-12-31 23:59:59.123", date(2024, 12, 31)),
        ("2024-12-31T16:00:00", date(2024, 12, 31)),
        ("2024-12-31T16:00:00Z", date(2025, 1, 1)),
        ("2024-12-31T15:59:59Z", date(2024, 12, 31)),
        ("2024-12-31T16:00:00.000+00:00", date(2025, 1, 1)),
        ("2024-12-31 23:00+08:00", date(2024, 12, 31)),
        ("2024-12-31 23:00+0800", date(2024, 12, 31)),
    ],
)
def test_date_is_the_day_in_manila(text: str, day: date) -> None:
    assert good(award_date=text).award_date == day


@pytest.mark.parametrize(
    "text",
    ["31/02/2024", "12/31/2024", "2024-13-01", "0000-00-00", "20241231", "2024-W01-1", "May 2024", "9999-12-31T20:00Z"],
)
def test_date_that_is_none_is_rejected(text: str) -> None:
    reason = "must be a date such as 2024-12-31 or 31/12/2024"
    assert read(award_date=text) == Rejection(7, "award_date", text, reason)


@pytest.mark.parametrize("blank", ["", " ", "NULL"])
def test_record_without_awardee_is_rejected(blank: str) -> None:
    assert read(awardee=blank) == Rejection(7, "awardee", "", "must not be blank")


def test_text_of_ten_thousand_characters_is_the_longest() -> None:
    longest = "abcd " * 1_999 + "abcde"
    assert good(award_title=longest).award_title == longest
    reason = "must have at most 10000 characters, got 10001"
    assert read(award_title=longest + "!") == Rejection(7, "award_title", longest[:100], reason)


def test_word_that_no_index_can_hold_is_rejected() -> None:
    assert good(notice_title="x" * 500).notice_title == "x" * 500
    reason = "must have no word of more than 500 letters"
    assert read(notice_title="x" * 501) == Rejection(7, "notice_title", "x" * 100, reason)


def test_character_that_postgres_has_no_place_for_is_replaced() -> None:
    assert good(area="a\0b").area == "a\ufffdb"
    assert read(amount="5\0") == Rejection(7, "amount", "5\ufffd", "must be a number such as 1234.50 or 1,234.50")


def test_search_text_is_both_titles_folded() -> None:
    assert search_text(good(award_title="ROAD, Parañaque", notice_title="ÑO 100%")) == "road, parañaque ño 100%"
    assert search_text(good(award_title=None, notice_title="A")) == " a"
    assert search_text(good(award_title="A", notice_title=None)) == "a "


def test_words_are_runs_of_letters_and_digits() -> None:
    text = fold("Multi-Purpose hall_2 (PHASE 2) — NIÑO'S 3.5kV hall")
    assert words_of(text) == {"multi", "purpose", "hall", "2", "phase", "niño", "s", "3", "5kv"}

"""One awarded contract, and how it is read from the texts of a record.

Rows without an amount or an awardee, and rows whose values cannot be what they should be, are rejected with their
line and a reason; everything else is kept as it is in the data: typing errors in years and look-alike names too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from hashlib import blake2b

import msgspec

# The values of a record, in the order in which `read_award` takes them.
FIELDS = (
    "contract_number",
    "award_date",
    "award_title",
    "notice_title",
    "amount",
    "awardee",
    "organization",
    "area",
    "category",
)
MAX_TEXT = 10_000
# A word is a key of an index, whose entries Postgres limits to 2704 bytes.
MAX_WORD = 500
# Sums of centavos stay exact in a float, as which JSON is read.
MAX_CENTAVOS = 9 * 10**15
# As much of a rejected value as helps to find it.
_SHOWN = 100
WORD = re.compile(r"[^\W_]+")
_LONG_WORD = re.compile(rf"[^\W_]{{{MAX_WORD + 1}}}")
_AMOUNT = re.compile(r"[+-]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
_AMOUNT_LENGTH = 60
_EXACT = Context(prec=200, rounding=ROUND_HALF_UP)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII)
_LOCAL_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: \d{1,2}:\d\d(?::\d\d)?(?: ?[AP]M)?)?", re.ASCII)
MANILA = timezone(timedelta(hours=8))
_NO_NUMBER = frozenset(("0", None))


class Mention(msgspec.Struct, frozen=True, gc=False):
    """One of perhaps several records of an award, of which the one with the highest rank counts, of equals the last."""

    # The same for every record of the award: 32 hexadecimal digits.
    key: str
    # Where the record begins in the source, from 1.
    line: int
    rank: int


class Award(msgspec.Struct, frozen=True, gc=False):
    """One awarded contract; None is for what the data does not say."""

    contract_number: str | None
    award_date: date | None
    award_title: str | None
    notice_title: str | None
    # From 1 to MAX_CENTAVOS.
    amount_centavos: int
    awardee: str
    organization: str | None
    area: str | None
    category: str | None
    # Where the source may tell of the award more than once.
    mention: Mention | None = None


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """A record that is not loaded, and why."""

    # Where the record begins in the source, from 1.
    line: int
    # One of FIELDS; empty where the whole record is meant.
    column: str
    # What is there, cut to 100 characters.
    value: str
    reason: str
    # Where it takes back an award that the source may have told of elsewhere.
    mention: Mention | None = None


class _Refused(Exception):
    """A value that cannot be taken."""

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason


def read_award(line: int, values: Sequence[str | None]) -> Award | Rejection:
    """The award of a record whose values are in the order of FIELDS; blanks and NULL are values that are missing."""
    number, day, title, notice, amount, awardee, organization, area, category = values
    try:
        centavos = _centavos(amount)
        name = _text("awardee", awardee)
        if name is None:
            raise _Refused("awardee", "", "must not be blank")
        contract_number = _text("contract_number", number)
        return Award(
            None if contract_number in _NO_NUMBER else contract_number,
            _day(day),
            _text("award_title", title),
            _text("notice_title", notice),
            centavos,
            name,
            _text("organization", organization),
            _text("area", area),
            _text("category", category),
        )
    except _Refused as refused:
        return reject(line, refused.column, refused.value, refused.reason)


def reject(line: int, column: str, value: str, reason: str) -> Rejection:
    """A rejection that shows the beginning of the value."""
    return Rejection(line, column, _without_nul(value[:_SHOWN]), reason)


def key_of(*parts: str | int | None) -> str:
    """What names an award in a Mention: equal for equal parts alone, as far as 128 bits can tell."""
    return blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()


def fold(text: str) -> str:
    """The text as it is compared: without regard to case, by the same rule at load and in a search."""
    return text.lower()


def search_text(award: Award) -> str:
    """What keywords are looked for in: both titles, folded."""
    return fold(f"{award.award_title or ''} {award.notice_title or ''}")


def words_of(text: str) -> set[str]:
    """The words of a folded text: its longest runs of letters and digits."""
    return set(WORD.findall(text))


def _text(column: str, value: str | None) -> str | None:
    text = value.strip() if value else ""
    if not text or text == "NULL":
        return None
    if len(text) > MAX_WORD:
        _check_length(column, text)
    return _without_nul(text)


def _check_length(column: str, text: str) -> None:
    if len(text) > MAX_TEXT:
        raise _Refused(column, text, f"must have at most {MAX_TEXT} characters, got {len(text)}")
    if _LONG_WORD.search(text):
        raise _Refused(column, text, f"must have no word of more than {MAX_WORD} letters")


def _without_nul(text: str) -> str:
    # Postgres has no place for NUL in a text.
    return text.replace("\0", "\ufffd") if "\0" in text else text


def _centavos(value: str | None) -> int:
    text = value.strip() if value else ""
    if not text or text == "NULL":
        raise _Refused("amount", "", "must not be blank")
    if not _AMOUNT.fullmatch(text) or len(text) > _AMOUNT_LENGTH:
        raise _Refused("amount", text, "must be a number such as 1234.50 or 1,234.50")
    centavos = int(_EXACT.to_integral_value(_EXACT.scaleb(Decimal(text.replace(",", "")), 2)))
    if centavos <= 0:
        raise _Refused("amount", text, f"must be at least 0.01, got {text}")
    if centavos > MAX_CENTAVOS:
        raise _Refused("amount", text, f"must be at most {MAX_CENTAVOS // 100}, got {text}")
    return centavos


def _day(value: str | None) -> date | None:
    text = value.strip() if value else ""
    if not text or text == "NULL":
        return None
    day = _read_day(text)
    if day is None:
        raise _Refused("award_date", text, "must be a date such as 2024-12-31 or 31/12/2024")
    return day


# There are some ten thousand days, and as many midnights in UTC.
@lru_cache(maxsize=50_000)
def _read_day(text: str) -> date | None:
    """The day in Manila; a time without a zone is one of Manila."""
    try:
        if _ISO_DATE.fullmatch(text):
            return date.fromisoformat(text)
        if _ISO_TIME.fullmatch(text):
            moment = datetime.fromisoformat(text)
            return (moment.astimezone(MANILA) if moment.tzinfo else moment).date()
        if local := _LOCAL_DATE.fullmatch(text):
            return date(int(local[3]), int(local[2]), int(local[1]))
    except (ValueError, OverflowError):
        return None
    return None

"""Letters: the same words as text and as HTML, and nothing in them that could be taken for markup."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

import msgspec
import pytest

from chalicelib.accounts import letters
from chalicelib.accounts.letters import Letter, Spike

SPIKE = Spike(
    owner_name="Ann",
    app_name="Shop",
    app_url="https://sluice.test/api/apps/shop",
    begin=datetime(2026, 3, 1, 23, 45, tzinfo=UTC),
    invalid=1_234,
    total=56_789,
    usual=12.5,
    factor=2.5,
    floor=1_000,
    pause_minutes=10_080,
    names=[("buy", 1_200), ("login", 34)],
    fields=[],
)
ALL = [
    letters.code_to_sign_up("012345"),
    letters.account_exists(),
    letters.code_to_reset("012345"),
    letters.no_account(),
    letters.welcome("Ann"),
    letters.password_changed("Ann"),
    letters.invalid_events_spiked(SPIKE),
]
every_letter = pytest.mark.parametrize("letter", ALL, ids=lambda letter: str(letter.subject))


class Words(HTMLParser):
    """The paragraphs of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.paragraphs: list[str] = []
        self._is_open = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._is_open = tag == "p"

    def handle_data(self, data: str) -> None:
        if self._is_open:
            self.paragraphs.append(data)
            self._is_open = False


@every_letter
def test_html_says_what_the_text_says(letter: Letter) -> None:
    words = Words()
    words.feed(letter.html)
    assert "\n\n".join(words.paragraphs) + "\n" == letter.text


@every_letter
def test_subject_is_one_line_that_shows_no_code(letter: Letter) -> None:
    assert letter.subject.isprintable()
    assert "012345" not in letter.subject


def test_codes_are_in_the_letters_that_bring_them_and_in_no_other() -> None:
    assert ["012345" in letter.text for letter in ALL] == [True, False, True, False, False, False, False]


@pytest.mark.parametrize("write", [letters.welcome, letters.password_changed])
def test_name_is_text_and_no_markup(write: object) -> None:
    assert callable(write)
    letter = write('<a href="https://evil.test">Ann</a>')
    assert "<a" not in letter.html
    assert "&lt;a href=&quot;https://evil.test&quot;&gt;Ann&lt;/a&gt;" in letter.html
    assert 'Hello <a href="https://evil.test">Ann</a>,' in letter.text


def test_letter_of_a_spike_says_when_how_many_and_how_to_stop_it() -> None:
    letter = letters.invalid_events_spiked(SPIKE)
    assert letter.subject == "1,234 invalid events in 15 minutes: Shop"
    assert letter.text == (
        "Hello Ann,\n\n"
        "between 23:45 and 00:00 UTC on 1 March 2026, 1,234 of the 56,789 events of Shop broke its rules. Usual are "
        "12.5: the median of the quarters of an hour of the 24 hours before.\n\n"
        "Events that broke rules most often: buy (1,200), login (34).\n\n"
        "Fields that were wrong most often: not known any more.\n\n"
        "The events: https://sluice.test/api/apps/shop/logs?status=invalid"
        "&from=2026-03-01T23:45:00Z&to=2026-03-02T00:00:00Z\n\n"
        "You are told when there are more than 2.5 times the usual and more than 1,000. For 10,080 minutes there is no "
        'other mail about this app. To get none at all, set spike_alerts to false: send {"spike_alerts": false} by PUT '
        "to https://sluice.test/api/apps/shop\n"
    )


def test_names_in_the_letter_of_a_spike_are_text_of_one_line() -> None:
    odd = msgspec.structs.replace(SPIKE, app_name="<b>Shop</b>\r\nBcc: eve", names=[("a\u2028b" * 60, 1)])
    letter = letters.invalid_events_spiked(odd)
    assert letter.subject == "1,234 invalid events in 15 minutes: <b>Shop</b> Bcc: eve"
    assert "<b>" not in letter.html
    assert "\u2028" not in letter.text
    (line,) = [line for line in letter.text.splitlines() if line.startswith("Events")]
    assert len(line) == len("Events that broke rules most often:  (1).") + 100

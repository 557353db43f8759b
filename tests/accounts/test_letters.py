"""Letters: the same words as text and as HTML, and nothing in them that could be taken for markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from chalicelib.accounts import letters
from chalicelib.accounts.letters import Letter

ALL = [
    letters.code_to_sign_up("012345"),
    letters.account_exists(),
    letters.code_to_reset("012345"),
    letters.no_account(),
    letters.welcome("Ann"),
    letters.password_changed("Ann"),
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
    assert ["012345" in letter.text for letter in ALL] == [True, False, True, False, False, False]


@pytest.mark.parametrize("write", [letters.welcome, letters.password_changed])
def test_name_is_text_and_no_markup(write: object) -> None:
    assert callable(write)
    letter = write('<a href="https://evil.test">Ann</a>')
    assert "<a" not in letter.html
    assert "&lt;a href=&quot;https://evil.test&quot;&gt;Ann&lt;/a&gt;" in letter.html
    assert 'Hello <a href="https://evil.test">Ann</a>,' in letter.text

"""The letters that accounts get, as text and as HTML from the same words.

Nothing in them comes from a stranger: whoever asks for a code can choose the address, and no word of the letter; events
and fields that are named are those of the owner's own rules.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape

import msgspec

from chalicelib.accounts.codes import LIFE_S

_SERVICE = "Sluice"
_NOT_YOU = "If you did not ask for this, you need not do anything."
_PAGE = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
    '<body style="font-family: sans-serif; line-height: 1.5; color: #222; max-width: 36em; margin: 2em auto">\n'
    "{body}\n</body></html>\n"
)
_LONGEST = 100
_CODE = '<p style="font-size: 2em; font-weight: bold; letter-spacing: 0.2em">{}</p>'


class Letter(msgspec.Struct, frozen=True):
    """What is written; whom it goes to is not its business."""

    subject: str
    text: str
    html: str


def code_to_sign_up(code: str) -> Letter:
    """To an address that has no account."""
    return _write(
        f"Your code for {_SERVICE}",
        f"Somebody, most likely you, wants to make an account at {_SERVICE} with this address. The code for it:",
        _Code(code),
        f"It is good for {LIFE_S // 60} minutes and works once. Nobody who works on {_SERVICE} will ask you for it.",
        _NOT_YOU,
    )


def account_exists() -> Letter:
    """To an address that has an account, in place of the code to make one."""
    return _write(
        f"You have an account at {_SERVICE}",
        f"Somebody, most likely you, wanted to make an account at {_SERVICE} with this address. There is one already: "
        "log in with it, or have its password reset if you have forgotten it.",
        _NOT_YOU,
    )


def code_to_reset(code: str) -> Letter:
    """To an account."""
    return _write(
        f"Your code to reset your password at {_SERVICE}",
        f"Somebody, most likely you, wants to choose a new password for your account at {_SERVICE}. The code for it:",
        _Code(code),
        f"It is good for {LIFE_S // 60} minutes and works once. Nobody who works on {_SERVICE} will ask you for it.",
        f"{_NOT_YOU} Your password stays as it is.",
    )


def no_account() -> Letter:
    """To an address that has no account, in place of the code to reset its password."""
    return _write(
        f"You have no account at {_SERVICE}",
        f"Somebody, most likely you, wanted to reset the password of an account at {_SERVICE} with this address. There "
        "is none. Perhaps you signed up with another address; or you can sign up with this one.",
        _NOT_YOU,
    )


def welcome(name: str) -> Letter:
    """To a new account."""
    return _write(
        f"Welcome to {_SERVICE}",
        f"Hello {name},",
        f"your account at {_SERVICE} is ready. Log in with this address and the password that you chose.",
    )


def password_changed(name: str) -> Letter:
    """To an account whose password was reset."""
    return _write(
        f"Your password at {_SERVICE} was changed",
        f"Hello {name},",
        f"the password of your account at {_SERVICE} was reset by a code from a mail to this address, and whoever was "
        "logged in with the old one has to log in again. API keys go on working: look through them.",
        "If that was not you, somebody else reads your mail: change the password of your mail account first, then "
        "reset this one.",
    )


class Spike(msgspec.Struct, frozen=True, kw_only=True):
    """A quarter of an hour in which clearly more events of an app were invalid than usual."""

    owner_name: str
    app_name: str
    # Of the app in the API.
    app_url: str
    # In UTC.
    begin: datetime
    invalid: int
    # Of all events, valid or not.
    total: int
    # The median of the quarters of an hour of the day before.
    usual: float
    # What it takes to be told: more than so many times the usual, and more than so many.
    factor: float
    floor: int
    # For so long there is no other letter.
    pause_minutes: int
    # Those with most invalid events, and how many.
    names: list[tuple[str, int]]
    fields: list[tuple[str, int]]


def invalid_events_spiked(spike: Spike) -> Letter:
    """To the owner of an app who wants to know of spikes."""
    end = spike.begin + timedelta(minutes=15)
    app = _one_line(spike.app_name)
    logs = f"{spike.app_url}/logs?status=invalid&from={_utc(spike.begin)}&to={_utc(end)}"
    return _write(
        f"{spike.invalid:,} invalid events in 15 minutes: {app}",
        f"Hello {spike.owner_name},",
        f"between {spike.begin:%H:%M} and {end:%H:%M} UTC on {spike.begin.day} {spike.begin:%B %Y}, {spike.invalid:,} "
        f"of the {spike.total:,} events of {app} broke its rules. Usual are {spike.usual:,.12g}: the median of the "
        "quarters of an hour of the 24 hours before.",
        f"Events that broke rules most often: {_tallies(spike.names)}.",
        f"Fields that were wrong most often: {_tallies(spike.fields)}.",
        f"The events: {logs}",
        f"You are told when there are more than {spike.factor:g} times the usual and more than {spike.floor:,}. For "
        f"{spike.pause_minutes:,} minutes there is no other mail about this app. To get none at all, set spike_alerts "
        f'to false: send {{"spike_alerts": false}} by PUT to {spike.app_url}',
    )


def _tallies(tallies: list[tuple[str, int]]) -> str:
    return ", ".join(f"{_one_line(name)} ({count:,})" for name, count in tallies) or "not known any more"


def _one_line(text: str) -> str:
    """A text of an owner's as a piece of a line: without line breaks and other characters that are not seen."""
    shown = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


class _Code(str):
    """A paragraph that is to be read from afar."""


def _write(subject: str, *paragraphs: str) -> Letter:
    shown = [_CODE.format(escape(each)) if isinstance(each, _Code) else f"<p>{escape(each)}</p>" for each in paragraphs]
    page = _PAGE.format(title=escape(subject), body="\n".join(shown))
    return Letter(subject, "\n\n".join(paragraphs) + "\n", page)

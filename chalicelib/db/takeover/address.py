"""Postgres addresses as they may be shown: never with a password."""

from __future__ import annotations

import re

import psycopg2
from psycopg2.extensions import parse_dsn

from chalicelib.errors import ConfigurationError

_HIDDEN = "***"
# Greedy, to the last @ of a word: a password may hold an @ itself. One slash where the address was taken for a path.
_USER_INFO = re.compile(r"(:/+[^:@/\s]*:)\S+@")
_PASSWORD_FIELD = re.compile(r"""(password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&'"]+)""", re.IGNORECASE)


def masked(dsn: str) -> str:
    """The server, user and database of an address in any form that libpq reads, with *** for its password.

    Built from the parts that are known to be harmless. Raises ConfigurationError, which does not repeat the address,
    where it cannot be read.
    """
    try:
        parts = parse_dsn(dsn)
    except psycopg2.ProgrammingError:
        # Its text may hold a part of the password.
        raise ConfigurationError(
            "the Postgres address cannot be read; a URL needs %XX for special characters"
        ) from None
    if _is_doubtful(parts):
        return f"postgresql://{_HIDDEN}"
    secret = f":{_HIDDEN}" if "password" in parts else ""
    user = f"{parts.get('user', '')}{secret}@" if secret or "user" in parts else ""
    port = f":{parts['port']}" if "port" in parts else ""
    return f"postgresql://{user}{parts.get('host', '')}{port}/{parts.get('dbname', '')}"


def hide(text: str) -> str:
    """The text with *** for what looks like a password in an address, for texts that others have written."""
    return _PASSWORD_FIELD.sub(rf"\1{_HIDDEN}", _USER_INFO.sub(rf"\1{_HIDDEN}@", text))


def _is_doubtful(parts: dict[str, str]) -> bool:
    # A password with / or @ that was not escaped ends up in these parts.
    strays = "@" in parts.get("host", "") + parts.get("dbname", "")
    return strays or not re.fullmatch(r"[\d,]*", parts.get("port", ""))

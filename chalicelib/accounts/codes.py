"""One-time codes: six digits by which somebody shows that they read the mail of an address.

A code is good for one purpose and one address, for LIFE_S seconds, once, and for MOST_TRIES tries. What is stored is
its digest under a key (HMAC-SHA256): a plain hash of six digits is undone by hashing a million of them.
"""

from __future__ import annotations

import hmac
import re
from typing import Literal

Purpose = Literal["sign_up", "reset"]

LIFE_S = 7 * 60
MOST_TRIES = 5
# Seconds between two mails to one address for one purpose.
PAUSE_S = 60
_CODE = re.compile(r"[0-9]{6}")


def read_code(text: str) -> str | None:
    """The code, with the spaces left out that people type; None if it cannot be one."""
    code = "".join(text.split())
    return code if _CODE.fullmatch(code) else None


def digest(secret: str, purpose: Purpose, address: str, code: str) -> str:
    """What is stored in place of the code: 64 hexadecimal digits."""
    text = "\0".join(("one-time code", purpose, address, code))
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()


def is_opened(stored: str, by: str) -> bool:
    """Whether two digests are the same, compared in constant time; an empty one is opened by nothing."""
    return bool(stored) and hmac.compare_digest(stored, by)

"""API keys: what one is, how its text is written and read, and what every store of them must do.

A key's text is `slk_<id>_<secret>`. The id finds the record in one read; the record holds a hash of the secret alone,
so that a leaked table opens nothing. The hash is plain SHA-256: the secret is 256 random bits, which cannot be guessed
however fast the hash is (a slow hash is for secrets that people choose).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Protocol

import msgspec

from chalicelib.model import Scope

PREFIX = "slk_"
_TEXT = re.compile(r"slk_([0-9a-f]{16})_([0-9a-f]{64})")

# Seconds between two records of a key's use: a request is not to pay for a write.
USE_GRAIN_S = 3600
# Seconds that a revoked or expired key's record is kept, so that its owner can still be told what happened to it.
KEEP_S = 30 * 24 * 3600


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key as it is stored; a time of 0 means never."""

    id: str
    digest: str
    name: str
    owner: str
    role: str
    scopes: tuple[Scope, ...]
    created_s: int
    expires_s: int = 0
    last_used_s: int = 0
    revoked_s: int = 0

    def is_expired(self, now_s: int) -> bool:
        return 0 < self.expires_s <= now_s


class Keys(Protocol):
    """Where API keys and token epochs are kept; each method raises Unavailable when the store is away."""

    def add(self, key: ApiKey) -> None:
        """Stores a new key; raises Conflict if there is one of its id."""

    def find(self, key_id: str) -> ApiKey | None:
        """The key as it is now, revoked ones included."""

    def of(self, owner: str) -> list[ApiKey]:
        """The owner's keys that are not revoked, newest first; a change of the last moment may be missing."""

    def revoke(self, key_id: str, *, owner: str, at_s: int) -> ApiKey | None:
        """Revokes the key for good and answers it; None if the owner has no such key. A second time changes nothing."""

    def touch(self, key_id: str, *, at_s: int) -> None:
        """Records a use, unless one was recorded less than USE_GRAIN_S ago or the key is gone."""

    def epoch_of(self, user_id: str) -> int:
        """The epoch below which the user's tokens are revoked; 0 at first."""

    def raise_epoch(self, user_id: str) -> int:
        """Revokes all tokens that the user has now; answers the new epoch."""


def write_key(key_id: str, secret: str) -> str:
    """The text that is shown to the key's owner, once."""
    return f"{PREFIX}{key_id}_{secret}"


def read_key(text: str) -> tuple[str, str] | None:
    """The id and the secret, or None if the text cannot be a key."""
    match = _TEXT.fullmatch(text)
    return (match[1], match[2]) if match else None


def digest(secret: str) -> str:
    """What is stored in place of the secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_opened(key: ApiKey, secret: str) -> bool:
    """Whether the secret is the key's, compared in constant time."""
    return hmac.compare_digest(key.digest, digest(secret))

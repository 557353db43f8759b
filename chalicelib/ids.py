"""The one source of identifiers and secrets."""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Callable


class Ids:
    """Random identifiers: a job's has 122 bits, so that holding a task id is a capability."""

    def __init__(self, secret: Callable[[], str] = str) -> None:
        """`secret` keeps derived ids from being worked out by others; it is asked for when the first one is made."""
        self._secret = secret

    def job(self) -> str:
        return str(uuid.uuid4())

    def derived(self, *parts: str) -> str:
        """A job's id that is the same for the same parts (HMAC-SHA256), and looks like any other."""
        digest = hmac.digest(self._secret().encode(), "\0".join(parts).encode(), "sha256")
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def key(self) -> str:
        """The public id of an API key: 16 hexadecimal digits."""
        return secrets.token_hex(8)

    def short(self) -> str:
        """An id that people read out: 12 characters for addresses, 72 bits."""
        return secrets.token_urlsafe(9).replace("-", "x").replace("_", "y")

    def secret(self) -> str:
        """The secret of an API key: 256 bits as 64 hexadecimal digits, so that a plain hash of it cannot be undone."""
        return secrets.token_hex(32)

    def code(self) -> str:
        """A one-time code: six decimal digits, each as likely as any other."""
        return f"{secrets.randbelow(10**6):06d}"


class CountingIds(Ids):
    """Predictable identifiers for tests: 00000000-0000-4000-8000-000000000001, ...2, ..."""

    def __init__(self) -> None:
        super().__init__(lambda: "a secret of the tests")
        self._count = 0

    def job(self) -> str:
        return f"00000000-0000-4000-8000-{self._next():012d}"

    def key(self) -> str:
        return f"{self._next():016x}"

    def secret(self) -> str:
        return f"{self._next():064x}"

    def code(self) -> str:
        # Each another one, and none that looks like a count.
        return f"{self._next() * 142_857 % 10**6:06d}"

    def _next(self) -> int:
        self._count += 1
        return self._count

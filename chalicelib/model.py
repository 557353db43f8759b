"""Plain types that several layers speak of."""

from __future__ import annotations

import msgspec


class Caller(msgspec.Struct, frozen=True):
    """Who asks: a user's id and role, or nobody (`user_id` empty) on routes that allow it."""

    user_id: str = ""
    role: str = ""

    @property
    def is_anonymous(self) -> bool:
        return not self.user_id


ANONYMOUS = Caller()

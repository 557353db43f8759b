"""API keys and token epochs in memory: the twin of the DynamoDB store."""

from __future__ import annotations

import msgspec

from chalicelib.accounts.keys import USE_GRAIN_S, ApiKey
from chalicelib.errors import Conflict


class MemoryKeys:
    """Keys in two dictionaries."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._epochs: dict[str, int] = {}

    def add(self, key: ApiKey) -> None:
        if key.id in self._keys:
            raise Conflict(f"there is already a key {key.id}; try again")
        self._keys[key.id] = key

    def find(self, key_id: str) -> ApiKey | None:
        return self._keys.get(key_id)

    def of(self, owner: str) -> list[ApiKey]:
        mine = [key for key in self._keys.values() if key.owner == owner and not key.revoked_s]
        return sorted(mine, key=lambda key: key.created_s, reverse=True)

    def revoke(self, key_id: str, *, owner: str, at_s: int) -> ApiKey | None:
        key = self._keys.get(key_id)
        if key is None or key.owner != owner:
            return None
        if not key.revoked_s:
            self._keys[key_id] = key = msgspec.structs.replace(key, revoked_s=at_s)
        return key

    def touch(self, key_id: str, *, at_s: int) -> None:
        key = self._keys.get(key_id)
        if key is not None and not key.revoked_s and key.last_used_s <= at_s - USE_GRAIN_S:
            self._keys[key_id] = msgspec.structs.replace(key, last_used_s=at_s)

    def epoch_of(self, user_id: str) -> int:
        return self._epochs.get(user_id, 0)

    def raise_epoch(self, user_id: str) -> int:
        self._epochs[user_id] = self.epoch_of(user_id) + 1
        return self._epochs[user_id]

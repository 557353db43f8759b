"""Task ids of single events: they say which event it is and when it was taken, and are signed, so nothing is stored."""

from __future__ import annotations

import base64
import binascii
import hmac

import msgspec

_PREFIX = "evt."
_SIGNATURE_BYTES = 16


class Receipt(msgspec.Struct, frozen=True, array_like=True):
    """Which event was taken, and when."""

    # The number of the app.
    app: int
    message_id: str
    accepted_ms: int


def is_event(task_id: str) -> bool:
    """Whether it is meant to be the id of an event's task."""
    return task_id.startswith(_PREFIX)


def sign(receipt: Receipt, secret: bytes) -> str:
    """The task's id."""
    said = msgspec.msgpack.encode(receipt)
    return _PREFIX + base64.urlsafe_b64encode(_signature(said, secret) + said).rstrip(b"=").decode()


def read(task_id: str, secret: bytes) -> Receipt | None:
    """What the id says; None where nobody of us has signed it."""
    text = task_id.removeprefix(_PREFIX)
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        signature, said = content[:_SIGNATURE_BYTES], content[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _signature(said, secret)):
            return None
        return msgspec.msgpack.decode(said, type=Receipt)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        return None


def _signature(said: bytes, secret: bytes) -> bytes:
    # The purpose, so that nothing else that the secret signs is taken for a receipt.
    return hmac.digest(secret, b"event receipt\0" + said, "sha256")[:_SIGNATURE_BYTES]

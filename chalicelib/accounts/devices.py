"""Known devices: browsers in which an account has logged in before, told by a cookie.

Their tries are counted apart from those of their network, so that wrong passwords of a neighbour do not slow them down.
A cookie names an account's address without showing it, and is worth nothing for another one.
"""

from __future__ import annotations

import hmac


def write_device(secret: str, address: str, device_id: str) -> str:
    """The cookie's value."""
    return f"{device_id}.{_sign(secret, address, device_id)}"


def read_device(secret: str, address: str, cookie: str) -> str:
    """The device's id; empty if the cookie was not made for this address."""
    device_id, _, signature = cookie.partition(".")
    is_ours = hmac.compare_digest(signature.encode(), _sign(secret, address, device_id).encode())
    return device_id if is_ours else ""


def _sign(secret: str, address: str, device_id: str) -> str:
    text = "\0".join(("device", address, device_id))
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()

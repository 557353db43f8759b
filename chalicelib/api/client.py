"""Which address a request came from, whether it came through the public host or straight to API Gateway.

API Gateway tells who has opened the connection. Behind the public host (infra/edge.yaml) that is CloudFront, which adds
its own client's address to X-Forwarded-For; API Gateway adds CloudFront's. Whatever stands before these two is what a
client says of itself, and one that calls API Gateway by its own name can write all but the last. So the header is
believed of those alone who show that they are the public host, by a value that only it and the functions know.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

from chalicelib.errors import Unavailable

# Set by CloudFront on every request, in place of any that its client sent.
PROOF_HEADER = "x-origin-verify"


def proof_of_host(token_secret: str) -> str:
    """What the public host shows; it follows from the secret of the tokens, and tells nothing of it (HMAC-SHA256)."""
    return hmac.digest(token_secret.encode(), b"public host", "sha256").hex()


def client_of(connected: str, headers: Mapping[str, str], token_secret: Callable[[], str]) -> str:
    """The client's address; `connected` is that of whoever opened the connection, header names are in lower case."""
    shown = headers.get(PROOF_HEADER, "")
    if not shown or not _is_host(shown, token_secret):
        return connected
    told = [part.strip() for part in headers.get("x-forwarded-for", "").split(",")]
    if told[-1] == connected:
        told.pop()
    return (told[-1] if told else "") or connected


def _is_host(shown: str, token_secret: Callable[[], str]) -> bool:
    try:
        secret = token_secret()
    except Unavailable:
        return False
    return bool(secret) and hmac.compare_digest(shown.encode(), proof_of_host(secret).encode())

"""Webhooks: a message to an address that a user has named, sent so that it cannot reach what only we can reach.

What a name stands for is looked up once and checked, and the connection goes to that address: asked again, the name
could stand for another one. Redirects are not followed, for they lead to addresses that nobody has checked, and of the
answer no more is read than its status.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import SplitResult, urlsplit

import msgspec

from chalicelib.errors import JobFailed, Unavailable

LONGEST_URL = 500
PORTS = (443, 8443)
# From the connection's begin to the status.
TIMEOUT_S = 10
_MOST_BYTES = 1024
_PRINTABLE = re.compile(r"[!-~]+")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
# Names that stand for something inside, if for anything.
_ZONES_OF_OURS = ("internal", "local", "localhost")
# The part that is handed out to hosts. Not in it: addresses with IPv4 ones in them (mapped, compatible, NAT64).
_UNICAST = ipaddress.IPv6Network("2000::/3")
# In it, with IPv4 addresses in them: 6to4, Teredo.
_TUNNELS = (ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/32"))
# Of the last answer; interim ones (1xx) may come before it.
_STATUS = re.compile(rb"(?:HTTP/1\.[01] 1\d\d[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n)*HTTP/1\.[01] ([2-9]\d\d)[ \r]")

Resolve = Callable[[str, int], Sequence[str]]


class WebhookCall(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it is sent."""

    url: str
    body: str
    headers: Mapping[str, str] = {}


class Webhooks(Protocol):
    """Sends messages to addresses that users have named."""

    def post(self, call: WebhookCall) -> int:
        """Sends the message and answers the status, 200 to 299.

        Raises JobFailed where it is refused, here or there, and Unavailable where another attempt may do.
        """


class _Target(NamedTuple):
    is_encrypted: bool
    host: str
    port: int
    # The host as the header of that name has it.
    authority: str
    # Path and query.
    resource: str


def find_fault(url: str, *, is_local: bool) -> str:
    """What is wrong with an address as it is written; empty: nothing. Names are not looked up."""
    try:
        _read(url, is_local=is_local)
    except ValueError as error:
        return str(error)
    return ""


class HttpWebhooks:
    """Webhooks over HTTP/1.1: https on the ports 443 and 8443; on the local stage also http, any port and loopback."""

    def __init__(
        self,
        *,
        is_local: bool = False,
        resolve: Resolve | None = None,
        context: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._is_local = is_local
        self._resolve = resolve or _resolve
        self._context = context
        self._timeout_s = timeout_s

    def post(self, call: WebhookCall) -> int:
        try:
            target = _read(call.url, is_local=self._is_local)
        except ValueError as error:
            raise JobFailed(f"the address of the webhook {error}") from None
        return _judge(self._send(target, self._address(target), call))

    def _address(self, target: _Target) -> str:
        """The one address that is connected to; of a name with several, not one may be ours."""
        try:
            addresses = self._resolve(target.host, target.port)
        except OSError as error:
            raise Unavailable(f"the webhook's host {target.host} was not found") from error
        if not addresses:
            raise Unavailable(f"the webhook's host {target.host} was not found")
        for address in addresses:
            if not _is_allowed(address, is_local=self._is_local):
                raise JobFailed(f"the webhook's host {target.host} stands for {address}, which is not a public address")
        # Functions outside a VPC have no way out by IPv6.
        return min(addresses, key=lambda address: ":" in address)

    def _send(self, target: _Target, address: str, call: WebhookCall) -> int:
        deadline_s = time.monotonic() + self._timeout_s
        try:
            with socket.create_connection((address, target.port), timeout=self._timeout_s) as plain:
                if not target.is_encrypted:
                    return _exchange(plain, _encode(target, call), deadline_s)
                plain.settimeout(_left_s(deadline_s))
                context = self._context or ssl.create_default_context()
                with context.wrap_socket(plain, server_hostname=target.host) as encrypted:
                    return _exchange(encrypted, _encode(target, call), deadline_s)
        except TimeoutError as error:
            raise Unavailable(f"the webhook did not answer within {self._timeout_s:g} s") from error
        except ssl.SSLCertVerificationError as error:
            raise JobFailed(f"the webhook's certificate is refused: {error.verify_message}") from error
        except OSError as error:
            raise Unavailable("the webhook cannot be reached") from error


def _read(url: str, *, is_local: bool) -> _Target:
    """The parts of an address; raises ValueError with what must be otherwise."""
    if len(url) > LONGEST_URL:
        raise ValueError(f"must have at most {LONGEST_URL} characters, got {len(url)}")
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise ValueError("must be of printable ASCII characters without blanks and backslashes")
    parts, given = _split(url)
    schemes = ("https", "http") if is_local else ("https",)
    if parts.scheme not in schemes:
        raise ValueError(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}, got {url[:40]!r}")
    if "@" in parts.netloc:
        raise ValueError("must not have a user name or a password in it")
    if parts.fragment or url.endswith("#"):
        raise ValueError("must not have a fragment")
    port = _port(given, parts.scheme, is_local=is_local)
    host = _host((parts.hostname or "").removesuffix("."), is_local=is_local)
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    name = f"[{host}]" if ":" in host else host
    authority = name if port == (443 if parts.scheme == "https" else 80) else f"{name}:{port}"
    return _Target(parts.scheme == "https", host, port, authority, resource)


def _split(url: str) -> tuple[SplitResult, int | None]:
    """The parts of a URL, and its port if it names one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("must be an address") from None
    try:
        return parts, parts.port
    except ValueError:
        raise ValueError("must have a port from 0 to 65535") from None


def _port(port: int | None, scheme: str, *, is_local: bool) -> int:
    number = port if port is not None else 443 if scheme == "https" else 80
    if not is_local and number not in PORTS:
        raise ValueError(f"must be on port {' or '.join(map(str, PORTS))}, got {number}")
    return number


def _host(host: str, *, is_local: bool) -> str:
    """The host, if it is a public address or a name with a dot that is not in truth a number."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        if not all(map(_LABEL.fullmatch, labels)) or len(host) > 253:
            raise ValueError(f"must have the name of a host, got {host[:40]!r}") from None
        if _NUMBER.fullmatch(labels[-1]):
            raise ValueError(f"must have an IPv4 address as four decimal numbers, got {host[:40]!r}") from None
        if not is_local and (len(labels) < 2 or labels[-1] in _ZONES_OF_OURS):
            raise ValueError(f"must have a public host, got {host[:40]!r}") from None
        return host
    if not _is_allowed(host, is_local=is_local):
        raise ValueError(f"must have a public host, got {host[:40]!r}")
    return host


def _is_allowed(address: str, *, is_local: bool) -> bool:
    """Whether it is an address of the internet, and not one that leads to our side of it."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        # With a zone: an address of one link.
        return False
    if is_local and ip.is_loopback:
        return True
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in _UNICAST or any(ip in tunnel for tunnel in _TUNNELS)):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _encode(target: _Target, call: WebhookCall) -> bytes:
    body = call.body.encode()
    headers = {
        "Host": target.authority,
        "Connection": "close",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "User-Agent": "sluice-webhook",
        **call.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {target.resource} HTTP/1.1\r\n{lines}\r\n".encode("ascii") + body


def _exchange(connection: socket.socket, message: bytes, deadline_s: float) -> int:
    """The status that the message is answered with; raises TimeoutError past the deadline, however bytes drip."""
    connection.settimeout(_left_s(deadline_s))
    connection.sendall(message)
    received = b""
    while len(received) < _MOST_BYTES:
        connection.settimeout(_left_s(deadline_s))
        piece = connection.recv(_MOST_BYTES - len(received))
        received += piece
        status = _STATUS.match(received)
        if status:
            return int(status[1])
        if not piece:
            break
    raise Unavailable("the webhook's answer is not HTTP/1.1")


def _judge(status: int) -> int:
    """The status where it is a success; raises JobFailed, or Unavailable for what may pass."""
    if 200 <= status < 300:
        return status
    if status in (408, 425, 429) or status >= 500:
        raise Unavailable(f"the webhook answered {status}")
    hint = "; redirects are not followed" if status < 400 else ""
    raise JobFailed(f"the webhook answered {status}{hint}")


def _left_s(deadline_s: float) -> float:
    left_s = deadline_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


class MemoryWebhooks:
    """The twin in memory for tests: what was sent; `answers` holds the statuses that come next, then 204."""

    def __init__(self) -> None:
        self.sent: list[WebhookCall] = []
        self.answers: list[int] = []

    def post(self, call: WebhookCall) -> int:
        status = _judge(self.answers.pop(0) if self.answers else 204)
        self.sent.append(call)
        return status

"""E-mail addresses as accounts have them, and networks as strangers come from them."""

from __future__ import annotations

import re
from ipaddress import ip_network

# Of the column in which accounts keep it.
LONGEST = 200
# One @, a dot behind it, and nothing that a mail's head could be broken with. ASCII, for the mail service takes no
# other names before the @, and upper and lower case are then the same to Python and to Postgres.
_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
# What one customer of a provider has of IPv6: the addresses in it cost nothing.
_IPV6_PREFIX = 64


def read_address(text: str) -> str | None:
    """The address in lower case without the spaces around it; None if no mail can be sent to it."""
    address = text.strip().lower()
    return address if len(address) <= LONGEST and _ADDRESS.fullmatch(address) else None


def network_of(client: str) -> str:
    """What of a client's IP address stays the same while it is with one provider; the text itself if it is none."""
    try:
        is_short = ":" not in client
        return str(ip_network(client if is_short else f"{client}/{_IPV6_PREFIX}", strict=False))
    except ValueError:
        return client

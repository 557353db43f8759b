"""How fast somebody may try again: the waits that grow with each try that leads to nothing.

Tries are counted for whoever makes them and never for an account alone. So nobody can slow somebody else down from
another network: there is no number of wrong passwords after which an account's owner is kept out.
"""

from __future__ import annotations

import hmac

import msgspec


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """The tries of one sort; times are in seconds."""

    name: str
    # Tries in a row before the first wait.
    free: int
    # Each wait is twice the one before, from 1 s up to this.
    longest_s: int
    # Without a try for so long, all is forgotten.
    forget_s: int

    def waits_s(self) -> list[int]:
        """The wait after the first try, the second and so on; the last one is also that of all later tries."""
        doubled = [2**number for number in range(self.longest_s.bit_length()) if 2**number < self.longest_s]
        return [0] * (self.free - 1) + doubled + [self.longest_s]


_DAY_S = 24 * 3600
# Passwords tried by one network, or one known device, at one account: some 100 a day after the first few.
PASSWORDS = Pace(name="passwords", free=5, longest_s=900, forget_s=_DAY_S)
# Passwords tried by one network at any account. A school or a company may be behind it: it never waits for long.
NETWORK = Pace(name="network", free=50, longest_s=60, forget_s=_DAY_S)
# Codes tried by one network for any address; each code has its own few tries besides.
CODES = Pace(name="codes", free=20, longest_s=60, forget_s=_DAY_S)
# Mails asked for by one network, which strangers may get.
MAILS = Pace(name="mails", free=30, longest_s=60, forget_s=3600)


class Tries(msgspec.Struct, frozen=True):
    """The tries of somebody, at a pace."""

    key: str
    pace: Pace


def tries_of(secret: str, pace: Pace, *who: str) -> Tries:
    """The tries that are counted together; their key tells nobody whose they are (HMAC-SHA256)."""
    text = "\0".join(("tries", pace.name, *who))
    return Tries(hmac.digest(secret.encode(), text.encode(), "sha256").hex(), pace)

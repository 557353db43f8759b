"""Passwords: what a new one must have, and their hashes.

Hashes are argon2id with the parameters of RFC 9106's second recommendation, as argon2-cffi ships them.
Accounts that came from an old installation have hashes of Werkzeug's, `method$salt$digest`. They are verified as they
are and count as outdated, so that the next login makes them anew.
"""

from __future__ import annotations

import hashlib
import hmac

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
# The costliest parameters that are taken from a stored hash; Werkzeug's own are 2**15 x 8 x 1 and a million rounds.
_MOST_SCRYPT, _MOST_ROUNDS = 2**17 * 8 * 4, 10_000_000
_DIGESTS = frozenset({"sha1", "sha256", "sha512"})
# Of new passwords, in characters; what an account has from before may be otherwise.
SHORTEST, LONGEST = 8, 128
_SIGNS = "!@#$%^&*"


def find_faults(password: str) -> list[str]:
    """What a new password lacks, all at once, as clauses behind its name; none if it will do."""
    faults = []
    if not SHORTEST <= len(password) <= LONGEST:
        faults.append(f"must have {SHORTEST} to {LONGEST} characters, got {len(password)}")
    if not any(char.isupper() for char in password):
        faults.append("must have an upper-case letter")
    if not any(char.islower() for char in password):
        faults.append("must have a lower-case letter")
    if not any(char.isdecimal() for char in password):
        faults.append("must have a digit")
    if not any(char in _SIGNS for char in password):
        faults.append(f"must have one of {_SIGNS}")
    return faults


def hash_password(password: str) -> str:
    """The encoded hash with its salt and parameters; about 64 MiB and some tens of milliseconds."""
    return _hasher.hash(password)


def verify_password(encoded: str, password: str) -> bool:
    """Whether the password is the one; a hash that cannot be read is nobody's."""
    if not encoded.startswith("$"):
        return _verify_old(encoded, password)
    try:
        return _hasher.verify(encoded, password)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(encoded: str) -> bool:
    """Whether the hash was made in another way than today's and should be made anew at this login."""
    return not encoded.startswith("$argon2id$") or _hasher.check_needs_rehash(encoded)


# Verified when the account does not exist, so that the answer takes as long as a wrong password's.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c2x1aWNlLW5vYm9keS0wMA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def _verify_old(encoded: str, password: str) -> bool:
    method, _, rest = encoded.partition("$")
    salt, _, digest = rest.partition("$")
    try:
        found = _digest_old(method.split(":"), password.encode(), salt.encode())
    except ValueError:
        return False
    return found is not None and hmac.compare_digest(found.hex(), digest)


def _digest_old(method: list[str], password: bytes, salt: bytes) -> bytes | None:
    """The digest by a method of Werkzeug's, such as scrypt:32768:8:1 or pbkdf2:sha256:600000; None for any other."""
    match method:
        case ["scrypt", cost, block, parallel]:
            n, r, p = int(cost), int(block), int(parallel)
            if n * r * p > _MOST_SCRYPT:
                return None
            return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=132 * n * r * p)
        case ["pbkdf2", digest, rounds] if digest in _DIGESTS and 0 < int(rounds) <= _MOST_ROUNDS:
            return hashlib.pbkdf2_hmac(digest, password, salt, int(rounds))
        case _:
            return None

"""Password hashes: argon2id with the parameters of RFC 9106's second recommendation, as argon2-cffi ships them."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The encoded hash with its salt and parameters; about 64 MiB and some tens of milliseconds."""
    return _hasher.hash(password)


def verify_password(encoded: str, password: str) -> bool:
    """Whether the password is the one; a hash that cannot be read is nobody's."""
    try:
        return _hasher.verify(encoded, password)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(encoded: str) -> bool:
    """Whether the hash was made with other parameters than today's and should be made anew at this login."""
    return _hasher.check_needs_rehash(encoded)


# Verified when the account does not exist, so that the answer takes as long as a wrong password's.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c2x1aWNlLW5vYm9keS0wMA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

"""The text of API keys."""

from __future__ import annotations

import pytest

from chalicelib.accounts.keys import ApiKey, digest, is_opened, read_key, write_key
from chalicelib.ids import Ids

ID, OTHER = "0123456789abcdef", "ab" * 32


def test_written_key_is_read_back() -> None:
    ids = Ids()
    key_id, secret = ids.key(), ids.secret()
    assert read_key(write_key(key_id, secret)) == (key_id, secret)


def test_keys_differ() -> None:
    ids = Ids()
    assert ids.key() != ids.key()
    assert ids.secret() != ids.secret()


@pytest.mark.parametrize(
    "text",
    ["", "slk_", f"slk_{ID}", f"slk_{ID}_", f"slk_{ID}_{OTHER}0", f"slk_{ID}_{OTHER[:-1]}", f"slk_{ID.upper()}_{OTHER}",
     f"sk_{ID}_{OTHER}", f"slk_{ID}_{OTHER}\n", f"slk_../{ID}_{OTHER}"],
)  # fmt: skip
def test_text_that_cannot_be_a_key_is_none(text: str) -> None:
    assert read_key(text) is None


def test_digest_is_sha_256() -> None:
    # FIPS 180-2, appendix B.1.
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_key_is_opened_by_its_own_secret_only() -> None:
    key = ApiKey(id=ID, digest=digest("right"), name="", owner="7", role="student", scopes=(), created_s=0)
    assert is_opened(key, "right")
    assert not is_opened(key, "wrong")
    assert not is_opened(key, key.digest)

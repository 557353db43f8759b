"""Share links: any JSON value as base64 text, and back.

Nothing is stored: the link is the value. Old links come back through addresses and mails, and what those do to base64
is undone before it is read.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated
from urllib.parse import unquote

import msgspec

from chalicelib.api.analysis import REFUSALS, STRICT, Docs
from chalicelib.api.auth import require
from chalicelib.api.body import parse_json, read_body
from chalicelib.api.http import JSON, Answer, Call
from chalicelib.api.route import Access, Doc, Reply
from chalicelib.errors import FieldError, InvalidRequest, TooLarge

# Of base64: what a request may hold beside little else, and an answer of a Lambda function too.
MAX_CHARACTERS = 2_000_000
_MAX_BYTES = MAX_CHARACTERS * 3 // 4
# "-" and "_" are base64 for addresses; a "+" in an address is read as a space.
_STANDARD = str.maketrans({"-": "+", "_": "/", " ": "+", "\r": "", "\n": "", "\t": ""})


class Encoded(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON value in a form that fits into a link."""

    encoded: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=MAX_CHARACTERS,
            description="Base64 (RFC 4648) of the JSON text in UTF-8. To be decoded it may also be base64url, without "
            "padding, percent-encoded, or with spaces for +.",
        ),
    ]


def encode(call: Call) -> Answer:
    """POST /api/encode: the body, whatever JSON it is, as base64."""
    require(call, public=call.runtime.settings.public_forecasts)
    parse_json(call)
    # The text itself without its spaces and not what was read from it, so that no number changes on the way.
    text = msgspec.json.format(call.body, indent=-1)
    if len(text) > _MAX_BYTES:
        raise TooLarge(f"the JSON text must be at most {_MAX_BYTES} bytes without spaces, got {len(text)}")
    return Answer(body=Encoded(encoded=base64.b64encode(text).decode()))


def decode(call: Call) -> Answer:
    """POST /api/decode: the JSON value itself."""
    require(call, public=call.runtime.settings.public_forecasts)
    question, _ = read_body(call, Encoded, lenient=True)
    return Answer(body=_read(call, question.encoded))


def _read(call: Call, encoded: str) -> bytes:
    """The JSON text, checked as a body is; raises InvalidRequest."""
    try:
        text = _from_base64(encoded)
        text.decode()
        parse_json(msgspec.structs.replace(call, body=text))
    except binascii.Error as error:
        raise _refused(f"must be base64: {error}") from None
    except UnicodeDecodeError as error:
        raise _refused(f"must hold UTF-8: byte {error.start} cannot be read") from None
    except InvalidRequest as error:
        raise _refused(f"must hold JSON: {error.errors[0].detail}") from None
    return text


def _from_base64(encoded: str) -> bytes:
    # A JSON text neither begins nor ends with bytes that "+" stands for, so outer spaces are none.
    plain = unquote(encoded).strip().translate(_STANDARD).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError as error:
        # A character beyond ASCII is a plain ValueError.
        raise binascii.Error(str(error)) from None


def _refused(detail: str) -> InvalidRequest:
    return InvalidRequest([FieldError("/encoded", detail)])


class Shared(msgspec.Struct, frozen=True):
    """What is to be shared: usually an object with fields of the caller's own, but any JSON value is taken."""


_VALUE = b'{"projectName": "Relaunch", "tpSamples": [5, 6, 7, 8]}'
_LINK = Encoded(encoded=base64.b64encode(_VALUE).decode())

DOCS: Docs = {
    "encode": Doc(
        name="encode_link",
        group="Share links",
        summary="A JSON value as text for a link",
        details=f"Takes any JSON value of at most {_MAX_BYTES} bytes. Nothing is stored.",
        access=Access.OPTIONAL,
        request=Shared,
        takes_any=True,
        example=Shared(),
        replies={200: Reply(summary="The text", body=Encoded)},
        refusals=REFUSALS,
    ),
    "decode": Doc(
        name="decode_link",
        group="Share links",
        summary="The JSON value that a link holds",
        details="The answer is the value itself, usually an object, exactly as it was encoded.",
        access=Access.OPTIONAL,
        params=(STRICT,),
        request=Encoded,
        example=_LINK,
        replies={200: Reply(summary="The value", media=JSON)},
        refusals=REFUSALS,
    ),
}

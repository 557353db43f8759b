"""Imports as the tests ask for them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.sim.intake.inputs import ImportRequest, check
from chalicelib.sim.intake.reading import take_in
from chalicelib.sim.intake.result import ImportResult


def taken(text: str, **fields: Any) -> ImportResult:
    """What the file says, with the wishes in `fields` by their names on the wire."""
    request = msgspec.convert({"content": text, **fields}, ImportRequest)
    assert check(request) == []
    return take_in(text, request, progress=lambda share, stage: None)


def refused(text: str, **fields: Any) -> FieldError:
    """The one error by which the file is refused."""
    with pytest.raises(InvalidRequest) as raised:
        taken(text, **fields)
    (error,) = raised.value.errors
    return error

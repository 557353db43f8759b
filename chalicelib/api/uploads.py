"""Files that are too large for a request: a link to send one to, and an id that a job then names."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.api.auth import require
from chalicelib.api.body import read_body
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import BODY, CALLER, Access, Doc, Reply
from chalicelib.aws.files import LINK_S, MAX_BYTES, MOST_BYTES
from chalicelib.clock import rfc3339
from chalicelib.errors import Unavailable


class UploadRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is about to be sent."""

    size: Annotated[int, msgspec.Meta(ge=1, le=MOST_BYTES, description="Length of the file in bytes, exactly.")]


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """Where to send the file, and what it is called afterwards."""

    upload_id: Annotated[str, msgspec.Meta(description="Names the file in the request of the job that reads it.")]
    method: Annotated[str, msgspec.Meta(description="Always PUT.")]
    url: Annotated[str, msgspec.Meta(description="Send the bytes of the file here, without credentials.")]
    headers: Annotated[dict[str, str], msgspec.Meta(description="Headers to send with it, as they are.")]
    expires_at: Annotated[str, msgspec.Meta(description="When the link ends; the file itself is kept for a day.")]


def create(call: Call) -> Answer:
    """POST /api/uploads: a link for one file."""
    caller = require(call, public=call.runtime.settings.public_forecasts)
    request, _ = read_body(call, UploadRequest)
    if request.size > MAX_BYTES:
        # Data sets: for who may import them.
        require(call, scope="admin")
    body = offer_upload(call, caller.user_id, call.runtime.ids.job(), size=request.size)
    return Answer(status=201, body=body, headers={"Cache-Control": "no-store"})


def offer_upload(call: Call, owner: str, upload_id: str, *, size: int) -> Upload:
    """A link for one file of that size."""
    offer = call.runtime.files.offer(owner, upload_id, size=size)
    return Upload(
        upload_id=upload_id,
        method=offer.method,
        url=offer.url,
        headers=offer.headers,
        expires_at=rfc3339(call.runtime.clock.now() + LINK_S),
    )


DOCS = {
    "create": Doc(
        name="create_upload",
        group="Files",
        summary="A link to send a file to",
        details=f"For files of more than 4 MB, up to {MAX_BYTES // 2**20} MB, and {MOST_BYTES // 2**30} GB for admins: "
        "send the file with the method, to the address and with the headers of the answer, then name `upload_id` in "
        "the request of a job. An upload belongs to the account that asked for it.",
        access=Access.OPTIONAL,
        request=UploadRequest,
        example=UploadRequest(size=5_000_000),
        replies={201: Reply(summary="Send the file there", body=Upload)},
        refusals=(*BODY, *CALLER, Unavailable),
    )
}

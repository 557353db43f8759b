"""Imports of contracts: the task, and in the same answer the link for a file that is still to be sent."""

from __future__ import annotations

from typing import Annotated, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.api import answers
from chalicelib.api.auth import require
from chalicelib.api.body import read_body
from chalicelib.api.http import Answer, Call
from chalicelib.api.job_routes import IDEMPOTENCY_KEY, PREFER, SUBMITTED
from chalicelib.api.route import BODY, CALLER, Access, Doc, Reply
from chalicelib.api.submission import hand_in, idempotency_key
from chalicelib.api.uploads import Upload, offer_upload
from chalicelib.aws.files import LINK_S, MOST_BYTES
from chalicelib.errors import FieldError, Gone, InvalidRequest, KeyReused, Unavailable
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.submit import Asker
from chalicelib.kinds.contracts_import import KIND, LONGEST_WAIT_S, DataSetRequest

_KIND = cast("AnyKind", KIND)
# Of a slow line.
_BYTES_PER_S = 2**20


class ImportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was sent, by its `upload_id`, or one that is about to be, by its `size`; either of them.

    CSV with a line of column names, or OCDS 1.1 releases as JSON or JSON Lines; each may be packed with gzip.
    """

    upload_id: (
        Annotated[str, Meta(min_length=1, max_length=200, description="Name of a file that was sent before.")] | None
    ) = None
    size: (
        Annotated[int, Meta(ge=1, le=MOST_BYTES, description="Length in bytes of a file to send, exactly.")] | None
    ) = None
    source: Annotated[str, Meta(max_length=200, description="Where the rows are from, in your own words.")] = ""


class ImportAccepted(answers.Accepted, frozen=True, kw_only=True):
    """A task was stored and queued; it waits for the file where that is still to be sent."""

    upload: Annotated[Upload | UnsetType, Meta(description="Where to send the file, if `size` was given.")] = UNSET


def create(call: Call) -> Answer:
    """POST imports."""
    caller = require(call, scope="admin")
    asked, _ = read_body(call, ImportRequest)
    asker = Asker(owner=caller.user_id, key=idempotency_key(call))
    if (asked.upload_id is None) == (asked.size is None):
        raise InvalidRequest(
            [FieldError("", "must have either upload_id, of a file that was sent, or size, of one to send")]
        )
    if asked.upload_id is not None:
        return hand_in(call, _KIND, DataSetRequest(upload_id=asked.upload_id, source=asked.source), asker)
    return _expect(call, asked, asker)


def _expect(call: Call, asked: ImportRequest, asker: Asker) -> Answer:
    """A task that waits for a file, and the link for it."""
    ids, size = call.runtime.ids, asked.size or 0
    # Under the same key the same request is for the same file, and a file of another size makes another request.
    upload_id = ids.derived(asker.owner, "a file to import", asker.key, str(size)) if asker.key else ids.job()
    upload = offer_upload(call, asker.owner, upload_id, size=size)
    wait_s = min(LINK_S + size // _BYTES_PER_S, LONGEST_WAIT_S)
    request = DataSetRequest(upload_id=upload_id, source=asked.source, wait_s=wait_s)
    answer = hand_in(call, _KIND, request, asker)
    if answer.status != 202:
        # It has ended while the call waited.
        return answer
    body = {**cast("dict[str, object]", answer.body), "upload": upload}
    return Answer(status=202, body=body, headers={**answer.headers, "Cache-Control": "no-store"})


DOCS = {
    "create": Doc(
        name="import_contracts",
        group="Contracts",
        summary="A new data set of awarded contracts",
        details="With `size` the answer has the link for the file, and the task waits until the file is there: until "
        f"the link has ended, and as long again as the file takes at 1 MB a second. Then the task is the same as that "
        f"of `{KIND.path}`. For admins.",
        access=Access.ACCOUNT,
        params=(IDEMPOTENCY_KEY, PREFER),
        request=ImportRequest,
        example=ImportRequest(size=5_000_000, source="open data portal, 2025"),
        replies={
            200: Reply(
                summary="Ended within the time that `Prefer` gave it, well or not",
                body=answers.Task,
                headers=SUBMITTED | {"Content-Location": "The same as Location."},
            ),
            202: Reply(summary="Queued", body=ImportAccepted, headers=SUBMITTED),
        },
        refusals=(*BODY, *CALLER, Gone, KeyReused, Unavailable),
    )
}

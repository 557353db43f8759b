"""Who a browser is logged in as, and what it may do here without that: what a page asks before it shows anything."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.api import account_answers
from chalicelib.api.account_answers import User
from chalicelib.api.auth import who
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE
from chalicelib.api.route import CALLER, Access, Doc, Reply
from chalicelib.errors import Unavailable
from chalicelib.telemetry import log


class Session(Struct, frozen=True, kw_only=True):
    """The caller, and what is open to everybody."""

    user_id: Annotated[str | None, Meta(description="Id of the account; null without credentials.")]
    user: Annotated[User | None, Meta(description="The account; null without one, and while the database is away.")]
    scopes: Annotated[list[str], Meta(description="What the credentials are good for.")]
    public_forecasts: Annotated[bool, Meta(description="Whether forecasts need no account.")]
    public_search: Annotated[bool, Meta(description="Whether searching contracts needs no account.")]
    stage: Annotated[str, Meta(description="The deployment that answered.")]


def show(call: Call) -> Answer:
    """GET /api/auth/session."""
    caller, settings = who(call), call.runtime.settings
    body = Session(
        user_id=caller.user_id or None,
        user=None if caller.is_anonymous else _user(call, caller.user_id),
        scopes=sorted(caller.scopes),
        public_forecasts=settings.public_forecasts,
        public_search=settings.public_search,
        stage=settings.stage,
    )
    return Answer(body=body, headers=NO_STORE)


def _user(call: Call, user_id: str) -> User | None:
    try:
        account = call.runtime.accounts.of(user_id)
    except Unavailable:
        # A page is of use without the name on it.
        log.warning("session without its account", user_id=user_id)
        return None
    return account_answers.show(account) if account else None


DOCS = {
    "show": Doc(
        name="get_session",
        group="Accounts",
        summary="Who the credentials belong to",
        details="Without credentials it says what may be done without them.",
        access=Access.OPTIONAL,
        replies={200: Reply(summary="The caller", body=Session)},
        refusals=(*CALLER, Unavailable),
    )
}

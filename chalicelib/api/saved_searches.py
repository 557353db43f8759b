"""Saved searches: filters that are kept, and what each new data set of contracts brings for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal, cast

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict, replace

from chalicelib.alerting import SEARCHES, DeliveryResult, message_of
from chalicelib.api import answers
from chalicelib.api.auth import require
from chalicelib.api.body import MAX_ERRORS
from chalicelib.api.http import Answer, Call
from chalicelib.api.job_routes import PREFER, SUBMITTED
from chalicelib.api.paging import NO_STORE, PAGE_PARAMS, answer_page, list_reply, read_page
from chalicelib.api.record import read_record
from chalicelib.api.route import BODY, CALLER, SWITCH, Access, Doc, Param, Reply
from chalicelib.api.submission import hand_in
from chalicelib.aws.webhooks import LONGEST_URL, PORTS, TIMEOUT_S, find_fault
from chalicelib.db.contracts.new_matches import SHOWN
from chalicelib.db.contracts.saved_searches import MOST_SEARCHES, KeptAlert, SavedSearch, SearchFields
from chalicelib.db.contracts.search_alerts import KEPT, Channel, News
from chalicelib.db.pages import Place
from chalicelib.db.projects import Name
from chalicelib.db.viewer import read_id
from chalicelib.errors import Conflict, FieldError, Gone, InvalidRequest, KeyReused, NotFound, Unavailable
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Job
from chalicelib.jobs.submit import Asker
from chalicelib.kinds.alert_delivery import KIND
from chalicelib.search.filters import Filters, check
from chalicelib.search.result import Contract

# A test in the same minute is the same test.
_TEST_S = 60
_NEW = SearchFields(name="", filters=Filters(), channel="none", target=None, is_active=True)
_NO_MAIL = "e-mails are not sent by this deployment: alerts are kept and listed"
Delivery = Literal["kept", "waiting", "sent", "failed", "unknown"]
_Target = Annotated[str, Meta(max_length=LONGEST_URL)]


class SearchChange(Struct, frozen=True, kw_only=True):
    """Fields of a saved search; what is left out stays as it is."""

    name: Annotated[Name | UnsetType, Meta(description="Not blank, and not that of another of your searches.")] = UNSET
    filters: Annotated[Filters | UnsetType, Meta(description="Which awards are wanted, as in a search.")] = UNSET
    channel: Annotated[
        Channel | UnsetType,
        Meta(description="How new awards are told: `email` goes to the account's own address, `webhook` to `target`."),
    ] = UNSET
    target: Annotated[
        _Target | UnsetType | None,
        Meta(description="Address of the webhook: https, a public host, no user name in it."),
    ] = UNSET
    is_active: Annotated[bool | UnsetType, Meta(description="false: new data sets are not looked at.")] = UNSET


class NewSearch(SearchChange, frozen=True, kw_only=True):
    """A search to be saved."""

    name: Annotated[Name, Meta(description="Not blank, and not that of another of your searches.")]
    filters: Annotated[Filters, Meta(description="Which awards are wanted, as in a search.")]


class SearchAlert(Struct, frozen=True, kw_only=True):
    """What a data set brought for a saved search."""

    id: Annotated[int, Meta(description="Names the alert; messages about it carry it.")]
    dataset_version: int
    base_version: Annotated[int, Meta(description="Data set that it was compared with; 0: none, all awards are new.")]
    new_matches: Annotated[int, Meta(description="Awards that fit and were not there, or not as often.")]
    contracts: Annotated[list[Contract], Meta(description=f"The first {SHOWN} of them.")]
    created_at: Annotated[datetime, Meta(description="RFC 3339 in UTC.")]
    delivery: Annotated[
        Delivery,
        Meta(
            description="kept: told nowhere else; waiting; sent: the mail service has it, or the webhook answered 200 "
            "to 299; failed; unknown: too long ago."
        ),
    ]
    task_id: Annotated[str | None, Meta(description="The task that delivers it; a failed one can be started again.")]
    error: Annotated[str | None, Meta(description="Why it failed.")]

    @property
    def place(self) -> Place:
        return Place(self.created_at, self.id)


def list_searches(call: Call) -> Answer:
    """GET saved-searches."""
    account, page = _account(call), read_page(call)
    return answer_page(call, page, call.runtime.saved_searches.page(account, page))


def create_search(call: Call) -> Answer:
    """POST saved-searches: 201 with the search and, this once, its secret."""
    account = _account(call)
    request, warnings = read_record(call, NewSearch)
    fields = _merged(call, _NEW, request)
    made = call.runtime.saved_searches.add(account, fields, call.runtime.ids.secret())
    headers = {**NO_STORE, "Location": f"{SEARCHES}/{made.id}"}
    return Answer(status=201, body=_warned(call, made, warnings), headers=headers)


def get_search(call: Call) -> Answer:
    """GET saved-searches/{search_id}."""
    account = _account(call)
    return Answer(body=call.runtime.saved_searches.find(account, call.params["search_id"]), headers=NO_STORE)


def change_search(call: Call) -> Answer:
    """PUT saved-searches/{search_id}: sets the fields that are sent."""
    account = _account(call)
    request, warnings = read_record(call, SearchChange)
    changed = call.runtime.saved_searches.change(
        account, call.params["search_id"], lambda before: _merged(call, before, request), call.runtime.ids.secret()
    )
    return Answer(body=_warned(call, changed, warnings), headers=NO_STORE)


def delete_search(call: Call) -> Answer:
    """DELETE saved-searches/{search_id}: 204, and its alerts are gone with it."""
    call.runtime.saved_searches.remove(_account(call), call.params["search_id"])
    return Answer(status=204)


def list_alerts(call: Call) -> Answer:
    """GET saved-searches/{search_id}/alerts: a page of them with how they were delivered."""
    account, page = _account(call), read_page(call)
    kept = call.runtime.saved_searches.alerts(account, call.params["search_id"], page)
    jobs = call.runtime.engine.store.jobs([alert.task_id for alert in kept if alert.task_id])
    return answer_page(call, page, [_shown(alert, jobs.get(alert.task_id or "")) for alert in kept])


def send_test(call: Call) -> Answer:
    """POST saved-searches/{search_id}/test: 202 with the task of a message that says that it is a test."""
    account, runtime = _account(call), call.runtime
    search = runtime.saved_searches.find(account, call.params["search_id"])
    minute_s = int(runtime.clock.now()) // _TEST_S * _TEST_S
    news = News(
        type="test",
        id=f"test-{search.id}-{minute_s}",
        created_at=datetime.fromtimestamp(minute_s, UTC),
        version=search.last_version,
        base_version=search.last_version,
        matches=0,
        first_rows="[]",
    )
    message = message_of(runtime.settings, runtime.saved_searches.recipient(account, str(search.id)), news)
    if message is None:
        reason = _NO_MAIL if search.channel == "email" else "its channel is none"
        raise Conflict(f"saved search {search.id} has nowhere to send a test to: {reason}")
    # A search that was changed meanwhile makes another message.
    asker = Asker(owner=str(account), key=f"{news.id} {search.updated_at.isoformat()}")
    return hand_in(call, cast("AnyKind", KIND), message, asker)


def _account(call: Call) -> int | None:
    return read_id(require(call).user_id)


def _merged(call: Call, before: SearchFields, request: SearchChange) -> SearchFields:
    """The search as it is to be; raises InvalidRequest with every rule that it breaks."""
    fields = replace(before, **{name: value for name, value in asdict(request).items() if value is not UNSET})
    errors = [FieldError(f"/filters{error.pointer}", error.detail) for error in check(fields.filters)]
    is_local = call.runtime.settings.stage == "local"
    if fields.channel != "webhook":
        if request.target:
            errors.append(FieldError("/target", f"is for the channel webhook alone, and channel is {fields.channel}"))
        fields = replace(fields, target=None)
    elif not fields.target:
        errors.append(FieldError("/target", "is required where channel is webhook"))
    elif fault := find_fault(fields.target, is_local=is_local):
        errors.append(FieldError("/target", fault))
    if errors:
        raise InvalidRequest(errors[:MAX_ERRORS])
    return fields


def _warned(call: Call, search: SavedSearch, warnings: list[str] | UnsetType) -> SavedSearch:
    is_mute = search.channel == "email" and not call.runtime.settings.mail_from
    return replace(search, warnings=[*(warnings or []), *([_NO_MAIL] if is_mute else [])] or UNSET)


def _shown(alert: KeptAlert, job: Job | None) -> SearchAlert:
    return SearchAlert(
        id=alert.id,
        dataset_version=alert.version,
        base_version=alert.base_version,
        new_matches=alert.matches,
        contracts=msgspec.json.decode(alert.first_rows, type=list[Contract]),
        created_at=alert.created_at,
        delivery=_delivery(alert, job),
        task_id=alert.task_id,
        error=job.problem.detail if job is not None and job.problem is not None else None,
    )


def _delivery(alert: KeptAlert, job: Job | None) -> Delivery:
    if alert.delivery != "handed_on":
        return "kept" if alert.delivery == "kept" else "waiting"
    if job is None:
        return "unknown"
    if not job.state.is_final:
        return "waiting"
    return "sent" if job.state is State.SUCCESS else "failed"


_SEARCH_ID = Param(name="search_id", where="path", summary="The saved search.")
_STRICT = Param(name="strict", where="query", summary="Refuses unknown fields.", values=SWITCH)
_OWN = "An account sees its own searches; the id of another one's is answered like an id that there is not."
_LENIENT = "Unknown fields are ignored and listed in `warnings`, or refused with `?strict=1`."
_ANEW = (
    "A search begins with the data set that is current when it is made, asks for something else, or is switched on "
    "again: what is in that one is not new."
)
_WEBHOOKS = (
    f"A webhook is called by POST with JSON, for at most {TIMEOUT_S} s, on port {' or '.join(map(str, PORTS))}; "
    "redirects are not followed. `X-Sluice-Signature` is `sha256=` and HMAC-SHA256, in hexadecimal digits, of "
    "`X-Sluice-Timestamp`, a full stop and the body, with the `secret` that the answer shows once: when a search gets "
    "a webhook, or another one. `X-Sluice-Delivery` names the message, also where it comes again."
)
_EXAMPLE = NewSearch(
    name="Bridges in Cebu",
    filters=Filters(keywords=("bridge",), areas=("cebu",)),
    channel="webhook",
    target="https://hooks.example.org/sluice",
)
_READ = (*CALLER, NotFound, Unavailable)

DOCS: Mapping[str, Doc] = {
    "list_searches": Doc(
        name="list_saved_searches",
        group="Saved searches",
        summary="Saved searches, newest first",
        details=_OWN,
        access=Access.ACCOUNT,
        params=PAGE_PARAMS,
        replies={200: list_reply("One page", SavedSearch)},
        refusals=(*CALLER, InvalidRequest, Unavailable),
    ),
    "create_search": Doc(
        name="create_saved_search",
        group="Saved searches",
        summary="Save a search",
        details=f"Each new data set is held against it, and what is new is told. {_ANEW} At most {MOST_SEARCHES} for "
        f"an account. {_WEBHOOKS} {_LENIENT}",
        access=Access.ACCOUNT,
        params=(_STRICT,),
        request=NewSearch,
        example=_EXAMPLE,
        replies={201: Reply(summary="The search", body=SavedSearch, headers={"Location": "Path of the search."})},
        refusals=(*BODY, *_READ, Conflict),
    ),
    "get_search": Doc(
        name="get_saved_search",
        group="Saved searches",
        summary="One saved search",
        details=_OWN,
        access=Access.ACCOUNT,
        params=(_SEARCH_ID,),
        replies={200: Reply(summary="The search", body=SavedSearch)},
        refusals=_READ,
    ),
    "change_search": Doc(
        name="change_saved_search",
        group="Saved searches",
        summary="Change fields of a saved search",
        details=f"Fields that are left out stay as they are. {_ANEW} {_LENIENT}",
        access=Access.ACCOUNT,
        params=(_SEARCH_ID, _STRICT),
        request=SearchChange,
        example=SearchChange(is_active=False),
        replies={200: Reply(summary="The search as it is now", body=SavedSearch)},
        refusals=(*BODY, *_READ, Conflict),
    ),
    "delete_search": Doc(
        name="delete_saved_search",
        group="Saved searches",
        summary="Remove a saved search",
        details="Its alerts are removed with it.",
        access=Access.ACCOUNT,
        params=(_SEARCH_ID,),
        replies={204: Reply(summary="Removed")},
        refusals=_READ,
    ),
    "list_alerts": Doc(
        name="list_search_alerts",
        group="Saved searches",
        summary="What data sets brought for a saved search, newest first",
        details=f"One alert for a data set that has new awards; the newest {KEPT} are kept. {_OWN}",
        access=Access.ACCOUNT,
        params=(_SEARCH_ID, *PAGE_PARAMS),
        replies={200: list_reply("One page", SearchAlert)},
        refusals=(*_READ, InvalidRequest),
    ),
    "send_test": Doc(
        name="test_saved_search",
        group="Saved searches",
        summary="Send a test by a saved search's channel",
        details=f"The task ends as the delivery did. A test of the same search within {_TEST_S} s is the same task.",
        access=Access.ACCOUNT,
        params=(_SEARCH_ID, PREFER),
        result=DeliveryResult,
        replies={
            200: Reply(
                summary="Ended within the time that `Prefer` gave it, well or not",
                body=answers.Task,
                headers=SUBMITTED | {"Content-Location": "The same as Location."},
            ),
            202: Reply(summary="Queued", body=answers.Accepted, headers=SUBMITTED),
        },
        refusals=(*_READ, Conflict, Gone, KeyReused),
    ),
}

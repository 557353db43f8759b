"""Alerts of saved searches: what a new version of the contracts has brought for each, and the messages that tell it.

An alert is a row, of which there is one for a search and a version; its delivery is a job whose id follows from the
alert's. So the work may be done again from any point, and nobody is told twice.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, cast

import msgspec
from msgspec import Meta, Struct

from chalicelib.aws.mail import Mail
from chalicelib.aws.webhooks import WebhookCall
from chalicelib.clock import rfc3339
from chalicelib.errors import JobFailed, NotFound
from chalicelib.jobs.kind import Continue, Progress
from chalicelib.telemetry import log

if TYPE_CHECKING:
    from chalicelib.db.contracts.new_matches import NewMatches
    from chalicelib.db.contracts.search_alerts import News, Recipient, SearchAlerts, WaitingSearch
    from chalicelib.runtime import Runtime
    from chalicelib.settings import Settings

SEARCHES = "/api/v1/contracts/saved-searches"
# Searches, or alerts, that are read at a time.
_BATCH = 100
_LONGEST_LINE = 300


class DeliveryRequest(Struct, frozen=True, kw_only=True):
    """A message to one account, with all that it takes to send it; either of the two."""

    mail: Mail | None = None
    webhook: WebhookCall | None = None


class DeliveryResult(Struct, frozen=True, kw_only=True):
    """The message was handed over."""

    channel: Annotated[str, Meta(description="email or webhook.")]
    status: Annotated[int | None, Meta(description="What the webhook answered, 200 to 299; null for an e-mail.")] = None


class AlertsResult(Struct, frozen=True, kw_only=True):
    """How many saved searches a version was held against, and what came of it."""

    dataset_version: int
    searches: Annotated[int, Meta(description="Saved searches that have been told of the version.")]
    alerts: Annotated[int, Meta(description="Of these, those for which it has new awards.")]
    failed: Annotated[int, Meta(description="Saved searches that could not be asked; they wait for the next version.")]


# Hands a message to a delivery under a key, however often it is called; answers the delivery's task.
HandOn = Callable[[DeliveryRequest, str, str], str]


class _Stand(Struct, frozen=True, array_like=True):
    """How far the work has come; what was done before is counted for the result alone."""

    version: int
    after: int = 0
    searches: int = 0
    alerts: int = 0
    failed: int = 0


def tell(version: int, progress: Progress, hand_on: HandOn, step_s: float) -> AlertsResult | Continue:
    """Does the next step of telling everybody of a version, 0 for the current one."""
    from chalicelib.db.contracts.new_matches import NewMatches
    from chalicelib.db.contracts.search_alerts import SearchAlerts
    from chalicelib.db.contracts.session import Session

    runtime = cast("Runtime", progress.parts)
    end_s = runtime.clock.now() + step_s
    with closing(Session(runtime.database_url, progress)) as session:
        new, alerts = NewMatches(session), SearchAlerts(session)
        stand = msgspec.json.decode(progress.cursor, type=_Stand) if progress.cursor else _begin(version, new)
        progress(0.0, "comparing the contracts with those before")
        if not new.compare(stand.version):
            raise JobFailed(f"version {stand.version} of the contracts, or the one before it, is not there")
        # Those of a step that died.
        deliver_due(runtime.settings, alerts, hand_on)
        while searches := alerts.waiting(stand.version, stand.after, _BATCH):
            for search in searches:
                progress(0.5, f"{stand.searches} saved searches told")
                stand = _told(new, alerts, search, stand)
                if runtime.clock.now() >= end_s:
                    break
            deliver_due(runtime.settings, alerts, hand_on)
            if runtime.clock.now() >= end_s:
                return Continue(msgspec.json.encode(stand).decode())
    return AlertsResult(
        dataset_version=stand.version, searches=stand.searches, alerts=stand.alerts, failed=stand.failed
    )


def _begin(version: int, new: NewMatches) -> _Stand:
    number = version or new.current()
    if not number:
        raise NotFound("no contracts have been imported yet: POST /api/v1/contracts/imports does")
    return _Stand(number)


def _told(new: NewMatches, alerts: SearchAlerts, search: WaitingSearch, stand: _Stand) -> _Stand:
    """Tells one search of all versions that it has not been told of; one that cannot be asked does not stop others."""
    stand = msgspec.structs.replace(stand, after=search.id)
    made = 0
    try:
        for version in new.compared(search.last_version, stand.version):
            found = new.find(version, search.read(), knows_none=not search.last_version)
            made += alerts.tell(search, version, found)
            search = msgspec.structs.replace(search, last_version=version)
    except (JobFailed, msgspec.ValidationError) as error:
        log.warning("saved search not asked", search_id=search.id, version=stand.version, reason=str(error))
        return msgspec.structs.replace(stand, failed=stand.failed + 1)
    return msgspec.structs.replace(stand, searches=stand.searches + 1, alerts=stand.alerts + made)


def deliver_due(settings: Settings, alerts: SearchAlerts, hand_on: HandOn) -> None:
    """Hands alerts that nobody was told of to deliveries, or notes that there is no way to tell it."""
    while due := alerts.due(_BATCH):
        for alert in due:
            message = message_of(settings, alert.recipient, alert.news)
            task_id = None if message is None else hand_on(message, alert.recipient.owner, f"alert {alert.id}")
            alerts.hand_on(alert.id, task_id)


def message_of(settings: Settings, recipient: Recipient, news: News) -> DeliveryRequest | None:
    """The message by the search's channel; None where there is none."""
    if recipient.channel == "email" and settings.mail_from:
        return DeliveryRequest(mail=_mail(settings, recipient, news))
    if recipient.channel == "webhook":
        return DeliveryRequest(webhook=_webhook(settings, recipient, news))
    return None


def _mail(settings: Settings, recipient: Recipient, news: News) -> Mail:
    address = f"{SEARCHES}/{recipient.search_id}"
    where = f"The search and its alerts: {settings.public_url}{address}"
    stop = "To get no more of these mails, log in and switch the search off there, or remove it."
    lines = [_headline(recipient, news), "", *_lines(news), where, stop]
    return Mail(
        to=recipient.email,
        subject=_headline(recipient, news),
        text="\n".join(lines) + "\n",
        unsubscribe_url=f"{settings.public_url}{address}" if settings.public_url else "",
    )


def _headline(recipient: Recipient, news: News) -> str:
    # A subject is one line.
    name = " ".join(recipient.name.split())
    if news.type == "test":
        return f"Test of the saved search {name}"
    return f"{news.matches:,} new award{'' if news.matches == 1 else 's'} for {name}"


def _lines(news: News) -> list[str]:
    """The first awards, one a line, and an empty one behind them."""
    from chalicelib.search.result import Contract

    rows = msgspec.json.decode(news.first_rows, type=list[Contract])
    if not rows:
        return []
    rest = news.matches - len(rows)
    lines = [
        f"{row.award_date or 'no date'}  {row.contract_amount:,.2f} PHP  {row.awardee_name}: "
        f"{row.award_title or row.notice_title or row.contract_no or 'no title'}"
        for row in rows
    ]
    shown = [line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…" for line in lines]
    return [*shown, *([f"and {rest:,} more"] if rest else []), ""]


def _webhook(settings: Settings, recipient: Recipient, news: News) -> WebhookCall:
    address = f"{settings.public_url}{SEARCHES}/{recipient.search_id}"
    said = {
        "type": f"contracts.{news.type}",
        "id": news.id,
        "created_at": rfc3339(news.created_at.timestamp()),
        "saved_search": {"id": recipient.search_id, "name": recipient.name, "url": address},
        "dataset_version": news.version,
        "base_version": news.base_version,
        "new_matches": news.matches,
        "contracts": msgspec.Raw(news.first_rows.encode()),
    }
    body = msgspec.json.encode(said).decode()
    sent_s = str(int(news.created_at.timestamp()))
    headers = {
        "X-Sluice-Delivery": news.id,
        "X-Sluice-Timestamp": sent_s,
        "X-Sluice-Signature": f"sha256={sign(recipient.secret or '', sent_s, body)}",
    }
    return WebhookCall(url=recipient.target or "", body=body, headers=headers)


def sign(secret: str, timestamp: str, body: str) -> str:
    """The signature of a message: HMAC-SHA256, in hexadecimal digits, of the time, a full stop and the body."""
    return hmac.digest(secret.encode(), f"{timestamp}.{body}".encode(), "sha256").hex()

"""Counting stored events, and mails about apps in which clearly more of them are invalid than usual.

A spike is a row, of which there is one for an app and a window; its mail is a job whose id follows from the row's. So
the work may be done again from any point, and nobody is told twice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, cast

import msgspec
from msgspec import Meta, Struct

from chalicelib.accounts.letters import Spike, invalid_events_spiked
from chalicelib.alerting import DeliveryRequest
from chalicelib.aws.mail import Mail
from chalicelib.jobs.kind import Continue, Progress
from chalicelib.telemetry import log

if TYPE_CHECKING:
    from chalicelib.db.events.spikes import DueSpike, EventSpikes
    from chalicelib.runtime import Runtime
    from chalicelib.settings import Settings


class CountRequest(Struct, frozen=True, kw_only=True):
    """Counting whatever is not counted yet."""


class CountResult(Struct, frozen=True, kw_only=True):
    """What was done."""

    events: Annotated[int, Meta(description="Events that are counted now and were not before.")] = 0
    spikes: Annotated[int, Meta(description="Quarters of an hour that were found to have too many invalid events.")] = 0
    mails: Annotated[int, Meta(description="Owners of apps that are told of one.")] = 0


# Hands a message of an account to a delivery under a key, however often it is called.
HandOn = Callable[[DeliveryRequest, str, str], object]


def count_up(progress: Progress, hand_on: HandOn, step_s: float) -> CountResult | Continue:
    """Counts, judges and tells; or, where counting takes longer than a step, answers where to go on."""
    from chalicelib.db.contracts.session import Session
    from chalicelib.db.events.counts import EventCounts
    from chalicelib.db.events.spikes import EventSpikes

    runtime = cast("Runtime", progress.parts)
    end_s = runtime.clock.now() + step_s
    done = msgspec.json.decode(progress.cursor, type=CountResult) if progress.cursor else CountResult()
    with closing(Session(runtime.database_url, progress)) as session:
        counts, spikes = EventCounts(session), EventSpikes(session)
        is_all = False
        while not is_all:
            progress(0.1, f"{done.events} events counted")
            counted = counts.count()
            is_all = counted.is_all
            done = msgspec.structs.replace(done, events=done.events + counted.events)
            if not is_all and runtime.clock.now() >= end_s:
                return Continue(msgspec.json.encode(done).decode())
        progress(0.8, "looking for spikes")
        found = spikes.judge(runtime.clock.utcnow())
        mails = _tell(runtime.settings, spikes, hand_on)
    done = msgspec.structs.replace(done, spikes=done.spikes + found, mails=done.mails + mails)
    log.info("events counted", extra=msgspec.structs.asdict(done))
    return done


def _tell(settings: Settings, spikes: EventSpikes, hand_on: HandOn) -> int:
    """Hands spikes that nobody was told of to deliveries, or notes that nobody is to be; answers how many mails."""
    mails = 0
    while due := spikes.due():
        for spike in due:
            is_told = bool(spike.email and settings.mail_from)
            if is_told:
                hand_on(DeliveryRequest(mail=_mail(settings, spikes, spike)), spike.owner, f"spike {spike.id}")
                mails += 1
            spikes.told(spike, is_told=is_told)
    return mails


def _mail(settings: Settings, spikes: EventSpikes, spike: DueSpike) -> Mail:
    address = f"{settings.public_url}/api/apps/{spike.app_id}"
    letter = invalid_events_spiked(
        Spike(
            owner_name=spike.owner_name,
            app_name=spike.app_name,
            app_url=address,
            begin=spike.slot,
            invalid=spike.invalid,
            total=spike.total or spike.invalid,
            usual=spike.usual,
            factor=spike.factor,
            floor=spike.floor,
            pause_minutes=spike.pause_minutes,
            names=[(tally.name, tally.count) for tally in spikes.top_names(spike)],
            fields=[(tally.name, tally.count) for tally in spikes.top_fields(spike)],
        )
    )
    return Mail(
        to=spike.email or "",
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        unsubscribe_url=address if settings.public_url else "",
    )

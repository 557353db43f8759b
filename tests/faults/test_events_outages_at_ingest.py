"""SQS or DynamoDB away while apps send events: an honest answer, and each event that was accepted has one row."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from chalicelib.intake import REMEMBERED_S
from tests.faults.events import EVENTS, MOST_REFUSED, QUEUE, Sender, wait_until_settled, warm_up
from tests.faults.site import Site, say

Outage = Literal["refuse", "hang", "error", "lose"]
# What is lost is the answer: the queue has the event, and its app sends it once more.
OUTAGES: tuple[Outage, ...] = ("refuse", "hang", "error", "lose")
AWAY_S = max(1.5, EVENTS / 500)
# Half of the answers have to come within this time, which two tries and the pause between them take at most.
PROMPT_S = 2.5


def test_event_that_is_told_503_and_sent_again_has_one_row(site: Site) -> None:
    warm_up(site)
    sender = Sender(site)
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(sender.send_all, range(EVENTS))
        for place, outage in enumerate(OUTAGES):
            sender.wait_until_accepted(place * EVENTS // 10)
            with site.sqs_proxy.failing(outage):
                time.sleep(AWAY_S)
        sending.result()
    refused = EVENTS - len(sender.accepted)
    sender.send_rest(range(EVENTS))
    sender.wait_until_stored(120)
    wait_until_settled(site)
    count, letters = sender.count(), site.dead_letters(QUEUE)
    say(
        f"queue away {len(OUTAGES)} times for {AWAY_S:.1f} s ({', '.join(OUTAGES)}): {refused} events sent again; "
        f"answers {sender.statuses()}, 503 {sender.times(503)}; {count}, {len(letters)} dead letters"
    )
    assert sender.statuses().keys() == {202, 503}
    assert statistics.median(took_s for status, took_s in sender.answers if status == 503) < PROMPT_S
    assert (count.accepted, count.lost, count.doubled, count.unasked) == (EVENTS, 0, 0, 0)
    assert (sender.known(), letters) == (EVENTS, {})


def test_known_app_is_taken_while_dynamodb_is_away(site: Site) -> None:
    warm_up(site)
    sender = Sender(site)
    with site.dynamodb_proxy.failing("hang"):
        # Processes do not ask sooner.
        time.sleep(REMEMBERED_S)
        sender.send_all(range(EVENTS))
    sender.send_rest(range(EVENTS))
    sender.wait_until_stored(120)
    count = sender.count()
    say(f"DynamoDB does not answer: answers {sender.statuses()}, 202 {sender.times(202)}; {count}")
    assert sender.refused() <= MOST_REFUSED
    assert (count.accepted, count.lost, count.doubled, count.unasked) == (EVENTS, 0, 0, 0)

"""Messages of events that are delivered twice, and events that are sent twice."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.test_forecast import worker_paused
from tests.faults.events import EVENTS, QUEUE, THREADS, Sender, wait_until_settled
from tests.faults.site import Site, say

BATCH = 50
_AT_ONCE = 10  # of SendMessageBatch


def test_events_that_are_delivered_and_sent_twice_have_one_row_each(site: Site) -> None:
    sender, single = Sender(site), EVENTS // 2
    with worker_paused(site.stack, "events"):
        sender.send_all(range(single))
        sender.send_rest(range(single))
        tasks = sender.send_batches(range(single, EVENTS), BATCH)
        messages = [
            *posted(site, sender.name),
            *(json.dumps({"id": each, "kind": "event_batch", "v": 1}) for each in tasks),
        ]
        put(site, messages)
    # Once more while the first ones are worked on, and each event from its app as well.
    with ThreadPoolExecutor(3) as pool:
        again = pool.submit(sender.send_batches, range(single, EVENTS), BATCH)
        for each in (pool.submit(put, site, messages), pool.submit(sender.send_all, range(single))):
            each.result()
    tasks_again = again.result()
    sender.wait_until_stored(120)
    wait_until_settled(site)
    put(site, messages)
    wait_until_settled(site)
    first, second = results(site, tasks), results(site, tasks_again)
    count, letters = sender.count(), site.dead_letters(QUEUE)
    say(
        f"{len(messages)} messages delivered 4 times each, all events sent twice: {count}; of the batches "
        f"{first['stored']} stored and {first['duplicates']} duplicates, when sent again {second['stored']} and "
        f"{second['duplicates']}; {len(letters)} dead letters"
    )
    # Some were sent twice already, where the queue was slow to answer.
    assert len(messages) >= single + len(tasks)
    assert (count.accepted, count.lost, count.doubled, count.unasked) == (EVENTS, 0, 0, 0)
    assert (sender.known(), letters) == (EVENTS, {})
    assert first["stored"] + second["stored"] == first["duplicates"] + second["duplicates"] == EVENTS - single


def posted(site: Site, name: str) -> list[str]:
    """The messages that the queue was given for the single events of a run."""
    requests = site.sqs_proxy.requests(b"AmazonSQS.SendMessage\n", name.encode())
    return [json.loads(request.split(b"\n", 1)[1])["MessageBody"] for request in requests]


def put(site: Site, messages: list[str]) -> None:
    """Puts them on the queue of events, several threads at a time."""
    url = site.url(QUEUE)

    def send(part: list[str]) -> None:
        answer = site.sqs.send_message_batch(
            QueueUrl=url, Entries=[{"Id": str(place), "MessageBody": body} for place, body in enumerate(part)]
        )
        assert not answer.get("Failed"), answer

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(send, [messages[first : first + _AT_ONCE] for first in range(0, len(messages), _AT_ONCE)]))


def results(site: Site, tasks: list[str]) -> dict[str, int]:
    """What became of the events of all these batches."""
    found = [site.client.wait(task_id)["result"] for task_id in tasks]
    return {key: sum(result[key] for result in found) for key in ("stored", "duplicates", "conflicts", "given_up")}

"""ministack, with mappings of queues that take as many messages at a time as they are set to.

By itself version 1.5 hands a function at most ten and never waits for more. Lambda takes up to the mapping's batch
size, waits as long as its batching window says, and stops at the size of an invocation; mappings of up to ten are as
they were. Started as a script by the emulator's launcher, in a process of its own.
"""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from ministack.app import main
from ministack.core.concurrency import esm_wake
from ministack.services import lambda_svc, sqs

_SMALL = 10
# Lambda's limit is 6 MB; quoted once more, as an invocation holds them, messages grow by up to a half.
_MOST_BYTES = 4 * 1024 * 1024

Message = dict[str, Any]  # the emulator's own
_small = sqs._receive_messages_for_esm
_woken_at: dict[str, float] = {}


def receive(queue_url: str, at_a_time: int) -> list[Message]:
    """What the function is to get now: a full batch, or what has come within the window, or nothing yet."""
    if at_a_time <= _SMALL:
        found: list[Message] = _small(queue_url, at_a_time)
        return found
    with sqs._queues_lock:
        queue = sqs._get_q(queue_url)
        now = time.time()
        ready = [message for message in queue["messages"] if message.get("visible_at", now) <= now]
        count = _fitting(ready[:at_a_time])
        if not ready:
            return []
        left_s = min(message.get("visible_at", now) for message in ready) + _window_s(queue) - now
        if count == len(ready) < at_a_time and left_s > 0:
            _wake_in(left_s, queue_url)
            return []
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        batch: list[Message] = sqs._collect_msgs(queue, count, int(queue["attributes"].get("VisibilityTimeout", "30")))
        return batch


def _fitting(messages: list[Message]) -> int:
    """How many of the first go into one invocation; at least one."""
    total = 0
    for place, message in enumerate(messages):
        total += len(message["body"])
        if total > _MOST_BYTES:
            return max(1, place)
    return len(messages)


def _window_s(queue: dict[str, Any]) -> float:
    arn = queue["attributes"].get("QueueArn")
    mappings = (mapping for _, _, mapping in lambda_svc._iter_all_esms())
    windows = (each.get("MaximumBatchingWindowInSeconds") or 0 for each in mappings if each["EventSourceArn"] == arn)
    return float(next(windows, 0))


def _wake_in(seconds: float, queue_url: str) -> None:
    """Has the emulator look at its queues then; left alone it does so once a second."""
    now = time.time()
    if _woken_at.get(queue_url, 0.0) < now:
        _woken_at[queue_url] = now + seconds
        timer = threading.Timer(seconds, esm_wake.set)
        timer.daemon = True
        timer.start()


if __name__ == "__main__":
    # of this process alone: functions inherit the environment and not this
    sys.path.append(str(Path(__file__).parents[1]))
    from localstack import rest_import

    if "SLUICE_CALLS" in os.environ:
        from localstack.recording import record_calls

        record_calls(Path(os.environ["SLUICE_CALLS"]))
    rest_import.install()
    sqs._receive_messages_for_esm = receive
    main()

"""Made-up events: what a shop's app sends, judged and ready to be stored."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator

from chalicelib.db.events.writer import NewEvent

_SCREENS = ("home", "search", "product", "basket", "checkout", "profile")


def event_rows(app: int, count: int, accepted_ms: int, seed: int = 1) -> Iterator[NewEvent]:
    """So many events of about 1.7 KB with their results, as the reference's have, each with an id of its own."""
    rng = random.Random(seed)
    for number in range(count):
        name = f"screen_{rng.choice(_SCREENS)}"
        payload = {
            "screen": rng.choice(_SCREENS),
            "userId": number,
            "durationMs": rng.randrange(60_000),
            "items": [{"sku": f"S-{rng.randrange(10_000)}", "price": rng.randrange(100_000) / 100} for _ in range(3)],
        }
        message_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        body = {
            "eventName": name,
            "messageId": message_id,
            "sessionId": f"s-{rng.getrandbits(64):x}",
            "payload": payload,
        }
        results = [
            {
                "eventName": name,
                "key": key,
                "value": value,
                "expectedType": "text",
                "receivedType": "text",
                "validationStatus": "Valid",
                "comment": "",
            }
            for key, value in (("screen", "home"), ("userId", str(number)), ("durationMs", "1"), *_OF_ITEMS)
        ]
        yield NewEvent(
            app=app,
            message_id=message_id,
            accepted_ms=accepted_ms + number,
            name=name,
            status="valid",
            is_user=True,
            rules_version=1,
            body_hash=rng.randbytes(16),
            body=json.dumps(body, separators=(",", ":")),
            results=json.dumps(results, separators=(",", ":")),
        )


_OF_ITEMS = tuple((f"items[{place}].{field}", "1") for place in range(3) for field in ("sku", "price"))

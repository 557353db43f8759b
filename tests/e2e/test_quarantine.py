"""From a fault to its end through the whole stack: it is seen, the rules are mended, stored events are judged anew."""

from __future__ import annotations

import uuid

from localstack.run import LocalStack
from tests.e2e.client import Client


def test_fault_is_seen_and_is_gone_when_the_rules_are_mended_and_replayed(stack: LocalStack) -> None:
    demo = Client(stack.url).login("demo@sluice.test", "demo-password")
    app_id = f"mended-{uuid.uuid4().hex[:8]}"
    assert demo.call("POST", "/api/apps", {"app_id": app_id, "name": app_id}).status == 201
    rule = {"event": "login", "path": "items[].id", "type": "integer", "required": True}
    assert demo.call("POST", f"/api/apps/{app_id}/rules", {"rules": [rule]}).status == 201
    events = [{"eventName": "Login", "items": [{"id": value}, {"id": 7}, {"id": value}]} for value in ("a", "b", 1)]
    batch = demo.call("POST", f"/api/logs/{app_id}/batch", events)
    assert demo.wait(batch.body["task_id"])["state"] == "SUCCESS"

    seen = demo.call("GET", f"/app/{app_id}/quarantine").body
    (group,) = seen["groups"]
    assert (group["event_name"], group["field_name"], group["count"], group["events"]) == ("login", "items[].id", 4, 2)
    sample = group["sample"]
    assert (sample["key"], sample["value"] in "ab", sample["received_type"]) == ("items[0].id", True, "text")

    mended = demo.call("POST", f"/api/apps/{app_id}/rules", {"rules": [rule | {"type": "text"}]})
    assert mended.body["version"] == 2
    # What is told, before it is wanted.
    told = demo.wait(demo.submit(f"/app/{app_id}/replay", {}))["result"]
    assert (told["turned_valid"], told["turned_invalid"], told["stored"]) == (0, 1, 0)
    anything = demo.call("POST", f"/api/apps/{app_id}/rules", {"rules": [{**rule, "path": "items", "type": "array"}]})
    assert anything.body["version"] == 3
    done = demo.wait(demo.submit(f"/app/{app_id}/replay", {"apply": True}))
    assert (done["state"], done["progress"]) == ("SUCCESS", 100)
    result = done["result"]
    assert (result["rules_version"], result["events"], result["turned_valid"], result["stored"]) == (3, 3, 2, 3)
    assert (result["before"]["invalid"], result["after"]["invalid"]) == (2, 0)

    assert demo.call("GET", f"/app/{app_id}/quarantine").body["groups"] == []
    logs = demo.call("GET", f"/app/{app_id}/logs").body["logs"]
    assert [(log["validation_status"], log["rules_version"]) for log in logs] == [("valid", 3)] * 3
    assert demo.call("GET", f"/app/{app_id}/stats").body["invalid"] == 0

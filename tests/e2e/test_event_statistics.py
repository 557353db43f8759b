"""Statistics and alerts through the whole stack: events that are sent are counted, and a mail tells of a spike."""

from __future__ import annotations

import uuid

from localstack.run import LocalStack
from tests.db.test_database import query
from tests.e2e.client import Client
from tests.e2e.test_accounts import mail
from tests.e2e.test_contracts import admin

__all__ = ["admin"]

# A window is told when it is over, for which nobody wants to wait: what was sent is as if it had been half an hour ago.
# Whoever counts has to wait meanwhile.
EARLIER = """
    SELECT 1 FROM event_rollup FOR UPDATE;
    UPDATE event_news SET slot = slot - interval '30 minutes' WHERE app = {app};
    UPDATE event_quarters SET slot = slot - interval '30 minutes' WHERE app = {app};
    UPDATE log_entries SET accepted_at = accepted_at - interval '30 minutes' WHERE app = {app} RETURNING 1
"""


def test_events_are_counted_and_a_spike_comes_by_mail_once(stack: LocalStack, admin: Client) -> None:
    demo = Client(stack.url).login("demo@sluice.test", "demo-password")
    app_id = f"spikes-{uuid.uuid4().hex[:8]}"
    settings = {"app_id": app_id, "name": app_id, "spike_alerts": True, "spike_floor": 2}
    assert demo.call("POST", "/api/apps", settings).status == 201
    rules = {"rules": [{"event": "login", "path": "userId", "type": "integer"}]}
    assert demo.call("POST", f"/api/apps/{app_id}/rules", rules).status == 201
    events = [{"eventName": "Login", "userId": wrong} for wrong in ("a", "b", "c")]
    batch = demo.call("POST", f"/api/logs/{app_id}/batch", [*events, {"eventName": "login", "userId": 1}])
    assert demo.wait(batch.body["task_id"])["state"] == "SUCCESS"

    ((app,),) = query(stack.database_url, f"SELECT id FROM apps WHERE app_id = '{app_id}'")
    assert len(query(stack.database_url, EARLIER.format(app=app))) == 4
    for _ in range(2):
        assert admin.wait(admin.submit("/api/async/events/statistics", {}))["state"] == "SUCCESS"

    came = mail(demo, "demo@sluice.test", f"3 invalid events in 15 minutes: {app_id}")
    assert "3 of the 4 events" in came["text"]
    assert "Events that broke rules most often: login (3)." in came["html"]
    assert "Fields that were wrong most often: userId (3)." in came["html"]
    mails = demo.call("GET", "/dev/mail?to=demo@sluice.test", Accept="application/json").body["mails"]
    assert len([each for each in mails if each["subject"].endswith(app_id)]) == 1

    history = demo.call("GET", f"/app/{app_id}/history").body
    assert [sum(point[name] for point in history["points"]) for name in ("total", "invalid", "valid")] == [4, 3, 1]

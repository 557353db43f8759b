"""The API over memory and a real Postgres, with the kinds of contracts and workers for them."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib import kinds
from chalicelib.aws.memory_files import MemoryFiles
from chalicelib.db.migrate import migrate
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.worker import Worker
from tests.api.calls import Api, document
from tests.api.test_tasks import bearer
from tests.doubles import registry

IMPORTS = "/api/v1/contracts/imports"
TASKS = "/api/v1/data-processing/tasks"
ADMIN = bearer("1", "admin")
KINDS = [
    kinds.registry("prod").kinds[name]
    for name in (
        "contracts_import",
        "contract_search",
        "contract_analytics",
        "contract_table",
        "contract_export",
        "contracts_alerts",
        "alert_delivery",
    )
]
# What a client would export from a spreadsheet.
THREE = """Award No,Award Date,Award Title,Amount,Supplier,Procuring Entity,Area,Category
A-1,2024-03-01,Repair of the bridge,1000.50,Acme Builders,City of Manila,Manila,Construction
A-2,2024-05-01,Supply of paper,200,Paper & Co,City of Manila,Manila,Office
A-3,2023-01-01,Repair of the road,3000,Acme Builders,Cebu,Cebu,Construction
"""


class Desk:
    """One API and its workers."""

    def __init__(self, dsn: str, **settings: object) -> None:
        migrate(dsn)
        self.api = Api(*KINDS, **({"database_url": dsn, "public_search": True} | settings))

    def upload(self, content: str | bytes) -> str:
        """The id of a file that was sent."""
        body = content.encode() if isinstance(content, str) else content
        answer = self.api.call("POST", "/api/uploads", {"size": len(body)}, authorization=ADMIN)
        offered = document(answer)
        self.send(offered, body)
        name: str = offered["upload_id"]
        return name

    def send(self, offered: Any, body: bytes) -> None:
        """Sends a file to the link of an offer."""
        files = self.api.runtime.files
        assert isinstance(files, MemoryFiles)
        assert files.receive(offered["url"], body)

    def import_text(self, text: str | bytes) -> Any:  # a task
        """The task of an import as it has ended."""
        path = self.submit({"upload_id": self.upload(text)})
        self.work("batch")
        return document(self.api.call("GET", path, authorization=ADMIN))

    def submit(self, body: object) -> str:
        """The path of the task of an import."""
        accepted = self.api.call("POST", IMPORTS, body, authorization=ADMIN)
        assert accepted.status == 202, document(accepted)
        return accepted.headers["Location"]

    def work(self, queue: str, *, steps: int = 1000, kind: object = None) -> None:
        """Settles what stands in a queue, and what that puts there, at most so many messages; as one kind, if given."""
        kinds: Any = [kind] if kind else KINDS
        worker = Worker(self.api.parts.serving(self.api.runtime), registry(*kinds), queue)
        sent = self.api.parts.queues.sent[queue]
        while sent and steps:
            body = msgspec.json.encode(sent.popleft()).decode()
            worker.settle([Delivery(message_id="message-1", body=body, receipt="receipt-1")])
            steps -= 1

    def ask(self, name: str, body: object, **headers: str) -> Any:  # a JSON object
        """What a submit answers."""
        return document(self.api.call("POST", f"{TASKS}/{name}", body, **headers))

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        """Status and body of an answer."""
        answer = self.api.call("GET", f"{TASKS}/{path}", **headers)
        return answer.status, document(answer)

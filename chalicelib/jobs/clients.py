"""boto3 clients with stated timeouts, and their outages as Unavailable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, IncompleteReadError

from chalicelib.errors import Unavailable

# For calls that somebody waits for: twice this and a pause of up to 1 s between the two tries, so 2.5 s at most.
PROMPT_S = 0.75
# For calls that nobody waits for: an answer that was given up too early would be a run for nothing.
PATIENT_S = 3
_RETRY_AFTER_S = 5


def client(service: str, *, read_timeout_s: float, endpoint: str | None = None) -> Any:  # each service has its type
    """A client of one AWS service that gives up soon, after one retry: somebody is waiting for the answer.

    AWS_ENDPOINT_URL and its per-service forms are honoured by boto3.
    """
    # total_max_attempts counts the first try.
    config = Config(
        connect_timeout=0.5,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": 2},
        # S3 alone still presigns by an older scheme, which newer regions and named downloads refuse.
        signature_version="s3v4" if service == "s3" else None,
    )
    return boto3.client(service, config=config, endpoint_url=endpoint)  # type: ignore[call-overload, unused-ignore]


@contextmanager
def outages(what: str) -> Iterator[None]:
    """Turns a service that cannot be reached, is throttling or is failing into Unavailable; other errors pass."""
    try:
        yield
    except (ConnectionError, HTTPClientError, IncompleteReadError) as error:
        raise Unavailable(f"{what} cannot be reached", retry_after_s=_RETRY_AFTER_S) from error
    except ClientError as error:
        if _is_outage(error):
            raise Unavailable(f"{what} is overloaded or failing", retry_after_s=_RETRY_AFTER_S) from error
        raise


def _is_outage(error: ClientError) -> bool:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return (
        status >= 500 or "Throttl" in code or code in ("ProvisionedThroughputExceededException", "RequestLimitExceeded")
    )

"""Pushes to WebSocket connections through API Gateway's management endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chalicelib.errors import ConfigurationError, Unavailable
from chalicelib.jobs.clients import client, outages

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi.client import ApiGatewayManagementApiClient


class Sockets(Protocol):
    """Sends to connections by id."""

    def send(self, connection_id: str, message: bytes) -> bool:
        """Sends one text message; False if the client is gone or not there yet. Raises Unavailable."""


class GatewaySockets:
    """Sockets behind API Gateway; several threads may send."""

    def __init__(self, endpoint: str) -> None:
        if not endpoint:
            raise ConfigurationError("WS_MANAGEMENT_ENDPOINT is not set")
        # Made here and not on first use: making a client is not safe in threads, using it is.
        self._api: ApiGatewayManagementApiClient = client(
            "apigatewaymanagementapi", read_timeout_s=3, endpoint=endpoint
        )

    def send(self, connection_id: str, message: bytes) -> bool:
        with outages("the WebSocket gateway"):
            try:
                self._api.post_to_connection(ConnectionId=connection_id, Data=message)
            except self._api.exceptions.GoneException:
                return False
            except self._api.exceptions.LimitExceededException as error:
                raise Unavailable("the WebSocket gateway takes no more messages for now", retry_after_s=1) from error
        return True

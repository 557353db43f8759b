"""Pushes to WebSocket connections through API Gateway's management endpoint."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.errors import ConfigurationError
from chalicelib.jobs.clients import client, outages

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi.client import ApiGatewayManagementApiClient


class Sockets:
    """Sends to connections by id."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def send(self, connection_id: str, message: bytes) -> bool:
        """Sends one text message; False if the client is gone. Raises Unavailable."""
        with outages("the WebSocket gateway"):
            try:
                self._api.post_to_connection(ConnectionId=connection_id, Data=message)
            except self._api.exceptions.GoneException:
                return False
        return True

    @cached_property
    def _api(self) -> ApiGatewayManagementApiClient:
        if not self._endpoint:
            raise ConfigurationError("WS_MANAGEMENT_ENDPOINT is not set")
        api: ApiGatewayManagementApiClient = client(
            "apigatewaymanagementapi", read_timeout_s=3, endpoint=self._endpoint
        )
        return api

"""The one logger: JSON lines with constant text and data as keys, one line per state change or request."""

from __future__ import annotations

from aws_lambda_powertools import Logger

# A request id given by API Gateway or Lambda is added by the edges as a key of the line, not by the decorator
# of Powertools: that one needs the Lambda context object, which the test client and the emulator shape differently.
log = Logger(service="sluice")

"""Secrets by Secrets Manager, read once by each process that needs one.

Whoever turns a secret over deploys again (docs/runbook.md): the functions start anew and read the new one.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import quote

import msgspec
from botocore.exceptions import ClientError

from chalicelib.errors import ConfigurationError
from chalicelib.jobs.clients import PROMPT_S, client, outages


class Login(msgspec.Struct, frozen=True):
    """Who a process is to the database; the form in which Secrets Manager makes such secrets."""

    username: str
    password: str

    def url(self, address: str) -> str:
        """The libpq address of `host:port/database`, by TLS: this server is never the local one."""
        return f"postgresql://{quote(self.username, '')}:{quote(self.password, '')}@{address}?sslmode=require"


def read_text(arn: str) -> str:
    """The secret's text; raises Unavailable in an outage and ConfigurationError where it may not be read."""
    with outages("the store of secrets"):
        try:
            text: str = _secrets().get_secret_value(SecretId=arn)["SecretString"]
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in ("ResourceNotFoundException", "AccessDeniedException"):
                raise ConfigurationError(f"the secret {arn} cannot be read: {code}") from error
            raise
    return text


def read_login(arn: str) -> Login:
    """The login that the secret holds."""
    try:
        return msgspec.json.decode(read_text(arn), type=Login)
    except msgspec.DecodeError as error:
        # Without the text: it has a password in it.
        raise ConfigurationError(f"the secret {arn} is no login with username and password") from error


@cache
def _secrets() -> Any:  # the client of a service whose types are not installed
    return client("secretsmanager", read_timeout_s=PROMPT_S)

"""What the function `migrate` does: the schema, and the roles that the other functions log in as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.telemetry import log

if TYPE_CHECKING:
    from chalicelib.runtime import Runtime

# Connections of each role, and so of all functions that log in as it; the owner's are `migrate` and the workers of
# `batch`. The smallest database that infra/stack.yaml allows takes all of them (tests/infra/test_network.py).
API_CONNECTIONS = 80
WORKER_CONNECTIONS = 60


def bring_up(runtime: Runtime, phases: tuple[str, ...]) -> dict[str, list[str]]:
    """Applies what is missing of these phases, and brings the roles to what they may do; answers what was applied.

    Without secrets for them no roles are made: a stage that is given DATABASE_URL does its work as that user.
    """
    from chalicelib.db.migrate import migrate
    from chalicelib.db.roles import Role, ensure_roles

    applied = migrate(runtime.database_url, phases=phases)
    settings = runtime.settings
    secrets = {settings.database_api_secret: API_CONNECTIONS, settings.database_worker_secret: WORKER_CONNECTIONS}
    roles = []
    for arn, connections in secrets.items():
        if arn:
            from chalicelib.aws.secrets import read_login

            login = read_login(arn)
            roles.append(Role(login.username, login.password, connections))
    ensure_roles(runtime.database_url, roles)
    log.info("migrated", applied=applied, roles=[role.name for role in roles])
    return {"applied": applied}

"""What operators ask of the database from outside its network: the function `migrate` answers it, for it is inside.

Whoever may invoke that function may ask; no route leads here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.errors import ConfigurationError

if TYPE_CHECKING:
    from chalicelib.runtime import Runtime


def operate(runtime: Runtime, event: Any) -> Any:  # JSON of an operator's, and what answers it
    """Does what the event says, and without a word of that applies migrations."""
    match event or {"phases": ["pre", "post"]}:
        case {"phases": list(phases)}:
            return _migrate(runtime, tuple(phases))
        case {"look": True}:
            return _look(runtime)
        case {"end": int(pid)}:
            return _end(runtime, pid)
        case {"erase": str(account), "step": "count" | "close" | "remove" as step}:
            return _erase(runtime, account, step)
    raise ConfigurationError(f"nothing is known that an operator asks for with {sorted(event)}")


def _migrate(runtime: Runtime, phases: tuple[str, ...]) -> Any:
    from chalicelib.migration import bring_up

    return bring_up(runtime, phases)


def _look(runtime: Runtime) -> Any:
    from chalicelib.db.observer import Observer

    return msgspec.to_builtins(Observer(runtime.database).look())


def _end(runtime: Runtime, pid: int) -> Any:
    from chalicelib.db.observer import Observer
    from chalicelib.telemetry import log

    is_ended = Observer(runtime.database).end(pid)
    log.warning("database connection ended", pid=pid, is_ended=is_ended)
    return {"is_ended": is_ended}


def _erase(runtime: Runtime, account: str, step: str) -> Any:
    from chalicelib.db.erasure import Erasure
    from chalicelib.telemetry import log

    erasure = Erasure(runtime.database_url, runtime.clock)
    match step:
        case "count":
            return msgspec.to_builtins(erasure.count(account))
        case "close":
            return msgspec.to_builtins(erasure.close(account))
    is_done = erasure.remove(account)
    # Not the account, which may be an address.
    log.warning("account erased", is_done=is_done)
    return {"is_done": is_done}

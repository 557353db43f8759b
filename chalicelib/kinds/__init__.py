"""One file per job kind: each module here declares its kind as `KIND`; this finds them all."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from chalicelib.errors import ConfigurationError
from chalicelib.jobs.kind import AnyKind, Registry
from chalicelib.settings import QUEUES


def registry(stage: str) -> Registry:
    """The kinds that the stage offers; raises ConfigurationError where two clash or one contradicts itself."""
    modules = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return build([module.KIND for module in modules], stage)


def build(kinds: list[AnyKind], stage: str) -> Registry:
    """A registry of these kinds, checked."""
    taken: dict[str, str] = {}
    for kind in kinds:
        if kind.queue not in QUEUES:
            raise ConfigurationError(f"kind {kind.name}: queue must be one of {', '.join(QUEUES)}, got {kind.queue}")
        for claim in filter(None, (kind.name, kind.path, kind.sync_path)):
            if claim in taken:
                raise ConfigurationError(f"kinds {taken[claim]} and {kind.name} both claim {claim}")
            taken[claim] = kind.name
    return Registry({kind.name: kind for kind in kinds if not kind.stages or stage in kind.stages}, stage)

"""From an event's request to its row at steady rates, by bench.load in a process of its own: of Sluice and the peer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.load import Report as Load
from bench.peer.stack import Peer
from localstack.errors import LocalStackError
from localstack.run import LocalStack

ROOT = Path(__file__).parents[1]
# Events a second, how long 99 % of them may take in the low-latency profile, and how they get to Sluice: the local
# stack answers some 40 requests a second, so the higher rate begins at the queue.
RATES = ((500 / 60, 1.0, "http"), (100.0, 2.0, "queue"))


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """One system at one rate."""

    system: str
    profile: str
    through: str
    asked_per_s: float
    load: Load


def of_sluice(stack: LocalStack, profile: str, rate: float, through: str, seconds: float) -> Latency:
    """Sluice's local stack, over HTTP or from the queue on."""
    options = ["--through", through]
    load = _load(options, rate, seconds, stack.state / "load.json", {"SLUICE_STATE": str(stack.state)})
    return Latency(system="Sluice", profile=profile, through=through, asked_per_s=round(rate, 1), load=load)


def of_peer(peer: Peer, dsn: str, rate: float, seconds: float) -> Latency:
    """The peer over HTTP."""
    options = ["--url", peer.url, "--postgres", dsn, "--rows-of", "peer"]
    load = _load(options, rate, seconds, peer.worker.program.log.with_name("load.json"), {})
    return Latency(system="peer", profile="", through="http", asked_per_s=round(rate, 1), load=load)


def _load(options: Sequence[str], rate: float, seconds: float, file: Path, environ: dict[str, str]) -> Load:
    file.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "bench.load", "--rate", str(rate), "--per", "second", "--duration", str(seconds)]
    # Rows may take two minutes after the last request; its own bounds are looked at here, not its exit code.
    longest_s = seconds + 240
    argv += [*options, "--json", str(file)]
    try:
        told = subprocess.run(argv, env=os.environ | environ, cwd=ROOT, capture_output=True, timeout=longest_s)
    except subprocess.TimeoutExpired as error:
        raise LocalStackError(f"bench.load did not end within {longest_s:.0f} s") from error
    if not file.exists():
        said = told.stderr.decode(errors="replace").strip().splitlines()
        raise LocalStackError(f"bench.load has failed: {said[-1] if said else 'nothing was said'}")
    return msgspec.json.decode(file.read_bytes(), type=Load)

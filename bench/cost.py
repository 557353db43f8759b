"""Dollars of a million events, forecasts and searches, beside an always-on Flask + Celery + Redis set.

    python -m bench.cost [--json FILE] [--from FILE]

CPU, calls and bytes are measured here: the app's own functions against the emulator and a real Postgres, and the peer
of bench/peer on the same machine. Prices stand in bench/prices.json; what was assumed in bench.cost_bill.Assumptions.
--from prices a run again that was written by --json. Needs redis-server; some two minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.cost_bill import read_prices
from bench.cost_measure import measure_peer, measure_sluice
from bench.cost_month import ROOT, read_stage
from bench.cost_report import Inputs, table
from bench.peer.stack import redis_server
from localstack.emulator import forget_aws_settings
from localstack.errors import Interrupted, LocalStackError
from localstack.progress import Progress
from localstack.supervise import interruptible


def read_memory_mb(root: Path = ROOT) -> dict[str, int]:
    """Of each function that .chalice/config.json names; "" is every other one's."""
    config = json.loads((root / ".chalice" / "config.json").read_text())
    default = int(config["lambda_memory_size"])
    named = {name: int(each.get("lambda_memory_size", default)) for name, each in config["lambda_functions"].items()}
    return {"": default, **named}


def is_traced(root: Path = ROOT) -> bool:
    return bool(json.loads((root / ".chalice" / "config.json").read_text()).get("xray"))


def measure(state: Path, progress: Progress) -> Inputs:
    """Both systems, one after the other."""
    forget_aws_settings()
    before = os.getloadavg()[0]
    peer = measure_peer(state / "peer", progress)
    sluice = measure_sluice(state / "sluice", progress)
    return Inputs(
        taken_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        machine=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        loads_1m=(round(before, 2), round(os.getloadavg()[0], 2)),
        prices=read_prices(),
        memory_mb=read_memory_mb(),
        is_traced=is_traced(),
        stage=read_stage(),
        sluice=sluice,
        peer=peer,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.cost")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where all inputs go")
    parser.add_argument("--from", dest="earlier", type=Path, metavar="FILE", help="measured before, with prices of now")
    said = parser.parse_args(arguments)
    try:
        with interruptible(), tempfile.TemporaryDirectory() as folder:
            if said.earlier:
                earlier = msgspec.json.decode(said.earlier.read_bytes(), type=Inputs)
                inputs = msgspec.structs.replace(
                    earlier, prices=read_prices(), stage=read_stage(), is_traced=is_traced()
                )
            else:
                redis_server()  # before anything is started
                inputs = measure(Path(folder), Progress(sys.stderr))
    except Interrupted as interrupted:
        return interrupted.exit_code
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if said.json:
        said.json.write_bytes(msgspec.json.format(msgspec.json.encode(inputs)))
    print(table(inputs))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What `import app` costs over its floor, chalice + boto3 clients + Logger, each in fresh interpreters.

The budget for our own code on the API path is 40 ms (DESIGN: dependencies). The machine's noise is in both figures,
so they are taken in turns and compared as medians of one run.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROUNDS = 15
BUDGET_MS = 40

CLIENTS = "import boto3; boto3.client('dynamodb'); boto3.client('sqs')"
FLOOR = f"from chalice.app import Chalice; from aws_lambda_powertools import Logger; Logger(service='x'); {CLIENTS}"
STATEMENTS = {"bare interpreter": "pass", "floor": FLOOR, "app": f"import app; {CLIENTS}"}


def import_ms(statement: str) -> float:
    """Milliseconds of CPU that a fresh interpreter takes for a statement, its own start included."""
    code = f"{statement}\nimport time; print(time.process_time())"
    environ = {**os.environ, "STAGE": "prod", "AWS_DEFAULT_REGION": "us-east-1", "PYTHONPATH": str(ROOT)}
    # Who sets this would have the modules compiled again and again, and that measured.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True)
    if told.returncode != 0:
        sys.exit(told.stderr)
    return float(told.stdout) * 1000


def main() -> None:
    for statement in STATEMENTS.values():
        import_ms(statement)  # writes the byte code, which Lambda has as well
    taken: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(ROUNDS):
        for name, statement in STATEMENTS.items():
            taken[name].append(import_ms(statement))
    median = {name: statistics.median(values) for name, values in taken.items()}
    for name, value in median.items():
        print(f"{name:18} {value:7.1f} ms CPU (median of {ROUNDS})")
    over = median["app"] - median["floor"]
    print(f"app over floor     {over:7.1f} ms of {BUDGET_MS} ms, {median['app'] / median['floor']:.3f} x the floor")


if __name__ == "__main__":
    main()

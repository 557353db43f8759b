"""cfn-lint over all that CloudFormation gets: the stacks, the packaged app, and the app as SAM expands it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from samtranslator.translator.transform import transform

ROOT = Path(__file__).parent.parent


class _NoPolicies:
    """The managed policies that a template may name; ours names none."""

    def load(self) -> dict[str, str]:
        return {}


def main() -> int:
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    with tempfile.TemporaryDirectory() as folder:
        # The template is the same whatever lies in the zip, so the quick bundle will do.
        subprocess.run([sys.executable, "-m", "localstack.bundle", ROOT, folder, "prod"], cwd=ROOT, check=True)
        packaged, expanded = Path(folder) / "sam.json", Path(folder) / "expanded.json"
        template = json.loads(packaged.read_text())
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = "s3://bucket/deployment.zip"
        packaged.write_text(json.dumps(template))
        packed = len(template["Resources"])
        # What CloudFormation makes of the package: mistakes that hide in SAM's short forms show here.
        expanded_template = transform(template, {}, _NoPolicies())
        expanded.write_text(json.dumps(expanded_template))
        linter = Path(sys.executable).with_name("cfn-lint")
        stacks = [ROOT / "infra" / f"{name}.yaml" for name in ("stack", "edge", "watch")]
        done = subprocess.run([linter, *stacks, packaged, expanded])
        grown = len(expanded_template["Resources"])
        print(f"cfn-lint: {len(stacks)} stacks, {packed} packaged resources, {grown} expanded")
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())

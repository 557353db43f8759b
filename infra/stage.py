"""A stage from the command line: `make deploy STAGE=prod`, `make drift STAGE=prod`, `make destroy STAGE=prod`.

With AWS_ENDPOINT_URL the same goes to an emulator: with a package of the code alone, and without the few types of
resources that it does not know, which are named.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra import after_deploy, destroy, stacks
from infra.deploy import Plan, Stopped, deploy, deployed_apis, say, settable, settings_beyond_chalice
from localstack.bundle import CODE, write_code

# Of ministack 1.5; AWS has them.
UNKNOWN_TO_EMULATOR = frozenset(
    {"AWS::Budgets::Budget", "AWS::RDS::DBProxy", "AWS::RDS::DBProxyTargetGroup", "AWS::Logs::QueryDefinition"}
)
_STAGE = re.compile(r"[a-z][a-z0-9]{1,15}")
_HELP = """\
deploy   makes the stage or brings it up to date, and prints its public address
drift    says what is no longer as a deploy set it, and ends with 1 if anything is
destroy  deletes the stage, after asking; KEPT=delete deletes the secrets, keys and notes too that it keeps
STACK="DatabaseMultiAz=true AlarmEmail=ops@example.org"  parameters of the templates in infra/
SET="PUBLIC_SEARCH=true MAIL_FROM=alerts@example.org"    settings of the functions
Both are kept: the next deploy need not name them."""


def main(words: Sequence[str]) -> int:
    """Runs one command; answers the exit code."""
    parser = argparse.ArgumentParser(
        prog="make deploy|drift|destroy STAGE=...", description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("command", choices=("deploy", "drift", "destroy"))
    parser.add_argument("--stage", default="")
    parser.add_argument("--stack", default="")
    parser.add_argument("--set", default="")
    parser.add_argument("--kept", default="")
    asked = parser.parse_args(words)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _run(asked, _plan(asked, Path(folder)))
    except Stopped as stopped:
        print(f"{asked.command}: stopped: {stopped}", file=sys.stderr)
    except (BotoCoreError, ClientError, stacks.StackFailed) as error:
        print(f"{asked.command}: stopped: {error}", file=sys.stderr)
    return 1


def _run(asked: argparse.Namespace, plan: Plan) -> int:
    if asked.command == "deploy":
        public = deploy(plan)
        say(f"stage {plan.stage} is up at {public}")
        return 0
    if asked.command == "destroy":
        return 0 if destroy.destroy(plan, ask=input, keep=asked.kept != "delete") else 1
    drifted = after_deploy.drifted(settings_beyond_chalice(plan, deployed_apis(plan)))
    for line in drifted:
        print(f"drift: {line}")
    print(f"drift: {len(drifted)} settings of stage {plan.stage} are not as a deploy set them")
    return 1 if drifted else 0


def _plan(asked: argparse.Namespace, folder: Path) -> Plan:
    """Where to and with what, checked before anything is done."""
    if not _STAGE.fullmatch(asked.stage) or asked.stage == "local":
        raise Stopped(f"STAGE must be 2 to 16 lower-case letters and digits, and not local, got {asked.stage!r}")
    session = boto3.Session()
    if not session.region_name:
        raise Stopped("no region: set AWS_DEFAULT_REGION, or AWS_PROFILE to a profile with one")
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    parameters = _pairs("STACK", asked.stack)
    plan = Plan(asked.stage, session, parameters, _pairs("SET", asked.set), endpoint)
    known = settable()
    if unknown := set(parameters) - known:
        raise Stopped(f"STACK has no parameter {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    who = plan.client("sts").get_caller_identity()
    say(f"{asked.command} of stage {plan.stage}, account {who['Account']}, {session.region_name}, as {who['Arn']}")
    if not endpoint:
        return plan
    say(f"to the emulator at {endpoint}: code alone, without {', '.join(sorted(UNKNOWN_TO_EMULATOR))}")
    code = folder / CODE
    write_code(Path.cwd(), code)
    return plan._replace(bundle=str(code), left_out=UNKNOWN_TO_EMULATOR)


def _pairs(name: str, text: str) -> dict[str, str]:
    words = text.split()
    if wrong := [word for word in words if "=" not in word]:
        raise Stopped(f"{name} must be NAME=value NAME=value, got {wrong[0]!r}")
    return dict(word.split("=", 1) for word in words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

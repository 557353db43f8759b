"""Which emulator stands for which service of AWS, and each one's share of a template.

The free LocalStack lacks some services, or may not be given them; those stay on the embedded emulator beside it. A
function lives where its trigger is, and finds the others by boto3's AWS_ENDPOINT_URL_<SERVICE>.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from localstack.emulator import Emulator
from localstack.errors import LocalStackError

Template = dict[str, Any]  # CloudFormation's own JSON, passed through

# Of the resource types AWS::<these>::*, with boto3's names of the services behind them.
ON_LOCALSTACK: Mapping[str, tuple[str, ...]] = {
    "ApiGateway": ("API_GATEWAY",),
    "CloudWatch": ("CLOUDWATCH",),
    "Logs": ("CLOUDWATCH_LOGS",),
    "S3": ("S3",),
    "SecretsManager": ("SECRETS_MANAGER",),
    "SNS": ("SNS",),
    "SQS": ("SQS",),
}
ON_EMBEDDED: Mapping[str, tuple[str, ...]] = {
    "ApiGatewayV2": ("APIGATEWAYV2", "APIGATEWAYMANAGEMENTAPI"),
    "DynamoDB": ("DYNAMODB", "DYNAMODB_STREAMS"),
    "SES": ("SES", "SESV2"),
}
# On neither, with what cannot be without them: functions run on this machine, where Postgres is already.
LEFT_OUT = ("Budgets", "EC2", "RDS")
_FUNCTION, _PERMISSION, _ROLE = "AWS::Serverless::Function", "AWS::Lambda::Permission", "AWS::IAM::Role"
# On both: a function with what belongs to it is where its trigger is.
FOLLOWING = (_FUNCTION, _PERMISSION, _ROLE, "AWS::Serverless::Api")
_IN_TEXT = re.compile(r"\$\{([A-Za-z0-9]+)")


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """The emulators that together stand for AWS."""

    embedded: Emulator
    localstack: Emulator | None = None  # None: the embedded one stands for all of it

    @property
    def main(self) -> Emulator:
        """Where the REST API and the workers are."""
        return self.localstack or self.embedded

    @property
    def emulators(self) -> list[Emulator]:
        """All of them."""
        return [self.embedded, *([self.localstack] if self.localstack else [])]

    def shares(self, template: Template) -> Iterator[tuple[Emulator, Template]]:
        """What to deploy where, in this order."""
        if self.localstack is None:
            yield self.embedded, template
            return
        yield from zip((self.embedded, self.localstack), split(template), strict=True)

    def variables(self, *, inside: bool) -> dict[str, str]:
        """What leads boto3 to the right emulator; inside a function, where both may have other addresses."""
        if self.localstack is None:
            return {}
        found = {"AWS_ENDPOINT_URL_LAMBDA": self.localstack}  # of the workers, which are switched off and on
        found |= {f"AWS_ENDPOINT_URL_{name}": self.localstack for names in ON_LOCALSTACK.values() for name in names}
        found |= {f"AWS_ENDPOINT_URL_{name}": self.embedded for names in ON_EMBEDDED.values() for name in names}
        return {name: each.inside if inside else each.endpoint for name, each in found.items()}


def split(template: Template) -> tuple[Template, Template]:
    """The shares of the embedded emulator and of LocalStack; raises where one needs the other's resources."""
    resources: dict[str, Any] = template["Resources"]
    gone = _left_out(resources)
    embedded = _embedded({name: each for name, each in resources.items() if name not in gone})
    localstack = set(resources) - gone - embedded
    for share, other in ((embedded, localstack), (localstack, embedded)):
        for name in share:
            if torn := other.intersection(_names(resources[name])):
                raise LocalStackError(f"{name} needs {', '.join(sorted(torn))}, which is on the other emulator")
    return _share(template, embedded), _share(template, localstack)


def _left_out(resources: Mapping[str, Any]) -> set[str]:
    gone = {name for name, each in resources.items() if _service(each) in LEFT_OUT}
    while more := {name for name, each in resources.items() if gone.intersection(_names(each))} - gone:
        gone |= more
    return gone


def _embedded(resources: Mapping[str, Any]) -> set[str]:
    for name, each in resources.items():
        if _service(each) not in (*ON_LOCALSTACK, *ON_EMBEDDED) and each["Type"] not in FOLLOWING:
            raise LocalStackError(f"{name} ({each['Type']}) has no place in localstack/backends.py")
    found = {name for name, each in resources.items() if _service(each) in ON_EMBEDDED}
    named = {other for name in found for other in _names(resources[name])}
    functions = {
        name for name, each in resources.items() if each["Type"] == _FUNCTION and (name in named or _reads_stream(each))
    }
    needed = {other for name in functions for other in _names(resources[name])}
    for name, each in resources.items():
        is_theirs = (each["Type"] == _ROLE and name in needed) or (
            each["Type"] == _PERMISSION and functions.intersection(_names(each))
        )
        if name in functions or is_theirs:
            found.add(name)
    return found


def _service(resource: Mapping[str, Any]) -> str:
    return str(resource["Type"]).split("::")[1]


def _reads_stream(function: Mapping[str, Any]) -> bool:
    return any(event["Type"] == "DynamoDB" for event in function["Properties"].get("Events", {}).values())


def _names(value: Any) -> Iterator[str]:
    """All that a part of a template refers to; in a text too, where ${...} may be a local name of Fn::Sub's own."""
    if isinstance(value, str):
        yield from _IN_TEXT.findall(value)
    elif isinstance(value, list):
        for each in value:
            yield from _names(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "Ref":
                yield each
            elif key == "Fn::GetAtt":
                yield each[0] if isinstance(each, list) else each.split(".")[0]
            elif key == "DependsOn":
                yield from [each] if isinstance(each, str) else each
            else:
                yield from _names(each)


def _share(template: Template, kept: Collection[str]) -> Template:
    resources = template["Resources"]
    gone = set(resources) - set(kept)
    outputs = {name: each for name, each in template.get("Outputs", {}).items() if not gone.intersection(_names(each))}
    return {**template, "Resources": {name: resources[name] for name in resources if name in kept}, "Outputs": outputs}

"""infra/edge.yaml: which request reaches which API through the public host, what is kept there, its function."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from chalicelib import kinds
from chalicelib.api.client import PROOF_HEADER, proof_of_host
from chalicelib.api.routes import routes
from localstack.door import Target
from tests.doubles import SECRET
from tests.infra.template import load

EDGE = Path("infra/edge.yaml")
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/0a1b2c3d"
APIS = {"Stage": "prod", "RestApiId": "rest1", "WebSocketApiId": "socket1"}
OWN_DOMAIN = {**APIS, "DomainName": "sluice.example.org", "CertificateArn": CERTIFICATE}
# What AWS and the finished resources would fill in.
KNOWN = {
    "AWS::Region": "eu-west-1",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
    "Distribution": "E1",
    "Distribution.DomainName": "d1.cloudfront.net",
    "StaticFiles": "the policy of static files",
    "SecurityHeaders": "the policy of headers",
    "SocketPath.FunctionARN": "the function",
}
# Names of managed policies in the CloudFront developer guide.
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST_HEADER = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
NODE = Path(sys.executable).with_name("node")
# As at CloudFront, the function finds the language alone: no require, no process, no network.
RUN = """
const {code, event} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const context = require('vm').createContext({event: JSON.stringify(event)});
console.log(require('vm').runInContext(code + ';JSON.stringify(handler(JSON.parse(event)))', context));
"""


class Filled:
    """The template with parameters: intrinsic functions replaced by what they give."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._template = load(EDGE)
        defaults = {name: each["Default"] for name, each in self._template["Parameters"].items() if "Default" in each}
        self._values: dict[str, Any] = {**KNOWN, **defaults, **given}

    def resource(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.value(self._template["Resources"][name]["Properties"])
        return found

    def distribution(self) -> dict[str, Any]:
        found: dict[str, Any] = self.resource("Distribution")["DistributionConfig"]
        return found

    def output(self, name: str) -> object:
        return self.value(self._template["Outputs"][name]["Value"])

    def refusals(self) -> list[str]:
        """The rules that the parameters break."""
        return [
            name
            for name, rule in self._template["Rules"].items()
            if self.value(rule["RuleCondition"]) and not all(self.value(each["Assert"]) for each in rule["Assertions"])
        ]

    def value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.value(each) for each in node]
        if not isinstance(node, dict):
            return node
        match node:
            case {"Ref": name} | {"Fn::GetAtt": name}:
                return self._values[name]
            case {"Fn::Sub": text}:
                return re.sub(r"\$\{([^}]+)\}", lambda name: self._values[name[1]], text)
            case {"Fn::If": [condition, then, otherwise]}:
                return self.value(then if self.value(self._template["Conditions"][condition]) else otherwise)
            case {"Fn::Equals": [left, right]}:
                return self.value(left) == self.value(right)
            case {"Fn::Not": [claim]}:
                return not self.value(claim)
            case {"Fn::And": claims}:
                return all(self.value(claim) for claim in claims)
        assert not any(name.startswith("Fn::") for name in node), node
        filled = {name: self.value(each) for name, each in node.items()}
        return {name: each for name, each in filled.items() if each is not None}


def behaviour(path: str) -> dict[str, Any]:
    """The one that CloudFront takes for a path: the first that fits, else the default."""
    distribution = Filled(APIS).distribution()
    fitting = [each for each in distribution["CacheBehaviors"] if fnmatchcase(path, each["PathPattern"])]
    found: dict[str, Any] = [*fitting, distribution["DefaultCacheBehavior"]][0]
    return found


def behaviours() -> dict[str, Any]:
    distribution = Filled(APIS).distribution()
    return {
        "*": distribution["DefaultCacheBehavior"],
        **{each["PathPattern"]: each for each in distribution["CacheBehaviors"]},
    }


def origin(path: str) -> dict[str, Any]:
    name = behaviour(path)["TargetOriginId"]
    (found,) = [each for each in Filled(APIS).distribution()["Origins"] if each["Id"] == name]
    return dict(found)


def address(path: str) -> str:
    """Where the host sends a request that its function leaves alone."""
    asked = origin(path)
    return f"https://{asked['DomainName']}{asked.get('OriginPath', '')}{path}"


def rewritten(uri: str, query: Mapping[str, str]) -> Any:
    """The request that the function makes of this one, which came to CloudFront with a cookie."""
    request = {
        "method": "GET",
        "uri": uri,
        "querystring": {name: {"value": value} for name, value in query.items()},
        "headers": {"host": {"value": "d1.cloudfront.net"}, "sec-websocket-version": {"value": "13"}},
        "cookies": {"sluice": {"value": "a.b.c"}},
    }
    event = {"version": "1.0", "context": {"eventType": "viewer-request"}, "viewer": {"ip": "1.2.3.4"}}
    given = {"code": Filled(APIS).resource("SocketPath")["FunctionCode"], "event": {**event, "request": request}}
    done = subprocess.run([NODE, "-e", RUN], input=json.dumps(given), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_route_reaches_the_rest_api_with_its_method() -> None:
    asked = [(each.method, re.sub(r"\{\w+\}", "x", each.path)) for each in routes(kinds.registry("prod"))]
    first = {path.split("/")[1] for _, path in asked}
    assert {"", "api", "app", "docs", "static"} <= first  # the list is the product's
    for method, path in asked:
        for spelled in (path, f"{path.rstrip('/')}/"):
            assert address(spelled) == f"https://rest1.execute-api.eu-west-1.amazonaws.com/api{spelled}"
            assert {method, "HEAD", "OPTIONS"} <= set(behaviour(spelled)["AllowedMethods"])


def test_path_that_nobody_knows_is_the_rest_apis_to_refuse() -> None:
    assert address("/nothing/here") == "https://rest1.execute-api.eu-west-1.amazonaws.com/api/nothing/here"
    assert address("/ws") == "https://rest1.execute-api.eu-west-1.amazonaws.com/api/ws"


@pytest.mark.parametrize("path", ["/ws/tasks/status/", "/ws/events/", "/ws/"])
def test_web_socket_reaches_the_one_address_of_its_api(path: str) -> None:
    asked = origin(path)
    uri = rewritten(path, {})["uri"]
    assert (
        f"wss://{asked['DomainName']}{asked.get('OriginPath', '')}{uri}"
        == "wss://socket1.execute-api.eu-west-1.amazonaws.com/api"
    )
    assert behaviour(path)["FunctionAssociations"] == [{"EventType": "viewer-request", "FunctionARN": "the function"}]


@pytest.mark.parametrize(
    ("uri", "query"), [("/ws/tasks/status/", {"task_id": "x"}), ("/ws/events/", {}), ("/ws/", {"token": "a.b"})]
)
def test_function_changes_the_path_of_a_web_socket_and_nothing_else(uri: str, query: dict[str, str]) -> None:
    assert rewritten(uri, query) == {
        "method": "GET",
        "uri": "/api",
        "querystring": {name: {"value": value} for name, value in query.items()},
        "headers": {"host": {"value": "d1.cloudfront.net"}, "sec-websocket-version": {"value": "13"}},
        "cookies": {"sluice": {"value": "a.b.c"}},
    }


def test_function_is_published_for_the_runtime_that_it_is_written_for() -> None:
    function = Filled(APIS).resource("SocketPath")
    assert (function["AutoPublish"], function["FunctionConfig"]["Runtime"]) == (True, "cloudfront-js-2.0")
    assert [path for path, each in behaviours().items() if "FunctionAssociations" in each] == ["/ws/*"]


def test_stages_of_the_apis_are_the_one_that_chalice_makes() -> None:
    stage = json.loads(Path(".chalice/config.json").read_text("utf-8"))["api_gateway_stage"]
    parameters = load(EDGE)["Parameters"]
    assert [parameters[name]["Default"] for name in ("RestStage", "WebSocketStage")] == [stage, stage]


@pytest.mark.parametrize("path", ["/", "/api/tasks", "/api/tasks/x/", "/static/js/sluice.js", "/docs", "/ws"])
def test_door_of_the_local_stack_sends_a_request_where_the_host_does(path: str) -> None:
    door = Target(endpoint="http://127.0.0.1:1", rest_api_id="rest1", websocket_api_id="socket1")
    assert door.http(path).path == "/_aws/execute-api/rest1" + URL(address(path)).path


def test_door_of_the_local_stack_opens_a_web_socket_where_the_host_does() -> None:
    door = Target(endpoint="http://127.0.0.1:1", rest_api_id="rest1", websocket_api_id="socket1")
    uri = rewritten("/ws/events/", {})["uri"]
    assert door.websocket("").path == f"/_aws/execute-api/socket1{uri}"


def test_nothing_is_kept_but_static_files() -> None:
    kept = {path: each["CachePolicyId"] for path, each in behaviours().items()}
    assert kept == {"*": CACHING_DISABLED, "/ws/*": CACHING_DISABLED, "/static/*": "the policy of static files"}
    assert {behaviour(path)["CachePolicyId"] for path in ("/", "/docs", "/api/health")} == {CACHING_DISABLED}


def test_no_error_is_kept() -> None:
    errors = Filled(APIS).distribution()["CustomErrorResponses"]
    # Those that CloudFront keeps, for 10 s unless told; without a page of its own the API's answer is passed on.
    kept = [400, 403, 404, 405, 414, 500, 501, 502, 503, 504]
    assert errors == [{"ErrorCode": status, "ErrorCachingMinTTL": 0} for status in kept]


def test_whole_request_passes_except_the_host_by_which_a_gateway_finds_its_api() -> None:
    passed = {path: each.get("OriginRequestPolicyId") for path, each in behaviours().items()}
    assert passed == {
        "*": ALL_VIEWER_EXCEPT_HOST_HEADER,
        "/ws/*": ALL_VIEWER_EXCEPT_HOST_HEADER,
        "/static/*": None,
    }


def test_static_files_are_the_same_for_everybody_and_asked_about_each_time() -> None:
    assert Filled(APIS).resource("StaticFiles")["CachePolicyConfig"] == {
        "Name": "sluice-prod-static-files",
        "MinTTL": 0,
        "DefaultTTL": 0,
        "MaxTTL": 86400,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingBrotli": True,
            "EnableAcceptEncodingGzip": True,
            "CookiesConfig": {"CookieBehavior": "none"},
            "HeadersConfig": {"HeaderBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "none"},
        },
    }
    assert behaviour("/static/js/sluice.js")["Compress"] is True


def test_both_ways_are_https_only() -> None:
    assert {each["ViewerProtocolPolicy"] for each in behaviours().values()} == {"redirect-to-https"}
    ways = [each["CustomOriginConfig"] for each in Filled(APIS).distribution()["Origins"]]
    assert [way["OriginProtocolPolicy"] for way in ways] == ["https-only", "https-only"]
    assert [way["OriginSSLProtocols"] for way in ways] == [["TLSv1.2"], ["TLSv1.2"]]


def test_host_shows_the_rest_api_that_a_request_came_through_it() -> None:
    assert "OriginCustomHeaders" not in origin("/api/tasks")
    proof = proof_of_host(SECRET)
    rest, websocket = Filled({**APIS, "OriginProof": proof}).distribution()["Origins"]
    (shown,) = rest["OriginCustomHeaders"]
    assert (shown["HeaderName"].lower(), shown["HeaderValue"]) == (PROOF_HEADER, proof)
    assert "OriginCustomHeaders" not in websocket
    parameter = load(EDGE)["Parameters"]["OriginProof"]
    assert parameter["NoEcho"] is True
    assert re.fullmatch(parameter["AllowedPattern"], proof)


def test_gateway_gives_up_before_the_host_does() -> None:
    assert origin("/api/tasks")["CustomOriginConfig"]["OriginReadTimeout"] > 29


def test_host_speaks_http_2_and_3_over_ip_4_and_6() -> None:
    distribution = Filled(APIS).distribution()
    assert distribution["Enabled"] is True
    assert (distribution["HttpVersion"], distribution["IPV6Enabled"]) == ("http2and3", True)


def test_answers_tell_browsers_to_stay_with_https_and_keep_the_policies_of_the_api() -> None:
    assert {each["ResponseHeadersPolicyId"] for each in behaviours().values()} == {"the policy of headers"}
    assert Filled(APIS).resource("SecurityHeaders")["ResponseHeadersPolicyConfig"] == {
        "Name": "sluice-prod-security-headers",
        "SecurityHeadersConfig": {
            "StrictTransportSecurity": {
                "AccessControlMaxAgeSec": 365 * 24 * 3600,
                "IncludeSubdomains": False,
                "Override": True,
            },
            "ContentTypeOptions": {"Override": True},
        },
    }


def test_domain_of_ones_own_comes_with_its_certificate_and_tls_1_2() -> None:
    edge = Filled(OWN_DOMAIN)
    assert edge.refusals() == []
    assert edge.distribution()["Aliases"] == ["sluice.example.org"]
    assert edge.distribution()["ViewerCertificate"] == {
        "AcmCertificateArn": CERTIFICATE,
        "SslSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    assert edge.output("PublicUrl") == "https://sluice.example.org"


def test_without_a_domain_the_host_is_cloudfronts() -> None:
    edge = Filled(APIS)
    assert edge.refusals() == []
    assert "Aliases" not in edge.distribution()
    assert edge.distribution()["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}
    assert edge.output("PublicUrl") == "https://d1.cloudfront.net"
    assert (edge.output("DistributionId"), edge.output("DistributionDomainName")) == ("E1", "d1.cloudfront.net")


@pytest.mark.parametrize(
    ("given", "broken"),
    [("DomainName", "DomainNeedsCertificate"), ("CertificateArn", "CertificateNeedsDomain")],
)
def test_half_a_domain_is_refused(given: str, broken: str) -> None:
    assert Filled({**APIS, given: OWN_DOMAIN[given]}).refusals() == [broken]


@pytest.mark.parametrize(
    ("parameter", "value", "is_allowed"),
    [
        ("CertificateArn", "", True),
        ("CertificateArn", CERTIFICATE, True),
        ("CertificateArn", CERTIFICATE.replace("us-east-1", "eu-west-1"), False),
        ("DomainName", "", True),
        ("DomainName", "sluice.example.org", True),
        ("DomainName", "https://sluice.example.org", False),
        ("WebSocketStage", "api", True),
        ("WebSocketStage", "api'; x", False),  # it stands in the function's source
        ("LogBucket", "logs.s3.amazonaws.com", True),
        ("LogBucket", "logs", False),
    ],
)
def test_parameter_is_refused_where_cloudfront_could_not_use_it(parameter: str, value: str, is_allowed: bool) -> None:
    assert bool(re.fullmatch(load(EDGE)["Parameters"][parameter]["AllowedPattern"], value)) == is_allowed


def test_access_is_logged_without_cookies_where_a_bucket_is_named_and_nowhere_else() -> None:
    assert "Logging" not in Filled(APIS).distribution()
    logged = Filled({**APIS, "LogBucket": "logs.s3.amazonaws.com"}).distribution()["Logging"]
    assert logged == {"Bucket": "logs.s3.amazonaws.com", "Prefix": "sluice-prod/", "IncludeCookies": False}

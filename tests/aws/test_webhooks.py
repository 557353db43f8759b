"""Webhooks: which addresses are refused, and what a server gets that is called."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.aws.webhooks import HttpWebhooks, MemoryWebhooks, WebhookCall, Webhooks, find_fault
from chalicelib.errors import JobFailed, Unavailable

NAME = "hooks.example.org"
PUBLIC = "93.184.215.14"
PRINTABLE = "must be of printable ASCII characters without blanks and backslashes"


def nowhere(host: str, port: int) -> Sequence[str]:
    raise AssertionError(f"{host} must not be looked up")


def standing_for(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    return lambda host, port: addresses


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://127.8.8.8/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::ffff:93.184.215.14]/",
        "https://[::10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[64:ff9b:1::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://[2001:0:a00:1::]/",
        "https://[2001:db8::1]/",
        "https://[fe80::1]/",
        "https://[fd00:ec2::254]/",
        "https://[ff02::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://169.254.170.2/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://0x7f.0.0.1/",
        "https://0x7f000001/",
        "https://hooks.example.0x7f/",
        "https://localhost/",
        "https://localhost./",
        "https://metadata/",
        "https://a.localhost/",
        "https://metadata.google.internal/",
        "https://printer.local./",
        "https:///path",
        "https://.example.org/",
        "https://-a.example.org/",
        "https://a..example.org/",
        "https://ex%41mple.org/",
        "https://[fe80::1%25eth0]/",
    ],
)
def test_host_that_is_not_public_is_refused_as_it_is_written(url: str) -> None:
    assert find_fault(url, is_local=False).startswith("must have ")
    with pytest.raises(JobFailed, match=r"^the address of the webhook must have "):
        HttpWebhooks(resolve=nowhere).post(WebhookCall(url=url, body="{}"))


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://hooks.example.org/", "must begin with https://, got 'http://hooks.example.org/'"),
        ("ftp://hooks.example.org/", "must begin with https://, got 'ftp://hooks.example.org/'"),
        ("hooks.example.org", "must begin with https://, got 'hooks.example.org'"),
        ("https://hooks.example.org:22/", "must be on port 443 or 8443, got 22"),
        ("https://hooks.example.org:0/", "must be on port 443 or 8443, got 0"),
        ("https://hooks.example.org:99999/", "must have a port from 0 to 65535"),
        ("https://ann@hooks.example.org/", "must not have a user name or a password in it"),
        ("https://ann:secret@hooks.example.org/", "must not have a user name or a password in it"),
        ("https://hooks.example.org/#a", "must not have a fragment"),
        ("https://hooks.example.org/#", "must not have a fragment"),
        ("https://hooks.example.org/a b", PRINTABLE),
        ("https://hooks.example.org/\r\nX: y", PRINTABLE),
        ("https://bücher.example/", PRINTABLE),
        (
            "https://hooks.example.org\\@10.0.0.1/",
            PRINTABLE,
        ),
        ("https://h.example/" + "a" * 483, "must have at most 500 characters, got 501"),
        ("https://[::1/", "must be an address"),
    ],
)
def test_address_is_refused_with_what_must_be_otherwise(url: str, fault: str) -> None:
    assert find_fault(url, is_local=False) == fault


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org",
        "https://hooks.example.org./a?b=c",
        "https://hooks.example.org:8443/",
        "https://xn--bcher-kva.example/",
        "https://93.184.215.14/",
        "https://[2606:2800:21f:cb07::1]/",
        "https://h.example/" + "a" * 482,
    ],
)
def test_address_of_a_public_host_is_accepted(url: str) -> None:
    assert find_fault(url, is_local=False) == ""


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["127.0.0.1"],
        ["::1"],
        ["169.254.169.254"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a9fe:a9fe"],
        ["fe80::1%eth0"],
        [PUBLIC, "10.0.0.1"],
        ["2606:2800:21f:cb07::1", "fd00::1"],
    ],
)
def test_name_that_stands_for_an_address_of_ours_is_refused_before_anything_is_sent(addresses: list[str]) -> None:
    hooks = HttpWebhooks(resolve=standing_for(*addresses))
    with pytest.raises(JobFailed, match="which is not a public address"):
        hooks.post(WebhookCall(url=f"https://{NAME}/", body="{}"))


def unknown(host: str, port: int) -> Sequence[str]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize("resolve", [unknown, standing_for()])
def test_name_that_stands_for_nothing_may_do_so_later(resolve: Callable[[str, int], Sequence[str]]) -> None:
    with pytest.raises(Unavailable, match=f"the webhook's host {NAME} was not found"):
        HttpWebhooks(resolve=resolve).post(WebhookCall(url=f"https://{NAME}/", body="{}"))


class Server:
    """Answers one connection after the other with what it was given, and keeps what came in."""

    def __init__(self, listening: socket.socket, answer: bytes, context: ssl.SSLContext | None) -> None:
        self.port = listening.getsockname()[1]
        self.received: list[bytes] = []
        self.names: list[str | None] = []
        self._listening, self._answer, self._context = listening, answer, context
        if context is not None:
            context.sni_callback = lambda _, name, __: self.names.append(name)

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                try:
                    self._converse(connection)
                except OSError:
                    # A client that does not trust us hangs up.
                    continue

    def _converse(self, plain: socket.socket) -> None:
        connection = self._context.wrap_socket(plain, server_side=True) if self._context else plain
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65_536)
            head, _, body = head.partition(b"\r\n\r\n")
            (length,) = (int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length: "))
            while len(body) < length:
                body += connection.recv(65_536)
            self.received.append(head + b"\r\n\r\n" + body)
            connection.sendall(self._answer)


@contextmanager
def serving(answer: bytes, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        server = Server(listening, answer, context)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def local(url: str, body: str = "{}") -> int:
    return HttpWebhooks(is_local=True).post(WebhookCall(url=url, body=body))


def test_server_gets_the_message_whole_and_its_status_is_answered() -> None:
    with serving(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n") as server:
        call = WebhookCall(
            url=f"http://127.0.0.1:{server.port}/a/b?c=d", body='{"name":"Straße"}', headers={"X-Sluice-Delivery": "7"}
        )
        assert HttpWebhooks(is_local=True).post(call) == 202
    (received,) = server.received
    head, _, body = received.partition(b"\r\n\r\n")
    assert body.decode() == '{"name":"Straße"}'
    assert head.decode().split("\r\n") == [
        "POST /a/b?c=d HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Connection: close",
        "Content-Type: application/json",
        "Content-Length: 18",
        "User-Agent: sluice-webhook",
        "X-Sluice-Delivery: 7",
    ]


@pytest.mark.parametrize(
    ("answer", "error", "detail"),
    [
        (b"HTTP/1.1 500 Oh\r\n\r\n", Unavailable, "the webhook answered 500"),
        (b"HTTP/1.1 503 Oh\r\n\r\n", Unavailable, "the webhook answered 503"),
        (b"HTTP/1.1 429 Slow down\r\n\r\n", Unavailable, "the webhook answered 429"),
        (b"HTTP/1.1 408 Late\r\n\r\n", Unavailable, "the webhook answered 408"),
        (b"HTTP/1.1 404 No\r\n\r\n", JobFailed, "the webhook answered 404"),
        (b"HTTP/1.1 410 Gone\r\n\r\n", JobFailed, "the webhook answered 410"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n",
            JobFailed,
            "the webhook answered 302; redirects are not followed",
        ),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Unavailable, "the webhook's answer is not HTTP/1.1"),
        (b"", Unavailable, "the webhook's answer is not HTTP/1.1"),
        (b"HTTP/1.1 100 Continue\r\n" + b"a: b\r\n" * 1000, Unavailable, "the webhook's answer is not HTTP/1.1"),
    ],
)
def test_answer_is_judged_by_its_status(answer: bytes, error: type[Exception], detail: str) -> None:
    with serving(answer) as server, pytest.raises(error, match=f"^{detail}$"):
        local(f"http://127.0.0.1:{server.port}/")
    assert len(server.received) == 1


def test_answer_that_has_no_end_is_not_read_to_it() -> None:
    with serving(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10_000_000) as server:
        assert local(f"http://127.0.0.1:{server.port}/") == 200


def test_interim_answer_is_not_taken_for_the_answer() -> None:
    with serving(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n") as server:
        assert local(f"http://127.0.0.1:{server.port}/") == 204


def test_server_that_does_not_listen_may_do_so_later() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(Unavailable, match=r"^the webhook cannot be reached$"):
        local(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("piece", [b"", b"a"], ids=["silent", "dripping"])
def test_server_that_takes_its_time_is_left_at_the_deadline_and_may_be_faster_later(piece: bytes) -> None:
    over = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def drip() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                while not over.wait(0.02):
                    connection.sendall(piece)

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        hooks = HttpWebhooks(is_local=True, timeout_s=0.3)
        with pytest.raises(Unavailable, match=r"^the webhook did not answer within 0\.3 s$"):
            hooks.post(WebhookCall(url=f"http://127.0.0.1:{listening.getsockname()[1]}/", body="{}"))
        over.set()
        thread.join(5)


PIECES = (
    "https://", "http://", "HTTPS:", "//", "/", "\\", "@", ":", "#", "?", "[", "]", "::", "%", ".", "-", "0x",
    "127.0.0.1", "10.0.0.1", "2130706433", "localhost", "example.org", "443", "65536", "ffff:",
    " ", "\t", "\r\n", "é", "\0", "²",
)  # fmt: skip
strange = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))


@settings(max_examples=500)
@given(url=st.one_of(strange, strange.map("https://{}".format)))
def test_any_text_is_accepted_or_refused_and_what_is_accepted_has_one_public_host(url: str) -> None:
    if find_fault(url, is_local=False):
        return
    found = re.fullmatch(r"https://(\[2[0-9a-f:]+\]|[a-z0-9_.-]+)(:|:443|:8443)?([/?][!-~]*)?", url.lower())
    assert found is not None
    # Of four numbers it would be an address; with a letter in it, it is a name.
    assert not re.fullmatch(r"(10|127)\.[0-9.]+", found[1])
    assert found[1].removesuffix(".").rpartition(".")[2] != "localhost"


def test_local_stage_calls_loopback_and_no_other_private_address() -> None:
    assert find_fault("http://localhost:8000/", is_local=True) == ""
    assert find_fault("http://10.0.0.1:8000/", is_local=True) == "must have a public host, got '10.0.0.1'"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key and the certificate of NAME, which nobody but a test trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def encrypted(certificate: Path) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(b"HTTP/1.1 200 OK\r\n\r\n", context) as server:
        yield server


def test_connection_goes_to_the_address_that_was_checked_in_the_name_of_the_host(certificate: Path) -> None:
    lookups = []

    def resolve(host: str, port: int) -> Sequence[str]:
        lookups.append((host, port))
        # A second look-up would get another answer.
        return ["127.0.0.1"] if len(lookups) == 1 else ["10.0.0.1"]

    trusting = ssl.create_default_context(cafile=str(certificate))
    with encrypted(certificate) as server:
        hooks = HttpWebhooks(is_local=True, resolve=resolve, context=trusting)
        assert hooks.post(WebhookCall(url=f"https://{NAME}:{server.port}/", body="{}")) == 200
    assert lookups == [(NAME, server.port)]
    assert server.names == [NAME]
    assert f"\r\nHost: {NAME}:{server.port}\r\n".encode() in server.received[0]


@pytest.mark.parametrize(("host", "is_trusted"), [(NAME, False), ("other.example.org", True)])
def test_certificate_that_is_not_the_hosts_is_refused(certificate: Path, host: str, is_trusted: bool) -> None:
    context = ssl.create_default_context(cafile=str(certificate) if is_trusted else None)
    with encrypted(certificate) as server:
        hooks = HttpWebhooks(is_local=True, resolve=standing_for("127.0.0.1"), context=context)
        with pytest.raises(JobFailed, match=r"^the webhook's certificate is refused: "):
            hooks.post(WebhookCall(url=f"https://{host}:{server.port}/", body="{}"))
    assert server.received == []


Answering = Callable[[int], AbstractContextManager[tuple[Webhooks, str]]]


@pytest.fixture(params=["http", "memory"])
def answering(request: pytest.FixtureRequest) -> Answering:
    """Both ways to call a webhook, with a server that answers a status."""

    @contextmanager
    def begin(status: int) -> Iterator[tuple[Webhooks, str]]:
        if request.param == "memory":
            twin = MemoryWebhooks()
            twin.answers.append(status)
            yield twin, f"https://{NAME}/"
            return
        with serving(f"HTTP/1.1 {status} Said\r\n\r\n".encode()) as server:
            yield HttpWebhooks(is_local=True), f"http://127.0.0.1:{server.port}/"

    return begin


@pytest.mark.parametrize("status", [200, 204, 299])
def test_success_is_answered_as_it_is(answering: Answering, status: int) -> None:
    with answering(status) as (hooks, url):
        assert hooks.post(WebhookCall(url=url, body="{}")) == status


@pytest.mark.parametrize(
    ("status", "error"), [(301, JobFailed), (400, JobFailed), (404, JobFailed), (429, Unavailable), (500, Unavailable)]
)
def test_refusal_is_told_from_what_may_pass(answering: Answering, status: int, error: type[Exception]) -> None:
    with (
        answering(status) as (hooks, url),
        pytest.raises(error, match=f"^the webhook answered {status}"),
    ):
        hooks.post(WebhookCall(url=url, body="{}"))

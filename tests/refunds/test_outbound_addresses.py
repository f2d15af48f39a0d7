"""Where messages may go: never inside, by whatever notation, name, redirect or second look-up."""

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from refunds.outbound import sending
from refunds.outbound.addresses import NotPublic, checked_url, is_public, place_of
from stores.errors import Invalid

INSIDE = [
    *("127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104 - what must be refused
    *("224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "192.0.0.8", "192.88.99.1"),
    *("::1", "::", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8"),
    *("64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::1", "2001:0:4136:e378::1", "::127.0.0.1", "100::1", "5f00::1"),
]
OUTSIDE = ["8.8.8.8", "185.20.30.40", "2a00:1450:400f:80b::200e"]
NUMBERS = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1"]
NEVER = [
    *("", "till.example", "//till.example", "http://till.example/", "ftp://till.example/", "https://", "https:///x"),
    *("https://user@till.example/", "https://user:pass@till.example/", "https://till.example/#x", "https://till.example:0/"),
    *("https://till.example:99999/", "https://till.example\\@10.0.0.1/", "https://till.example/ x", "https://tíll.example/"),
    *("javascript:alert(1)", "file:///etc/passwd", "https://[::1", "https://till.example/\x00", "https://" + "a" * 600),
    *("http://127.0.0.1/", "http://localhost/", "https://127.0.0.1/", "https://[::1]/"),
]


@pytest.fixture(autouse=True)
def _no_demonstration(settings: Settings) -> None:
    settings.DEMO = False


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name lead to these addresses; what was asked for is kept."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_how: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr("refunds.outbound.addresses.getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_refused_when_typed_and_when_found(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(Invalid):
        checked_url(f"https://{host}/x")
    resolving(monkeypatch, address)
    with pytest.raises(NotPublic):
        place_of("https://till.example/x")


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is_pinned(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, address)
    place = place_of("https://till.example:8443/hooks?till=1")
    host = f"[{address}]" if ":" in address else address
    assert place.url == f"https://{host}:8443/hooks?till=1"
    assert (place.host, place.netloc) == ("till.example", "till.example:8443")
    assert asked == ["till.example"], "looked up once, so that no second answer can lead elsewhere"


def test_one_address_inside_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(NotPublic):
        place_of("https://till.example/")


@pytest.mark.parametrize("number", NUMBERS)
def test_this_machine_in_another_notation_is_this_machine(number: str) -> None:
    with pytest.raises(NotPublic):
        place_of(f"https://{number}/")


@pytest.mark.parametrize("url", NEVER)
def test_what_can_never_be_sent_to_is_refused_when_typed(url: str) -> None:
    with pytest.raises(Invalid):
        checked_url(url)
    assert sending.post(url, body=b"{}", headers={}).status is None


def test_this_machine_is_reached_in_a_demonstration_only(settings: Settings) -> None:
    settings.DEMO = True
    assert checked_url("http://127.0.0.1:8182/hooks") == "http://127.0.0.1:8182/hooks"
    for url in ("http://till.example/", "http://10.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/"):
        with pytest.raises(Invalid):
            checked_url(url)


def test_a_name_that_leads_nowhere_is_said_so() -> None:
    tried = sending.post("https://till.invalid/", body=b"{}", headers={})
    assert (tried.status, tried.problem) == (None, "the name leads nowhere")


def certificate_for(name: str, folder: Path) -> Path:
    """A key and a certificate of its own making for that name, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def till(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A real TLS server on this machine that can prove to be till.example: its port and its certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200 if self.headers["host"].startswith("till.example:") else 400)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    pem = certificate_for("till.example", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], pem
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_the_pinned_side_must_prove_the_name_it_was_found_under(
    till: tuple[int, Path], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEMO = True
    resolving(monkeypatch, "127.0.0.1")
    port, pem = till
    proven = sending.post(f"https://till.example:{port}/x", body=b"{}", headers={}, ca_bundle=str(pem))
    assert (proven.status, proven.problem) == (200, "")
    other = sending.post(f"https://other.example:{port}/x", body=b"{}", headers={}, ca_bundle=str(pem))
    assert (other.status, other.problem) == (None, "no answer: SSLError")
    unknown = sending.post(f"https://till.example:{port}/x", body=b"{}", headers={})
    assert (unknown.status, unknown.problem) == (None, "no answer: SSLError")


def test_an_answer_that_drips_is_given_up_in_time(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEMO = True
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 1.0)
    server = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = server.accept()
        with connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                for _ in range(100):
                    connection.sendall(b"x")
                    time.sleep(0.1)
            except OSError:
                return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    started = time.monotonic()
    tried = sending.post(f"http://127.0.0.1:{server.getsockname()[1]}/x", body=b"{}", headers={})
    assert time.monotonic() - started < 3
    assert tried.status is None
    thread.join(5)
    server.close()


def test_no_proxy_of_the_environment_is_asked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEMO = True
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    assert sending.post(f"http://127.0.0.1:{server.getsockname()[1]}/x", body=b"{}", headers={}).status == 204
    thread.join(5)
    server.close()

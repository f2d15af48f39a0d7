"""The real transport over real sockets: what it proves, what it bounds, and where it refuses to go."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from pathlib import Path

import pytest

from stores.vipps.errors import NotSent, Unsure
from stores.vipps.exchange import MAX_BODY_BYTES, Deadline, Request
from stores.vipps.transport import RequestsTransport
from tests.stores.vipps.listener import Listener, listening, self_signed

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def request(port: int, *, path: str = "/x", scheme: str = "http", host: str = "127.0.0.1") -> Request:
    return Request(
        operation="refund",
        method="POST",
        base_url=f"{scheme}://{host}:{port}",
        path=path,
        headers={"Authorization": "Bearer canary-token"},
        body=b"{}",
    )


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def test_an_answer_comes_back_whole(transport: RequestsTransport) -> None:
    with listening(b"HTTP/1.1 400 Bad\r\nContent-Length: 2\r\nX-Trace-Id: 7\r\n\r\n{}") as server:
        response = transport.send(request(server.port), deadline=Deadline.after(5))
    assert (response.status, response.body, response.headers["x-trace-id"]) == (400, b"{}", "7")
    assert b"Accept-Encoding: identity" in server.received[0]
    assert b"python-requests" not in server.received[0]


def test_connections_are_kept_open(transport: RequestsTransport) -> None:
    with contextlib.ExitStack() as stack:

        def twice(connection: socket.socket) -> None:
            connection.sendall(OK)
            server.read(connection)
            connection.sendall(OK)

        server = stack.enter_context(listening(twice))
        for _ in range(2):
            assert transport.send(request(server.port), deadline=Deadline.after(5)).status == 200
    assert len(server.received) == 2


def test_a_closed_port_proves_that_nothing_was_sent(transport: RequestsTransport) -> None:
    with pytest.raises(NotSent):
        transport.send(request(closed_port()), deadline=Deadline.after(5))


def test_an_unknown_host_proves_that_nothing_was_sent(transport: RequestsTransport) -> None:
    with pytest.raises(NotSent):
        transport.send(request(443, scheme="https", host="vipps.invalid"), deadline=Deadline.after(5))


def test_a_connection_closed_after_the_request_is_unsure(transport: RequestsTransport) -> None:
    with listening(b"") as server, pytest.raises(Unsure):
        transport.send(request(server.port), deadline=Deadline.after(5))
    assert len(server.received) == 1


def test_a_reset_on_a_kept_connection_is_unsure_and_not_repeated(transport: RequestsTransport) -> None:
    def answer_then_reset(connection: socket.socket) -> None:
        connection.sendall(OK)
        server.read(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with listening(answer_then_reset, OK) as server:
        transport.send(request(server.port), deadline=Deadline.after(5))
        with pytest.raises(Unsure):
            transport.send(request(server.port), deadline=Deadline.after(5))
    assert len(server.received) == 2


def test_half_an_answer_is_unsure(transport: RequestsTransport) -> None:
    with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{") as server, pytest.raises(Unsure):
        transport.send(request(server.port), deadline=Deadline.after(5))


def test_what_is_not_http_is_unsure(transport: RequestsTransport) -> None:
    with listening(b"220 smtp ready\r\n") as server, pytest.raises(Unsure):
        transport.send(request(server.port), deadline=Deadline.after(5))


def test_silence_ends_with_the_deadline(transport: RequestsTransport) -> None:
    with listening(lambda connection: time.sleep(3)) as server:
        started = time.monotonic()
        with pytest.raises(Unsure):
            transport.send(request(server.port), deadline=Deadline.after(0.3))
        assert time.monotonic() - started < 2


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"])
def test_a_drip_ends_with_the_deadline_in_the_head_and_in_the_body(transport: RequestsTransport, head: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(60):
            connection.sendall(b"H")
            time.sleep(0.05)

    with listening(drip) as server:
        started = time.monotonic()
        with pytest.raises(Unsure):
            transport.send(request(server.port), deadline=Deadline.after(0.4))
        assert time.monotonic() - started < 2


@pytest.mark.parametrize("framing", [b"Content-Length: 3000000\r\n\r\n", b"Connection: close\r\n\r\n"])
def test_an_endless_answer_is_cut_off(transport: RequestsTransport, framing: bytes) -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + framing)
        for _ in range(50):
            connection.sendall(b" " * 64 * 1024)

    with listening(flood) as server, pytest.raises(Unsure, match="too large"):
        transport.send(request(server.port), deadline=Deadline.after(5))
    assert MAX_BODY_BYTES == 1_048_576


def test_an_answer_compressed_unasked_is_not_unpacked(transport: RequestsTransport) -> None:
    zipped = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx"
    with listening(zipped) as server, pytest.raises(Unsure, match="compressed"):
        transport.send(request(server.port), deadline=Deadline.after(5))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_never_followed(transport: RequestsTransport, status: int) -> None:
    with listening(OK) as elsewhere:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{elsewhere.port}/\r\nContent-Length: 0\r\n\r\n"
        with listening(head.encode()) as server:
            assert transport.send(request(server.port), deadline=Deadline.after(5)).status == status
        assert elsewhere.received == []


def test_no_cookie_is_kept(transport: RequestsTransport) -> None:
    with contextlib.ExitStack() as stack:

        def twice(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
            server.read(connection)
            connection.sendall(OK)

        server = stack.enter_context(listening(twice))
        for _ in range(2):
            transport.send(request(server.port), deadline=Deadline.after(5))
    assert b"ookie" not in server.received[1]


def test_proxies_of_the_environment_are_ignored(transport: RequestsTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("NO_PROXY", "")
    with listening(OK) as server:
        assert transport.send(request(server.port), deadline=Deadline.after(5)).status == 200


def test_after_its_moment_nothing_is_written(transport: RequestsTransport) -> None:
    with listening(OK) as server:
        deadline = Deadline.after(5, send_before=time.monotonic() - 0.001)
        with pytest.raises(NotSent):
            transport.send(request(server.port), deadline=deadline)
    assert server.received == []


def test_the_moment_is_checked_again_when_the_connection_stands(transport: RequestsTransport) -> None:
    """Between the first look at the clock and the write lie name lookup and handshakes of unknown length."""
    # Two looks before connecting (may it begin, how long may connecting take); from then on it is too late.
    looks = iter([0.0, 0.0])
    deadline = Deadline(ends_at=25.0, send_before=5.0, clock=lambda: next(looks, 6.0))
    received: list[bytes] = []
    listener = Listener(lambda connection: received.append(connection.recv(1000)))
    with pytest.raises(NotSent, match="moment"):
        transport.send(request(listener.port), deadline=deadline)
    listener.join()
    assert received == [b""]


@pytest.mark.parametrize(
    ("base_url", "path"),
    [
        ("http://api.vipps.no", "/x"),
        ("http://10.0.0.1:80", "/x"),
        ("ftp://127.0.0.1", "/x"),
        ("https://api.vipps.no", "@evil.example/x"),
        ("https://api.vipps.no", ".evil.example/x"),
        ("https://api.vipps.no/base", "/x"),
        ("https://user@api.vipps.no", "/x"),
    ],
)
def test_it_goes_nowhere_else_and_not_unencrypted(transport: RequestsTransport, base_url: str, path: str) -> None:
    asked = Request(operation="refund", method="POST", base_url=base_url, path=path, headers={})
    with pytest.raises(NotSent):
        transport.send(asked, deadline=Deadline.after(1))


def test_plain_http_is_spoken_to_a_host_that_is_named_for_it() -> None:
    named = RequestsTransport(plain_http_hosts={"simulator.invalid"})
    asked = request(80, host="simulator.invalid")
    with pytest.raises(NotSent) as caught:
        named.send(asked, deadline=Deadline.after(2))
    assert "https is required" not in caught.value.detail
    with pytest.raises(NotSent, match="https is required"):
        RequestsTransport().send(asked, deadline=Deadline.after(2))


def test_a_certificate_of_nobody_gets_no_byte_of_the_request(transport: RequestsTransport, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    outcome: list[object] = []

    def talk(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                outcome.append(secure.recv(1000))
        except (ssl.SSLError, OSError) as error:
            outcome.append(error)

    listener = Listener(talk)
    with pytest.raises(NotSent, match="SSL"):
        transport.send(request(listener.port, scheme="https"), deadline=Deadline.after(5))
    listener.join()
    assert len(outcome) == 1
    assert outcome[0] in ([], b"") or isinstance(outcome[0], Exception)


def test_plain_text_on_a_tls_port_gets_no_byte_of_the_request(transport: RequestsTransport) -> None:
    received: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        received.append(connection.recv(65536))
        connection.sendall(OK)

    listener = Listener(talk)
    with pytest.raises(NotSent):
        transport.send(request(listener.port, scheme="https"), deadline=Deadline.after(5))
    listener.join()
    assert b"canary" not in received[0]


def test_an_error_does_not_carry_the_request(transport: RequestsTransport) -> None:
    with listening(b"") as server, pytest.raises(Unsure) as caught:
        transport.send(request(server.port), deadline=Deadline.after(5))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "canary" not in repr(request(1))

"""Servers that speak by a script, for what no well-behaved server would do."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Talk = Callable[[socket.socket], None]


class Listener:
    """A server of one script per connection; it keeps what it received."""

    def __init__(self, *scripts: Talk) -> None:
        self.received: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._scripts = scripts
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for script in self._scripts:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                script(connection)

    def close(self) -> None:
        self._socket.close()

    def join(self) -> None:
        """Waits until every script has been played."""
        self._thread.join(5)
        self.close()

    def read(self, connection: socket.socket) -> bytes:
        """One request of which head and two-byte body come together or apart."""
        got = b""
        while not got.endswith(b"\r\n\r\n{}"):
            part = connection.recv(65536)
            if not part:
                break
            got += part
        self.received.append(got)
        return got


@contextlib.contextmanager
def listening(*answers: bytes | Talk) -> Iterator[Listener]:
    """Each answer is given to one connection; bytes are sent after the request was read."""
    listener: Listener

    def script(told: bytes | Talk) -> Talk:
        def talk(connection: socket.socket) -> None:
            listener.read(connection)
            if isinstance(told, bytes):
                connection.sendall(told)
            else:
                told(connection)

        return talk

    listener = Listener(*(script(told) for told in answers))
    try:
        yield listener
    finally:
        listener.close()


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path

"""Calls to the hub's door for webhooks, by seed: Vipps' own, and those of somebody who would like to be Vipps."""

import base64
import hashlib
import json
import random
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from stores.models import WebhookRegistration
from stores.vipps import signatures

SIGNED = ("x-ms-date", "x-ms-content-sha256", "Authorization")
_JSON = "application/json"
_METHODS = ("GET", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "P\xf6ST")
_ODD_TEXTS = ("", " ", "\x00", "\xff\xfe", "é", "null", "%00", "a" * 600, "a" * 60_000, "\r\nX: 1", ",", "undefined")
_DATES: tuple[Callable[[datetime], str], ...] = (
    lambda at: at.isoformat(),
    lambda at: at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
    lambda at: at.strftime("%A, %d-%b-%y %H:%M:%S GMT"),
    lambda at: str(int(at.timestamp())),
    lambda at: "Mon, 31 Feb 2026 10:00:00 GMT",
    lambda at: format_datetime(at, usegmt=True).lower(),
    lambda at: f" {format_datetime(at, usegmt=True)}",
)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call as it reaches the door. `kind` says how it was made; `at` is whose address it goes to, by token."""

    kind: str
    at: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"
    path: str = ""
    content_type: str = _JSON
    length: str | None = None

    @property
    def signed(self) -> tuple[str, bytes, str, str, str]:
        """All that a signature is about: the same again is the same call."""
        date, digest, authorization = (self.headers.get(name, "") for name in SIGNED)
        return (self.at, self.body, date, digest, authorization)


@dataclass(frozen=True, kw_only=True)
class Address:
    """One registration, Vipps' secret for it, and the sales units it may speak of."""

    registration: WebhookRegistration
    secret: str
    msns: Sequence[str]

    def sign(self, body: bytes, *, kind: str = "genuine", secret: str | None = None, late: timedelta = timedelta()) -> Call:
        """As Vipps does, or with another secret, or at another time."""
        url = urlsplit(self.registration.url)
        date = format_datetime(datetime.now(UTC) - late, usegmt=True)
        key = self.secret if secret is None else secret
        signed = signatures.sign(key, body=body, date=date, host=url.netloc, path_and_query=url.path)
        values = (signed.date, signed.content_hash, signed.authorization)
        return Call(kind=kind, at=self.registration.token, body=body, headers=dict(zip(SIGNED, values, strict=True)))


class Forger:
    """Makes one call after another. `waiting` are payments with a refund that a genuine notice would hurry."""

    def __init__(
        self, dice: random.Random, *, addresses: Sequence[Address], dead: Sequence[Address], waiting: Sequence[str]
    ) -> None:
        self._dice = dice
        self._addresses = addresses
        self._dead = dead
        self._waiting = waiting
        self._told = 0
        self._delivered: list[Call] = []

    def next(self) -> Call:
        """One of Vipps' own now and then, mostly not."""
        if not self._delivered or self._dice.random() < 0.08:
            call = self._genuine()
            self._delivered.append(call)
            return call
        make: Callable[[], Call] = self._dice.choice(
            (
                *(self._forged, self._replayed, self._retargeted, self._stale, self._odd),
                *(self._with_other_body, self._with_other_body, self._with_other_header, self._with_other_header),
                *(self._with_other_frame, self._resigned_in_part),
            )
        )
        return make()

    def _body(self, address: Address, *, msn: str | None = None) -> bytes:
        self._told += 1
        told = {
            "msn": msn or self._dice.choice(address.msns),
            "reference": self._dice.choice(self._waiting),
            "pspReference": f"psp-{self._told}",
            "name": self._dice.choice(("REFUNDED", "CAPTURED", "CANCELLED")),
            "amount": {"currency": "NOK", "value": 1_000},
            "timestamp": "2026-11-24T12:00:00Z",
            "idempotencyKey": None,
            "success": True,
        }
        return json.dumps(told).encode()

    def _genuine(self) -> Call:
        address = self._dice.choice(self._addresses)
        return address.sign(self._body(address))

    def _unsent(self, kind: str) -> Call:
        """Vipps' own, caught on its way before it arrived, for somebody to change."""
        return replace(self._genuine(), kind=kind)

    def _forged(self) -> Call:
        address, other = self._dice.sample(list(self._addresses), 2)
        secret = address.secret
        wrong = (
            *("", other.secret, secret[:-1], f"{secret} ", secret.swapcase(), secret[::-1], address.registration.token),
            base64.b64decode(f"{secret}==", validate=False).decode("latin-1"),
        )
        return address.sign(self._body(address), kind="forged", secret=self._dice.choice(wrong))

    def _replayed(self) -> Call:
        return replace(self._dice.choice(self._delivered), kind="replayed")

    def _stale(self) -> Call:
        address = self._dice.choice(self._addresses)
        late = timedelta(seconds=self._dice.choice((-1, 1)) * self._dice.randrange(330, 10**7))
        return address.sign(self._body(address), kind="stale", late=late)

    def _retargeted(self) -> Call:
        """To another's address, to one that is dead, or at the right address of a unit that is not its own."""
        address, other = self._dice.sample(list(self._addresses), 2)
        dead = self._dice.choice(self._dead)
        return self._dice.choice(
            (
                replace(address.sign(self._body(address)), kind="retargeted", at=other.registration.token),
                replace(address.sign(self._body(address)), kind="retargeted", at=dead.registration.token),
                address.sign(self._body(address, msn=self._dice.choice(other.msns)), kind="retargeted"),
                address.sign(self._body(address, msn="999999"), kind="retargeted"),
                dead.sign(self._body(dead), kind="retargeted"),
            )
        )

    def _odd(self) -> Call:
        """Signed as it should be, and nothing that Vipps would say."""
        address = self._dice.choice(self._addresses)
        told = json.loads(self._body(address))
        name = self._dice.choice(("msn", "reference", "pspReference", "name"))
        told[name] = self._dice.choice((None, 1, [], {}, True, "", "\x00", "\ud800", "æ" * 70, "a b", "x" * 5_000, "1\n"))
        whole = json.dumps(told).encode()
        bodies = (
            *(whole, whole[:-1], b"", b"null", b"[]", b"[" * 60_000, b'{"a":' * 10_000, b"\xef\xbb\xbf", b"\xff\xfe"),
            *(json.dumps(told).encode("utf-16"), whole + b"\x00", whole + whole, b"9" * 5_000, b'{"msn": NaN}', b"\x00"),
        )
        return address.sign(self._dice.choice(bodies), kind="odd")

    def _with_other_body(self) -> Call:
        call = self._unsent("other body")
        return replace(call, body=self._spoiled(call.body))

    def _resigned_in_part(self) -> Call:
        """The hash fits the new body, but who changed it has no secret to sign with."""
        call = self._unsent("resigned in part")
        body = self._spoiled(call.body)
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        return replace(call, body=body, headers={**call.headers, "x-ms-content-sha256": digest})

    def _with_other_header(self) -> Call:
        call = self._unsent("other header")
        name = self._dice.choice(SIGNED)
        value = call.headers[name]
        changed = self._dice.choice(
            (
                *(value + self._dice.choice(_ODD_TEXTS[1:]), f"{value},{value}", f"{value}, {value}", value[:-1], value[1:]),
                *(self._dice.choice(_ODD_TEXTS), value.swapcase(), f"\x00{value}", f"{value}\x00", f" {value}", f"{value}\t"),
                *(self._one_letter_off(value), self._one_letter_off(value), self._other_form(name, call)),
            )
        )
        if self._dice.random() < 0.1:
            return replace(call, headers={kept: text for kept, text in call.headers.items() if kept != name})
        return replace(call, headers={**call.headers, name: changed if changed != value else f"{value}x"})

    def _other_form(self, name: str, call: Call) -> str:
        """The same, said another way: only one way is Vipps'."""
        if name == "x-ms-date":
            return self._dice.choice(_DATES)(datetime.now(UTC))
        value = call.headers[name]
        if name == "x-ms-content-sha256":
            return self._dice.choice((hashlib.sha256(call.body).hexdigest(), value.rstrip("="), value.replace("+", "-") + "="))
        signature = value.rpartition("Signature=")[2]
        return self._dice.choice(
            (
                *(f"Signature={signature}", f"HMAC-SHA256 Signature={signature}", f"Bearer {signature}", signature),
                f"HMAC-SHA256 SignedHeaders=host;x-ms-date;x-ms-content-sha256&Signature={signature}",
                f"HMAC-SHA256 SignedHeaders=x-ms-date&Signature={signature}",
                f"{value}&Signature={signature}",
            )
        )

    def _with_other_frame(self) -> Call:
        """Another method, path, length or coding around Vipps' own call."""
        call = self._unsent("other frame")
        path = f"/hooks/vipps/{call.at}"
        cut = self._dice.randrange(len(call.body))
        return self._dice.choice(
            (
                *(replace(call, method=method) for method in _METHODS),
                *(replace(call, path=f"{path}{more}") for more in ("?a=1", "?a", "/", "/..", "%00", "%ff", ";a", "é", "a")),
                *(replace(call, path=other) for other in (path[:-1], path.swapcase(), f"{path[:13]}{'A' * 43}", path[:13])),
                *(replace(call, length=length) for length in (str(cut), "-1", "x", "")),
                replace(call, body=call.body + b" " * 70_000),
                replace(call, body=call.body.decode().encode("utf-16"), content_type=f"{_JSON}; charset=utf-16"),
                replace(call, body=b"payload=" + call.body, content_type="application/x-www-form-urlencoded"),
                replace(call, body=b"--x\r\n\r\n" + call.body, content_type="multipart/form-data; boundary=x"),
            )
        )

    def _spoiled(self, body: bytes) -> bytes:
        place = self._dice.randrange(len(body))
        letter = bytes([self._dice.randrange(256)])
        changed = self._dice.choice(
            (
                *(body[:place] + letter + body[place + 1 :], body[:place] + letter + body[place:]),
                *(body[:place] + body[place + 1 :], body[:place], body + letter, body + body, body.upper()),
                *(b"\xef\xbb\xbf" + body, body + b"\x00", body[::-1]),
                *(body.replace(b" ", b""), body.replace(b'"value": 1000', b'"value": 1'), body.replace(b"true", b"false")),
                b'{"msn": "100001", ' + body[1:],
            )
        )
        return changed if changed != body else body + b" "

    def _one_letter_off(self, value: str) -> str:
        place = self._dice.randrange(len(value))
        others = [letter for letter in string.printable[:94] if letter != value[place]]
        return value[:place] + self._dice.choice(others) + value[place + 1 :]


def environ_of(call: Call) -> dict[str, Any]:
    """The headers as a server hands them to the application."""
    told = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in call.headers.items()}
    return told if call.length is None else {**told, "CONTENT_LENGTH": call.length}

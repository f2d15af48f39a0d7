"""The Webhooks API v1: registering, listing and deleting the addresses that Vipps tells about payments.

Source: Vipps Webhooks API v1, OpenAPI description and guide. With sales unit keys a registration is for that unit; with
partner keys and a session without an MSN it is for all the partner's units, those to come included. Whether a notice
is genuine is for `signatures` to say.
"""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from stores.vipps.errors import OurDefect
from stores.vipps.reading import Unreadable, read_object, read_text
from stores.vipps.session import VippsSession
from stores.vipps.understanding import answer_of, unreadable

_WEBHOOKS = "/webhooks/v1/webhooks"
_PORTS = (None, 80, 443, 8080)

PAYMENT_EVENTS = tuple(
    f"epayments.payment.{name}.v1"
    for name in ("created", "aborted", "expired", "cancelled", "captured", "refunded", "authorized", "terminated")
)
"""All that is told of payments made through ePayment; of eCom's there is nothing to register for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """A new registration. Its secret is shown this once: opaque text, kept as it is."""

    id: str
    secret: str = field(repr=False)
    trace_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """One that stands; no answer ever shows its secret again."""

    id: str
    url: str
    events: tuple[str, ...]


class Webhooks:
    """Every method raises VippsError. There is no update: register the new address, then delete the old one."""

    def __init__(self, session: VippsSession) -> None:
        self._session = session

    def register(self, url: str, events: Sequence[str] = PAYMENT_EVENTS) -> Registered:
        """Not idempotent: after Unsure, list, and delete what stands there without a secret of ours."""
        operation = "webhooks_register"
        _check_address(operation, url, may_be_here=self._session.is_to_a_simulator)
        if not events:
            raise OurDefect(operation, detail="a registration names at least one event")
        body = {"url": url, "events": list(events)}
        response = self._session.call(operation, "POST", _WEBHOOKS, body=body, needs_unit=False)
        members, trace_id = answer_of(operation, response)
        try:
            secret = read_text(members, "secret")
            return Registered(id=_read_id(members), secret=secret, trace_id=trace_id)
        except Unreadable as error:
            raise unreadable(operation, response, error) from None

    def list(self) -> tuple[Registration, ...]:
        operation = "webhooks_list"
        response = self._session.call(operation, "GET", _WEBHOOKS, needs_unit=False)
        members, _ = answer_of(operation, response)
        try:
            entries = members.get("webhooks")
            if not isinstance(entries, list):
                raise Unreadable("webhooks is not a list")
            return tuple(_read_registration(entry) for entry in entries)
        except Unreadable as error:
            raise unreadable(operation, response, error) from None

    def delete(self, registration_id: str) -> None:
        """Misconfigured (404) where it is already gone, or another's."""
        operation = "webhooks_delete"
        try:
            name = str(uuid.UUID(registration_id))
        except ValueError:
            raise OurDefect(operation, detail="a registration's id is a UUID") from None
        self._session.call(operation, "DELETE", f"{_WEBHOOKS}/{name}", needs_unit=False)


def _check_address(operation: str, url: str, *, may_be_here: bool) -> None:
    """What Vipps delivers to: https on a common port, and no address that only this machine knows.

    A simulator delivers on this machine too, without TLS and on any port.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if may_be_here and parts.scheme == "http" and _is_this_machine(parts.hostname or "") and port != 0:
        return
    if parts.scheme != "https" or not parts.hostname or parts.hostname == "localhost" or port not in _PORTS:
        raise OurDefect(operation, detail="notices go to a public https address on port 80, 443 or 8080")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_id(members: dict[str, Any]) -> str:
    try:
        return str(uuid.UUID(read_text(members, "id")))
    except ValueError:
        raise Unreadable("id is not a UUID") from None


def _read_registration(entry: object) -> Registration:
    members = read_object(entry)
    events = members.get("events")
    if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
        raise Unreadable("events is not a list of texts")
    return Registration(id=_read_id(members), url=read_text(members, "url"), events=tuple(events))

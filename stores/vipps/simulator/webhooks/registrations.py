"""Who wants to be told: an address, its events, and a secret that is shown once.

Source: Vipps Webhooks API. A partner's registration without an MSN holds for all its sales units, also later ones.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import asdict, dataclass, field

from stores.vipps.simulator.books import Books
from stores.vipps.simulator.merchants import Merchants

PAYMENT_EVENTS = tuple(
    f"epayments.payment.{name}.v1"
    for name in ("created", "aborted", "expired", "cancelled", "captured", "refunded", "authorized", "terminated")
)
CHECK_IN = "user.checked-in.v1"
KNOWN_EVENTS = frozenset({*PAYMENT_EVENTS, CHECK_IN})


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """A sales unit by its MSN, or a partner by its name."""

    kind: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    id: str
    url: str
    events: tuple[str, ...]
    owner: Owner
    secret: str = field(repr=False)


class TooMany(Exception):
    """An event has as many registrations of this owner as there may be."""

    def __init__(self, event: str) -> None:
        super().__init__(event)
        self.event = event


class Registrations:
    def __init__(self, books: Books, merchants: Merchants, *, seed: int) -> None:
        self._books = books
        self._merchants = merchants
        self._seed = seed
        self._made = 0
        self.by_id: dict[str, Registration] = {}
        books.restores("registration", self._restore)
        books.restores("unregistration", lambda record: self.by_id.__delitem__(record["id"]))

    def add(self, url: str, events: tuple[str, ...], owner: Owner, *, most: int, looks_like: str) -> Registration:
        """Raises TooMany; the event of the QR code may have one registration."""
        for event in events:
            used = sum(1 for each in self.of(owner) if event in each.events)
            if used >= (1 if event == CHECK_IN else most):
                raise TooMany(event)
        self._made += 1
        source = hashlib.sha512(f"{self._seed}/webhook/{self._made}".encode()).digest()
        secret = str(uuid.UUID(bytes=source[16:32], version=4))
        if looks_like == "base64":
            secret = base64.b64encode(source).decode()
        made = Registration(id=str(uuid.UUID(bytes=source[:16], version=4)), url=url, events=events, owner=owner, secret=secret)
        self.by_id[made.id] = made
        self._books.keep("registration", **asdict(made))
        return made

    def of(self, owner: Owner) -> list[Registration]:
        return [each for each in self.by_id.values() if each.owner == owner]

    def remove(self, registration_id: str) -> None:
        """Raises KeyError."""
        del self.by_id[registration_id]
        self._books.keep("unregistration", id=registration_id)

    def for_event(self, msn: str, event: str) -> list[Registration]:
        """In the order of registering."""
        return [each for each in self.by_id.values() if event in each.events and self._reaches(each.owner, msn)]

    def _reaches(self, owner: Owner, msn: str) -> bool:
        if owner.kind == "unit":
            return owner.name == msn
        partner = self._merchants.partners.get(owner.name)
        return partner is not None and msn in partner.msns

    def _restore(self, record: dict[str, object]) -> None:
        self._made += 1
        owner = record["owner"]
        events = record["events"]
        if not isinstance(owner, dict) or not isinstance(events, list):
            raise ValueError("the state file holds a damaged registration")
        made = Registration(
            id=str(record["id"]),
            url=str(record["url"]),
            events=tuple(str(event) for event in events),
            owner=Owner(**owner),
            secret=str(record["secret"]),
        )
        self.by_id[made.id] = made

"""Telling: turns a payment's event into notices, sends those that are due, and enters what came of it.

Source: Vipps Webhooks API, and the ePayment API's WebhookEvent. Events of eCom payments are told to nobody.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from stores.vipps.simulator.books import Books
from stores.vipps.simulator.clock import VirtualClock
from stores.vipps.simulator.faults import Fault, FaultBook, FaultKind
from stores.vipps.simulator.ledger import EventEntry, StoredPayment, event_view
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.webhooks.notices import Notice, Notices, NoticeState
from stores.vipps.simulator.webhooks.registrations import Registration, Registrations
from stores.vipps.simulator.webhooks.signing import signed_headers

_LATE_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """One attempt as it goes over the wire."""

    notice: Notice
    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes

    @property
    def copies(self) -> int:
        return 2 if self.notice.is_doubled and not self.notice.attempts else 1


Send = Callable[[Outgoing], int | None]
"""Carries one attempt and returns the status of the answer, None for silence."""


class Teller:
    def __init__(
        self,
        *,
        books: Books,
        registrations: Registrations,
        faults: FaultBook,
        clock: VirtualClock,
        switches: Switches,
        lock: threading.RLock,
    ) -> None:
        self._registrations = registrations
        self._faults = faults
        self._clock = clock
        self._switches = switches
        self._lock = lock
        self._books = books
        self.notices = Notices(books, registrations)
        books.on_event = self.note

    def note(self, payment: StoredPayment, event: EventEntry) -> None:
        if payment.api != "epayment" or not self._registrations.by_id:
            return
        name = f"epayments.payment.{event.name.lower()}.v1"
        for registration in self._registrations.for_event(payment.msn, name):
            fault = self._faults.take("deliver", api="webhooks", msn=payment.msn, reference=payment.reference)
            self.notices.add(self._notice(registration, payment, event, name, fault))

    def deliver_due(self, send: Send) -> int:
        """How many attempts were made. The lock is not held while one is on its way."""
        with self._lock:
            self._books.settle_doubtful()
            due = [self._outgoing(notice) for notice in self.notices.due(self._clock.now())]
        for outgoing in due:
            status: int | None = None
            for _ in range(outgoing.copies):
                status = send(outgoing)
            with self._lock:
                if outgoing.notice.state is NoticeState.WAITING:
                    success = self._is_success(status)
                    self.notices.settle(outgoing.notice, status, at=self._clock.now(), is_success=success)
        return len(due)

    def _is_success(self, status: int | None) -> bool:
        if status is None:
            return False
        return status < (300 if self._switches.webhook_redirect_fails else 400)

    def _notice(
        self, registration: Registration, payment: StoredPayment, event: EventEntry, name: str, fault: Fault | None
    ) -> Notice:
        now = self._clock.now()
        kind = fault.kind if fault else None
        seconds = _LATE_SECONDS if fault is None or fault.seconds is None else fault.seconds
        is_held = kind in (FaultKind.LATE, FaultKind.OUT_OF_ORDER)
        body = {"msn": payment.msn, **event_view(payment, event)}
        return Notice(
            id=self.notices.next_id(),
            registration=registration.id,
            msn=payment.msn,
            reference=payment.reference,
            event=name,
            body=json.dumps(body, separators=(",", ":")),
            made_at=now,
            due_at=now + seconds if is_held else now,
            is_doubled=kind is FaultKind.DOUBLED,
            is_badly_signed=kind is FaultKind.BADLY_SIGNED,
            waits_for_next=kind is FaultKind.OUT_OF_ORDER,
            state=NoticeState.LOST if kind is FaultKind.LOST else NoticeState.WAITING,
        )

    def _outgoing(self, notice: Notice) -> Outgoing:
        registration = self._registrations.by_id[notice.registration]
        secret = registration.secret
        if notice.is_badly_signed and not notice.attempts:
            secret = f"not {secret}"
        body = notice.body.encode()
        # A receiver compares the date with its own clock, which no test can move.
        headers = signed_headers(secret, url=registration.url, body=body, at=self._clock.real())
        headers |= {"Content-Type": "application/json", "Webhook-Id": registration.id, "User-Agent": "vipps-simulator"}
        return Outgoing(notice=notice, url=registration.url, headers=headers, body=body)

"""What the page's tables hold: one function a table, the newest row first, no secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import islice

from stores.vipps.simulator.clock import iso
from stores.vipps.simulator.ledger import StoredPayment
from stores.vipps.simulator.simulator import Simulator
from stores.vipps.simulator.switches import Switches

Rows = Iterator[tuple[object, ...]]
# Only so many payments are looked through for their events: a page about 100,000 of them should still come at once.
_LOOKED_AT = 500


def payment_rows(simulator: Simulator) -> Rows:
    for payment in reversed(simulator.ledger.payments.values()):
        sums = payment.sums()
        yield (
            payment.msn,
            payment.reference,
            payment.api,
            payment.state,
            _money(payment.value, payment.currency),
            _money(sums.captured, ""),
            _money(sums.refunded, ""),
            _money(sums.cancelled, ""),
        )


def event_rows(simulator: Simulator) -> Rows:
    touched = {(entry.msn, entry.reference) for entry in simulator.log()[-_LOOKED_AT:]}
    newest = {payment.msn + "/" + payment.reference: payment for payment in _newest(simulator)}
    for msn, reference in touched:
        payment = simulator.ledger.find(msn, reference)
        if payment is not None:
            newest[f"{msn}/{reference}"] = payment
    found = sorted(((event, payment) for payment in newest.values() for event in payment.events), key=lambda each: -each[0].psp)
    for event, payment in found:
        amount = _money(event.value, payment.currency)
        success = "yes" if event.success else "no"
        yield iso(event.at), payment.msn, payment.reference, event.name, amount, event.key, success


def refund_rows(simulator: Simulator) -> Rows:
    for entry in reversed(simulator.log(applied=True)):
        if entry.operation in ("refund", "portal-refund"):
            amount = _money(entry.amount_minor, entry.currency)
            yield iso(entry.time), entry.msn, entry.reference, amount, entry.api, entry.keys, entry.idempotency_key


def modification_rows(simulator: Simulator) -> Rows:
    for entry in reversed(simulator.log()):
        yield (
            iso(entry.time),
            entry.api,
            entry.msn,
            entry.keys,
            entry.operation,
            entry.reference,
            _money(entry.amount_minor, entry.currency),
            entry.idempotency_key,
            "yes" if entry.applied else "repeated" if entry.replayed else "no",
            f"{entry.status or 'none'} {entry.code or ''}",
            entry.fault,
        )


def limit_rows(simulator: Simulator) -> Rows:
    for view in simulator.rate_windows():
        what, which, msn = (*view.subject, "", "")[:3]
        yield what, which, msn, f"{view.used} of {view.limit} a minute"


def notice_rows(simulator: Simulator) -> Rows:
    for notice in reversed(simulator.notices()):
        waits = notice.state == "waiting"
        yield (
            notice.id,
            notice.event,
            notice.msn,
            notice.reference,
            notice.state,
            notice.attempts,
            (notice.status or "none") if notice.attempts else "",
            iso(notice.due_at) if waits else "",
        )


def registration_rows(simulator: Simulator) -> Rows:
    for each in reversed(simulator.registrations):
        yield each.id, f"{each.owner.kind} {each.owner.name}", each.url, len(each.events)


def fault_rows(simulator: Simulator) -> Rows:
    for entry in simulator.faults.armed.values():
        fault = entry.fault
        yield (
            entry.id,
            fault.kind,
            fault.api or "any",
            fault.operation or "any",
            fault.msn or "any",
            fault.reference or "any",
            fault.times or "without end",
            fault.probability,
            entry.fired,
        )


def switch_rows(simulator: Simulator) -> Rows:
    """Those that do not stand as usual come first."""
    now, usual = simulator.switches, Switches()
    names = [each.name for each in fields(Switches)]
    for name in sorted(names, key=lambda name: getattr(now, name) == getattr(usual, name)):
        stands = getattr(now, name)
        yield name, "none" if stands is None else stands, "" if stands == getattr(usual, name) else "changed"


def holder_rows(simulator: Simulator) -> Rows:
    merchants = simulator.merchants
    for partner in merchants.partners.values():
        yield partner.name, partner.keys.name, ", ".join(sorted(partner.msns))
    for accountant in merchants.accountants.values():
        yield accountant.name, accountant.keys.name, ", ".join(sorted(accountant.msns))


def _newest(simulator: Simulator) -> list[StoredPayment]:
    return list(islice(reversed(simulator.ledger.payments.values()), _LOOKED_AT))


def _money(value: int | None, currency: str | None) -> str:
    if value is None:
        return ""
    return f"{value // 100}.{value % 100:02} {currency or ''}".strip()

"""The order's money: every movement is one entry with two sides, and the balances move in the same statement's wake.

The caller holds the transaction. Lock order everywhere: the order's account, then the refund, then the trail's chain.
"""

import hashlib

from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from refunds.models import Account, EntryKind, HoldLift, LedgerEntry, OrderAccount, Refund, Verdict
from stores import clock
from stores.models import Order

_SIDES = {
    EntryKind.RESERVE: (Account.AVAILABLE, Account.RESERVED),
    EntryKind.POST: (Account.RESERVED, Account.REFUNDED),
    EntryKind.VOID: (Account.RESERVED, Account.AVAILABLE),
    EntryKind.EXTERNAL: (Account.AVAILABLE, Account.EXTERNAL),
    EntryKind.ORPHAN: (Account.AVAILABLE, Account.ORPHAN),
    EntryKind.CORRECTION: (Account.AVAILABLE, Account.REFUNDED),
    EntryKind.REVERSAL: (Account.REFUNDED, Account.AVAILABLE),
}
_OUTSIDE = (EntryKind.EXTERNAL, EntryKind.ORPHAN)
_LONGEST_REFERENCE = 80
_BALANCES = {
    Account.RESERVED: "reserved_minor",
    Account.REFUNDED: "posted_minor",
    Account.EXTERNAL: "external_minor",
    Account.ORPHAN: "external_minor",
}


def open_account(order: Order) -> None:
    """Make the order's account at first need; two at once make one."""
    OrderAccount.objects.bulk_create([OrderAccount(order=order)], ignore_conflicts=True)


def locked_account(order_id: int) -> OrderAccount:
    """The account's row, locked until the transaction ends."""
    return OrderAccount.objects.select_for_update().get(order_id=order_id)


def reserve(refund: Refund) -> bool:
    """Set the refund's amount aside, if that much is left and the order is not on hold; else False, nothing written.

    The account's row is locked first, so the sum that is checked is the sum that is changed.
    """
    account = locked_account(refund.order_id)
    capacity = Order.objects.values_list(Coalesce("captured_minor", "claimed_minor", 0), flat=True).get(
        pk=refund.order_id
    )
    left = capacity - account.posted_minor - account.external_minor - account.reserved_minor
    if account.on_hold or left < refund.amount_minor:
        return False
    book(refund.order, EntryKind.RESERVE, refund.amount_minor, refund=refund)
    return True


def book(
    order: Order, kind: EntryKind, amount_minor: int, *, refund: Refund | None = None, psp_reference: str = ""
) -> None:
    """Write one entry and move the balances of its two sides. The account must be locked by this transaction."""
    _write(order, kind, *_SIDES[kind], amount_minor, refund=refund, psp_reference=psp_reference)


def recognise(order: Order, psp_reference: str) -> None:
    """What was counted as somebody else's has shown itself as ours: count it there no longer. The account must be locked.

    So it goes with a refund whose row a restore had lost, or whose key Vipps' log had not shown at first.
    """
    counted = LedgerEntry.objects.filter(order=order, psp_reference=_kept(psp_reference)).exclude(psp_reference="")
    outside = counted.filter(kind__in=_OUTSIDE).first()
    if outside is None or counted.filter(kind=EntryKind.RECOGNISED).exists():
        return
    sides = Account(outside.credit), Account(outside.debit)
    _write(order, EntryKind.RECOGNISED, *sides, outside.amount_minor, psp_reference=psp_reference)


def _write(
    order: Order,
    kind: EntryKind,
    debit: Account,
    credit: Account,
    amount_minor: int,
    *,
    refund: Refund | None = None,
    psp_reference: str,
) -> None:
    LedgerEntry.objects.create(
        order=order,
        refund=refund,
        kind=kind,
        debit=debit,
        credit=credit,
        amount_minor=amount_minor,
        currency=order.currency,
        psp_reference=_kept(psp_reference),
        booked_at=clock.db_now(),
    )
    changes = {}
    if debit in _BALANCES:
        changes[_BALANCES[debit]] = F(_BALANCES[debit]) - amount_minor
    if credit in _BALANCES:
        changes[_BALANCES[credit]] = F(_BALANCES[credit]) + amount_minor
    OrderAccount.objects.filter(order=order).update(**changes)


def hold(order: Order, because: str) -> None:
    """Refuse and send nothing more of this order until the hold is lifted."""
    OrderAccount.objects.filter(order=order).update(on_hold=True, hold_reason=because[:200])


def _kept(psp_reference: str) -> str:
    """Vipps' reference as the column holds it; one longer than any seen by its SHA-256, so that it still counts once."""
    return psp_reference if len(psp_reference) <= _LONGEST_REFERENCE else hashlib.sha256(psp_reference.encode()).hexdigest()


def book_end(refund: Refund, kind: EntryKind, *, psp_reference: str = "") -> None:
    """What an end does to the money. A refund that came back from an end has nothing reserved: it counts already."""
    if not is_corrected(refund):
        book(refund.order, kind, refund.amount_minor, refund=refund, psp_reference=psp_reference)
    elif kind == EntryKind.VOID:
        book(refund.order, EntryKind.REVERSAL, refund.amount_minor, refund=refund)


def true_up(refund: Refund, shown_minor: int, *, psp_reference: str) -> None:
    """A refund that counts as asked for moved `shown_minor` at Vipps, by that reference of Vipps': count what moved."""
    surplus_minor = shown_minor - refund.amount_minor
    if surplus_minor > 0:
        unused = "" if is_booked(refund.order, psp_reference) else psp_reference
        book(refund.order, EntryKind.ORPHAN, surplus_minor, refund=refund, psp_reference=unused)
    elif surplus_minor < 0:
        book(refund.order, EntryKind.REVERSAL, -surplus_minor, refund=refund)


def surplus_minor(order: Order) -> int:
    """What refunds of this order moved beyond what was asked for: ours, but posted nowhere."""
    surplus = LedgerEntry.objects.filter(order=order, kind=EntryKind.ORPHAN, refund__isnull=False)
    return surplus.aggregate(sum=Sum("amount_minor", default=0))["sum"] or 0


def is_claimed(order: Order, psp_reference: str) -> bool:
    """Whether people took an event without a key for one of our refunds."""
    posted = LedgerEntry.objects.filter(order=order, kind=EntryKind.POST, psp_reference=_kept(psp_reference))
    return posted.exclude(psp_reference="").exists()


def is_booked(order: Order, psp_reference: str) -> bool:
    """Whether the refund of that Vipps reference already counts: outside money, or an event that people took for ours."""
    outside = LedgerEntry.objects.filter(order=order, psp_reference=_kept(psp_reference), kind__in=_OUTSIDE)
    return outside.exists() or is_claimed(order, psp_reference)


def is_corrected(refund: Refund) -> bool:
    """Whether the refund's money was counted after it had ended: its reservation is long gone, so it is never posted."""
    kinds = LedgerEntry.objects.filter(refund=refund, kind__in=[EntryKind.CORRECTION, EntryKind.REVERSAL])
    counted = [entry.kind for entry in kinds]
    return counted.count(EntryKind.CORRECTION) > counted.count(EntryKind.REVERSAL)


def is_held_by_orphan(order: Order) -> bool:
    """Whether a refund with a key of ours and no row was seen, and no two people have lifted the hold since."""
    lifted = HoldLift.objects.filter(order=order, verdict=Verdict.CONFIRMED).order_by("-decided_at").first()
    recognised = LedgerEntry.objects.filter(order=order, kind=EntryKind.RECOGNISED).values("psp_reference")
    orphans = LedgerEntry.objects.filter(order=order, kind=EntryKind.ORPHAN, refund=None).exclude(psp_reference__in=recognised)
    return (orphans.filter(booked_at__gt=lifted.decided_at) if lifted else orphans).exists()


def release_hold(order: Order) -> None:
    """Let the order be refunded again. The account must be locked by this transaction."""
    OrderAccount.objects.filter(order=order).update(on_hold=False, hold_reason="")

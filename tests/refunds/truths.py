"""What must hold of an order at every instant, judged by Vipps' own books (RELIABILITY 3.1)."""

from collections import Counter
from collections.abc import Iterable

from refunds import identity
from refunds.models import ENDS, IN_FLIGHT, Attempt, LedgerEntry, OrderAccount, Refund, State
from stores import audit
from stores.models import Order
from stores.vipps.simulator import Simulator

_GIVEN_UP = (State.DECLINED, State.REJECTED, State.CANCELLED)
_MOVES = ("refund.accepted", "refund.moved")


def paid(simulator: Simulator, order: Order) -> Counter[str]:
    """How much Vipps refunded under each key; "" for what has none."""
    payment = simulator.payment(order.sales_unit.msn, order.reference)
    found: Counter[str] = Counter()
    for event in payment.events:
        if event.name == "REFUNDED" and event.success:
            found[event.key or ""] += event.value
    return found


def keys_of(order: Order, refund: Refund) -> tuple[str, ...]:
    """Every key that the refund may ever send."""
    unit = order.sales_unit
    return identity.provider_keys(environment=unit.environment, msn=unit.msn, reference=order.reference, refund=refund.pk)


def check_order(simulator: Simulator, order: Order) -> None:
    """I1, I2, I4, I5, I6 and I7 of one order, and I8 of its refunds."""
    refunds = list(Refund.objects.filter(order=order).order_by("number"))
    sums = paid(simulator, order)
    payment = simulator.payment(order.sales_unit.msn, order.reference).sums()
    assert payment.refunded <= payment.captured
    assert sum(refund.state in IN_FLIGHT for refund in refunds) <= 1
    written = set(Attempt.objects.filter(refund__order=order).values_list("provider_key", flat=True))
    assert {key for key in sums if key} <= written
    for refund in refunds:
        got = [sums[key] for key in keys_of(order, refund) if key in sums]
        assert got in ([], [refund.amount_minor]), f"{refund} was paid {got}"
        if refund.state == State.REFUNDED:
            assert got, f"{refund} was never paid"
        if refund.state in _GIVEN_UP:
            assert not got, f"{refund} is {refund.state} and was paid"
        check_trail(refund)
    check_ledger(order, refunds)


def check_trail(refund: Refund) -> None:
    """One entry for each change of state, each taking up where the one before it ended."""
    told = [audit.facts_of(entry) for entry in audit.timeline_of("refund", str(refund.pk)) if entry.event in _MOVES]
    at = told[0]["state"]
    for facts in told[1:]:
        assert facts["before"] == at
        at = facts["after"]
    assert at == refund.state


def check_ledger(order: Order, refunds: Iterable[Refund]) -> None:
    """The balances are the fold of the entries, and what is reserved is what the open refunds asked for."""
    account = OrderAccount.objects.filter(order=order).first()
    entries = LedgerEntry.objects.filter(order=order)
    balance: Counter[str] = Counter()
    for entry in entries:
        balance[entry.debit] -= entry.amount_minor
        balance[entry.credit] += entry.amount_minor
    assert sum(balance.values()) == 0
    if account is None:
        assert not entries
        return
    kept = (account.reserved_minor, account.posted_minor, account.external_minor)
    assert kept == (balance["reserved"], balance["refunded"], balance["external"] + balance["orphan"])
    assert min(kept) >= 0
    corrected = set(entries.filter(kind="correction").values_list("refund_id", flat=True))
    is_open = [refund for refund in refunds if refund.state not in ENDS and refund.pk not in corrected]
    assert account.reserved_minor == sum(refund.amount_minor for refund in is_open)

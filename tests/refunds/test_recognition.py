"""Our own money is known by its derived keys, also where a restore lost the rows, or the log had lost the key at first."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from refunds import ledger, reconciliation
from refunds.models import Attempt, EntryKind, LedgerEntry, Refund, State
from stores import sessions
from stores.actors import hub
from stores.models import Order
from stores.vipps.simulator import FaultKind, Simulator, Switches
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.proving import BERGEN, again, balances, key_of, log_event, lose, posts, simulated

WORKER = hub("worker")


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with simulated(Switches(rate_limits=False)) as simulator:
        yield simulator


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-8400", 100_000)


@pytest.fixture
def refund(chain: Chain, order: Order) -> Refund:
    return ask(order, 25_000, who=chain.kari, store=chain.oslo).refund


def look(order: Order) -> None:
    session = sessions.open_session(order.sales_unit, by=WORKER, why="test")
    reconciliation.read_order(session, order, with_events=True, by=WORKER)


def kinds(order: Order) -> list[str]:
    return list(LedgerEntry.objects.filter(order=order).order_by("pk").values_list("kind", flat=True))


def test_a_refund_whose_attempts_a_restore_lost_is_settled_by_its_derived_key(chain: Chain, refund: Refund) -> None:
    log_event(chain, refund, 25_000, key_of(refund))
    assert run(refund).state == State.REFUNDED
    assert (refund.sends, Attempt.objects.count()) == (0, 0)
    assert posts(chain) == []
    assert balances(refund) == (25_000, 0, 0, False)


def test_a_refused_key_that_a_restore_lost_is_asked_for_again(chain: Chain, refund: Refund) -> None:
    log_event(chain, refund, 25_000, key_of(refund), success=False)
    chain.simulator.portal_refund(BERGEN, refund.order.reference, 1_000)
    assert run(refund).state == State.REFUNDED
    assert [key for _, key, _ in posts(chain)] == [key_of(refund)]
    assert balances(refund) == (25_000, 1_000, 0, False)


def test_a_restored_row_is_no_orphan_when_somebody_else_reads_the_order(chain: Chain, order: Order, refund: Refund) -> None:
    log_event(chain, refund, 25_000, key_of(refund))
    look(order)
    refund.refresh_from_db()
    assert refund.state == State.REFUNDED
    assert kinds(order) == [EntryKind.RESERVE, EntryKind.POST]


def test_an_unsigned_refund_that_shows_itself_as_ours_is_counted_once(chain: Chain, order: Order, refund: Refund) -> None:
    lose(chain, FaultKind.DROP_AFTER)
    run(refund)
    [event] = chain.simulator.payment(BERGEN, order.reference).events[-1:]
    with transaction.atomic():
        ledger.locked_account(order.pk)
        ledger.book(order, EntryKind.EXTERNAL, 25_000, psp_reference=str(event.psp))
    assert balances(refund) == (0, 25_000, 25_000, False)
    assert again(refund).state == State.REFUNDED
    assert balances(refund) == (25_000, 0, 0, False)
    assert kinds(order) == [EntryKind.RESERVE, EntryKind.EXTERNAL, EntryKind.RECOGNISED, EntryKind.POST]
    look(order)
    assert balances(refund) == (25_000, 0, 0, False)


def test_what_was_recognised_is_not_recognised_twice(chain: Chain, order: Order, refund: Refund) -> None:
    with transaction.atomic():
        ledger.locked_account(order.pk)
        ledger.book(order, EntryKind.ORPHAN, 5_000, psp_reference="psp-1")
        for _ in range(2):
            ledger.recognise(order, "psp-1")
        ledger.recognise(order, "psp-2")
        ledger.recognise(order, "")
    assert balances(refund) == (0, 0, 25_000, False)
    [entry] = LedgerEntry.objects.filter(kind=EntryKind.RECOGNISED)
    assert (entry.debit, entry.credit, entry.amount_minor) == ("orphan", "available", 5_000)

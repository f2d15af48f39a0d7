"""After a restore nothing is sent before the orders near it were read at Vipps, and what the backup lost is found again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from refunds import restoring
from refunds.models import LedgerEntry, OrderAccount, Refund, RestoreEpoch, RestoreLook, State
from refunds.sweep import sweep_once
from stores import clock
from stores.actors import hub
from stores.errors import Conflict, Invalid
from stores.models import Company, Entry, Order
from stores.vipps.simulator import Fault, FaultKind, Simulator, Switches
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run
from tests.refunds.proving import BERGEN, balances, key_of, log_event, posts, simulated

SWEEP = hub("sweep")


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with simulated(Switches(rate_limits=False)) as simulator:
        yield simulator


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-8700", 100_000)


@pytest.fixture
def refund(chain: Chain, order: Order) -> Refund:
    return ask(order, 25_000, who=chain.kari, store=chain.oslo).refund


def declare(chain: Chain, to: datetime | None = None) -> RestoreEpoch:
    moment = to or clock.db_now() - timedelta(minutes=5)
    return restoring.declare_restore(
        chain.company, restored_to=moment, reason="the disk died", declared_by="Hanne", by=chain.by
    )


def check() -> None:
    restoring.check_restores(by=SWEEP)


def test_nothing_is_sent_until_it_was_read_and_a_quarter_of_an_hour_has_passed(
    chain: Chain, refund: Refund, travel: Any
) -> None:
    epoch = declare(chain)
    assert run(refund).state == State.QUEUED
    assert (refund.outcome, posts(chain)) == ("restored", [])
    check()
    epoch.refresh_from_db()
    assert epoch.quiet_until is not None
    travel(timedelta(minutes=14))
    check()
    assert run(refund).state == State.QUEUED
    travel(timedelta(minutes=2))
    check()
    assert run(refund).state == State.REFUNDED
    assert balances(refund) == (25_000, 0, 0, False)


def test_a_refund_whose_send_the_backup_lost_is_settled_by_the_log_alone(chain: Chain, refund: Refund) -> None:
    log_event(chain, refund, 25_000, key_of(refund))
    declare(chain)
    check()
    refund.refresh_from_db()
    assert (refund.state, refund.sends, posts(chain)) == (State.REFUNDED, 0, [])
    assert balances(refund) == (25_000, 0, 0, False)


def test_the_log_is_read_before_the_first_send_even_if_the_sum_lags(chain: Chain, refund: Refund, travel: Any) -> None:
    declare(chain)
    check()
    travel(timedelta(minutes=16))
    check()
    log_event(chain, refund, 25_000, key_of(refund))
    chain.simulator.arm(Fault(kind=FaultKind.LAGGING_AGGREGATE, operation="get", times=None))
    make_due(refund)
    assert run(refund).state == State.REFUNDED
    assert posts(chain) == []


def test_a_refund_without_a_row_is_counted_and_holds_its_order(chain: Chain, order: Order, refund: Refund) -> None:
    other = Refund(pk="00000000-0000-5000-8000-000000000001", order=order)
    log_event(chain, refund, 30_000, key_of(other))
    declare(chain)
    check()
    assert balances(refund) == (0, 30_000, 25_000, True)
    assert LedgerEntry.objects.filter(kind="orphan").count() == 1


def test_orders_touched_near_the_restore_are_read_and_no_others(chain: Chain, travel: Any) -> None:
    old, near, still_open = (chain.sold(chain.bergen, f"BGO-20261101-871{n}", 50_000) for n in range(3))
    waiting = ask(still_open, 1_000, who=chain.kari, store=chain.oslo).refund
    Refund.objects.filter(pk=waiting.pk).update(moved_at=clock.db_now() - timedelta(days=3))
    run(ask(old, 1_000, who=chain.kari, store=chain.oslo).refund)
    travel(timedelta(hours=3))
    run(ask(near, 1_000, who=chain.kari, store=chain.oslo).refund)
    declare(chain, clock.db_now() + timedelta(seconds=-30))
    assert set(RestoreLook.objects.values_list("order__reference", flat=True)) == {near.reference, still_open.reference}


def test_an_order_that_cannot_be_read_is_held_and_does_not_stop_the_chain(
    chain: Chain, order: Order, refund: Refund, travel: Any
) -> None:
    epoch = declare(chain)
    chain.simulator.arm(Fault(kind=FaultKind.ERROR_BEFORE, operation="get", times=None))
    for _ in range(restoring.TRIES):
        check()
        epoch.refresh_from_db()
        assert epoch.ended_at is None
        travel(timedelta(seconds=31))
    assert OrderAccount.objects.get(order=order).on_hold
    chain.simulator.disarm()
    check()
    travel(timedelta(minutes=16))
    check()
    epoch.refresh_from_db()
    assert epoch.ended_at is not None
    other = chain.sold(chain.bergen, "BGO-20261101-8720", 50_000)
    assert run(ask(other, 1_000, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED
    assert run(refund).state == State.QUEUED
    assert list(Entry.objects.filter(event__startswith="restore.").order_by("pk").values_list("event", flat=True)) == [
        "restore.declared",
        "restore.ended",
    ]


def test_the_sweep_checks_restores(chain: Chain, refund: Refund, travel: Any) -> None:
    declare(chain)
    for minutes in (0, 16, 1):
        travel(timedelta(minutes=minutes))
        sweep_once(by=SWEEP)
    assert not RestoreEpoch.objects.filter(ended_at=None).exists()


def test_another_chain_goes_on(chain: Chain, refund: Refund) -> None:
    other = Company.objects.create(name="Sørlys")
    RestoreEpoch.objects.create(company=other, restored_to=clock.db_now(), reason="theirs", declared_by="X")
    assert run(refund).state == State.REFUNDED


def test_one_restore_is_checked_at_a_time(chain: Chain) -> None:
    declare(chain)
    with pytest.raises(Conflict):
        declare(chain)
    assert RestoreEpoch.objects.count() == 1


def test_a_restore_lies_in_the_past_and_has_a_reason(chain: Chain) -> None:
    with pytest.raises(Invalid):
        declare(chain, clock.db_now() + timedelta(hours=1))
    with pytest.raises(Invalid):
        restoring.declare_restore(chain.company, restored_to=clock.db_now(), reason=" ", declared_by="X", by=chain.by)
    assert not RestoreEpoch.objects.exists()


def test_the_command_declares_it_for_every_chain_of_the_database(chain: Chain, refund: Refund) -> None:
    out = StringIO()
    call_command("declare_restore", "2026-11-01T02:00:00Z", "--reason", "disk", "--by", "Hanne", stdout=out)
    epoch = RestoreEpoch.objects.get()
    assert (epoch.declared_by, epoch.reason, epoch.looks.count()) == ("Hanne", "disk", 1)
    assert "1 orders are read at Vipps" in out.getvalue()
    with pytest.raises(CommandError, match="still being checked"):
        call_command("declare_restore", "2026-11-01T02:00:00Z", "--reason", "disk", "--by", "Hanne")
    with pytest.raises(CommandError, match="write it like"):
        call_command("declare_restore", "yesterday", "--reason", "disk", "--by", "Hanne")


def test_a_portal_refund_of_the_lost_time_is_adopted(chain: Chain, refund: Refund) -> None:
    chain.simulator.portal_refund(BERGEN, refund.order.reference, 40_000)
    declare(chain)
    check()
    assert balances(refund) == (0, 40_000, 25_000, False)

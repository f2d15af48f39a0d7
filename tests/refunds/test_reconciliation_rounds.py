"""What makes an order be looked at: a notice, a settlement, the night, a person; and what happens when messages are lost."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from refunds import checks, doorbell, nightly, rounds, tasks
from refunds.models import CheckReason, Heartbeat, LedgerEntry, Night, OrderAccount, OrderCheck
from stores import clock, nudge
from stores.actors import hub
from stores.models import Notice, Order, SettlementEntry, SettlementFeed
from stores.vipps.simulator import Fault, FaultKind, Simulator, Switches
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.looking import is_due
from tests.refunds.proving import BERGEN, simulated
from tests.vipps_notices import VIPPS, body_of, registered

SWEEP = hub("sweep")


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with simulated(Switches(rate_limits=False)) as simulator:
        yield simulator


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-8300", 100_000)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """A broker that takes every message and gives it to nobody."""
    took: list[tuple[str, str]] = []

    def publish(task: str, row_id: str) -> bool:
        took.append((task, row_id))
        return True

    monkeypatch.setattr(nudge, "publish", publish)
    return took


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudge, "publish", lambda task, row_id: False)


def notice(chain: Chain, order: Order, name: str, *, psp: str = "psp-1") -> None:
    registration = registered(chain.units["BGO"]) if not Notice.objects.exists() else Notice.objects.get().registration
    VIPPS.send(registration.url, body_of(BERGEN, order.reference, name=name, psp_reference=psp))
    last = Notice.objects.order_by("-pk").first()
    assert last is not None
    doorbell.answer(last.pk)


@pytest.mark.django_db(transaction=True)
def test_a_portal_refund_that_vipps_tells_of_is_counted_by_the_message_alone(
    chain: Chain, order: Order, published: list[tuple[str, str]]
) -> None:
    chain.simulator.portal_refund(BERGEN, order.reference, 10_000)
    notice(chain, order, "REFUNDED")
    assert published[-1] == (checks.TASK, str(order.pk))
    tasks.check_order(str(order.pk))
    assert OrderAccount.objects.get(order=order).external_minor == 10_000
    assert OrderCheck.objects.get(order=order).due_at is None


@pytest.mark.parametrize(
    ("name", "is_asked"), [("CANCELLED", True), ("REFUNDED", True), ("CAPTURED", False), ("EXPIRED", False)]
)
def test_only_what_moves_money_of_the_order_asks_for_a_look(
    chain: Chain, order: Order, no_broker: None, name: str, is_asked: bool
) -> None:
    notice(chain, order, name)
    assert is_due(order) is is_asked


def test_a_capture_of_an_order_that_was_refunded_asks_for_a_look(chain: Chain, order: Order, no_broker: None) -> None:
    OrderAccount.objects.create(order=order)
    notice(chain, order, "CAPTURED")
    assert is_due(order)


def test_the_notice_of_our_own_refund_is_nobodys_hurry(chain: Chain, order: Order, no_broker: None) -> None:
    run(ask(order, 10_000, who=chain.kari, store=chain.oslo).refund)
    notice(chain, order, "REFUNDED")
    assert not is_due(order)
    assert OrderCheck.objects.get(order=order).due_at is not None


def test_a_look_whose_message_was_lost_is_made_by_the_rounds(
    chain: Chain, order: Order, published: list[tuple[str, str]], travel: Any
) -> None:
    chain.simulator.portal_refund(BERGEN, order.reference, 10_000)
    checks.ask_all({order.pk: clock.db_now()}, CheckReason.NOTICE)
    assert rounds.go_round(by=SWEEP).checks == 1
    assert (checks.TASK, str(order.pk)) in published
    assert rounds.go_round(by=SWEEP).checks == 0, "it was rung for a moment ago"
    travel(timedelta(seconds=31))
    assert rounds.go_round(by=SWEEP).checks == 1
    assert OrderAccount.objects.get(order=order).external_minor == 10_000


def test_without_a_broker_the_rounds_do_all_of_it(chain: Chain, order: Order, no_broker: None, travel: Any) -> None:
    chain.simulator.portal_refund(BERGEN, order.reference, 10_000)
    rounds.go_round(by=SWEEP)
    assert SettlementEntry.objects.filter(entry_type="refund").count() == 1
    rounds.go_round(by=SWEEP)
    assert OrderAccount.objects.get(order=order).external_minor == 10_000
    assert LedgerEntry.objects.count() == 1
    assert SettlementFeed.objects.count() == 3, "partner keys cannot read theirs"


def test_one_part_of_the_round_that_breaks_does_not_stop_the_others(
    chain: Chain, order: Order, no_broker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> int:
        raise RuntimeError("no night")

    monkeypatch.setattr(nightly, "begin_if_due", breaks)
    checks.ask_all({order.pk: clock.db_now()}, CheckReason.NOTICE)
    assert rounds.go_round(by=SWEEP).checks == 1


class TestTheNight:
    def test_it_takes_what_moved_and_leaves_what_only_sold(self, chain: Chain, order: Order, no_broker: None) -> None:
        told = chain.sold(chain.bergen, "BGO-20261101-8301", 50_000)
        sold_only = chain.sold(chain.bergen, "BGO-20261101-8302", 50_000)
        settled = chain.sold(chain.bergen, "BGO-20261101-8303", 50_000)
        run(ask(order, 10_000, who=chain.kari, store=chain.oslo).refund)
        notice(chain, told, "REFUNDED")
        chain.simulator.portal_refund(BERGEN, settled.reference, 1_000)
        rounds.go_round(by=SWEEP)
        active = nightly.with_activity(clock.db_now() - nightly.ACTIVITY)
        assert active == {order.pk, told.pk, settled.pk}
        assert sold_only.pk not in active

    def test_it_forgets_what_moved_more_than_thirty_days_ago(self, chain: Chain, order: Order, travel: Any) -> None:
        run(ask(order, 10_000, who=chain.kari, store=chain.oslo).refund)
        travel(timedelta(days=31))
        assert nightly.with_activity(clock.db_now() - nightly.ACTIVITY) == set()

    def test_it_draws_one_in_a_hundred_of_the_rest(self, chain: Chain, order: Order) -> None:
        drawn = iter([b"\x00" * 8])
        with clock.bound(clock.Source(token=lambda count: next(drawn))):
            assert nightly.enrol(clock.db_now()) == 1
        assert OrderCheck.objects.get().why == "night"

    def test_it_comes_once_a_night_whoever_is_first(self, chain: Chain, order: Order, travel: Any) -> None:
        noon = clock.db_now().replace(hour=12)
        with clock.bound(clock.Source(now=lambda: noon)):
            assert nightly.begin_if_due() == 1
            assert nightly.begin_if_due() is None
        with clock.bound(clock.Source(now=lambda: noon.replace(hour=0) + timedelta(days=1))):
            assert nightly.begin_if_due() is None, "it is not night yet"
        with clock.bound(clock.Source(now=lambda: noon.replace(hour=1) + timedelta(days=1))):
            assert nightly.begin_if_due() == 1
        assert Night.objects.count() == 2
        assert Heartbeat.objects.filter(name="reconcile").exists()

    def test_one_that_died_is_begun_again(self, chain: Chain, order: Order) -> None:
        noon = clock.db_now().replace(hour=12)
        Night.objects.create(day=noon.date(), begun_at=noon)
        with clock.bound(clock.Source(now=lambda: noon)):
            assert nightly.begin_if_due() is None, "it may still be at work"
        with clock.bound(clock.Source(now=lambda: noon + timedelta(minutes=31))):
            assert nightly.begin_if_due() == 1

    def test_orders_of_one_sales_unit_come_one_after_the_other(self, chain: Chain, order: Order) -> None:
        other = chain.sold(chain.bergen, "BGO-20261101-8304", 50_000)
        oslo = chain.sold(chain.oslo, "OSL-20261101-8304", 50_000)
        for each in (order, other, oslo):
            run(ask(each, 10_000, who=chain.kari, store=chain.oslo).refund)
        nightly.enrol(clock.db_now())
        due = {check.order_id: check.due_at for check in OrderCheck.objects.all() if check.due_at}
        assert due[other.pk] - due[order.pk] == nightly.SPACING
        assert due[oslo.pk] == due[order.pk]


def test_who_asks_during_a_look_is_looked_at_again(chain: Chain, order: Order) -> None:
    checks.ask_all({order.pk: clock.db_now()}, CheckReason.NOTICE)
    claim = checks.claim(order.pk)
    assert claim is not None
    assert checks.claim(order.pk) is None
    checks.ask_all({order.pk: clock.db_now()}, CheckReason.NOTICE)
    checks.finish(claim, again_at=None)
    assert is_due(order)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wrong", ["", "-1", "1; DROP TABLE", "9" * 40, "999999999", None, {}, 3.5])
def test_odd_messages_do_nothing(chain: Chain, wrong: object) -> None:
    tasks.check_order(wrong)
    tasks.read_settlement(wrong)
    assert not OrderCheck.objects.exists()


class TestTheCommand:
    def test_one_order(self, chain: Chain, order: Order) -> None:
        chain.simulator.portal_refund(BERGEN, order.reference, 10_000)
        said = io.StringIO()
        call_command("reconcile", "--order", order.reference, stdout=said)
        assert said.getvalue() == "Compared 1 of 1 orders: 0 with differences, 0 could not be read.\n"
        assert OrderAccount.objects.get(order=order).external_minor == 10_000

    def test_all_of_them_with_what_differs_and_what_cannot_be_read(self, chain: Chain, order: Order, travel: Any) -> None:
        other = chain.sold(chain.bergen, "BGO-20261101-8305", 50_000)
        OrderAccount.objects.create(order=order, external_minor=5)
        chain.simulator.arm(Fault(kind=FaultKind.ERROR_BEFORE, operation="get", reference=other.reference, times=9))
        said = io.StringIO()
        call_command("reconcile", "--all", stdout=said)
        assert f"{order.reference}: 1 open" in said.getvalue()
        assert said.getvalue().endswith("Compared 2 of 2 orders: 1 with differences, 1 could not be read.\n")

    def test_nothing_to_do_is_said(self, chain: Chain) -> None:
        with pytest.raises(CommandError, match="no such order"):
            call_command("reconcile", "--order", "nobodys")

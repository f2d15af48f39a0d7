"""A payment that Vipps tells of is in the index within seconds, whether or not a till ever tells of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from refunds import breakers, doorbell, rounds, tasks
from refunds.models import Breaker, OrderAccount, OrderCheck, State
from stores import nudge
from stores.actors import hub
from stores.discovery import waiting
from stores.models import Entry, Notice, Order, PaymentToRead, UnplacedPayment
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.refunds.asking import ask, run
from tests.refunds.real_processes import SWEEP, environment_of, over_http, started, until
from tests.till import Till, row
from tests.vipps_notices import VIPPS, body_of, registered

REFERENCE = "BGO-20261101-8801"
PAID_AT = (datetime.now(UTC) - timedelta(hours=1)).replace(microsecond=0)
SWEEPING = hub("sweep")

pytestmark = pytest.mark.usefixtures("rung", "one_connection")


def paid(chain: Chain, code: str = "BGO", reference: str = REFERENCE, **facts: Any) -> None:
    chain.simulator.add_payment(chain.units[code].msn, reference, amount_minor=25_000, paid_at=PAID_AT, **facts)


def told_of(chain: Chain, code: str = "BGO", reference: str = REFERENCE, *, name: str = "CAPTURED", psp: str = "psp-1") -> None:
    """Vipps' notice, kept by the web and proved by a worker."""
    unit = chain.units[code]
    registration = unit.webhook_registrations.first() or registered(unit, provider_id=f"vipps-{code}")
    assert VIPPS.send(registration.url, body_of(unit.msn, reference, name=name, psp_reference=psp)).status_code == 200
    doorbell.answer(Notice.objects.latest("pk").pk)


def read_all() -> None:
    """As a worker that was rung for."""
    for row_id in PaymentToRead.objects.values_list("pk", flat=True):
        tasks.read_payment(str(row_id))


@pytest.mark.django_db(transaction=True)
class TestToldOfByVipps:
    def test_a_payment_that_no_till_told_of_is_indexed_and_can_be_refunded(
        self, chain: Chain, rung: list[tuple[str, str]]
    ) -> None:
        paid(chain, metadata={"receiptNumber": "R-7"})
        told_of(chain)
        [waits] = PaymentToRead.objects.all()
        assert rung[-1] == ("stores.read_payment", str(waits.pk))
        assert not Order.objects.exists(), "proving a notice asks nobody"
        read_all()
        order = Order.objects.get()
        assert (order.store, order.captured_minor, order.claimed_minor) == (chain.bergen, 25_000, None)
        assert (order.paid_at, order.receipt_number) == (PAID_AT, "R-7")
        assert not PaymentToRead.objects.exists()
        assert Entry.objects.filter(event="order.discovered").count() == 1
        assert run(ask(order, 5_000, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED

    def test_the_web_keeps_the_notice_and_asks_nobody(self, chain: Chain) -> None:
        paid(chain)
        VIPPS.send(registered(chain.units["BGO"]).url, body_of("100002", REFERENCE, name="CAPTURED"))
        assert not PaymentToRead.objects.exists()
        assert chain.simulator.calls.total() == 0

    def test_a_payment_that_is_only_reserved_is_found_and_can_be_released(self, chain: Chain) -> None:
        paid(chain, captured_minor=0)
        told_of(chain, name="AUTHORIZED")
        read_all()
        order = Order.objects.get()
        assert (order.captured_minor, order.releasable_minor) == (None, 25_000)

    def test_what_a_till_told_of_first_is_confirmed(self, chain: Chain) -> None:
        paid(chain)
        Till(chain.systems["BGO"]).sync(row(REFERENCE, paid_at=PAID_AT.isoformat()))
        told_of(chain)
        read_all()
        order = Order.objects.get()
        assert (order.claimed_minor, order.captured_minor) == (25_000, 25_000)
        assert Entry.objects.filter(event="order.discovered").count() == 0

    def test_several_events_of_one_payment_are_read_once(self, chain: Chain) -> None:
        paid(chain)
        for number, name in enumerate(("AUTHORIZED", "CAPTURED", "CAPTURED")):
            told_of(chain, name=name, psp=f"psp-{number}")
        assert PaymentToRead.objects.get().asks == 3
        read_all()
        assert chain.simulator.calls.total() == 3, "a token, the payment, its events"

    def test_what_is_told_while_it_is_read_is_read_again(self, chain: Chain) -> None:
        paid(chain)
        told_of(chain, name="AUTHORIZED")
        claim = waiting.claim(PaymentToRead.objects.get().pk)
        assert claim is not None
        assert waiting.claim(claim.row_id) is None, "somebody reads it"
        told_of(chain, psp="psp-2")
        waiting.finish(claim)
        assert waiting.claim(claim.row_id) is not None

    def test_refunds_made_elsewhere_of_a_payment_that_nobody_knew_are_counted(self, chain: Chain) -> None:
        paid(chain)
        chain.simulator.portal_refund("100002", REFERENCE, 10_000)
        told_of(chain, name="REFUNDED")
        read_all()
        order = Order.objects.get()
        assert order.refunded_seen_minor == 10_000
        tasks.check_order(str(OrderCheck.objects.get().pk))
        assert OrderAccount.objects.get(order=order).external_minor == 10_000

    @pytest.mark.parametrize("name", ["CREATED", "ABORTED", "EXPIRED", "TERMINATED"])
    def test_what_was_never_paid_is_no_news(self, chain: Chain, name: str) -> None:
        told_of(chain, name=name)
        assert not PaymentToRead.objects.exists()

    def test_a_payment_of_a_shared_unit_goes_by_prefix_or_metadata_or_waits(self, chain: Chain) -> None:
        for number, (reference, metadata) in enumerate(
            (("HAM-1000-1", {}), ("XXX-1000-1", {"store-code": "ham"}), ("XXX-1000-2", {}))
        ):
            paid(chain, "BOO", reference, metadata=metadata)
            told_of(chain, "BOO", reference, psp=f"psp-{number}")
        read_all()
        placed = Order.objects.order_by("reference").values_list("reference", "store__code")
        assert list(placed) == [("HAM-1000-1", "HAM"), ("XXX-1000-1", "HAM")]
        assert UnplacedPayment.objects.get().reference == "XXX-1000-2"


class TestWhatGoesWrong:
    def test_a_lost_message_is_found_by_the_round(self, chain: Chain) -> None:
        paid(chain)
        told_of(chain)
        assert rounds.go_round(by=SWEEPING).readings == 0, "it was rung for a moment ago"
        PaymentToRead.objects.update(nudged_at=PAID_AT, due_at=PAID_AT)
        assert rounds.go_round(by=SWEEPING).readings == 1
        assert Order.objects.count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_without_a_broker_the_round_reads_it_at_once(self, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(nudge, "publish", lambda _task, _row_id: False)
        paid(chain)
        told_of(chain)
        rounds.go_round(by=SWEEPING)
        assert Order.objects.count() == 1

    def test_vipps_may_ask_for_patience(self, chain: Chain) -> None:
        paid(chain)
        chain.simulator.change_switches(retry_after=True)
        chain.simulator.arm(Fault(kind=FaultKind.THROTTLE, operation="get"))
        told_of(chain)
        read_all()
        before = chain.simulator.calls.total()
        waits = PaymentToRead.objects.get()
        assert waits.problem.startswith("Throttled")
        assert waits.due_at is not None
        assert waits.due_at > datetime.now(UTC) + timedelta(seconds=50)
        read_all()
        assert chain.simulator.calls.total() == before, "not before it is due"
        PaymentToRead.objects.update(due_at=PAID_AT)
        read_all()
        assert Order.objects.count() == 1

    def test_a_unit_that_is_left_alone_is_not_asked(self, chain: Chain) -> None:
        paid(chain)
        unit = chain.units["BGO"]
        Breaker.objects.create(environment=unit.environment, sales_unit=unit, failures=3, opened_at=PAID_AT)
        assert breakers.is_left_alone(unit)
        told_of(chain)
        read_all()
        assert chain.simulator.calls.total() == 0
        assert PaymentToRead.objects.get().problem == "Vipps is left alone for a while"

    def test_a_payment_that_vipps_does_not_know_is_asked_for_again_and_given_up_after_two_days(self, chain: Chain) -> None:
        told_of(chain)
        read_all()
        waits = PaymentToRead.objects.get()
        assert (waits.tries, waits.problem) == (1, "Vipps does not know this payment")
        assert waits.due_at is not None
        PaymentToRead.objects.update(asked_at=PAID_AT - timedelta(days=3), due_at=PAID_AT)
        read_all()
        assert PaymentToRead.objects.get().due_at is None
        assert waiting.claim(waits.pk) is None
        page = at_headquarters(chain.hanne).get("/hq/stores/paymenttoread/").content.decode()
        assert "given up" in page
        assert "Vipps does not know this payment" in page

    def test_a_worker_that_dies_between_the_verdict_and_the_list_has_heard_nothing(
        self, chain: Chain, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def dies(*_args: object) -> None:
            raise SystemExit

        paid(chain)
        real = waiting.ask
        monkeypatch.setattr(waiting, "ask", dies)
        with pytest.raises(SystemExit):
            told_of(chain)
        monkeypatch.setattr(waiting, "ask", real)
        assert Notice.objects.get().verdict == ""
        doorbell.answer(Notice.objects.get().pk)
        assert PaymentToRead.objects.count() == 1


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_real_processes_index_a_payment_within_seconds(chain: Chain, tmp_path: Path) -> None:
    """The web keeps the notice, and a process with the keys reads the payment at a Vipps that it calls over HTTP."""
    with over_http(chain.simulator) as url:
        environment = environment_of("sweep", simulator_url=url, folder=tmp_path, REDIS_URL="redis://127.0.0.1:1/0")
        address = registered(chain.units["BGO"]).url
        with started(SWEEP, environment=environment, folder=tmp_path, ready="round"):
            paid(chain)
            assert VIPPS.send(address, body_of("100002", REFERENCE, name="CAPTURED")).status_code == 200
            until(lambda: Order.objects.filter(reference=REFERENCE).exists(), within=20)
    assert Order.objects.get().captured_minor == 25_000

"""Several at once, on real PostgreSQL with a connection each: one refund per wish, one in flight, never more than captured."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import pytest
from django.db import IntegrityError, connection, transaction

from refunds import claims, execution, intake, ledger, states
from refunds.claims import Claim
from refunds.models import LedgerEntry, OrderAccount, Outbox, Refund, State
from stores import access, audit, clock, nudge, people, sessions
from stores.actors import hub
from stores.errors import HubError
from stores.models import Entry, Order, Role, Store, User
from stores.money import Money
from stores.vipps.simulator import Simulator, Switches
from stores.vipps.wsgi_transport import WsgiTransport
from tests.conftest import Chain
from tests.faults.rush import rush
from tests.refunds.asking import ask, run

WORKER = hub("worker")
T = TypeVar("T")
at_once = pytest.mark.django_db(transaction=True)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    simulator = Simulator(seed=1, switches=Switches(rate_limits=False))
    sessions.forget_all()
    with sessions.use_transport(WsgiTransport(simulator.wsgi)):
        yield simulator
    sessions.forget_all()


@pytest.fixture(autouse=True)
def _nobody_takes_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudge, "publish", lambda task, row_id: True)


def together(*calls: Callable[[], T]) -> list[T | Exception]:
    """Run the calls at the same moment, each in a thread with a connection of its own."""
    gate = threading.Barrier(len(calls))

    def one(call: Callable[[], T]) -> T | Exception:
        try:
            gate.wait(10)
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def balances(order: Order) -> tuple[int, int]:
    """Posted and reserved."""
    account = OrderAccount.objects.get(order=order)
    return account.posted_minor, account.reserved_minor


def applied(chain: Chain) -> list[int | None]:
    return [entry.amount_minor for entry in chain.simulator.log(operation="refund", applied=True)]


@at_once
def test_two_stores_at_once_never_promise_more_than_was_captured(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7400", 100_000)
    nora = User.objects.create(username="nora")
    people.join_store(nora, chain.trondheim, role=Role.CASHIER, by=chain.by)
    wishes: list[tuple[User, Store]] = [(chain.kari, chain.oslo), (nora, chain.trondheim)]
    answers = together(
        *(partial(ask, order, amount, who=who, store=store) for amount in (30_000, 30_001, 30_002) for who, store in wishes)
    )
    accepted = [answer.refund.amount_minor for answer in answers if isinstance(answer, intake.Accepted)]
    refusals = [answer.code for answer in answers if isinstance(answer, HubError)]
    assert len(accepted) + len(refusals) == 6
    assert len(accepted) == 3
    assert set(refusals) <= {"exceeds_left", "possible_duplicate"}
    assert balances(order) == (0, sum(accepted))
    assert sum(accepted) <= 100_000
    assert LedgerEntry.objects.count() == 3
    assert audit.verify().bad is None


@at_once
def test_the_last_kroner_go_to_one_of_two_stores(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7401", 100_000)
    nora = User.objects.create(username="nora")
    people.join_store(nora, chain.trondheim, role=Role.CASHIER, by=chain.by)
    answers = together(
        partial(ask, order, 60_000, who=chain.kari, store=chain.oslo),
        partial(ask, order, 60_001, who=nora, store=chain.trondheim),
    )
    [winner] = [answer.refund for answer in answers if isinstance(answer, intake.Accepted)]
    [loser] = [answer for answer in answers if isinstance(answer, HubError)]
    assert loser.code == "exceeds_left"
    assert loser.facts["left_minor"] == 100_000 - winner.amount_minor
    assert balances(order) == (0, winner.amount_minor)
    assert run(winner).state == State.REFUNDED
    assert applied(chain) == [winner.amount_minor]


@at_once
def test_the_same_request_from_eight_threads_is_one_refund(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7402", 100_000)
    answers = together(*[partial(ask, order, 10_000, who=chain.kari, store=chain.oslo, key="page-1")] * 8)
    accepted = [answer for answer in answers if isinstance(answer, intake.Accepted)]
    assert len(accepted) == 8, answers
    assert [answer.is_new for answer in accepted].count(True) == 1
    assert len({answer.refund.pk for answer in accepted}) == 1
    assert balances(order) == (0, 10_000)
    assert (Refund.objects.count(), LedgerEntry.objects.count()) == (1, 1)
    assert Entry.objects.filter(event="refund.accepted").count() == 1


@at_once
def test_one_key_for_two_orders_at_once_is_one_refund_and_one_refusal(chain: Chain) -> None:
    one = chain.sold(chain.bergen, "BGO-20261101-7403", 100_000)
    two = chain.sold(chain.bergen, "BGO-20261101-7404", 100_000)
    answers = together(*(partial(ask, order, 10_000, who=chain.kari, store=chain.oslo, key="page-1") for order in (one, two)))
    assert sum(isinstance(answer, intake.Accepted) for answer in answers) == 1
    [refusal] = [answer for answer in answers if isinstance(answer, HubError)]
    assert (refusal.code, refusal.status) == ("key_reused", 422)
    assert [entry.amount_minor for entry in LedgerEntry.objects.all()] == [10_000]
    assert sum(account.reserved_minor for account in OrderAccount.objects.all()) == 10_000


@at_once
def test_two_tabs_with_the_same_amount_are_asked_about(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7405", 100_000)
    answers = together(*[partial(ask, order, 10_000, who=chain.kari, store=chain.oslo)] * 4)
    assert sum(isinstance(answer, intake.Accepted) for answer in answers) == 1
    assert [answer.code for answer in answers if isinstance(answer, HubError)] == ["possible_duplicate"] * 3
    assert balances(order) == (0, 10_000)


@at_once
def test_two_workers_and_one_refund(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7406", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    won = together(*[partial(claims.claim_refund, refund.pk, by=WORKER)] * 4)
    assert [type(claim) for claim in won if claim is not None] == [Claim]
    refund.refresh_from_db()
    assert (refund.state, refund.fence) == ("sending", 1)
    moves = [audit.facts_of(entry)["move"] for entry in Entry.objects.filter(event="refund.moved")]
    assert moves == ["T5"]


@at_once
def test_one_refund_of_an_order_in_flight_whoever_claims(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7407", 100_000)
    refunds = [ask(order, amount, who=chain.kari, store=chain.oslo).refund for amount in (10_000, 11_000, 12_000)]
    won = together(*(partial(claims.claim_refund, refund.pk, by=WORKER) for refund in refunds))
    assert [type(claim) for claim in won if claim is not None] == [Claim]
    states_now = sorted(Refund.objects.values_list("state", flat=True))
    assert states_now == ["queued", "queued", "sending"]
    assert audit.verify().bad is None


@at_once
def test_many_workers_many_refunds_each_paid_once(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7408", 100_000)
    refunds = [ask(order, 10_000 + number, who=chain.kari, store=chain.oslo).refund for number in range(4)]

    def work() -> None:
        for _ in range(6):
            for refund in refunds:
                execution.run(refund.pk, by=WORKER)

    assert together(*[work] * 3) == [None, None, None]
    assert set(Refund.objects.values_list("state", flat=True)) == {"refunded"}
    assert sorted(amount or 0 for amount in applied(chain)) == [10_000, 10_001, 10_002, 10_003]
    assert balances(order) == (40_006, 0)
    assert audit.verify().bad is None


def test_when_a_refund_ends_the_next_in_line_are_woken_not_all_of_a_crowd(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7412", 100_000)
    refunds = [ask(order, 10_000 + number, who=chain.kari, store=chain.oslo).refund for number in range(6)]
    Outbox.objects.all().delete()
    assert run(refunds[0]).state == State.REFUNDED
    assert list(Outbox.objects.order_by("pk").values_list("refund", flat=True)) == [each.pk for each in refunds[1:4]]


@at_once
def test_a_rush_at_one_order_promises_no_more_than_there_is(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7413", 10_000)
    systems = [chain.systems["OSL"], chain.systems["TRD"]]
    came = rush(order, systems, connections=12, attempts=120, seed=1)
    assert came.wrong == []
    assert came.errors == {}
    assert came.accepted + came.refused == 120
    assert min(came.accepted, came.refused, came.settled) > 0
    assert came.accepted_minor <= 10_000


@at_once
def test_settling_one_refund_does_not_wait_for_who_claims_the_next(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7409", 100_000)
    first = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    second = ask(order, 11_000, who=chain.kari, store=chain.oslo).refund
    assert claims.claim_refund(first.pk, by=WORKER)
    has_lock, is_settled, real = threading.Event(), threading.Event(), states.move

    def slowly(refund: Refund, row: states.Move, **more: Any) -> bool:
        if refund.pk == second.pk and row is states.T5_CLAIM:
            has_lock.set()
            assert is_settled.wait(10)
        return real(refund, row, **more)

    monkeypatch.setattr(states, "move", slowly)
    claimed: list[Claim | Exception | None] = []
    claimer = threading.Thread(target=lambda: claimed.extend(together(partial(claims.claim_refund, second.pk, by=WORKER))))
    claimer.start()
    try:
        assert has_lock.wait(10)
        assert states.settle_as_refunded(first, by=WORKER, because="Vipps says so")
    finally:
        is_settled.set()
        claimer.join(10)
    assert [type(claim) for claim in claimed] == [Claim]
    assert sorted(Refund.objects.values_list("state", flat=True)) == ["refunded", "sending"]


def test_the_database_itself_refuses_two_in_flight(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7410", 100_000)
    one, two = (ask(order, amount, who=chain.kari, store=chain.oslo).refund for amount in (10_000, 11_000))
    Refund.objects.filter(pk=one.pk).update(state=State.UNKNOWN)
    with pytest.raises(IntegrityError, match="one_in_flight"), transaction.atomic():
        Refund.objects.filter(pk=two.pk).update(state=State.SENDING)
    assert claims.claim_refund(two.pk, by=WORKER) is None
    two.refresh_from_db()
    assert (two.state, two.fence) == ("queued", 0)
    Refund.objects.filter(pk=one.pk).update(state=State.REFUNDED)
    assert claims.claim_refund(two.pk, by=WORKER) is not None


@pytest.mark.parametrize("why", ["not due", "on hold", "not free", "unknown id"])
def test_what_cannot_be_claimed_is_left_alone(chain: Chain, why: str) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7411", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    if why == "not due":
        Refund.objects.filter(pk=refund.pk).update(next_action_at=clock.db_now() + timedelta(minutes=1))
    elif why == "on hold":
        ledger.hold(order, "the test says so")
    elif why == "not free":
        Refund.objects.filter(pk=refund.pk).update(state=State.REVIEW)
    before = Refund.objects.values().get(pk=refund.pk)
    assert claims.claim_refund(uuid.UUID(int=1) if why == "unknown id" else refund.pk, by=WORKER) is None
    assert Refund.objects.values().get(pk=refund.pk) == before
    assert chain.simulator.calls.total() == 0


@at_once
def test_accepting_is_durable_and_refuses_to_hide_in_an_outer_transaction(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7434", 100_000)
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        intake.request_refund(
            order.public_id,
            Money(amount_minor=10_000, currency="NOK"),
            reason="returned",
            refunding_store=chain.oslo,
            client_id="desk:1",
            request_key="page-1",
            asker=chain.kari,
            by=access.actor_for(chain.kari, store=chain.oslo),
        )
    assert Refund.objects.count() == 0

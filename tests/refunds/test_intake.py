"""Asking for a refund: each refusal with its code, nothing half-written, the same request the same refund."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from refunds import identity, intake, judging, ledger
from refunds.models import LedgerEntry, OrderAccount, Outbox, Reason, Refund, State
from stores import access, audit, clock, people, registry
from stores.errors import HubError
from stores.models import Entry, Membership, Order, Role, StoreSystem, User
from stores.money import Money
from tests.conftest import Chain
from tests.refunds.asking import ask, run


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7600", 100_000)


def refused(chain: Chain, order: Order, amount: int = 10_000, **more: Any) -> HubError:
    """The refusal of a wish, after making sure that it wrote nothing and sent nothing."""
    before = _everything()
    with pytest.raises(HubError) as caught:
        ask(order, amount, **{"who": chain.kari, "store": chain.oslo, **more})
    assert _everything() == before
    assert chain.simulator.calls.total() == 0
    return caught.value


def _everything() -> tuple[object, ...]:
    accounts = OrderAccount.objects.values_list("posted_minor", "external_minor", "reserved_minor", "on_hold")
    counts = (Refund.objects.count(), LedgerEntry.objects.count(), Outbox.objects.count(), Entry.objects.count())
    return (*counts, [row for row in accounts if row != (0, 0, 0, False)])


def test_what_is_accepted_is_written_whole(chain: Chain, order: Order) -> None:
    accepted = ask(order, 25_000, who=chain.kari, store=chain.oslo, key="page-1", reason="other", reason_text="  too \n big ")
    refund = accepted.refund
    assert accepted.is_new
    assert refund.pk == identity.refund_id(f"desk:{chain.oslo.public_id}", "page-1")
    assert (refund.state, refund.number, refund.amount_minor, refund.currency) == ("queued", 1, 25_000, "NOK")
    assert (refund.reason, refund.reason_text, refund.requested_by) == ("other", "too big", chain.kari)
    assert OrderAccount.objects.get(order=order).reserved_minor == 25_000
    assert [entry.kind for entry in LedgerEntry.objects.all()] == ["reserve"]
    assert [row.refund_id for row in Outbox.objects.all()] == [refund.pk]
    [entry] = audit.timeline_of("refund", str(refund.pk))
    assert (entry.event, entry.chain.store, entry.refunding_store) == ("refund.accepted", chain.bergen, chain.oslo)


@pytest.mark.parametrize(
    ("amount", "more", "code", "status", "field"),
    [
        (0, {}, "invalid_amount", 400, "amount"),
        (10_000, {"currency": "DKK"}, "wrong_currency", 400, "amount.currency"),
        (100_001, {}, "exceeds_left", 409, "amount"),
        (65_000_000, {}, "exceeds_left", 409, "amount"),
        (10_000, {"reason": ""}, "reason_needed", 400, "reason"),
        (10_000, {"reason": "because"}, "reason_needed", 400, "reason"),
        (10_000, {"reason": Reason.OTHER}, "reason_needed", 400, "reason_text"),
        (10_000, {"reason": Reason.OTHER, "reason_text": " \t\n"}, "reason_needed", 400, "reason_text"),
        (10_000, {"reason_text": "x" * 201}, "reason_needed", 400, "reason_text"),
        (10_000, {"reason_text": "a\x00b"}, "reason_needed", 400, "reason_text"),
        (10_000, {"reason_text": "a\ud800b"}, "reason_needed", 400, "reason_text"),
        (10_000, {"key": "k" * 101}, "invalid_key", 400, "Idempotency-Key"),
        (10_000, {"key": "nøkkel"}, "invalid_key", 400, "Idempotency-Key"),
        (10_000, {"key": "a\nb"}, "invalid_key", 400, "Idempotency-Key"),
    ],
)
def test_a_wrong_wish_is_refused_by_name(
    chain: Chain, order: Order, amount: int, more: dict[str, Any], code: str, status: int, field: str
) -> None:
    error = refused(chain, order, amount, **more)
    assert (error.code, error.status, error.field) == (code, status, field)


@pytest.mark.parametrize("amount", [-1, 1.5, "100", True, None])
def test_money_that_is_none_never_reaches_the_intake(amount: Any) -> None:
    with pytest.raises(ValueError, match="amount_minor"):
        Money(amount_minor=amount, currency="NOK")


def test_a_currency_that_vipps_does_not_settle_is_no_money() -> None:
    with pytest.raises(ValueError, match="currency"):
        Money(amount_minor=100, currency="USD")


@pytest.mark.parametrize(("days", "code"), [(364.9, ""), (365.1, "too_old")])
def test_the_refund_period_ends_after_365_days(chain: Chain, days: float, code: str) -> None:
    order = chain.sold(chain.bergen, "BGO-20251101-7601", 50_000, days_ago=days)
    if code:
        assert refused(chain, order).code == code
    else:
        assert ask(order, 10_000, who=chain.kari, store=chain.oslo).is_new


def test_nothing_is_left_is_told_apart_from_too_much(chain: Chain, order: Order) -> None:
    ask(order, 100_000, who=chain.kari, store=chain.oslo)
    error = refused(chain, order, 1)
    assert (error.code, error.facts["left_minor"]) == ("nothing_left", 0)


def test_money_on_its_way_is_not_left(chain: Chain, order: Order) -> None:
    ask(order, 60_000, who=chain.kari, store=chain.oslo)
    error = refused(chain, order, 40_001)
    assert (error.code, error.facts["left_minor"]) == ("exceeds_left", 40_000)
    assert ask(order, 40_000, who=chain.kari, store=chain.oslo).is_new


def test_an_order_on_hold_is_refused(chain: Chain, order: Order) -> None:
    ledger.open_account(order)
    ledger.hold(order, "the test says so")
    assert refused(chain, order).code == "on_hold"


def test_a_payment_that_vipps_said_is_not_captured_is_refused(chain: Chain, order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(captured_minor=0)
    assert refused(chain, order).code == "not_captured"


def test_a_store_without_keys_is_refused_before_anything_is_promised(chain: Chain, order: Order) -> None:
    type(order.sales_unit).objects.filter(pk=order.sales_unit_id).update(key_set=None)
    assert refused(chain, order).code == "no_keys"


def test_a_hold_that_comes_while_it_is_accepted_is_refused_and_leaves_nothing(
    chain: Chain, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.open_account(order)
    real = ledger.reserve

    def reserve(refund: Refund) -> bool:
        ledger.hold(order, "just now")
        return real(refund)

    monkeypatch.setattr(ledger, "reserve", reserve)
    assert refused(chain, order).code == "on_hold"


# Who


def test_an_unknown_order_and_anothers_order_look_the_same(chain: Chain, order: Order) -> None:
    unknown = Order(public_id=uuid.uuid4(), currency="NOK")
    absent = refused(chain, unknown)
    # Lise is a cashier too, of another chain
    company = type(chain.company).objects.create(name="Andre")
    store = registry.open_store(company, code="X1", name="X1", city="Oslo", country="NO", time_zone="Europe/Oslo", by=chain.by)
    lise = User.objects.create(username="lise")
    people.join_store(lise, store, role=Role.CASHIER, by=chain.by)
    foreign = refused(chain, order, who=lise, store=store)
    assert (absent.code, absent.status, str(absent)) == ("not_found", 404, "There is no such order.")
    assert (foreign.code, foreign.status, str(foreign)) == (absent.code, absent.status, str(absent))


def test_who_works_for_two_chains_cannot_carry_an_order_from_one_to_the_other(chain: Chain, order: Order) -> None:
    company = type(chain.company).objects.create(name="Andre")
    store = registry.open_store(company, code="X1", name="X1", city="Oslo", country="NO", time_zone="Europe/Oslo", by=chain.by)
    people.join_store(chain.kari, store, role=Role.CASHIER, by=chain.by)
    assert refused(chain, order, store=store).code == "not_found"


def test_per_may_not_ask(chain: Chain, order: Order) -> None:
    assert (error := refused(chain, order, who=chain.per)).code == "forbidden"
    assert error.status == 403


@pytest.mark.parametrize("who", ["hanne", "elsewhere", "left", "inactive"])
def test_only_who_works_in_the_store_may_ask_there(chain: Chain, order: Order, who: str) -> None:
    asker, store = chain.kari, chain.oslo
    if who == "hanne":
        asker = chain.hanne
    elif who == "elsewhere":
        store = chain.trondheim
    elif who == "left":
        people.leave_store(Membership.objects.get(user=chain.kari), reason="moved", by=chain.by)
    else:
        User.objects.filter(pk=chain.kari.pk).update(is_active=False)
        asker = User.objects.get(pk=chain.kari.pk)
    assert refused(chain, order, who=asker, store=store).code == "forbidden"


def test_a_closed_store_refunds_nothing_but_what_it_sold_stays_refundable(chain: Chain, order: Order) -> None:
    registry.close_store(chain.bergen, reason="moved", by=chain.by)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    assert run(refund).state == State.REFUNDED
    chain.simulator.calls.clear()
    registry.close_store(chain.oslo, reason="moved", by=chain.by)
    chain.oslo.refresh_from_db()
    assert refused(chain, order, 5_000).code == "forbidden"


def system_asks(chain: Chain, order: Order, system: StoreSystem, key: str = "till-1") -> intake.Accepted:
    store = system.store
    return intake.request_refund(
        order.public_id,
        Money(amount_minor=10_000, currency="NOK"),
        reason=Reason.RETURNED,
        refunding_store=store,
        client_id=intake.client_of(system, store),
        request_key=key,
        asker=system,
        by=access.actor_for(system, cashier="kari-7"),
    )


def test_a_store_system_asks_in_its_own_store_under_its_own_id(chain: Chain, order: Order) -> None:
    refund = system_asks(chain, order, chain.systems["OSL"]).refund
    assert refund.pk == identity.refund_id(str(chain.systems["OSL"].public_id), "till-1")
    assert (refund.requested_by, refund.requested_by_system, refund.cashier) == (None, chain.systems["OSL"], "kari-7")


@pytest.mark.parametrize("change", [{"scopes": ["refunds:read"]}, {"is_active": False}])
def test_a_store_system_without_the_right_is_refused(chain: Chain, order: Order, change: dict[str, Any]) -> None:
    StoreSystem.objects.filter(pk=chain.systems["OSL"].pk).update(**change)
    system = StoreSystem.objects.select_related("store").get(pk=chain.systems["OSL"].pk)
    with pytest.raises(HubError) as caught:
        system_asks(chain, order, system)
    assert caught.value.code == "forbidden"
    assert Refund.objects.count() == 0


# The same request again


def test_the_same_request_is_the_same_refund_whatever_became_of_it(chain: Chain, order: Order) -> None:
    first = ask(order, 100_000, who=chain.kari, store=chain.oslo, key="page-1").refund
    run(first)
    entries = Entry.objects.count()
    again = ask(order, 100_000, who=chain.kari, store=chain.oslo, key="page-1")
    assert (again.is_new, again.refund.pk, again.refund.state) == (False, first.pk, "refunded")
    assert (Refund.objects.count(), Entry.objects.count()) == (1, entries)


@pytest.mark.parametrize("change", ["amount", "reason", "words", "order"])
def test_a_key_with_another_wish_is_refused_and_recorded(chain: Chain, order: Order, change: str) -> None:
    first = ask(order, 10_000, who=chain.kari, store=chain.oslo, key="page-1").refund
    other = chain.sold(chain.bergen, "BGO-20261101-7602", 100_000) if change == "order" else order
    changes: dict[str, dict[str, Any]] = {"reason": {"reason": Reason.FAULTY}, "words": {"reason_text": "torn"}}
    more = changes.get(change, {})
    with pytest.raises(HubError) as caught:
        ask(other, 11_000 if change == "amount" else 10_000, who=chain.kari, store=chain.oslo, key="page-1", **more)
    assert (caught.value.code, caught.value.status) == ("key_reused", 422)
    assert [row.event for row in audit.timeline_of("refund", str(first.pk))] == ["refund.accepted", "refund.key_reused"]
    assert Refund.objects.count() == 1
    assert OrderAccount.objects.get(order=order).reserved_minor == 10_000
    assert audit.verify().bad is None


def test_the_same_key_in_another_store_is_another_wish(chain: Chain, order: Order) -> None:
    people.join_store(chain.kari, chain.trondheim, role=Role.CASHIER, by=chain.by)
    one = ask(order, 10_000, who=chain.kari, store=chain.oslo, key="page-1")
    two = ask(order, 11_000, who=chain.kari, store=chain.trondheim, key="page-1")
    assert (one.is_new, two.is_new) == (True, True)
    assert one.refund.pk != two.refund.pk


def test_a_database_error_that_is_no_repetition_is_not_swallowed(
    chain: Chain, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(refund: Refund) -> bool:
        raise IntegrityError("another constraint")

    monkeypatch.setattr(ledger, "reserve", fail)
    with pytest.raises(IntegrityError, match="another constraint"):
        ask(order, 10_000, who=chain.kari, store=chain.oslo)
    assert Refund.objects.count() == 0


def test_the_same_amount_within_ten_minutes_is_asked_about(chain: Chain, order: Order) -> None:
    first = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    error = refused(chain, order, 10_000)
    assert (error.code, error.status) == ("possible_duplicate", 409)
    assert (error.facts["refund_id"], error.facts["number"], error.facts["store"]) == (first.pk, 1, "Nordlys Oslo")
    assert (error.facts["asked_by"], error.facts["accepted_at"]) == ("Kari", first.accepted_at)
    assert ask(order, 10_001, who=chain.kari, store=chain.oslo).is_new
    assert ask(order, 10_000, who=chain.kari, store=chain.oslo, confirms_duplicate=True).refund.number == 3


def test_ten_minutes_later_it_is_another_return(chain: Chain, order: Order) -> None:
    ask(order, 10_000, who=chain.kari, store=chain.oslo)
    moment = clock.db_now() + timedelta(minutes=10, seconds=1)
    with clock.bound(clock.Source(now=lambda: moment)):
        assert ask(order, 10_000, who=chain.kari, store=chain.oslo).refund.number == 2


@pytest.mark.parametrize("end", [State.DECLINED, State.CANCELLED, State.REJECTED])
def test_what_came_to_nothing_is_no_duplicate(chain: Chain, order: Order, end: State) -> None:
    first = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    Refund.objects.filter(pk=first.pk).update(state=end)
    assert ask(order, 10_000, who=chain.kari, store=chain.oslo).is_new


def test_of_the_same_wish_twice_at_once_the_slower_one_is_not_refused_because_of_the_other(
    chain: Chain, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_of = judging.known_of
    quicker: list[Refund] = []

    def overtaken(*args: Any, **more: Any) -> judging.Known:
        if not quicker:
            monkeypatch.setattr(judging, "known_of", known_of)
            quicker.append(ask(order, 100_000, who=chain.kari, store=chain.oslo, key="page-1").refund)
        return known_of(*args, **more)

    monkeypatch.setattr(judging, "known_of", overtaken)
    slower = ask(order, 100_000, who=chain.kari, store=chain.oslo, key="page-1")
    assert (slower.refund, slower.is_new) == (quicker[0], False)
    assert Refund.objects.count() == 1

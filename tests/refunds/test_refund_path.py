"""The main job: Oslo refunds what another store sold, once, from the store that sold it."""

import pytest

from refunds import identity, queries
from refunds.models import Attempt, LedgerEntry, OrderAccount, State
from refunds.progress import progress_of
from stores import audit
from stores.models import Store
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run


def applied(chain: Chain, reference: str) -> list[tuple[str, int | None, str | None]]:
    """What really moved, by the simulator's own log: MSN, minor units, and whose keys."""
    log = chain.simulator.log(reference=reference, operation="refund", applied=True)
    return [(entry.msn, entry.amount_minor, entry.keys) for entry in log]


def test_refunds_from_the_store_that_sold_it(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    assert refund.state == State.QUEUED
    assert queries.left_of(order).left_minor == 75_000
    run(refund)
    assert refund.state == State.REFUNDED
    assert applied(chain, order.reference) == [("100002", 25_000, "unit-100002")]
    account = OrderAccount.objects.get(order=order)
    assert (account.posted_minor, account.reserved_minor, account.external_minor) == (25_000, 0, 0)
    order.refresh_from_db()
    assert order.captured_minor == 100_000
    assert audit.verify().bad is None


@pytest.mark.parametrize(("code", "msn", "keys"), [
    ("TRD", "100003", "partner-partner-1"),
    ("BOO", "100004", "unit-100004"),
    ("HAM", "100004", "unit-100004"),
])  # fmt: skip
def test_each_set_up_is_refunded_the_same_way(chain: Chain, code: str, msn: str, keys: str) -> None:
    seller = Store.objects.get(code=code)
    order = chain.sold(seller, f"{code}-55512345", 40_000)
    run(ask(order, 40_000, who=chain.kari, store=chain.oslo).refund)
    assert applied(chain, order.reference) == [(msn, 40_000, keys)]


def test_several_parts_until_nothing_is_left(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7742", 90_000)
    for amount in (20_000, 30_000, 40_000):
        assert run(ask(order, amount, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED
    assert sum(amount or 0 for _, amount, _ in applied(chain, order.reference)) == 90_000
    assert queries.left_of(order).left_minor == 0
    assert [str(refund) for refund in queries.refunds_of(order).order_by("number")] == [
        "BGO-20261101-7742 R1",
        "BGO-20261101-7742 R2",
        "BGO-20261101-7742 R3",
    ]


def test_a_second_click_refunds_once(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7743", 90_000)
    first = ask(order, 10_000, who=chain.kari, store=chain.oslo, key="one-page")
    second = ask(order, 10_000, who=chain.kari, store=chain.oslo, key="one-page")
    assert (first.is_new, second.is_new) == (True, False)
    assert first.refund.pk == second.refund.pk
    run(first.refund)
    run(second.refund)
    assert applied(chain, order.reference) == [("100002", 10_000, "unit-100002")]
    assert OrderAccount.objects.get(order=order).posted_minor == 10_000


def test_a_lost_answer_is_unknown_and_then_proved_by_our_own_key(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7744", 50_000)
    chain.simulator.arm(Fault(kind=FaultKind.DROP_AFTER, operation="refund"))
    refund = run(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund)
    assert refund.state == State.UNKNOWN
    assert OrderAccount.objects.get(order=order).reserved_minor == 50_000
    assert "customer gets it once" in str(progress_of(refund).explanation)
    make_due(refund)
    assert run(refund).state == State.REFUNDED
    assert applied(chain, order.reference) == [("100002", 50_000, "unit-100002")]
    assert Attempt.objects.filter(refund=refund).count() == 1


def test_a_lost_request_goes_out_again_under_the_same_key(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7745", 50_000)
    chain.simulator.arm(Fault(kind=FaultKind.DROP_BEFORE, operation="refund"))
    refund = run(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund)
    assert refund.state == State.UNKNOWN
    make_due(refund)
    assert run(refund).state == State.REFUNDED
    keys = list(Attempt.objects.filter(refund=refund).values_list("provider_key", flat=True))
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert len(applied(chain, order.reference)) == 1


@pytest.mark.parametrize("kind", [FaultKind.ERROR_AFTER, FaultKind.MALFORMED, FaultKind.WRONG_AMOUNT, FaultKind.HUGE])
def test_an_odd_answer_after_applying_is_never_paid_twice(chain: Chain, kind: FaultKind) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7746", 50_000)
    chain.simulator.arm(Fault(kind=kind, operation="refund"))
    refund = run(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund)
    assert refund.state == State.UNKNOWN
    make_due(refund)
    assert run(refund).state == State.REFUNDED
    assert len(applied(chain, order.reference)) == 1


@pytest.mark.parametrize("kind", [FaultKind.LOCK, FaultKind.THROTTLE])
def test_a_busy_payment_waits_and_keeps_its_key(chain: Chain, kind: FaultKind) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7747", 50_000)
    chain.simulator.arm(Fault(kind=kind, operation="refund"))
    refund = run(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund)
    assert refund.state == State.QUEUED
    assert refund.indeterminate_since is None
    make_due(refund)
    assert run(refund).state == State.REFUNDED
    assert refund.generation == 0


def test_a_refusal_frees_the_money_and_says_why(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7748", 50_000)
    chain.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", code="6220"))
    refund = run(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund)
    assert (refund.state, refund.provider_code) == (State.DECLINED, "6220")
    assert "365" in str(progress_of(refund).explanation)
    assert queries.left_of(order).left_minor == 50_000
    assert applied(chain, order.reference) == []


def test_what_the_portal_refunded_counts(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7749", 50_000)
    chain.simulator.portal_refund("100002", order.reference, 30_000)
    refund = run(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund)
    assert (refund.state, refund.outcome, refund.sends) == (State.DECLINED, "refunded_elsewhere", 0)
    left = queries.left_of(order)
    assert (left.external_minor, left.left_minor) == (30_000, 20_000)
    assert run(ask(order, 20_000, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED


def test_a_claim_too_high_is_corrected_by_vipps(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7750", 50_000)
    type(order).objects.filter(pk=order.pk).update(claimed_minor=1_000_000)
    order.refresh_from_db()
    refund = run(ask(order, 900_000, who=chain.kari, store=chain.oslo).refund)
    assert (refund.state, refund.outcome) == (State.DECLINED, "exceeds_captured")
    assert applied(chain, order.reference) == []
    order.refresh_from_db()
    assert queries.left_of(order).left_minor == 50_000


def test_only_reserved_money_is_not_refunded(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7751", 50_000, captured=False)
    refund = run(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund)
    assert (refund.state, refund.outcome) == (State.DECLINED, "not_captured")


def test_the_ledger_is_the_fold_of_its_entries(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7752", 50_000)
    run(ask(order, 10_000, who=chain.kari, store=chain.oslo).refund)
    chain.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", code="6150"))
    run(ask(order, 5_000, who=chain.kari, store=chain.oslo).refund)
    entries = [(entry.kind, entry.debit, entry.credit, entry.amount_minor) for entry in LedgerEntry.objects.order_by("pk")]
    assert entries == [
        ("reserve", "available", "reserved", 10_000),
        ("post", "reserved", "refunded", 10_000),
        ("reserve", "available", "reserved", 5_000),
        ("void", "reserved", "available", 5_000),
    ]


def test_the_provider_key_is_derived_and_does_not_know_the_amount() -> None:
    refund = identity.refund_id("desk:1", "key")
    facts = {"environment": "test", "msn": "1234", "reference": "ABCDEFGH", "refund": refund}
    key = identity.provider_key(**facts, generation=0)  # type: ignore[arg-type]  # one dict of mixed facts
    assert len(key) == 40
    assert key.startswith("rh1-")
    assert key != identity.provider_key(**facts, generation=1)  # type: ignore[arg-type]  # the same
    assert key == identity.provider_key(**facts, generation=0)  # type: ignore[arg-type]  # the same

"""Above the limit a second person decides; before anything is sent, whoever may ask may withdraw."""

import pytest
from pytest_django import Settings

from refunds import intake, queries
from refunds.models import OrderAccount, Outbox, Refund, State
from stores import access, audit, people
from stores.errors import HubError
from stores.models import Order, Role, User
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7650", 100_000)


@pytest.fixture
def waiting(chain: Chain, order: Order, settings: Settings) -> Refund:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 49_999}
    return ask(order, 50_000, who=chain.kari, store=chain.oslo).refund


def untouched(refund: Refund) -> bool:
    refund.refresh_from_db()
    return refund.state == State.AWAITING_APPROVAL and refund.approved_by is None and _reserved(refund) == 50_000


def _reserved(refund: Refund) -> int:
    return OrderAccount.objects.get(order_id=refund.order_id).reserved_minor


def test_above_the_limit_it_waits_and_nothing_is_sent(chain: Chain, waiting: Refund) -> None:
    assert untouched(waiting)
    make_due(waiting)
    run(waiting)
    assert untouched(waiting)
    assert Outbox.objects.count() == 0
    assert chain.simulator.calls.total() == 0


@pytest.mark.parametrize(("limits", "state"), [({"NOK": 50_000}, "queued"), ({"DKK": 1}, "queued"), ({}, "queued")])
def test_only_the_limit_of_its_own_currency_counts(
    chain: Chain, order: Order, settings: Settings, limits: dict[str, int], state: str
) -> None:
    settings.APPROVAL_ABOVE_MINOR = limits
    assert ask(order, 50_000, who=chain.kari, store=chain.oslo).refund.state == state


@pytest.mark.parametrize("who", ["mona", "hanne"])
def test_a_manager_or_headquarters_lets_it_go(chain: Chain, waiting: Refund, who: str) -> None:
    approver: User = getattr(chain, who)
    refund = intake.approve_refund(waiting.pk, asker=approver, by=access.actor_for(approver))
    assert (refund.state, refund.approved_by) == ("queued", approver)
    assert [row.refund_id for row in Outbox.objects.all()] == [refund.pk]
    assert run(refund).state == State.REFUNDED
    moves = [audit.facts_of(entry).get("move") for entry in audit.timeline_of("refund", str(refund.pk))]
    assert moves == [None, "T2", "T5", None, "T7"]


def test_nobody_approves_or_rejects_her_own_refund(chain: Chain, order: Order, settings: Settings) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 49_999}
    waiting = ask(order, 50_000, who=chain.mona, store=chain.oslo).refund
    for verb in (_approve, _reject):
        with pytest.raises(HubError) as caught:
            verb(waiting, chain.mona)
        assert (caught.value.code, caught.value.status) == ("own_refund", 403)
        assert untouched(waiting)


def _approve(refund: Refund, who: User) -> Refund:
    return intake.approve_refund(refund.pk, asker=who, by=access.actor_for(who))


def _reject(refund: Refund, who: User, note: str = "No receipt") -> Refund:
    return intake.reject_refund(refund.pk, note=note, asker=who, by=access.actor_for(who))


@pytest.mark.parametrize(("who", "code", "status"), [("kari", "forbidden", 403), ("per", "not_found", 404)])
def test_who_may_not_approve_changes_nothing(chain: Chain, waiting: Refund, who: str, code: str, status: int) -> None:
    for verb in (_approve, _reject):
        with pytest.raises(HubError) as caught:
            verb(waiting, getattr(chain, who))
        assert (caught.value.code, caught.value.status) == (code, status)
        assert untouched(waiting)


def test_a_manager_of_another_store_does_not_approve(chain: Chain, waiting: Refund) -> None:
    nils = User.objects.create(username="nils")
    people.join_store(nils, chain.bergen, role=Role.MANAGER, by=chain.by)
    with pytest.raises(HubError) as caught:
        _approve(waiting, nils)
    assert caught.value.code == "forbidden"
    assert untouched(waiting)


def test_a_rejection_needs_a_note(chain: Chain, waiting: Refund) -> None:
    for note in ("", " \n"):
        with pytest.raises(HubError) as caught:
            _reject(waiting, chain.mona, note)
        assert (caught.value.code, caught.value.field) == ("reason_needed", "note")
        assert untouched(waiting)


def test_a_rejection_frees_the_money_and_keeps_the_note(chain: Chain, waiting: Refund) -> None:
    refund = _reject(waiting, chain.mona, " Wrong receipt ")
    assert (refund.state, refund.outcome) == ("rejected", "rejected")
    assert (_reserved(refund), queries.left_of(refund.order).left_minor) == (0, 100_000)
    entry = audit.timeline_of("refund", str(refund.pk)).reverse()[0]
    assert audit.facts_of(entry)["because"] == "Wrong receipt"
    with pytest.raises(HubError) as caught:
        _approve(waiting, chain.mona)
    assert caught.value.code == "not_waiting"


def test_an_approval_counts_once(chain: Chain, waiting: Refund) -> None:
    _approve(waiting, chain.mona)
    with pytest.raises(HubError) as caught:
        _approve(waiting, chain.hanne)
    assert (caught.value.code, caught.value.status) == ("not_waiting", 409)
    waiting.refresh_from_db()
    assert waiting.approved_by == chain.mona
    assert Outbox.objects.count() == 1


# Withdrawal


def _cancel(refund: Refund, who: User) -> Refund:
    return intake.cancel_refund(refund.pk, asker=who, by=access.actor_for(who))


def test_what_was_not_sent_can_be_withdrawn(chain: Chain, order: Order, waiting: Refund) -> None:
    queued = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    for refund in (queued, waiting):
        assert _cancel(refund, chain.kari).state == State.CANCELLED
    assert (_reserved(waiting), queries.left_of(order).left_minor) == (0, 100_000)
    run(queued)
    assert queued.state == State.CANCELLED
    assert chain.simulator.calls.total() == 0


def test_what_was_sent_cannot_be_withdrawn(chain: Chain, order: Order) -> None:
    refund = run(ask(order, 10_000, who=chain.kari, store=chain.oslo).refund)
    with pytest.raises(HubError) as caught:
        _cancel(refund, chain.kari)
    assert caught.value.code == "not_waiting"
    Refund.objects.filter(pk=refund.pk).update(state=State.QUEUED, sends=1)
    with pytest.raises(HubError) as caught:
        _cancel(refund, chain.kari)
    assert caught.value.code == "not_waiting"
    assert OrderAccount.objects.get(order=order).posted_minor == 10_000


@pytest.mark.parametrize(("who", "code"), [("per", "not_found"), ("hanne", "forbidden")])
def test_who_may_not_ask_may_not_withdraw(chain: Chain, order: Order, who: str, code: str) -> None:
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    with pytest.raises(HubError) as caught:
        _cancel(refund, getattr(chain, who))
    assert caught.value.code == code
    refund.refresh_from_db()
    assert refund.state == State.QUEUED

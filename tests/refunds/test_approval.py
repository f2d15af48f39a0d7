"""Above the limit a second person decides; before anything is sent, whoever may ask may withdraw."""

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from refunds import approving, queries
from refunds.models import Measure, OrderAccount, Outbox, Refund, State, Tier
from refunds.rules import Rule
from stores import access, audit, people
from stores.errors import HubError
from stores.models import Order, Role, Store, StoreSystem, User
from tests.conftest import Chain
from tests.refunds import asking_over_rest
from tests.refunds.asking import ask, make_due, run
from tests.refunds.policies import in_force
from tests.refunds.reviewing import at_hq
from tests.till import Till


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
    refund = approving.approve_refund(waiting.pk, asker=approver, by=access.actor_for(approver))
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
    return approving.approve_refund(refund.pk, asker=who, by=access.actor_for(who))


def _reject(refund: Refund, who: User, note: str = "No receipt") -> Refund:
    return approving.reject_refund(refund.pk, note=note, asker=who, by=access.actor_for(who))


@pytest.mark.parametrize(("who", "code", "status"), [("kari", "forbidden", 403), ("per", "not_found", 404)])
def test_who_may_not_approve_changes_nothing(chain: Chain, waiting: Refund, who: str, code: str, status: int) -> None:
    for verb in (_approve, _reject):
        with pytest.raises(HubError) as caught:
            verb(waiting, getattr(chain, who))
        assert (caught.value.code, caught.value.status) == (code, status)
        assert untouched(waiting)


def manager_of(chain: Chain, store: Store, name: str = "nils") -> User:
    user = User.objects.create(username=name)
    people.join_store(user, store, role=Role.MANAGER, by=chain.by)
    return user


def test_a_manager_of_the_store_that_sold_may_allow_it_too(chain: Chain, waiting: Refund) -> None:
    """Her store is debited: it is as much hers to allow as the store's that takes the goods back."""
    nils = manager_of(chain, chain.bergen)
    assert _approve(waiting, nils).approved_by == nils


def test_a_manager_of_a_third_store_does_not_approve(chain: Chain, waiting: Refund) -> None:
    nils = manager_of(chain, chain.trondheim)
    for verb in (_approve, _reject):
        with pytest.raises(HubError) as caught:
            verb(waiting, nils)
        assert caught.value.code == "not_found"
        assert untouched(waiting)


def test_what_only_headquarters_may_allow_a_manager_may_refuse(chain: Chain, order: Order) -> None:
    rule = Rule(measure=Measure.REFUND, above_minor=49_999, currency="NOK", allowed_by=Tier.HEADQUARTERS)
    in_force(chain, rule)
    first = ask(order, 50_000, who=chain.kari, store=chain.oslo).refund
    with pytest.raises(HubError) as caught:
        _approve(first, chain.mona)
    assert (caught.value.code, caught.value.status) == ("headquarters_only", 403)
    assert untouched(first)
    assert _reject(first, chain.mona).state == State.REJECTED
    second = ask(order, 50_000, who=chain.kari, store=chain.oslo).refund
    assert _approve(second, chain.hanne).state == State.QUEUED


def test_superusers_and_others_of_headquarters_allow_nothing(chain: Chain, waiting: Refund) -> None:
    root = User.objects.create(username="root", is_superuser=True, is_staff=True)
    others = [at_hq(chain, role.value, role) for role in (Role.OPERATOR, Role.FINANCE, Role.SECURITY, Role.AUDITOR)]
    for who in (root, *others):
        with pytest.raises(HubError):
            _approve(waiting, who)
    assert untouched(waiting)


def test_it_counts_for_what_was_shown_and_nothing_else(chain: Chain, order: Order, waiting: Refund) -> None:
    by = access.actor_for(chain.mona)
    other = ask(order, 50_000, who=chain.kari, store=chain.oslo, reason="faulty", confirms_duplicate=True).refund
    with pytest.raises(HubError) as caught:
        approving.approve_refund(waiting.pk, asker=chain.mona, by=by, seen=other.fingerprint)
    assert (caught.value.code, caught.value.status) == ("approval_void", 409)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.approved_by) == (State.AWAITING_APPROVAL, None)
    assert approving.approve_refund(waiting.pk, asker=chain.mona, by=by, seen=waiting.fingerprint).approved_by == chain.mona
    other.refresh_from_db()
    assert other.state == State.AWAITING_APPROVAL


@pytest.mark.parametrize("column", ["amount_minor = 1", "currency = 'DKK'", "reason = 'faulty'", "reason_text = 'x'"])
def test_what_was_shown_cannot_be_changed_under_the_approvers_hands(chain: Chain, waiting: Refund, column: str) -> None:
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE refunds_refund SET {column} WHERE id = %s", [waiting.pk])  # noqa: S608  # a test's own
    assert untouched(waiting)


def test_a_wish_of_somebody_who_has_left_is_not_let_go(chain: Chain, waiting: Refund) -> None:
    [membership] = chain.kari.memberships.all()
    people.leave_store(membership, reason="moved", by=chain.by)
    with pytest.raises(HubError) as caught:
        _approve(waiting, chain.mona)
    assert (caught.value.code, caught.value.status) == ("asker_gone", 409)
    assert untouched(waiting)
    assert _reject(waiting, chain.mona).state == State.REJECTED


def test_a_wish_of_a_till_that_was_shut_is_not_let_go(chain: Chain, order: Order, settings: Settings) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 49_999}
    till = Till(chain.systems["OSL"])
    assert asking_over_rest.ask(till, asking_over_rest.asking(order, 50_000)).status_code == 202
    refund = Refund.objects.get()
    StoreSystem.objects.update(scopes=[])
    with pytest.raises(HubError) as caught:
        _approve(refund, chain.mona)
    assert caught.value.code == "asker_gone"


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
    return approving.cancel_refund(refund.pk, asker=who, by=access.actor_for(who))


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

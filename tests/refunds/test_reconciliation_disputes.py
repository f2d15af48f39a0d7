"""The dispute guard: what the customer's bank took back is not refunded by accident; whoever goes on asks headquarters."""

import pytest

from refunds import approving, intake
from refunds.errors import DisputedCapture, HeadquartersOnly
from refunds.models import LedgerEntry, Refund, State
from stores import access
from stores.models import Order, SettlementEntry
from stores.money import Money
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.asking_over_rest import ask as ask_over_rest
from tests.refunds.asking_over_rest import asking, nothing_moved
from tests.refunds.desk_pages import Till as Desk
from tests.refunds.desk_pages import hidden, signed_in, text_of
from tests.refunds.looking import settle
from tests.refunds.proving import BERGEN
from tests.till import Till, problem

TAKEN = "The customer’s bank has already taken NOK 400.00 of this order back from us."


@pytest.fixture
def disputed(chain: Chain) -> Order:
    """The bank has taken 400 of 1,000 kroner back, and the settlement has been read."""
    order = chain.sold(chain.bergen, "BGO-20261101-8400", 100_000)
    chain.simulator.dispute(BERGEN, order.reference, 40_000)
    settle(order)
    return order


def win(chain: Chain, order: Order) -> None:
    chain.simulator.dispute(BERGEN, order.reference, 40_000, is_won=True)
    settle(order)


def confirmed(chain: Chain, order: Order) -> Refund:
    by = access.actor_for(chain.kari, store=chain.oslo)
    accepted = intake.request_refund(
        order.public_id,
        Money(amount_minor=25_000, currency="NOK"),
        reason="returned",
        refunding_store=chain.oslo,
        client_id=intake.client_of(chain.kari, chain.oslo),
        request_key="key-1",
        asker=chain.kari,
        by=by,
        confirms_dispute=True,
    )
    return accepted.refund


def test_a_disputed_order_is_not_refunded_unless_somebody_says_that_she_knows(chain: Chain, disputed: Order) -> None:
    with pytest.raises(DisputedCapture) as refusal:
        ask(disputed, 25_000, who=chain.kari, store=chain.oslo)
    assert (refusal.value.code, refusal.value.status) == ("disputed_capture", 409)
    assert refusal.value.facts == {"disputed_minor": 40_000}
    assert nothing_moved()


def test_with_her_word_it_waits_for_headquarters_whatever_the_amount(chain: Chain, disputed: Order) -> None:
    refund = confirmed(chain, disputed)
    assert refund.state == State.AWAITING_APPROVAL
    assert run(refund).state == State.AWAITING_APPROVAL
    with pytest.raises(HeadquartersOnly):
        approving.approve_refund(refund.pk, asker=chain.mona, by=access.actor_for(chain.mona))
    assert approving.approve_refund(refund.pk, asker=chain.hanne, by=access.actor_for(chain.hanne)).state == State.QUEUED
    assert run(refund).state == State.REFUNDED


def test_the_manager_may_still_say_no(chain: Chain, disputed: Order) -> None:
    refund = confirmed(chain, disputed)
    by = access.actor_for(chain.mona)
    assert approving.reject_refund(refund.pk, note="the bank paid", asker=chain.mona, by=by).state == State.REJECTED


def test_a_dispute_that_was_won_warns_nobody_any_more(chain: Chain, disputed: Order) -> None:
    win(chain, disputed)
    assert ask(disputed, 25_000, who=chain.kari, store=chain.oslo).refund.state == State.QUEUED
    assert SettlementEntry.objects.filter(reference=disputed.reference).count() == 3


def test_a_dispute_that_comes_while_it_waits_needs_headquarters_too(chain: Chain, settings: object) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 10_000}  # type: ignore[attr-defined]  # pytest-django's fixture
    order = chain.sold(chain.bergen, "BGO-20261101-8401", 100_000)
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    chain.simulator.dispute(BERGEN, order.reference, 40_000)
    settle(order)
    with pytest.raises(HeadquartersOnly):
        approving.approve_refund(refund.pk, asker=chain.mona, by=access.actor_for(chain.mona))


def test_the_till_is_told_and_can_say_that_it_knows(chain: Chain, disputed: Order) -> None:
    till = Till(chain.systems["OSL"])
    told = problem(ask_over_rest(till, asking(disputed)), 409, "disputed_capture")
    assert told["facts"]["disputed_minor"] == 40_000
    assert nothing_moved()
    assert till.get(f"orders/ord_{disputed.public_id.hex}/refundable").json()["disputed_minor"] == 40_000
    accepted = ask_over_rest(till, asking(disputed, confirms_dispute=True))
    assert accepted.status_code == 202
    assert accepted.json()["state"] == "awaiting_approval"


class TestAtTheDesk:
    def test_the_order_and_the_confirmation_say_what_the_bank_did(self, chain: Chain, disputed: Order) -> None:
        desk = Desk(client=signed_in(chain.kari), order=disputed)
        assert TAKEN in text_of(desk.open())
        shown = desk.confirm(desk.fill("250"))
        assert shown.status_code == 200
        assert TAKEN in text_of(shown)
        assert hidden(shown, "confirms_dispute") == "1"
        body = shown.content.decode()
        assert (body.count("autofocus"), 'name="change" value="1" autofocus' in body) == (1, True), "Enter goes back, not on"
        assert nothing_moved()

    def test_one_press_more_asks_headquarters(self, chain: Chain, disputed: Order) -> None:
        desk = Desk(client=signed_in(chain.kari), order=disputed)
        answer = desk.refund({**desk.fill("250"), "confirms_dispute": "1"})
        assert answer.status_code == 302
        assert Refund.objects.get().state == State.AWAITING_APPROVAL

    def test_a_dispute_that_came_between_is_shown_before_anything_moves(self, chain: Chain, disputed: Order) -> None:
        desk = Desk(client=signed_in(chain.kari), order=disputed)
        answer = desk.refund(desk.fill("250"))
        assert answer.status_code == 409
        assert TAKEN in text_of(answer)
        assert hidden(answer, "confirms_dispute") == "1"
        assert nothing_moved()

    def test_a_repeated_and_disputed_refund_keeps_both_answers(self, chain: Chain, disputed: Order) -> None:
        confirmed(chain, disputed)
        desk = Desk(client=signed_in(chain.kari), order=disputed)
        filled = {**desk.fill("250"), "confirms_dispute": "1"}
        again = desk.refund(filled)
        assert again.status_code == 409
        assert hidden(again, "confirms_duplicate") == hidden(again, "confirms_dispute") == "1"
        assert desk.refund({**filled, "confirms_duplicate": "1"}).status_code == 302
        assert Refund.objects.count() == LedgerEntry.objects.count() == 2

    def test_an_order_without_a_dispute_says_nothing_of_one(self, chain: Chain) -> None:
        desk = Desk(client=signed_in(chain.kari), order=chain.sold(chain.bergen, "BGO-20261101-8402", 100_000))
        shown = desk.confirm(desk.fill("250"))
        assert "confirms_dispute" not in shown.content.decode()
        assert "bank" not in text_of(desk.open())

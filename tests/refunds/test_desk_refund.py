"""The four steps at the desk: the order, the sum, the confirmation, and honest progress until the end."""

import uuid
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings
from django.utils import timezone

from refunds import queries
from refunds.models import Refund, State
from refunds.progress import progress_of
from stores import clock, people
from stores.models import Order, Role, User
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.desk_pages import Till, hidden, signed_in, text_of


@pytest.fixture
def till(chain: Chain) -> Till:
    """Kari in Oslo, at an order of 1 000 kr that Bergen sold."""
    return Till(client=signed_in(chain.kari), order=chain.sold(chain.bergen, "BGO-20261101-7741", 100_000))


def test_the_order_says_who_sold_it_and_what_is_left(till: Till) -> None:
    said = text_of(till.open())
    assert "Sold by Nordlys Bergen" in said
    assert "another store’s order" in said
    assert "BGO-20261101-7741" in said
    assert "NOK 1,000.00 left of NOK 1,000.00" in said
    assert "Vipps is being asked; you can go on meanwhile." in said


def test_what_is_left_counts_money_in_flight_in_other_stores(chain: Chain, till: Till) -> None:
    people.join_store(chain.mona, chain.bergen, role=Role.CASHIER, by=chain.by)
    run(ask(till.order, 35_000, who=chain.kari, store=chain.oslo).refund)
    ask(till.order, 25_000, who=chain.mona, store=chain.bergen)
    said = text_of(till.open())
    assert "NOK 400.00 left of NOK 1,000.00" in said
    assert "NOK 250.00 being refunded now in Nordlys Bergen" in said
    assert "Vipps confirmed this 0 s ago: NOK 400.00 of NOK 1,000.00 left." in said
    assert "R1 · NOK 350.00 refunded" in said


@pytest.mark.parametrize(("typed", "said"), [
    ("250", "NOK 250.00 back to the customer, NOK 750.00 left after that."),
    ("1000", "NOK 1,000.00 back to the customer, NOK 0.00 left after that."),
    ("1000,01", "More than is left: at most NOK 1,000.00."),
    ("25x", "Write an amount such as 250 or 250,50."),
    ("1.250", "Write an amount such as 250 or 250,50."),
    ("250,555", "Write an amount such as 250 or 250,50."),
    ("0", "The amount must be more than zero."),
    (" ", ""),
])  # fmt: skip
def test_the_amount_is_checked_while_it_is_typed(till: Till, typed: str, said: str) -> None:
    answer = till.client.get(f"{till.path}amount/", {"amount": typed})
    assert text_of(answer) == said
    assert ("fits" in answer.content.decode()) == ("back to the customer" in said)


def test_the_confirmation_names_store_sum_way_and_time_and_asks_for_nothing_yet(till: Till) -> None:
    page = till.confirm(till.fill("250"))
    said = text_of(page)
    assert page.status_code == 200
    assert "Sold by Nordlys Bergen" in said
    assert "Taken back by Nordlys Oslo" in said
    assert "Refund NOK 250.00" in said
    assert "The money goes back to the card or account that the customer paid with." in said
    assert "Usually 2–3 bank days, at most 10." in said
    assert Refund.objects.count() == 0


@pytest.mark.parametrize(
    ("amount", "days_ago", "status", "why"),
    [
        ("0", 1, 400, "The amount must be more than zero."),
        ("1000,01", 1, 409, "That is more than is left of the order."),
        ("250", 366, 409, "The payment is older than 365 days."),
    ],
)
def test_what_cannot_be_refunded_is_not_offered_for_confirmation(
    chain: Chain, amount: str, days_ago: int, status: int, why: str
) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7742", 100_000)
    till = Till(client=signed_in(chain.kari), order=order)
    filled = till.fill(amount)
    Order.objects.filter(pk=order.pk).update(paid_at=clock.db_now() - timedelta(days=days_ago))
    page = till.confirm(filled)
    assert page.status_code == status
    assert why in text_of(page)
    assert "Taken back by" not in text_of(page)
    assert Refund.objects.count() == 0


def test_the_button_says_the_sum_in_norwegian(chain: Chain, till: Till) -> None:
    norwegian = Till(client=signed_in(chain.kari, language="nb"), order=till.order)
    assert "Refunder 250,00 kr" in text_of(norwegian.confirm(norwegian.fill("250")))


def test_kari_refunds_part_of_bergens_order(chain: Chain, till: Till) -> None:
    filled = till.fill("250,00")
    assert hidden(till.confirm(filled), "request_key") == filled["request_key"]
    answer = till.refund(filled)
    refund = Refund.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/desk/refunds/{refund.pk}/")
    assert (refund.amount_minor, refund.order, refund.refunding_store) == (25_000, till.order, chain.oslo)
    assert (refund.requested_by, refund.state, refund.reason) == (chain.kari, State.QUEUED, "returned")
    assert "Queued" in text_of(till.client.get(answer["Location"]))
    run(refund)
    done = till.client.get(answer["Location"])
    assert "Refunded Vipps has confirmed the refund." in text_of(done)
    assert "hx-get" not in done.content.decode(), "a page that is done stops asking"


def test_a_second_press_is_the_same_refund(till: Till) -> None:
    filled = till.fill("250")
    first, second = till.refund(filled), till.refund(filled)
    assert first["Location"] == second["Location"]
    assert Refund.objects.count() == 1
    assert queries.left_of(till.order).left_minor == 75_000


def test_each_opened_page_has_a_key_of_its_own(till: Till) -> None:
    assert hidden(till.open(), "request_key") != hidden(till.open(), "request_key")


def test_the_same_sum_again_is_a_question_first(chain: Chain, till: Till) -> None:
    till.refund(till.fill("250"))
    again = till.fill("250")
    at = timezone.localtime(Refund.objects.get().accepted_at, ZoneInfo("Europe/Oslo"))
    asked = till.refund(again)
    assert asked.status_code == 409
    question = f"Kari asked for NOK 250.00 of this order at {at:%H:%M} in Nordlys Oslo (R1: queued). Is this another return?"
    assert question in text_of(asked)
    assert "Yes, refund NOK 250.00 once more F4" in text_of(asked)
    assert Refund.objects.count() == 1
    assert till.refund({**again, "confirms_duplicate": hidden(asked, "confirms_duplicate")}).status_code == 302
    assert Refund.objects.count() == 2


def test_the_question_comes_before_the_button_says_the_sum(chain: Chain, till: Till) -> None:
    ask(till.order, 25_000, who=chain.mona, store=chain.oslo)
    page = till.confirm(till.fill("250"))
    assert page.status_code == 200
    assert "Mona asked for NOK 250.00" in text_of(page)
    assert "Look at the earlier one" in text_of(page)
    body = page.content.decode()
    assert body.count("autofocus") == 1
    assert 'name="change" value="1" autofocus' in body, "a slip on Enter must not refund twice"
    assert hidden(page, "confirms_duplicate") == "1"
    assert "Is this another return?" not in text_of(till.confirm(till.fill("250.01")))


def test_a_refund_that_is_not_hers_to_see_is_named_without_a_link(chain: Chain, till: Till) -> None:
    liv = User.objects.create(username="liv")
    people.join_store(liv, chain.trondheim, role=Role.CASHIER, by=chain.by)
    ask(till.order, 25_000, who=liv, store=chain.trondheim)
    said = text_of(till.confirm(till.fill("250")))
    assert "liv asked for NOK 250.00" in said
    assert "in Nordlys Trondheim" in said
    assert "Look at the earlier one" not in said


def test_a_page_used_for_another_sum_is_refused_and_gets_a_new_key(till: Till) -> None:
    filled = till.fill("250")
    till.refund(filled)
    refused = till.refund({**filled, "amount": "300"})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.content.decode()
    assert 'value="300"' in refused.content.decode()
    assert hidden(refused, "request_key") != filled["request_key"]
    assert Refund.objects.count() == 1


@pytest.mark.parametrize(("change", "status"), [
    ({"amount": ""}, 400),
    ({"amount": "25o"}, 400),
    ({"amount": "-250"}, 400),
    ({"amount": "0"}, 400),
    ({"amount": "250,005"}, 400),
    ({"amount": "1000,01"}, 409),
    ({"amount": "99999999999999999999"}, 409),
    ({"reason": ""}, 400),
    ({"reason": "because"}, 400),
    ({"reason": "other"}, 400),
    ({"request_key": "short"}, 400),
])  # fmt: skip
def test_a_wrong_wish_is_said_in_place_and_nothing_moves(till: Till, change: dict[str, str], status: int) -> None:
    filled = {**till.fill("250"), **change}
    refused = till.refund(filled)
    assert refused.status_code == status
    assert f'value="{filled["amount"]}"' in refused.content.decode(), "what she typed is kept"
    assert Refund.objects.count() == 0
    assert queries.left_of(till.order).left_minor == 100_000


def test_other_needs_words_and_the_words_are_kept(till: Till) -> None:
    assert till.refund(till.fill("250", reason="other", reason_text="wrong colour in the box")).status_code == 302
    assert Refund.objects.get().reason_text == "wrong colour in the box"


def test_a_payment_older_than_a_year_says_why_before_anything_is_asked(chain: Chain, till: Till) -> None:
    old = chain.sold(chain.bergen, "BGO-20251101-0001", 100_000, days_ago=366)
    page = till.client.get(f"/desk/orders/{old.public_id}/")
    assert "Too old" not in text_of(till.client.get(f"/desk/orders/{till.order.public_id}/"))
    assert "The payment is older than 365 days." in text_of(page)
    assert 'name="amount"' not in page.content.decode()
    chain.sold(chain.bergen, "BGO-20251101-0002", 100_000)
    hits = text_of(till.client.get("/desk/", {"q": "BGO-20251101"}))
    assert "Too old to refund" in hits
    assert "Can be refunded" in hits


def test_a_payment_that_grew_too_old_at_the_form_is_refused(till: Till) -> None:
    filled = till.fill("250")
    Order.objects.filter(pk=till.order.pk).update(paid_at=clock.db_now() - timedelta(days=366))
    refused = till.refund(filled)
    assert refused.status_code == 409
    assert "older than 365 days" in text_of(refused)
    assert Refund.objects.count() == 0


def test_change_goes_back_with_what_she_typed_and_the_same_key(till: Till) -> None:
    filled = till.fill("250,50")
    page = till.confirm({**filled, "change": "1"})
    assert page.status_code == 200
    assert 'value="250,50"' in page.content.decode()
    assert hidden(page, "request_key") == filled["request_key"]


@pytest.mark.parametrize("step", ["confirm/", "refund/"])
def test_a_reloaded_step_goes_back_to_the_order(till: Till, step: str) -> None:
    assert till.client.get(f"{till.path}{step}")["Location"] == till.path


def test_progress_answers_only_when_something_has_moved(till: Till) -> None:
    till.refund(till.fill("250"))
    refund = Refund.objects.get()
    path = f"/desk/refunds/{refund.pk}/progress/"
    seen = {"seen": f"{refund.state}-{refund.fence}-{refund.sends}"}
    assert till.client.get(path, seen).status_code == 204
    run(refund)
    moved = till.client.get(path, seen)
    assert moved.status_code == 200
    assert "Refunded" in moved.content.decode()
    assert "<html" not in moved.content.decode()


def test_a_lost_answer_says_do_not_repeat(chain: Chain, till: Till) -> None:
    chain.simulator.arm(Fault(kind=FaultKind.DROP_AFTER, operation="refund"))
    till.refund(till.fill("250"))
    refund = run(Refund.objects.get())
    assert refund.state == State.UNKNOWN
    said = text_of(till.client.get(f"/desk/refunds/{refund.pk}/"))
    assert "We are finding out" in said
    assert "Do not repeat it" in said
    assert "Next look at" in said
    assert "Given back" not in said, "the paper does not say more than we know"


def test_without_javascript_the_page_looks_again_by_itself(till: Till) -> None:
    answer = till.refund(till.fill("250"))
    page = till.client.get(answer["Location"]).content.decode()
    assert '<noscript><meta http-equiv="refresh" content="3; url=?by-itself"></noscript>' in page


def test_my_refunds_today_are_hers_in_this_store(chain: Chain, till: Till) -> None:
    mine = ask(till.order, 25_000, who=chain.kari, store=chain.oslo).refund
    ask(till.order, 11_100, who=chain.mona, store=chain.oslo)
    Refund.objects.filter(pk=mine.pk).update(moved_at=mine.accepted_at + timedelta(seconds=1))
    said = text_of(till.client.get("/desk/today/"))
    assert "NOK 250.00" in said
    assert "NOK 111.00" not in said


@override_settings(APPROVAL_ABOVE_MINOR={"NOK": 50_000})
def test_a_large_refund_waits_for_mona_who_finds_it_and_says_yes(chain: Chain, till: Till) -> None:
    answer = till.refund(till.fill("600"))
    refund = Refund.objects.get()
    assert refund.state == State.AWAITING_APPROVAL
    hers = till.client.get(answer["Location"])
    assert "Waits for approval" in text_of(hers)
    assert 'value="approve"' not in hers.content.decode()
    assert till.client.post(f"/desk/refunds/{refund.pk}/decision/", {"decision": "approve"}).status_code == 403
    mona = signed_in(chain.mona)
    assert str(refund.pk) in mona.get("/desk/today/").content.decode()
    assert 'value="approve"' in mona.get(f"/desk/refunds/{refund.pk}/").content.decode()
    assert mona.post(f"/desk/refunds/{refund.pk}/decision/", {"decision": "approve"}).status_code == 302
    refund.refresh_from_db()
    assert (refund.state, refund.approved_by) == (State.QUEUED, chain.mona)


@override_settings(APPROVAL_ABOVE_MINOR={"NOK": 50_000})
def test_a_refund_that_waits_can_be_refused_with_a_reason_or_taken_back(chain: Chain, till: Till) -> None:
    till.refund(till.fill("600"))
    first = Refund.objects.get()
    mona = signed_in(chain.mona)
    path = f"/desk/refunds/{first.pk}/decision/"
    assert mona.post(path, {"decision": "reject", "note": ""}).status_code == 400
    assert mona.post(path, {"decision": "reject", "note": "no receipt"}).status_code == 302
    till.refund(till.fill("700"))
    second = Refund.objects.exclude(pk=first.pk).get()
    assert till.client.post(f"/desk/refunds/{second.pk}/decision/", {"decision": "cancel"}).status_code == 302
    states = dict(Refund.objects.values_list("number", "state"))
    assert states == {1: State.REJECTED, 2: State.CANCELLED}
    assert queries.left_of(till.order).left_minor == 100_000


def test_a_refused_decision_on_a_refund_that_is_gone_changes_nothing(chain: Chain, till: Till) -> None:
    refund = ask(till.order, 25_000, who=chain.kari, store=chain.oslo).refund
    run(refund)
    mona = signed_in(chain.mona)
    refused = mona.post(f"/desk/refunds/{refund.pk}/decision/", {"decision": "reject", "note": "too late"})
    assert refused.status_code == 409
    refund.refresh_from_db()
    assert refund.state == State.REFUNDED


def test_an_unknown_order_is_not_refunded(till: Till) -> None:
    nowhere = Till(client=till.client, order=Order(public_id=uuid.uuid4()))
    filled = {"amount": "10", "reason": "returned", "reason_text": "", "request_key": uuid.uuid4().hex}
    assert nowhere.refund(filled).status_code == 404
    assert nowhere.confirm(filled).status_code == 404


def test_while_it_is_sent_the_page_says_when_the_hub_looks_again(till: Till, chain: Chain) -> None:
    refund = ask(till.order, 25_000, who=chain.kari, store=chain.oslo).refund
    until = clock.db_now() + timedelta(seconds=60)
    Refund.objects.filter(pk=refund.pk).update(state=State.SENDING, lease_until=until)
    refund.refresh_from_db()
    assert progress_of(refund).next_check_at == until
    assert "Next look at" in text_of(till.client.get(f"/desk/refunds/{refund.pk}/"))

"""Approval in place: the page names who may allow it, the queue shows what waits and until when, a yes is for just that."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from refunds.models import Measure, Refund, State, Tier
from refunds.rules import Rule
from stores import clock, people
from stores.models import Order, Role, Store, User
from tests.conftest import Chain
from tests.refunds.asking import ask
from tests.refunds.desk_pages import Till, hidden, signed_in, text_of
from tests.refunds.policies import in_force

LIMIT = Rule(measure=Measure.REFUND, above_minor=50_000, currency="NOK")


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)


@pytest.fixture
def till(chain: Chain, order: Order) -> Till:
    return Till(client=signed_in(chain.kari), order=order)


def manager(chain: Chain, store: Store, name: str) -> User:
    user = User.objects.create(username=name.lower(), first_name=name)
    people.join_store(user, store, role=Role.MANAGER, by=chain.by)
    return user


def page_of(refund: Refund) -> str:
    return f"/desk/refunds/{refund.pk}/"


def test_the_confirmation_is_no_red_box_but_names_who_may_allow_it(chain: Chain, till: Till) -> None:
    manager(chain, chain.bergen, "Nils")
    manager(chain, chain.trondheim, "Tor")
    in_force(chain, LIMIT)
    page = till.confirm(till.fill("600"))
    said = text_of(page)
    assert page.status_code == 200
    assert "A second person has to allow this. It is more than NOK 500.00 at once." in said
    assert "Mona (manager, Nordlys Oslo), Nils (manager, Nordlys Bergen) or Hanne (HQ approver)" in said
    assert "Tor" not in said
    assert "Ask for a yes to NOK 600.00" in said
    assert "A second person" not in text_of(till.confirm(till.fill("500")))


def test_the_same_wish_again_is_asked_for_and_not_refunded(till: Till, chain: Chain) -> None:
    in_force(chain, Rule(measure=Measure.REFUND, above_minor=10_000, currency="NOK"))
    till.refund(till.fill("250"))
    said = text_of(till.confirm(till.fill("250")))
    assert "Is this another return?" in said
    assert "Yes, ask for a yes to NOK 250.00 once more F4" in said
    assert "refund NOK 250.00" not in said


def test_a_manager_who_asks_is_not_named_as_who_may_allow_it(chain: Chain, order: Order) -> None:
    in_force(chain, LIMIT)
    mona = Till(client=signed_in(chain.mona), order=order)
    said = text_of(mona.confirm(mona.fill("600")))
    assert "It may be allowed by Hanne (HQ approver)" in said


def test_what_only_headquarters_may_allow_names_nobody_else(chain: Chain, till: Till) -> None:
    in_force(chain, Rule(measure=Measure.CASHIER, above_minor=10_000, currency="NOK", allowed_by=Tier.HEADQUARTERS))
    said = text_of(till.confirm(till.fill("600")))
    assert "With it one cashier gives back NOK 600.00 within 24 hours, more than NOK 100.00." in said
    assert "It may be allowed by Hanne (HQ approver)" in said
    till.refund(till.fill("600"))
    mona = text_of(signed_in(chain.mona).get(page_of(Refund.objects.get())))
    assert "Approve" not in mona.replace("Approvals", "")
    assert "Say no" in mona


CONDITIONS: list[tuple[dict[str, Any], str]] = [
    ({"older_than_days": 1}, "It was paid more than 1 days ago."),
    ({"reason": "returned"}, "The reason is “Returned”."),
    ({"without_receipt": True}, "The customer has no receipt."),
    ({"role": "cashier"}, "Every refund needs a yes here. That holds for whoever asks as a cashier."),
]


@pytest.mark.parametrize(("condition", "said"), CONDITIONS)
def test_each_condition_is_told_as_why(chain: Chain, condition: dict[str, Any], said: str) -> None:
    in_force(chain, Rule(measure=Measure.REFUND, above_minor=0, **condition))
    order = chain.sold(chain.bergen, "BGO-20261101-7742", 100_000, days_ago=3)
    till = Till(client=signed_in(chain.kari), order=order)
    assert said in text_of(till.confirm({**till.fill("600"), "without_receipt": "1"}))


def test_while_it_waits_the_page_says_why_who_and_until_when(chain: Chain, till: Till) -> None:
    in_force(chain, LIMIT)
    answer = till.refund(till.fill("600"))
    refund = Refund.objects.get()
    said = text_of(till.client.get(answer["Location"]))
    until = timezone.localtime(refund.accepted_at + timedelta(hours=24), timezone.get_default_timezone())
    assert "Waits for approval" in said
    assert "It is more than NOK 500.00 at once." in said
    assert "Who may allow it Mona (manager, Nordlys Oslo) or Hanne (HQ approver)" in said
    assert f"{until:%H:%M} (23 hours left)" in said
    assert "Take it back" in said


def test_the_queue_counts_in_the_bar_and_shows_what_waits_for_whom(chain: Chain, till: Till) -> None:
    nils = manager(chain, chain.bergen, "Nils")
    in_force(chain, LIMIT, Rule(measure=Measure.REFUND, above_minor=80_000, currency="NOK", allowed_by=Tier.HEADQUARTERS))
    mona, kari = signed_in(chain.mona), till.client
    assert 'class="count"' not in mona.get("/desk/approvals/").content.decode()
    till.refund(till.fill("600"))
    other = chain.sold(chain.bergen, "BGO-20261101-7743", 100_000)
    ask(other, 90_000, who=chain.kari, store=chain.oslo)
    ask(chain.sold(chain.bergen, "BGO-20261101-7744", 100_000), 70_000, who=chain.mona, store=chain.oslo)
    page = mona.get("/desk/approvals/")
    said = text_of(page)
    assert "1 waits for you Kari" in said
    assert "NOK 600.00" in said
    assert "It is more than NOK 500.00 at once." in said
    assert "23 hours left" in said
    assert "For somebody else to allow" in said
    assert "headquarters · 23 hours left" in said
    assert '<b class="count" title="waiting for you">1</b>' in page.content.decode()
    assert "1" in text_of(mona.get("/desk/approvals/count/"))
    assert "Somebody else has to allow these" in text_of(kari.get("/desk/approvals/"))
    assert 'class="count"' not in kari.get("/desk/").content.decode()
    assert '<b class="count" title="waiting for you">2</b>' in signed_in(nils).get("/desk/").content.decode(), (
        "what others refund of her store's sales is hers to allow too"
    )


def test_an_open_queue_looks_again_when_the_count_changes_and_shows_nobodys_presence(chain: Chain, till: Till) -> None:
    in_force(chain, LIMIT)
    mona = signed_in(chain.mona)
    page = mona.get("/desk/approvals/").content.decode()
    again, count = (re.findall(f'hx-get="({path}[^"]*)"', page) for path in ("/desk/approvals/.by", "/desk/approvals/count/"))
    assert (again, count) == (["/desk/approvals/?by-itself"], ["/desk/approvals/count/?seen=0"])
    assert "HX-Trigger" not in mona.get(count[0]).headers
    till.refund(till.fill("600"))
    assert mona.get(count[0]).headers["HX-Trigger"] == "waiting-changed"
    assert 'hx-trigger="waiting-changed from:body, under-way-changed from:body" hx-select="#looks-again"' in page
    assert mona.get(again[0]).content.decode().count('id="looks-again"') == 1


def test_a_yes_from_another_screen_is_for_just_what_was_shown(chain: Chain, till: Till) -> None:
    in_force(chain, LIMIT)
    till.refund(till.fill("600"))
    refund = Refund.objects.get()
    mona = signed_in(chain.mona)
    seen = hidden(mona.get(page_of(refund)), "seen")
    wrong = mona.post(f"{page_of(refund)}decision/", {"decision": "approve", "seen": "0" * 64})
    assert wrong.status_code == 409
    assert "This is not what you were shown" in text_of(wrong)
    refund.refresh_from_db()
    assert refund.state == State.AWAITING_APPROVAL
    assert mona.post(f"{page_of(refund)}decision/", {"decision": "approve", "seen": seen}).status_code == 302
    refund.refresh_from_db()
    assert (refund.state, refund.approved_by) == (State.QUEUED, chain.mona)


def test_taking_it_back_voids_the_question_and_a_changed_wish_is_asked_anew(chain: Chain, till: Till) -> None:
    in_force(chain, LIMIT)
    till.refund(till.fill("600"))
    first = Refund.objects.get()
    mona = signed_in(chain.mona)
    seen = hidden(mona.get(page_of(first)), "seen")
    till.client.post(f"{page_of(first)}decision/", {"decision": "cancel"})
    till.refund(till.fill("700"))
    second = Refund.objects.exclude(pk=first.pk).get()
    for refund in (first, second):
        assert mona.post(f"{page_of(refund)}decision/", {"decision": "approve", "seen": seen}).status_code == 409
    assert set(Refund.objects.values_list("state", flat=True)) == {"cancelled", "awaiting_approval"}


def test_yes_and_no_are_two_forms_so_that_enter_beside_the_words_of_a_no_is_no_yes(chain: Chain, till: Till) -> None:
    in_force(chain, LIMIT)
    till.refund(till.fill("600"))
    page = signed_in(chain.mona).get(page_of(Refund.objects.get())).content.decode()
    forms = [form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if "decision" in form]
    decisions = {re.findall(r'name="decision" value="(\w+)"', form)[0]: form for form in forms}
    assert [form.count('name="decision"') for form in forms] == [1, 1]
    assert ('name="note"' in decisions["reject"], 'name="note"' in decisions["approve"]) == (True, False)


def test_without_javascript_the_page_holds_still_for_whoever_writes_why_not(chain: Chain, till: Till) -> None:
    in_force(chain, LIMIT)
    till.refund(till.fill("600"))
    page = page_of(Refund.objects.get())
    assert "http-equiv" in till.client.get(page).content.decode()
    assert "http-equiv" not in signed_in(chain.mona).get(page).content.decode()


def test_a_no_is_told_with_its_words_and_who_said_it(chain: Chain, till: Till) -> None:
    in_force(chain, LIMIT)
    till.refund(till.fill("600"))
    refund = Refund.objects.get()
    mona = signed_in(chain.mona)
    mona.post(f"{page_of(refund)}decision/", {"decision": "reject", "note": "worn shoes"})
    assert "Mona said no: worn shoes" in text_of(till.client.get(page_of(refund)))


def test_a_wish_that_is_about_to_lapse_says_minutes(chain: Chain, till: Till) -> None:
    in_force(chain, LIMIT)
    till.refund(till.fill("600"))
    later = clock.db_now() + timedelta(hours=23, minutes=48)
    with clock.bound(clock.Source(now=lambda: later)):
        assert "11 minutes left" in text_of(signed_in(chain.kari).get("/desk/approvals/"))

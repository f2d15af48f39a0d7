"""Reasons are headquarters' to set: chosen in the reader's language, kept by code, told as they were when it was asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from refunds.models import Kind, Measure, Refund, State, Tier
from refunds.rulebooks import ReasonChoice
from refunds.rules import Rule
from stores import audit
from stores.errors import HubError
from stores.models import Order
from tests.conftest import Chain
from tests.refunds import asking_over_rest
from tests.refunds.asking import ask
from tests.refunds.desk_pages import Till as Desk
from tests.refunds.desk_pages import hidden, signed_in, text_of
from tests.refunds.policies import REASONS, in_force
from tests.refunds.releases import ask_release, reserved
from tests.till import Till

RECALL = ReasonChoice(
    code="recall",
    labels={"en": "Recalled", "nb": "Tilbakekalt", "da": "Tilbagekaldt", "sv": "Återkallad", "fi": "Takaisinkutsu"},
    needs_words=True,
)


@pytest.fixture
def orders(chain: Chain) -> Iterator[Order]:
    def sell() -> Iterator[Order]:
        for number in range(9300, 9399):
            yield chain.sold(chain.bergen, f"BGO-20261101-{number}", 100_000)

    return sell()


def only_recall(chain: Chain, *rules: Rule) -> None:
    in_force(chain, *rules, reasons=(RECALL,))


def test_only_the_reasons_in_force_may_be_given(chain: Chain, orders: Iterator[Order]) -> None:
    only_recall(chain)
    with pytest.raises(HubError) as caught:
        ask(next(orders), 1_000, who=chain.kari, store=chain.oslo)
    assert (caught.value.code, caught.value.field) == ("reason_needed", "reason")
    with pytest.raises(HubError) as caught:
        ask(next(orders), 1_000, who=chain.kari, store=chain.oslo, reason="recall")
    assert (caught.value.code, caught.value.field) == ("reason_needed", "reason_text")
    assert not Refund.objects.exists()
    asked = ask(next(orders), 1_000, who=chain.kari, store=chain.oslo, reason="recall", reason_text="Batch 7")
    assert asked.refund.reason == "recall"


def test_a_release_gives_a_reason_in_force_too(chain: Chain) -> None:
    order = reserved(chain)
    only_recall(chain)
    with pytest.raises(HubError) as caught:
        ask_release(order, who=chain.kari, store=chain.oslo)
    assert caught.value.code == "reason_needed"
    release = ask_release(order, who=chain.kari, store=chain.oslo, reason="recall", reason_text="Batch 7").refund
    assert (release.kind, release.get_reason_display()) == (Kind.RELEASE, "Recalled")


def test_the_same_request_repeated_after_its_reason_has_gone_is_the_same_refund(
    chain: Chain, orders: Iterator[Order]
) -> None:
    order = next(orders)
    first = ask(order, 1_000, who=chain.kari, store=chain.oslo, key="page-1")
    only_recall(chain)
    again = ask(order, 1_000, who=chain.kari, store=chain.oslo, key="page-1")
    assert (again.is_new, again.refund) == (False, first.refund)


def test_a_reason_is_told_as_it_was_called_when_it_was_given(chain: Chain, orders: Iterator[Order]) -> None:
    only_recall(chain)
    refund = ask(next(orders), 1_000, who=chain.kari, store=chain.oslo, reason="recall", reason_text="Batch 7").refund
    in_force(chain, reasons=REASONS)
    for language, label in RECALL.labels.items():
        with translation.override(language):
            assert Refund.objects.get(pk=refund.pk).get_reason_display() == label
    with translation.override("de"):
        assert refund.get_reason_display() == "Recalled"
    assert "in Nordlys Oslo (OSL): Recalled: Batch 7" in audit.sentence_of(audit.timeline_of("refund", str(refund.pk))[0])
    old = ask(next(orders), 1_000, who=chain.kari, store=chain.oslo).refund
    with translation.override("nb"):
        assert old.get_reason_display() == "Returnert"


def test_without_a_policy_the_built_in_reasons_are_told_in_every_language(chain: Chain, orders: Iterator[Order]) -> None:
    refund = ask(next(orders), 1_000, who=chain.kari, store=chain.oslo, reason="goodwill").refund
    assert refund.get_reason_display() == "Goodwill"
    with translation.override("nb"):
        assert refund.get_reason_display() == "Kulanse"


def test_a_reason_may_need_a_yes(chain: Chain, orders: Iterator[Order]) -> None:
    in_force(chain, Rule(measure=Measure.REFUND, above_minor=0, reason="goodwill", allowed_by=Tier.HEADQUARTERS))
    states = [
        ask(next(orders), 1_000, who=chain.kari, store=chain.oslo, reason=reason).refund.state
        for reason in ("goodwill", "faulty")
    ]
    assert states == [State.AWAITING_APPROVAL, State.QUEUED]


def test_a_till_reads_the_reasons_and_gives_one_by_code(chain: Chain, orders: Iterator[Order]) -> None:
    till = Till(chain.systems["OSL"])
    built_in = till.get("reasons").json()
    assert (built_in["policy"], [reason["code"] for reason in built_in["reasons"]][:2]) == (0, ["returned", "faulty"])
    only_recall(chain)
    assert till.get("reasons").json() == {
        "policy": 1,
        "reasons": [{"code": "recall", "labels": dict(RECALL.labels), "needs_words": True}],
    }
    order = next(orders)
    refused = asking_over_rest.ask(till, asking_over_rest.asking(order), key="1")
    assert (refused.status_code, refused.json()["code"]) == (400, "reason_needed")
    body = asking_over_rest.asking(order, reason="recall", reason_text="Batch 7", has_receipt=False)
    answer = asking_over_rest.ask(till, body, key="2")
    assert (answer.status_code, answer.json()["reason"]) == (202, "recall")
    assert Refund.objects.get().has_receipt is False


# At the desk


def test_the_desk_offers_the_reasons_in_force_in_the_readers_language(chain: Chain, orders: Iterator[Order]) -> None:
    only_recall(chain)
    desk = Desk(client=signed_in(chain.kari, language="nb"), order=next(orders))
    page = desk.open()
    assert "Tilbakekalt" in text_of(page)
    assert "Kulanse" not in text_of(page)
    assert 'value="recall" data-words' in page.content.decode()
    wordless = desk.confirm(desk.fill("100", reason="recall"))
    assert wordless.status_code == 400
    shown = desk.confirm(desk.fill("100", reason="recall", reason_text="Serie 7"))
    assert "Tilbakekalt: Serie 7" in text_of(shown)
    assert desk.refund(desk.fill("100", reason="recall", reason_text="Serie 7")).status_code == 302
    for gone in ("returned", "x' OR 1=1", ""):
        assert desk.confirm(desk.fill("100", reason=gone)).status_code == 400
    assert Refund.objects.get().reason == "recall"


def test_who_has_no_receipt_is_asked_about_only_where_it_makes_a_difference(chain: Chain, orders: Iterator[Order]) -> None:
    desk = Desk(client=signed_in(chain.kari), order=next(orders))
    assert "The customer has no receipt" not in text_of(desk.open())
    in_force(chain, Rule(measure=Measure.REFUND, above_minor=0, without_receipt=True))
    assert "The customer has no receipt" in text_of(desk.open())
    filled: dict[str, Any] = {**desk.fill("100"), "without_receipt": "1"}
    assert hidden(desk.confirm(filled), "without_receipt") == "1"
    assert desk.refund(filled).status_code == 302
    refund = Refund.objects.get()
    assert (refund.has_receipt, refund.state) == (False, State.AWAITING_APPROVAL)
    other = Desk(client=desk.client, order=next(orders))
    assert other.refund(other.fill("100")).status_code == 302
    assert Refund.objects.get(order=other.order).state == State.QUEUED


def test_a_policy_costs_the_orders_page_no_question_of_its_own(chain: Chain, orders: Iterator[Order]) -> None:
    desk = Desk(client=signed_in(chain.kari), order=next(orders))
    counts = []
    for _policy in ("none", "one"):
        desk.open()
        with CaptureQueriesContext(connection) as captured:
            desk.open()
        counts.append(len(captured))
        only_recall(chain)
    assert counts[0] == counts[1]

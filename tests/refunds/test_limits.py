"""Limits of a refund, an order, a cashier, a till and a store: what breaks one waits for the right person."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from refunds import approving, importing, intake
from refunds.models import FAILED, AskerRole, Measure, Outbox, Refund, State, Tier
from refunds.rules import Breach, Rule
from stores import access, audit, clock, nudge, people
from stores.models import Order, Role, User
from stores.money import Money
from tests.conftest import Chain
from tests.refunds import asking_over_rest
from tests.refunds.asking import ask, run
from tests.refunds.policies import in_force
from tests.refunds.releases import ask_release, reserved
from tests.refunds.test_concurrency import together
from tests.till import Till

AT_ONCE = Rule(measure=Measure.REFUND, above_minor=50_000, currency="NOK")
OF_A_DAY = Rule(measure=Measure.CASHIER, above_minor=50_000, currency="NOK")


@pytest.fixture
def orders(chain: Chain) -> Iterator[Order]:
    """As many orders of 1 000 kr as one likes, all sold by Bergen."""

    def sell() -> Iterator[Order]:
        for number in range(9000, 9999):
            yield chain.sold(chain.bergen, f"BGO-20261101-{number}", 100_000, days_ago=10)

    return sell()


def asked(chain: Chain, order: Order, amount: int, who: User | None = None, **more: Any) -> Refund:
    return ask(order, amount, who=who or chain.kari, store=more.pop("store", chain.oslo), **more).refund


def needs(refund: Refund) -> str:
    """Whose yes it waits for; "" where it went out."""
    refund.refresh_from_db()
    assert (refund.state == State.AWAITING_APPROVAL) is bool(refund.needs_approval_of)
    assert bool(refund.breaches) is bool(refund.needs_approval_of)
    return refund.needs_approval_of


def test_what_breaks_a_limit_waits_and_keeps_what_judged_it(chain: Chain, orders: Iterator[Order]) -> None:
    version = in_force(chain, AT_ONCE)
    refund = asked(chain, next(orders), 50_001)
    assert needs(refund) == Tier.STORE
    assert refund.policy_version == version
    [breach] = refund.breaches
    assert Breach.of_facts(breach) == Breach(
        measure=Measure.REFUND, allowed_by=Tier.STORE, above_minor=50_000, reached_minor=50_001, currency="NOK"
    )
    facts = audit.facts_of(audit.timeline_of("refund", str(refund.pk))[0])
    assert (facts["policy"], facts["needs_approval_of"], facts["breaches"]) == (1, "store", [breach])
    assert Outbox.objects.count() == 0
    assert needs(asked(chain, next(orders), 50_000)) == ""


def test_the_settings_limit_holds_until_there_is_a_version(chain: Chain, orders: Iterator[Order], settings: Settings) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 10_000}
    first = asked(chain, next(orders), 10_001)
    assert (needs(first), first.policy_version) == (Tier.STORE, None)
    in_force(chain, AT_ONCE)
    assert needs(asked(chain, next(orders), 10_001)) == ""


@pytest.mark.parametrize(
    "column", ["policy_version_id = NULL", "needs_approval_of = ''", "breaches = '[]'", "has_receipt = false"]
)
def test_the_database_keeps_what_a_refund_was_judged_by(chain: Chain, orders: Iterator[Order], column: str) -> None:
    in_force(chain, AT_ONCE)
    refund = asked(chain, next(orders), 50_001)
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE refunds_refund SET {column} WHERE id = %s", [refund.pk])  # noqa: S608  # a test's own


CONDITIONS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"role": AskerRole.CASHIER}, {}, {"who": "mona"}),
    ({"role": AskerRole.MANAGER}, {"who": "mona"}, {}),
    ({"older_than_days": 9}, {}, {"days_ago": 8}),
    ({"reason": "goodwill"}, {"reason": "goodwill"}, {"reason": "faulty"}),
    ({"without_receipt": True}, {"has_receipt": False}, {}),
]


@pytest.mark.parametrize(("condition", "breaking", "keeping"), CONDITIONS, ids=[str(row[0]) for row in CONDITIONS])
def test_a_rule_is_broken_where_its_condition_fits(
    chain: Chain, condition: dict[str, Any], breaking: dict[str, Any], keeping: dict[str, Any]
) -> None:
    in_force(chain, Rule(measure=Measure.REFUND, above_minor=0, allowed_by=Tier.HEADQUARTERS, **condition))
    for number, (how, tier) in enumerate(((breaking, "headquarters"), (keeping, ""))):
        said = {**how}
        days_ago = said.pop("days_ago", 10)
        order = chain.sold(chain.bergen, f"BGO-20261101-900{number}", 100_000, days_ago=days_ago)
        assert needs(asked(chain, order, 10_000, getattr(chain, said.pop("who", "kari")), **said)) == tier


def test_a_stores_own_limit_takes_the_place_of_all_stores(chain: Chain, orders: Iterator[Order]) -> None:
    people.join_store(chain.kari, chain.bergen, role=Role.CASHIER, by=chain.by)
    in_force(chain, AT_ONCE, replace(AT_ONCE, above_minor=90_000, store_id=chain.oslo.pk))
    assert needs(asked(chain, next(orders), 90_000)) == ""
    assert needs(asked(chain, next(orders), 90_001)) == Tier.STORE
    assert needs(asked(chain, next(orders), 50_001, store=chain.bergen)) == Tier.STORE


# What adds up


def test_a_cashier_who_splits_a_refund_into_small_ones_gains_nothing(chain: Chain, orders: Iterator[Order]) -> None:
    in_force(chain, OF_A_DAY)
    assert [needs(asked(chain, next(orders), amount)) for amount in (20_000, 30_000, 1)] == ["", "", Tier.STORE]
    order = next(orders)
    assert [needs(asked(chain, order, amount)) for amount in (2, 3)] == [Tier.STORE, Tier.STORE]
    assert needs(asked(chain, next(orders), 50_000, chain.mona)) == ""


def test_a_sum_forgets_after_a_day_and_counts_what_came_to_nothing_not(
    chain: Chain, orders: Iterator[Order], travel: Any
) -> None:
    in_force(chain, OF_A_DAY)
    asked(chain, next(orders), 50_000)
    for state in FAILED:
        nothing = asked(chain, next(orders), 50_000, chain.mona)
        Refund.objects.filter(pk=nothing.pk).update(state=state)
    assert needs(asked(chain, next(orders), 50_000, chain.mona)) == ""
    assert needs(asked(chain, next(orders), 1)) == Tier.STORE
    travel(timedelta(hours=24, seconds=1))
    assert needs(asked(chain, next(orders), 50_000)) == ""


def test_what_a_manager_allowed_is_not_the_cashiers_own_any_more(chain: Chain, orders: Iterator[Order]) -> None:
    in_force(chain, OF_A_DAY, replace(OF_A_DAY, above_minor=80_000, allowed_by=Tier.HEADQUARTERS))
    big = asked(chain, next(orders), 60_000)
    assert needs(big) == Tier.STORE
    approving.approve_refund(big.pk, asker=chain.mona, by=access.actor_for(chain.mona))
    assert needs(asked(chain, next(orders), 20_000)) == ""
    last = asked(chain, next(orders), 1)
    assert (needs(last), len(last.breaches)) == (Tier.HEADQUARTERS, 1)


def test_an_order_adds_up_whoever_asks(chain: Chain, orders: Iterator[Order]) -> None:
    in_force(chain, replace(OF_A_DAY, measure=Measure.ORDER))
    order = next(orders)
    assert needs(asked(chain, order, 50_000)) == ""
    assert needs(asked(chain, order, 1, chain.mona)) == Tier.STORE
    assert needs(asked(chain, next(orders), 50_000)) == ""


def test_a_store_adds_up_whoever_asks_and_another_store_by_itself(chain: Chain, orders: Iterator[Order]) -> None:
    people.join_store(chain.kari, chain.bergen, role=Role.CASHIER, by=chain.by)
    in_force(chain, replace(OF_A_DAY, measure=Measure.STORE))
    assert needs(asked(chain, next(orders), 50_000)) == ""
    assert needs(asked(chain, next(orders), 1, chain.mona)) == Tier.STORE
    assert needs(asked(chain, next(orders), 50_000, store=chain.bergen)) == ""


def over_rest(till: Till, order: Order, amount: int, cashier: str, key: str) -> Refund:
    body = asking_over_rest.asking(order, amount, cashier=cashier)
    assert asking_over_rest.ask(till, body, key=key).status_code == 202
    return Refund.objects.get(client_key=key)


def test_a_till_and_each_of_its_cashiers_add_up_by_themselves(chain: Chain, orders: Iterator[Order]) -> None:
    in_force(chain, OF_A_DAY, replace(OF_A_DAY, measure=Measure.TILL, above_minor=70_000, allowed_by=Tier.HEADQUARTERS))
    till = Till(chain.systems["OSL"])
    assert needs(over_rest(till, next(orders), 50_000, "kari-7", "1")) == ""
    assert needs(over_rest(till, next(orders), 1, "kari-7", "2")) == Tier.STORE
    assert needs(over_rest(till, next(orders), 19_999, "ida-3", "3")) == ""
    assert needs(over_rest(till, next(orders), 1, "ida-3", "4")) == Tier.HEADQUARTERS
    assert needs(asked(chain, next(orders), 50_000)) == "", "the desk is a till of its own"


def test_another_currency_adds_up_by_itself(chain: Chain, orders: Iterator[Order]) -> None:
    in_force(chain, OF_A_DAY)
    refund = asked(chain, next(orders), 50_000)
    with pytest.raises(DatabaseError), transaction.atomic():
        Refund.objects.filter(pk=refund.pk).update(currency="DKK")
    in_force(chain, replace(OF_A_DAY, currency="DKK"))
    assert needs(asked(chain, next(orders), 50_000)) == ""


def test_two_at_once_do_not_slip_past_a_sum_together(transactional_db: None, chain: Chain, monkeypatch: Any) -> None:
    """Each of another order, so that no order's lock keeps them apart; each alone is within the cashier's day."""
    monkeypatch.setattr(nudge, "publish", lambda task, row_id: True)
    in_force(chain, OF_A_DAY, replace(OF_A_DAY, measure=Measure.STORE), replace(OF_A_DAY, measure=Measure.TILL))
    sold = [chain.sold(chain.bergen, f"BGO-20261101-910{number}", 100_000) for number in range(6)]
    answers = together(*(partial(ask, order, 20_000, who=chain.kari, store=chain.oslo) for order in sold))
    refunds = [answer.refund for answer in answers if isinstance(answer, intake.Accepted)]
    assert len(refunds) == 6, answers
    assert sorted(needs(refund) for refund in refunds) == ["", "", *["store"] * 4]
    assert audit.verify().bad is None


# Every door asks the same


def test_a_release_is_judged_by_the_limit_of_one_refund_and_adds_to_no_sum(chain: Chain) -> None:
    order = reserved(chain, amount_minor=50_000)
    version = in_force(chain, replace(AT_ONCE, above_minor=49_999), replace(OF_A_DAY, above_minor=1))
    release = ask_release(order, who=chain.kari, store=chain.oslo).refund
    assert (needs(release), release.policy_version, len(release.breaches)) == (Tier.STORE, version, 1)


def test_asking_first_says_what_asking_does(chain: Chain, orders: Iterator[Order]) -> None:
    in_force(chain, AT_ONCE, replace(OF_A_DAY, allowed_by=Tier.HEADQUARTERS))
    asked(chain, next(orders), 30_000)
    for amount in (20_000, 20_001, 60_000):
        order, money = next(orders), Money(amount_minor=amount, currency="NOK")
        said = intake.decide(order, money, refunding_store=chain.oslo, asker=chain.kari)
        refund = asked(chain, order, amount)
        assert needs(refund) == (said.needs_approval_of or "")
        assert refund.breaches == [breach.as_facts() for breach in said.breaches]


def test_a_file_of_refunds_is_held_to_the_limits_too(chain: Chain, orders: Iterator[Order]) -> None:
    in_force(chain, OF_A_DAY)
    sold = [next(orders), next(orders)]
    lines = [f"k{number},40000,NOK,returned,,BGO,{order.reference}" for number, order in enumerate(sold)]
    text = "\n".join(["key,amount_minor,currency,reason,reason_text,store,reference", *lines])
    batch = importing.read_batch(
        text.encode(), asker=chain.kari, store=chain.oslo, by=access.actor_for(chain.kari, store=chain.oslo)
    )
    outcomes = list(batch.request())
    assert [needs(found.refund) for found in outcomes if found.refund] == ["", Tier.STORE]


def test_judging_asks_the_database_little(chain: Chain, orders: Iterator[Order], django_assert_num_queries: Any) -> None:
    """One question for the version in force; one for the asker's role and one for each sum, where a rule names them."""
    order = access.order_for(chain.kari, next(orders).public_id)
    decide = partial(
        intake.decide, order, Money(amount_minor=100, currency="NOK"), refunding_store=chain.oslo, asker=chain.kari
    )
    with django_assert_num_queries(6):
        decide()
    in_force(chain, AT_ONCE, OF_A_DAY, replace(OF_A_DAY, measure=Measure.STORE, role=AskerRole.CASHIER))
    decide()
    with django_assert_num_queries(9):
        decide()


def test_a_refund_that_was_judged_long_ago_is_carried_out_all_the_same(chain: Chain, orders: Iterator[Order]) -> None:
    """A limit is about asking: what was accepted goes out, whatever has come into force since."""
    refund = asked(chain, next(orders), 60_000)
    in_force(chain, AT_ONCE)
    assert run(refund).state == State.REFUNDED
    assert refund.policy_version is None
    assert clock.db_now() > refund.accepted_at

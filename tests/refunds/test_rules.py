"""The limits as a table: which rule fits which wish, which is broken, whose yes is enough; no way round a sum exists."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refunds.models import AskerRole, Measure, Tier
from refunds.rules import SUMS, Breach, Rule, Wish, broken, fitting, highest

OSLO, BERGEN = 1, 2
WISH = Wish(
    amount_minor=25_000,
    currency="NOK",
    role="cashier",
    store_id=OSLO,
    age=timedelta(days=10),
    reason="goodwill",
    has_receipt=False,
)
RULE = Rule(measure=Measure.REFUND, above_minor=24_999, currency="NOK")
ANY = Rule(measure=Measure.REFUND, above_minor=0)
NO_SUMS = {(measure, tier): 0 for measure in SUMS for tier in Tier}


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({}, True),
        ({"currency": "DKK"}, False),
        ({"currency": "", "above_minor": 0}, True),
        ({"role": AskerRole.CASHIER}, True),
        ({"role": AskerRole.MANAGER}, False),
        ({"role": AskerRole.SYSTEM}, False),
        ({"store_id": OSLO}, True),
        ({"store_id": BERGEN}, False),
        ({"older_than_days": 9}, True),
        ({"older_than_days": 10}, False),
        ({"older_than_days": 11}, False),
        ({"reason": "goodwill"}, True),
        ({"reason": "faulty"}, False),
        ({"without_receipt": True}, True),
        ({"role": AskerRole.CASHIER, "store_id": OSLO, "older_than_days": 1, "reason": "goodwill"}, True),
        ({"role": AskerRole.CASHIER, "store_id": OSLO, "older_than_days": 1, "reason": "faulty"}, False),
    ],
)
def test_a_rule_fits_where_every_condition_it_names_does(conditions: dict[str, Any], fits: bool) -> None:
    rule = replace(RULE, **conditions)
    assert fitting((rule,), WISH) == ((rule,) if fits else ())
    assert bool(broken((rule,), WISH, NO_SUMS)) is fits


def test_with_a_receipt_the_rule_for_none_does_not_fit() -> None:
    assert broken((replace(RULE, without_receipt=True),), replace(WISH, has_receipt=True), NO_SUMS) == ()


@pytest.mark.parametrize(("age", "is_broken"), [(timedelta(days=30), False), (timedelta(days=30, microseconds=1), True)])
def test_a_window_closes_after_its_last_moment(age: timedelta, is_broken: bool) -> None:
    window = replace(ANY, older_than_days=30)
    assert bool(broken((window,), replace(WISH, age=age), NO_SUMS)) is is_broken


@pytest.mark.parametrize(("limit", "is_broken"), [(25_001, False), (25_000, False), (24_999, True), (0, True)])
def test_only_more_than_the_limit_breaks_it(limit: int, is_broken: bool) -> None:
    assert bool(broken((replace(RULE, above_minor=limit),), WISH, NO_SUMS)) is is_broken


@pytest.mark.parametrize("measure", SUMS)
@pytest.mark.parametrize(("already", "is_broken"), [(74_999, False), (75_000, False), (75_001, True), (0, False)])
def test_a_sum_counts_what_went_before(measure: Measure, already: int, is_broken: bool) -> None:
    rule = replace(RULE, measure=measure, above_minor=100_000)
    found = broken((rule,), WISH, {**NO_SUMS, (measure, Tier.STORE): already, (measure, Tier.HEADQUARTERS): 10**9})
    assert bool(found) is is_broken
    if found:
        assert (found[0].reached_minor, found[0].above_minor) == (already + 25_000, 100_000)


def test_each_yes_has_a_sum_of_its_own() -> None:
    """What a manager allowed counts no longer for the cashier, but does for headquarters' own limit."""
    rules = tuple(replace(RULE, measure=Measure.STORE, above_minor=100_000, allowed_by=tier) for tier in Tier)
    sums = {**NO_SUMS, (Measure.STORE, Tier.HEADQUARTERS): 80_000}
    assert [breach.allowed_by for breach in broken(rules, WISH, sums)] == [Tier.HEADQUARTERS]


EVERYWHERE, HERE = replace(RULE, above_minor=10_000), replace(RULE, above_minor=500_000, store_id=OSLO)


@pytest.mark.parametrize("rules", list(permutations([EVERYWHERE, HERE])))
def test_a_stores_own_limit_takes_the_place_of_the_same_limit_of_all(rules: tuple[Rule, ...]) -> None:
    assert fitting(rules, WISH) == (HERE,)
    assert fitting(rules, replace(WISH, store_id=BERGEN)) == (EVERYWHERE,)


@pytest.mark.parametrize(
    "other",
    [
        {"measure": Measure.CASHIER},
        {"allowed_by": Tier.HEADQUARTERS},
        {"role": AskerRole.CASHIER},
        {"older_than_days": 5},
        {"reason": "goodwill"},
        {"without_receipt": True},
        {"currency": "", "above_minor": 0},
    ],
)
def test_every_other_limit_holds_beside_it(other: dict[str, Any]) -> None:
    everywhere = replace(EVERYWHERE, **other)
    assert fitting((HERE, everywhere), WISH) == (HERE, everywhere)


@pytest.mark.parametrize(
    ("tiers", "needs"),
    [((), None), ((Tier.STORE,), Tier.STORE), ((Tier.STORE, Tier.HEADQUARTERS), Tier.HEADQUARTERS)],
)
def test_the_highest_yes_is_enough_for_all(tiers: tuple[Tier, ...], needs: Tier | None) -> None:
    found = broken(tuple(replace(ANY, allowed_by=tier) for tier in tiers), WISH, NO_SUMS)
    assert highest(found) == needs
    assert highest(reversed(found)) == needs


def test_what_a_row_keeps_of_a_breach_is_the_breach() -> None:
    rules = (
        replace(ANY, older_than_days=5, reason="goodwill", without_receipt=True, role=AskerRole.CASHIER),
        replace(RULE, measure=Measure.TILL, allowed_by=Tier.HEADQUARTERS),
    )
    found = broken(rules, WISH, {**NO_SUMS, (Measure.TILL, Tier.HEADQUARTERS): 5})
    assert len(found) == 2
    assert tuple(Breach.of_facts(breach.as_facts()) for breach in found) == found


@given(
    amounts=st.lists(st.integers(min_value=1, max_value=60_000), max_size=20),
    limit=st.integers(min_value=0, max_value=100_000),
)
def test_no_sequence_of_wishes_gets_past_a_sum_without_a_yes(amounts: list[int], limit: int) -> None:
    """Splitting gains nothing (one big refund, or many small ones): what went without a yes stays within the limit."""
    rule = replace(RULE, measure=Measure.CASHIER, above_minor=limit)
    went = 0
    for amount in amounts:
        sums = {**NO_SUMS, (Measure.CASHIER, Tier.STORE): went}
        if not broken((rule,), replace(WISH, amount_minor=amount), sums):
            went += amount
    assert went <= limit

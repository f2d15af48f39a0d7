"""The rules as a table: which one speaks first, what it says, and that nothing else does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refunds.models import Measure, Tier
from refunds.policy import REFUND_PERIOD, Allowed, Facts, Refusal, decide
from refunds.rules import Breach

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FINE = Facts(
    amount_minor=25_000,
    currency="NOK",
    order_currency="NOK",
    reference="BGO-7741",
    captured_minor=100_000,
    left_minor=100_000,
    paid_at=NOW - timedelta(days=1),
    now=NOW,
    is_on_hold=False,
    has_keys=True,
)

# In the order in which they speak: each broken fact, and the code, status and field of the refusal.
BROKEN: list[tuple[dict[str, Any], str, int, str]] = [
    ({"amount_minor": 0}, "invalid_amount", 400, "amount"),
    ({"currency": "DKK"}, "wrong_currency", 400, "amount.currency"),
    ({"paid_at": NOW - timedelta(days=365, microseconds=1)}, "too_old", 409, ""),
    ({"reference": "1234567", "currency": "SEK", "order_currency": "SEK"}, "not_reachable", 409, ""),
    ({"reference": "1234567", "amount_minor": 99}, "below_minimum", 400, "amount"),
    ({"is_on_hold": True}, "on_hold", 409, ""),
    ({"captured_minor": 0}, "not_captured", 409, ""),
    ({"left_minor": 0}, "nothing_left", 409, ""),
    ({"left_minor": 24_999}, "exceeds_left", 409, "amount"),
    ({"has_keys": False}, "no_keys", 409, ""),
]


def test_what_the_bank_took_back_needs_two_people_whatever_the_amount() -> None:
    disputed = decide(replace(FINE, disputed_minor=1))
    assert disputed == Allowed(disputed_minor=1)
    assert isinstance(disputed, Allowed)
    assert disputed.needs_approval_of == Tier.HEADQUARTERS


def test_a_sound_wish_is_allowed_without_approval() -> None:
    allowed = decide(FINE)
    assert allowed == Allowed()
    assert isinstance(allowed, Allowed)
    assert allowed.needs_approval_of is None


@pytest.mark.parametrize(("broken", "code", "status", "field"), BROKEN, ids=[row[1] for row in BROKEN])
def test_each_rule_refuses_with_its_code(broken: dict[str, Any], code: str, status: int, field: str) -> None:
    verdict = decide(replace(FINE, **broken))
    assert isinstance(verdict, Refusal)
    assert (verdict.code, verdict.status, verdict.field) == (code, status, field)
    assert str(verdict.sentence)


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ({"currency": "SEK"}, "wrong_currency"),
        ({"reference": "1234567", "currency": "DKK", "order_currency": "DKK"}, "not_reachable"),
        ({"left_minor": -1}, "nothing_left"),
    ],
)
def test_a_rule_refuses_on_either_side(broken: dict[str, Any], code: str) -> None:
    verdict = decide(replace(FINE, **broken))
    assert isinstance(verdict, Refusal)
    assert verdict.code == code


@pytest.mark.parametrize("first", range(len(BROKEN)), ids=[row[1] for row in BROKEN])
def test_of_several_broken_rules_the_first_speaks(first: int) -> None:
    broken: dict[str, Any] = {}
    for facts, *_ in reversed(BROKEN[first:]):
        broken |= facts
    verdict = decide(replace(FINE, **broken))
    assert isinstance(verdict, Refusal)
    assert verdict.code == BROKEN[first][1]


@pytest.mark.parametrize(
    "edge",
    [
        {"amount_minor": 1},
        {"paid_at": NOW - REFUND_PERIOD},
        {"paid_at": NOW - timedelta(days=365)},
        {"reference": "12345678"},
        {"reference": "12345678", "amount_minor": 1},
        {"reference": "12345678", "currency": "DKK", "order_currency": "DKK"},
        {"reference": "1234567"},
        {"reference": "1", "amount_minor": 100},
        {"captured_minor": None},
        {"left_minor": 25_000},
        {"captured_minor": 1, "left_minor": 25_000},
    ],
)
def test_the_edge_is_still_allowed(edge: dict[str, Any]) -> None:
    assert decide(replace(FINE, **edge)) == Allowed()


def breach(tier: Tier) -> Breach:
    return Breach(measure=Measure.REFUND, allowed_by=tier, above_minor=100, reached_minor=25_000, currency="NOK")


@pytest.mark.parametrize(
    ("tiers", "disputed_minor", "needs"),
    [
        ((Tier.STORE,), 0, Tier.STORE),
        ((Tier.STORE, Tier.STORE), 0, Tier.STORE),
        ((Tier.STORE, Tier.HEADQUARTERS), 0, Tier.HEADQUARTERS),
        ((Tier.HEADQUARTERS, Tier.STORE), 0, Tier.HEADQUARTERS),
        ((Tier.STORE,), 1, Tier.HEADQUARTERS),
    ],
)
def test_a_broken_limit_is_no_refusal_but_needs_the_highest_yes(
    tiers: tuple[Tier, ...], disputed_minor: int, needs: Tier
) -> None:
    broken = tuple(breach(tier) for tier in tiers)
    verdict = decide(replace(FINE, breaches=broken, disputed_minor=disputed_minor))
    assert verdict == Allowed(breaches=broken, disputed_minor=disputed_minor)
    assert isinstance(verdict, Allowed)
    assert verdict.needs_approval_of == needs


def test_a_rule_that_is_broken_is_told_before_approval_is_asked_for() -> None:
    verdict = decide(replace(FINE, breaches=(breach(Tier.STORE),), is_on_hold=True))
    assert isinstance(verdict, Refusal)
    assert verdict.code == "on_hold"


@given(
    amount=st.integers(min_value=-100, max_value=200),
    left=st.integers(min_value=0, max_value=100),
    captured=st.one_of(st.none(), st.integers(min_value=0, max_value=100)),
    has_keys=st.booleans(),
    is_on_hold=st.booleans(),
    days=st.integers(min_value=0, max_value=400),
)
def test_nothing_is_allowed_beyond_what_is_left(
    amount: int, left: int, captured: int | None, has_keys: bool, is_on_hold: bool, days: int
) -> None:
    verdict = decide(
        replace(
            FINE,
            amount_minor=amount,
            left_minor=left,
            captured_minor=captured,
            has_keys=has_keys,
            is_on_hold=is_on_hold,
            paid_at=NOW - timedelta(days=days),
        )
    )
    is_sound = 0 < amount <= left and captured != 0 and has_keys and not is_on_hold and days <= 365
    assert isinstance(verdict, Allowed) is is_sound


@given(amount=st.integers(min_value=1, max_value=10**9), left=st.integers(min_value=0, max_value=10**9))
def test_less_left_never_allows_more(amount: int, left: int) -> None:
    if isinstance(decide(replace(FINE, amount_minor=amount, left_minor=left)), Allowed):
        assert isinstance(decide(replace(FINE, amount_minor=amount, left_minor=left + 1)), Allowed)
    else:
        assert isinstance(decide(replace(FINE, amount_minor=amount + 1, left_minor=left)), Refusal)

"""Whoever tells the hub of payments, in any order and any number of times: the index is the same."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from stores import clock
from stores.models import OrderConflict, UnplacedPayment
from tests.conftest import Chain
from tests.refunds.all_sources import Message, Truth, hand_over, happen, messages
from tests.refunds.examples import begin, effort
from tests.stores.telling import index

AMOUNTS = st.sampled_from([25_000, 20_000])
LATE = st.sampled_from([0, 7, -45])

pytestmark = pytest.mark.usefixtures("one_connection")


@st.composite
def truths(draw: st.DrawFn) -> list[Truth]:
    """A payment that a till tells of, perhaps otherwise; one of a shared unit; one that only metadata place; one that only
    its till can place; and one that nobody can."""
    first = draw(st.sampled_from([25_000, 15_000]))
    refunded = draw(st.sampled_from([0, 5_000]))
    return [
        Truth(
            unit="BGO",
            reference="BER-2026-0001",
            channel="in_store",
            till=draw(st.sampled_from(["BGO", ""])),
            first_minor=first,
            later_minor=draw(st.sampled_from([0, 25_000 - first])),
            refunded_minor=refunded,
            claimed_minor=draw(AMOUNTS),
            late=draw(LATE),
        ),
        Truth(unit="BOO", reference="HAM-2026-0002", till="HAM", first_minor=25_000, late=draw(LATE)),
        Truth(unit="BOO", reference="ZZZ-2026-0003", till="", first_minor=25_000, store_in_metadata="HAM"),
        Truth(unit="OSL", reference="BER-2026-0004", till="BGO", first_minor=25_000, channel="online", refunded_minor=refunded),
        Truth(unit="BOO", reference="ZZZ-2026-0005", till="", first_minor=first),
    ]


def everything(chain: Chain, told: list[Truth], choose: list[int] | None) -> dict[str, Any]:
    """What the hub knows after all messages in that order, some of them twice; in the order they are written for None."""
    example = begin(chain)
    try:
        paid_at = (clock.db_now() - timedelta(days=3)).replace(hour=11, minute=0, second=0, microsecond=0)
        hand_over(example.chain, paid_at)
        for truth in told:
            happen(example.chain, truth, paid_at)
        said: list[Message] = [message for truth in told for message in messages(example.chain, truth, paid_at)]
        for number in range(len(said)) if choose is None else _order(choose, len(said)):
            said[number]()
        return {
            "orders": index(),
            "left": sorted(UnplacedPayment.objects.filter(order=None).values_list("reference", "why", "captured_minor")),
            "conflicts": OrderConflict.objects.filter(settled_at=None).count(),
        }
    finally:
        example.end()


def differing(found: dict[str, Any], expected: dict[str, Any]) -> list[object]:
    """What is not the same, order by order and fact by fact."""
    one, other = ({row["reference"]: row for row in each["orders"]} for each in (found, expected))
    facts: list[object] = [
        (reference, name, one.get(reference, {}).get(name), other.get(reference, {}).get(name))
        for reference in sorted(one.keys() | other.keys())
        for name in sorted(one.get(reference, {}).keys() | other.get(reference, {}).keys())
        if one.get(reference, {}).get(name) != other.get(reference, {}).get(name)
    ]
    return facts + [(name, found[name], expected[name]) for name in ("left", "conflicts") if found[name] != expected[name]]


def _order(choose: list[int], count: int) -> list[int]:
    """Every message at least once: the drawn ones first, as often as they were drawn, and then those that were not."""
    drawn = [number % count for number in choose]
    return [*drawn, *[number for number in range(count) if number not in drawn]]


@given(told=truths(), data=st.data())
@effort(20)
def test_any_order_and_any_repetition_give_the_same_index(
    chain: Chain, settings: Settings, told: list[Truth], data: st.DataObject
) -> None:
    settings.VIPPS_QUESTIONS_PER_MINUTE = settings.VIPPS_QUESTIONS_PER_MINUTE_IN_ALL = 10_000
    choose = data.draw(st.lists(st.integers(min_value=0, max_value=59), min_size=20, max_size=60))
    found, expected = everything(chain, told, choose), everything(chain, told, None)
    assert differing(found, expected) == []


def test_the_messages_do_tell_of_everything(chain: Chain, settings: Settings) -> None:
    """So that the property above does not hold for an index that is empty."""
    settings.VIPPS_QUESTIONS_PER_MINUTE = settings.VIPPS_QUESTIONS_PER_MINUTE_IN_ALL = 10_000
    told = [
        Truth(
            unit="BGO",
            reference="BER-2026-0001",
            till="BGO",
            channel="in_store",
            first_minor=15_000,
            later_minor=10_000,
            refunded_minor=5_000,
        ),
        Truth(unit="OSL", reference="BER-2026-0004", till="BGO", first_minor=20_000, channel="online"),
        Truth(unit="BOO", reference="ZZZ-2026-0005", till="", first_minor=25_000),
    ]
    found = everything(chain, told, None)
    shown = [
        (row["reference"], row["claimed_minor"], row["captured_minor"], row["refunded_seen_minor"], row["receipt_number"])
        for row in found["orders"]
    ]
    assert sorted(shown) == [
        ("BER-2026-0001", 25_000, 25_000, 5_000, "R-01"),
        ("BER-2026-0004", 25_000, 20_000, 0, "R-04"),
    ]
    assert found["left"] == [("ZZZ-2026-0005", "no_store", 25_000)]
    assert [row["lines"] for row in found["orders"]] == [[(1, "Boots", 25_000)]] * 2

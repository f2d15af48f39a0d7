"""The judgement on three books, pure: agreement opens nothing, young money is not judged, order does not matter."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from refunds.balancing import YOUNG, Settled, Sides, judge
from refunds.models import DifferenceKind
from stores.vipps.types import Amount, Event

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
OLD = NOW - timedelta(days=3)


def event(psp: str, minor: int, *, key: str | None = None, success: bool = True, at: datetime = OLD) -> Event:
    return Event(
        reference="BGO-1",
        psp_reference=psp,
        name="REFUNDED",
        amount=Amount(currency="NOK", value=minor),
        timestamp=at,
        idempotency_key=key,
        success=success,
    )


def line(psp: str, minor: int, kind: str = "refund", *, at: datetime = OLD) -> Settled:
    return Settled(entry_type=kind, psp_reference=psp, amount_minor=minor, at=at)


def agreeing(*amounts: int) -> Sides:
    """Every book shows these refunds."""
    return Sides(
        hub_minor=sum(amounts),
        booked_keys=frozenset(f"key-{number}" for number in range(len(amounts))),
        is_moving=False,
        events=tuple(event(f"psp-{number}", minor, key=f"key-{number}") for number, minor in enumerate(amounts)),
        payment_minor=sum(amounts),
        captured_minor=10_000_000,
        settled=tuple(line(f"psp-{number}", -minor) for number, minor in enumerate(amounts)),
        settled_until=NOW - timedelta(days=1),
        now=NOW,
    )


def kinds(sides: Sides) -> list[str]:
    return [found.kind.value for found in judge(sides).found]


AMOUNTS = st.lists(st.integers(min_value=1, max_value=100_000), max_size=6)


@given(amounts=AMOUNTS, random=st.randoms(use_true_random=False))
def test_books_that_agree_agree_in_any_order(amounts: list[int], random: object) -> None:
    sides = agreeing(*amounts)
    shuffled = list(sides.settled)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    judgement = judge(replace(sides, settled=tuple(shuffled), events=tuple(reversed(sides.events))))
    assert judgement.found == ()
    assert judgement.judged == frozenset(DifferenceKind)
    assert not judgement.look_again


@given(amounts=AMOUNTS.filter(bool), off=st.integers(min_value=1, max_value=1_000))
def test_one_oere_in_any_book_is_found(amounts: list[int], off: int) -> None:
    sides = agreeing(*amounts)
    assert kinds(replace(sides, hub_minor=sides.hub_minor + off)) == ["event_log"]
    assert kinds(replace(sides, payment_minor=sides.payment_minor + off)) == ["payment_sum"]
    wrong = (replace(sides.settled[0], amount_minor=sides.settled[0].amount_minor - off), *sides.settled[1:])
    assert kinds(replace(sides, settled=wrong)) == ["settlement"]
    assert kinds(replace(sides, settled=sides.settled[1:])) == ["settlement"]


@given(amounts=AMOUNTS, off=st.integers(min_value=1, max_value=1_000))
def test_what_is_on_its_way_is_not_judged_but_looked_at_again(amounts: list[int], off: int) -> None:
    sides = replace(agreeing(*amounts), is_moving=True)
    for unequal, kind in (
        (replace(sides, hub_minor=sides.hub_minor + off), DifferenceKind.EVENT_LOG),
        (replace(sides, payment_minor=sides.payment_minor + off), DifferenceKind.PAYMENT_SUM),
    ):
        judgement = judge(unequal)
        assert judgement.found == ()
        assert kind not in judgement.judged
        assert judgement.look_again


def test_an_hour_is_young_and_a_second_more_is_not() -> None:
    sides = replace(agreeing(500), payment_minor=0)
    for age, found in ((YOUNG, ["payment_sum"]), (YOUNG - timedelta(seconds=1), [])):
        assert kinds(replace(sides, events=(event("psp-0", 500, key="key-0", at=NOW - age),))) == found


def test_without_a_settlement_the_settlement_is_not_judged() -> None:
    judgement = judge(replace(agreeing(500), settled=(), settled_until=None))
    assert judgement.found == ()
    assert DifferenceKind.SETTLEMENT not in judgement.judged
    assert not judgement.look_again


def test_what_came_after_the_settlements_end_is_not_missing_from_it() -> None:
    young = event("psp-9", 500, key="key-0", at=NOW - timedelta(hours=20))
    assert kinds(replace(agreeing(500), events=(young,), settled=())) == []


def test_a_refund_taken_back_explains_the_hubs_figure_and_nothing_else() -> None:
    sides = agreeing(500, 700)
    events = (*sides.events, event("psp-8", 500, key="key-0", success=False))
    settled = (*sides.settled, line("psp-8", 500, "correction"))
    taken_back = replace(sides, events=events, settled=settled, payment_minor=700)
    assert kinds(taken_back) == ["taken_back"]
    assert kinds(replace(taken_back, hub_minor=1_201)) == ["event_log", "taken_back"]


def test_a_refusal_before_a_success_takes_nothing_back() -> None:
    sides = agreeing(500)
    assert kinds(replace(sides, events=(event("psp-7", 500, key="key-0", success=False), *sides.events))) == []


def test_a_bank_and_a_refund_together_may_reach_what_was_paid_but_not_more() -> None:
    sides = agreeing(500)
    disputed = replace(sides, settled=(*sides.settled, line("psp-6", -600, "retained-disputed-capture")))
    assert kinds(replace(disputed, captured_minor=1_100)) == []
    assert kinds(replace(disputed, captured_minor=1_099)) == ["paid_twice"]
    won = replace(disputed, settled=(*disputed.settled, line("psp-5", 600, "returned-disputed-capture")))
    assert kinds(replace(won, captured_minor=1_099)) == []

"""What is told of a call besides its meaning: how long it took; and what an answer to a release means."""

from collections.abc import Iterator
from typing import Any

import pytest

from refunds import gateway
from refunds.gateway import Meaning, Outcome
from stores import clock
from stores.vipps.errors import VippsError
from stores.vipps.types import Aggregate, Amount, Modification
from tests.refunds.test_gateway import ORDER


def released(cancelled: int, *, captured: int = 0, currency: str = "NOK", reference: str = ORDER.reference) -> Modification:
    return Modification(
        reference=reference,
        psp_reference="psp-1",
        state="AUTHORIZED",
        amount=Amount(currency="NOK", value=25_000),
        aggregate=Aggregate(currency=currency, authorized=25_000, cancelled=cancelled, captured=captured, refunded=0),
    )


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (released(25_000), Meaning.SUCCESS),
        (released(24_999), Meaning.LAGGING),
        (released(25_001), Meaning.LAGGING),
        (released(0), Meaning.LAGGING),
        (released(25_000, captured=1), Meaning.AHEAD),
        (released(24_999, captured=1), Meaning.AHEAD),
        (released(25_000, currency="DKK"), Meaning.UNSURE),
        (released(25_000, currency="SEK"), Meaning.UNSURE),
        (released(25_000, reference="A"), Meaning.UNSURE),
        (released(25_000, reference="Z"), Meaning.UNSURE),
    ],
)
def test_a_release_is_done_only_when_all_is_let_go_and_nothing_was_taken(answer: Modification, meaning: Meaning) -> None:
    assert gateway._meaning_of_release(answer, ORDER, 25_000) is meaning


@pytest.mark.parametrize(
    ("changes", "meaning"),
    [
        ({}, Meaning.SUCCESS),
        ({"refunded": 24_999}, Meaning.LAGGING),
        ({"refunded": 25_001}, Meaning.AHEAD),
        ({"currency": "DKK"}, Meaning.UNSURE),
        ({"currency": "SEK"}, Meaning.UNSURE),
        ({"reference": "A"}, Meaning.UNSURE),
        ({"reference": "Z"}, Meaning.UNSURE),
    ],
)
def test_another_payment_or_currency_says_nothing_of_our_refund_also_where_the_client_lets_it_through(
    changes: dict[str, Any], meaning: Meaning
) -> None:
    said: dict[str, Any] = {"reference": ORDER.reference, "currency": "NOK", "refunded": 25_000} | changes
    answer = Modification(
        reference=said["reference"],
        psp_reference="psp-1",
        state="AUTHORIZED",
        amount=Amount(currency="NOK", value=25_000),
        aggregate=Aggregate(
            currency=said["currency"], authorized=100_000, cancelled=0, captured=100_000, refunded=said["refunded"]
        ),
    )
    assert gateway._meaning_of_answer(answer, ORDER, 25_000) is meaning


@pytest.fixture
def _each_look_at_the_clock_is_250_ms_later() -> Iterator[None]:
    looks = iter(range(40, 1_000))
    with clock.bound(clock.Source(monotonic=lambda: next(looks) / 4)):
        yield


@pytest.mark.usefixtures("_each_look_at_the_clock_is_250_ms_later")
def test_a_call_tells_how_many_milliseconds_it_took() -> None:
    def fails() -> Modification:
        raise VippsError("refund")

    # The clock is read when the call begins, when the watchdog is told, and when the answer has come.
    assert gateway._outcome_of_call(lambda: released(25_000), lambda _answer: Meaning.SUCCESS).took_ms == 500
    assert gateway._outcome_of_call(fails, lambda _answer: Meaning.SUCCESS).took_ms == 500


def test_what_was_not_timed_took_no_time() -> None:
    assert gateway.outcome_of(VippsError("get")).took_ms == 0
    assert Outcome(meaning=Meaning.UNSURE).took_ms == 0

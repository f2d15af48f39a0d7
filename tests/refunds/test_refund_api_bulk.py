"""Many refunds in one call: each under its own key, with its own outcome; a wrong one does not hurt the others."""

from typing import Any

import pytest
from django.db import OperationalError

from refunds import judging
from refunds.models import OrderAccount, Refund
from stores import keys
from stores.models import Order, Scope
from tests.conftest import Chain
from tests.refunds.asking_over_rest import ask, asking, nothing_moved
from tests.till import Till, problem


@pytest.fixture
def oslo(chain: Chain) -> Till:
    return Till(chain.systems["OSL"])


@pytest.fixture
def sold(chain: Chain) -> Order:
    """What Bergen sold: 1 000,00 kr."""
    return chain.sold(chain.bergen, "BER-2026-10042", 100_000)


def wish(order: Order, key: Any, amount_minor: Any = 25_000, **more: Any) -> dict[str, Any]:
    return asking(order, amount_minor, idempotency_key=key, **more)


def many(till: Till, *wishes: Any) -> list[tuple[str, str]]:
    """Each outcome with the code of its problem."""
    response = till.post("refunds/bulk", {"refunds": list(wishes)})
    assert response.status_code == 200, response.content
    results = response.json()["results"]
    assert [result["index"] for result in results] == list(range(len(wishes)))
    assert all((result["refund"] is None) is (result["outcome"] == "refused") for result in results)
    return [(result["outcome"], (result["problem"] or {"code": ""})["code"]) for result in results]


def test_each_wish_has_its_outcome(oslo: Till, sold: Order) -> None:
    found = many(
        oslo,
        wish(sold, "r-1", 10_000),
        wish(sold, "r-2", 90_001),
        wish(sold, "r-3", "100"),
        wish(sold, "r-4", 10_000),
        wish(sold, "with space", 20_000),
        wish(sold, "r-5", 20_000, msn="100002"),
        wish(sold, "r-6", 20_000, order_id="ord_" + "0" * 32),
        {name: value for name, value in wish(sold, "", 20_000).items() if name != "idempotency_key"},
        "no object",
        wish(sold, "r-7", 90_000),
    )
    assert found == [
        ("accepted", ""),
        ("refused", "exceeds_left"),
        ("refused", "invalid_amount"),
        ("refused", "possible_duplicate"),
        ("refused", "invalid_key"),
        ("refused", "unknown_field"),
        ("refused", "not_found"),
        ("refused", "required"),
        ("refused", "invalid"),
        ("accepted", ""),
    ]
    assert [refund.amount_minor for refund in Refund.objects.order_by("number")] == [10_000, 90_000]
    assert OrderAccount.objects.get().reserved_minor == 100_000


def test_a_wish_is_answered_as_in_a_call_of_its_own(oslo: Till, sold: Order) -> None:
    alone = ask(oslo, asking(sold, 100_001), key="r-1").json()
    [refused] = oslo.post("refunds/bulk", {"refunds": [wish(sold, "r-1", 100_001)]}).json()["results"]
    assert {**refused["problem"], "trace_id": ""} == {**alone, "trace_id": ""}
    [accepted] = oslo.post("refunds/bulk", {"refunds": [wish(sold, "r-2")]}).json()["results"]
    assert accepted["refund"] == oslo.get("refunds/by-key/r-2").json()


def test_the_same_call_again_refunds_nothing_twice(oslo: Till, sold: Order) -> None:
    wishes = [wish(sold, "r-1", 10_000), wish(sold, "r-2", 20_000)]
    assert many(oslo, *wishes) == [("accepted", ""), ("accepted", "")]
    assert many(oslo, *wishes) == [("repeated", ""), ("repeated", "")]
    assert many(oslo, wish(sold, "r-1", 30_000)) == [("refused", "key_reused")]
    assert ask(oslo, asking(sold, 10_000), key="r-1")["Idempotency-Replayed"] == "true"
    assert OrderAccount.objects.get().reserved_minor == 30_000


def test_a_key_that_stands_twice_in_a_call_is_one_refund(oslo: Till, sold: Order) -> None:
    assert many(oslo, wish(sold, "r-1"), wish(sold, "r-1")) == [("accepted", ""), ("repeated", "")]
    assert Refund.objects.count() == 1


def test_what_was_accepted_before_the_database_went_away_is_repeated(
    oslo: Till, sold: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes = [wish(sold, "r-1", 10_000), wish(sold, "r-2", 20_000)]
    decide = judging.judge_refund

    def gone_at_the_second(*asked: Any, **by: Any) -> Any:
        if Refund.objects.exists():
            raise OperationalError("the database is away")
        return decide(*asked, **by)

    with monkeypatch.context() as away:
        away.setattr(judging, "judge_refund", gone_at_the_second)
        problem(oslo.post("refunds/bulk", {"refunds": wishes}), 503, "unavailable")
    assert many(oslo, *wishes) == [("repeated", ""), ("accepted", "")]


@pytest.mark.parametrize("body", [{}, {"refunds": []}, {"refunds": "x"}, {"refunds": {}}, {"refunds": [{}] * 101}])
def test_a_call_of_none_or_too_many_is_refused_whole(oslo: Till, sold: Order, body: Any) -> None:
    response = oslo.post("refunds/bulk", body)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "refunds")
    assert nothing_moved()


def test_a_hundred_are_read(oslo: Till, sold: Order) -> None:
    assert many(oslo, *[{}] * 100) == [("refused", "invalid")] * 100


def test_a_key_that_may_only_read_refunds_asks_for_none(sold: Order, chain: Chain) -> None:
    reader = Till(keys.add_system(chain.oslo, name="Reader", scopes=[Scope.REFUNDS_READ], by=chain.by))
    problem(reader.post("refunds/bulk", {"refunds": [wish(sold, "r-1")]}), 403, "forbidden")
    assert nothing_moved()

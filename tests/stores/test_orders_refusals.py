"""Sync of orders: rows that are wrong, foreign or contradict each other are refused, and hurt no other row."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext

from stores import registry
from stores.models import Channel, Order, StoreUnit
from tests.conftest import Chain
from tests.till import YESTERDAY, Till, outcomes, row


@pytest.fixture
def bergen(chain: Chain) -> Till:
    return Till(chain.systems["BGO"])


WRONG = [
    ({"reference": "BER 1"}, "invalid_reference", "reference"),
    ({"reference": ""}, "invalid_reference", "reference"),
    ({"reference": "B" * 65}, "invalid_reference", "reference"),
    ({"reference": "ÆØÅ-10042"}, "invalid_reference", "reference"),
    ({"reference": "BER-1\x00"}, "invalid_reference", "reference"),
    ({"reference": 10042}, "invalid_row", "reference"),
    ({"amount": {"amount_minor": 0, "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": -1, "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": 250.0, "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": True, "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": "250", "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": 65_000_001, "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": 10**30, "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": 1, "currency": "DKK"}}, "wrong_currency", "amount.currency"),
    ({"amount": {"amount_minor": 1, "currency": "USD"}}, "wrong_currency", "amount.currency"),
    ({"amount": {"amount_minor": 1}}, "missing_field", "amount.currency"),
    ({"paid_at": "2026-01-01T10:00:00"}, "invalid_paid_at", "paid_at"),
    ({"paid_at": "2999-01-01T10:00:00Z"}, "invalid_paid_at", "paid_at"),
    ({"paid_at": "0001-01-01T00:00:00+14:00"}, "invalid_paid_at", "paid_at"),
    ({"paid_at": "yesterday"}, "invalid_row", "paid_at"),
    ({"paid_at": "2016-01-01T00:00:00Z"}, "no_unit", "channel"),
    ({"channel": "by_mail"}, "invalid_channel", "channel"),
    ({"channel": "online"}, "no_unit", "channel"),
    ({"receipt_number": "R" * 41}, "invalid_text", "receipt_number"),
    ({"receipt_number": "R\x00"}, "invalid_text", "receipt_number"),
    ({"receipt_number": "R\ud800"}, "invalid_text", "receipt_number"),
    ({"lines": [{"name": "A", "quantity": "1.2345", "amount_minor": 1}]}, "invalid_quantity", "lines[0].quantity"),
    ({"lines": [{"name": "A", "quantity": "NaN", "amount_minor": 1}]}, "invalid_quantity", "lines[0].quantity"),
    ({"lines": [{"name": "A", "quantity": True, "amount_minor": 1}]}, "invalid_row", "lines[0].quantity"),
    ({"lines": [{"name": "", "quantity": 1, "amount_minor": 1}]}, "invalid_text", "lines[0].name"),
    ({"lines": [{"name": "A\x00", "quantity": 1, "amount_minor": 1}]}, "invalid_text", "lines[0].name"),
    ({"msn": "100002"}, "unknown_field", "msn"),
    ({"amount": {"amount_minor": 1, "currency": "NOK", "vat": 1}}, "unknown_field", "amount.vat"),
]


@pytest.mark.parametrize(("change", "code", "field"), WRONG)
def test_a_wrong_row_is_refused_and_hurts_no_other(bergen: Till, change: dict[str, Any], code: str, field: str) -> None:
    results = bergen.sync(row("BER-10042"), row("BER-10043") | change, row("BER-10044"))
    assert outcomes(results) == [("created", "", ""), ("refused", code, field), ("created", "", "")]
    assert [result["index"] for result in results] == [0, 1, 2]
    assert results[1]["order_id"] is None
    assert results[1]["detail"]
    assert sorted(Order.objects.values_list("reference", flat=True)) == ["BER-10042", "BER-10044"]


MISSHAPEN = [
    ({"reference": 10042}, "A text belongs here."),
    ({"amount": 250}, "An object belongs here."),
    ({"paid_at": 5}, "A time is RFC 3339 with its offset."),
    ({"paid_at": "yesterday"}, "A time is RFC 3339 with its offset."),
    ({"channel": 5}, "A text belongs here."),
    ({"lines": "A"}, "A list belongs here."),
    (
        {"lines": [{"name": "A", "quantity": 1.5, "amount_minor": 1}]},
        "A quantity is a whole number or a decimal string with at most three places.",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), MISSHAPEN)
def test_a_field_of_another_kind_is_told_what_belongs_there(
    bergen: Till, change: dict[str, Any], sentence: str
) -> None:
    [result] = bergen.sync(row("BER-10042") | change)
    assert (result["code"], result["detail"]) == ("invalid_row", sentence)
    with translation.override("nb"):
        assert gettext(sentence) != sentence


def test_rows_that_are_no_objects_are_refused_in_their_place(bergen: Till) -> None:
    response = bergen.post("orders", json.dumps({"orders": [None, [], "x", 7, row("BER-10042")]}))
    assert outcomes(response.json()["results"]) == [("refused", "invalid_row", "")] * 4 + [("created", "", "")]


def test_twins_in_a_batch_share_an_outcome(bergen: Till) -> None:
    first, second = bergen.sync(row("BER-10042"), row("BER-10042"))
    assert first["outcome"] == second["outcome"] == "created"
    assert first["order_id"] == second["order_id"]
    assert Order.objects.count() == 1


def test_rows_that_contradict_each_other_are_all_refused(bergen: Till) -> None:
    results = bergen.sync(row("BER-10042"), row("BER-10043"), row("BER-10042", 1))
    assert outcomes(results) == [
        ("refused", "duplicate_in_batch", "reference"),
        ("created", "", ""),
        ("refused", "duplicate_in_batch", "reference"),
    ]
    assert [order.reference for order in Order.objects.all()] == ["BER-10043"]


def test_a_foreign_prefix_is_refused_without_naming_anybody(chain: Chain) -> None:
    bodo, hamar = Till(chain.systems["BOO"]), Till(chain.systems["HAM"])
    results = bodo.sync(row("BOO-10042"), row("HAM-10042"), row("XYZ-10042"))
    assert outcomes(results) == [
        ("created", "", ""),
        ("refused", "foreign_prefix", "reference"),
        ("refused", "foreign_prefix", "reference"),
    ]
    told = json.dumps(results)
    assert chain.units["BOO"].msn not in told
    assert "Hamar" not in told
    assert outcomes(hamar.sync(row("HAM-10042"))) == [("created", "", "")]
    assert {order.store.code: order.reference for order in Order.objects.all()} == {
        "BOO": "BOO-10042",
        "HAM": "HAM-10042",
    }


def test_a_store_without_a_prefix_does_not_take_its_neighbours_references(chain: Chain) -> None:
    # The registry refuses such a link; it is written here as an older or damaged database might hold it.
    StoreUnit.objects.create(
        store=chain.oslo,
        sales_unit=chain.units["BOO"],
        prefix="",
        channel=Channel.ONLINE,
        valid_from=YESTERDAY - timedelta(days=9),
    )
    oslo = Till(chain.systems["OSL"])
    results = oslo.sync(
        row("WEB-10042", channel="online"), row("HAM-10042", channel="online"), row("ham-10042", channel="online")
    )
    assert outcomes(results) == [
        ("created", "", ""),
        ("refused", "foreign_prefix", "reference"),
        ("refused", "foreign_prefix", "reference"),
    ]


def test_a_store_with_two_units_must_say_which_channel(chain: Chain) -> None:
    registry.add_sales_unit(
        chain.oslo,
        msn="100009",
        name="Oslo web",
        market="NO",
        environment="simulator",
        channel=Channel.ONLINE,
        valid_from=YESTERDAY - timedelta(days=9),
        by=chain.by,
    )
    results = Till(chain.systems["OSL"]).sync(
        row("OSL-10042"), row("OSL-10042", channel="online"), row("OSL-10042", 1, channel="in_store")
    )
    assert outcomes(results) == [
        ("refused", "ambiguous_unit", "channel"),
        ("created", "", ""),
        ("created", "", ""),
    ]
    assert {order.sales_unit.msn: order.claimed_minor for order in Order.objects.select_related("sales_unit")} == {
        "100009": 25_000,
        "100001": 1,
    }
